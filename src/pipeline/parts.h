// What the program gives a pipeline to work with, made again for each attempt.
//
// Threads: called by the pipeline's alone. What is made may refer to the parts object, which
// outlives the pipeline.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "core/format.h"
#include "core/sink.h"
#include "core/source.h"
#include "core/transform.h"

namespace pgc {

struct SourceTask {
    // False when a position is stored: then a missing slot is a loss, and a new one would only
    // hide it. And when the store itself is still to be made.
    bool may_create_slot = true;
    // A slot that the server has given up may be dropped and made again.
    bool may_replace_slot = false;
    // Of the stored position: what answers somewhere else is left as it is, for the start guard
    // to refuse.
    std::optional<SourceHome> home{};
    // A snapshot of everything may follow: what a new slot stands at is to be kept readable
    // until start().
    bool snapshot = false;
    // Of its relations.
    std::shared_ptr<RelationSlots> slots = std::make_shared<RelationSlots>();
    // The source is only looked at: nothing is created, altered, ended or requested.
    bool look_only = false;
};

class PipelineParts {
public:
    PipelineParts() = default;
    PipelineParts(const PipelineParts&) = delete;
    PipelineParts& operator=(const PipelineParts&) = delete;
    virtual ~PipelineParts() = default;

    [[nodiscard]] virtual Result<std::unique_ptr<Source>> make_source(const SourceTask& task) = 0;
    // In their order; mostly none. `slots`: as the source's.
    [[nodiscard]] virtual Result<std::vector<std::unique_ptr<Transform>>> make_transforms(
        std::shared_ptr<RelationSlots> slots) = 0;
    [[nodiscard]] virtual Result<std::unique_ptr<Format>> make_format(
        const SourceIdentity& identity) = 0;
    // Null where keys alone decide partitions.
    [[nodiscard]] virtual Result<std::unique_ptr<PartitionKeys>> make_partition_keys() = 0;
    [[nodiscard]] virtual Result<std::unique_ptr<Sink>> make_sink() = 0;
};

}  // namespace pgc
