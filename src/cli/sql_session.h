// A command's own connection to the server: for questions, outside of any pipeline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/wait.h"
#include "cli/command.h"
#include "cli/pipeline_spec.h"
#include "cli/program.h"
#include "observe/log.h"
#include "pgclient/blocking.h"
#include "pgclient/libpq_link.h"

namespace pgc {

class SqlSession {
public:
    enum class Access : std::uint8_t { read_only, read_write };

    // Both outlive it. `name` is how the sessions call themselves. Of one that only looks the
    // server takes no statement that writes.
    SqlSession(Deps& deps, const Program& program, std::string name,
               Access access = Access::read_only);

    Result<BlockingLink> connect();

    // Of the pipeline whose matters these are.
    const PipelineSpec& spec() const noexcept { return spec_; }
    const PostgresConfig& config() const noexcept { return spec_.postgres; }
    LinkFactory& links() noexcept { return links_; }
    Waiter& waiter() noexcept { return waiter_; }
    Logger logger(std::string_view module) { return log_.logger(module); }

private:
    const Clock& clock_;
    DescriptorLines lines_;
    Log log_;
    const PipelineSpec spec_;
    LibpqLinkFactory links_;
    PollWaiter waiter_;
};

}  // namespace pgc
