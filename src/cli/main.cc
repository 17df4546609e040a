#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    pgc::SystemConsole console;
    pgc::SystemFiles files;
    const pgc::SystemClock clock;
    pgc::World world{console, files, clock, pgc::read_environment()};
    return static_cast<int>(pgc::run_program(arguments, world));
}
