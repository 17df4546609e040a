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

}  // namespace

Errand::Errand(World& world, const Program& program, std::string name)
    : clock_(world.clock),
      lines_(STDERR_FILENO),
      log_(quiet(program.logs), lines_, world.clock),
      config_(postgres_config(program.settings, world.files)),
      links_(config_.connection, std::move(name), log_.logger("postgres")),
      waiter_(world.clock) {}

Result<BlockingLink> Errand::connect() {
    return BlockingLink::connect(links_, LinkFactory::Use::sql, clock_, waiter_,
                                 config_.connection.connect_timeout);
}

}  // namespace pgc
