#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "config/environment.h"
#include "pgclient/parameters.h"

// For jemalloc, which release builds are linked with: what is free goes back to the kernel
// within a second, and a machine with many cores gets no more arenas than we have threads for.
extern "C" {
extern const char* malloc_conf;
[[gnu::used]] const char* malloc_conf = "dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4";
}

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // whoever writes looks at what became of it
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    pgc::SystemConsole console;
    pgc::SystemFiles files;
    const pgc::SystemClock clock;
    pgc::Environment environment = pgc::read_environment();
    // The last change of it: from here on there may be threads, which read it without a lock.
    pgc::remove_from_environment(pgc::libpq_variables());
    pgc::Deps deps{console, files, clock, std::move(environment)};
    return static_cast<int>(pgc::run_program(arguments, deps));
}
