// The concrete source, format and sink the settings name: the only place that knows them.
#pragma once

#include <memory>

#include "base/clock.h"
#include "config/settings.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pipeline/parts.h"
#include "postgres/link/link.h"
#include "postgres/options.h"
#include "postgres/stream/source_memory.h"

namespace pgc {

class ProgramParts final : public PipelineParts {
public:
    // The configured sink, or the console whatever is configured (peek).
    enum class SinkChoice : std::uint8_t { configured, console };

    // All outlive it.
    ProgramParts(const Settings& settings, const PostgresConfig& postgres, const Clock& clock,
                 Metrics& metrics, Logger logger, SinkChoice sink = SinkChoice::configured);

    Result<std::unique_ptr<Source>> make_source(bool may_create_slot) override;
    Result<std::unique_ptr<Format>> make_format(const SourceIdentity& identity) override;
    Result<std::unique_ptr<Sink>> make_sink() override;

private:
    const Settings& settings_;
    const PostgresConfig& postgres_;
    const Clock& clock_;
    Metrics& metrics_;
    const Logger logger_;
    const SinkChoice sink_;
    const std::unique_ptr<LinkFactory> links_;
    SourceMemory memory_;
    std::uint64_t attempts_ = 0;
};

}  // namespace pgc
