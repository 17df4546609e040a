#include "cli/sql_session.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace pgc {
namespace {

// A command says what it has to say itself; the log is for what goes wrong beside.
LogOptions quiet(LogOptions logs) {
    logs.levels.level = std::max(logs.levels.level, LogLevel::warning);
    return logs;
}

PipelineSpec spec_for(SqlSession::Access access, const Program& program, Files& files) {
    PipelineSpec spec = pipeline_spec(program.settings, files);
    spec.postgres.connection.read_only = access == SqlSession::Access::read_only;
    return spec;
}

}  // namespace

SqlSession::SqlSession(Deps& deps, const Program& program, std::string name, Access access)
    : clock_(deps.clock),
      lines_(STDERR_FILENO),
      log_(quiet(program.logs), lines_, deps.clock),
      spec_(spec_for(access, program, deps.files)),
      links_(spec_.postgres.connection, std::move(name), log_.logger("postgres")),
      waiter_(deps.clock) {}

Result<BlockingLink> SqlSession::connect() {
    return BlockingLink::connect(links_, LinkFactory::Use::sql, clock_, waiter_,
                                 spec_.postgres.connection.connect_timeout);
}

}  // namespace pgc
