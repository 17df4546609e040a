#include "cli/errand.h"

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

PostgresConfig config_for(Errand::Does does, const Program& program, Files& files) {
    PostgresConfig config = postgres_config(program.settings, files);
    config.connection.read_only = does == Errand::Does::looks;
    return config;
}

}  // namespace

Errand::Errand(World& world, const Program& program, std::string name, Does does)
    : clock_(world.clock),
      lines_(STDERR_FILENO),
      log_(quiet(program.logs), lines_, world.clock),
      config_(config_for(does, program, world.files)),
      links_(config_.connection, std::move(name), log_.logger("postgres")),
      waiter_(world.clock) {}

Result<BlockingLink> Errand::connect() {
    return BlockingLink::connect(links_, LinkFactory::Use::sql, clock_, waiter_,
                                 config_.connection.connect_timeout);
}

}  // namespace pgc
