#include "cli/check_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/errand.h"
#include "observe/json_text.h"
#include "postgres/check/check.h"

namespace pgc {
namespace {

std::string as_json(const Findings& findings) {
    std::string text = "{\"findings\":[";
    for (const Finding& finding : findings) {
        if (text.back() != '[') text += ',';
        text += fmt::format("{{\"id\":\"{}\",\"level\":\"{}\",\"subject\":", finding.id,
                            name(finding.level));
        append_json_string(text, finding.subject);
        text += ",\"message\":";
        append_json_string(text, finding.message);
        text += ",\"mend\":";
        append_json_string(text, finding.mend);
        text += '}';
    }
    return text + "]}\n";
}

std::string as_text(const Findings& findings, bool colours) {
    const auto mark = [&](Finding::Level level) -> std::string {
        switch (level) {
            case Finding::Level::ok: return colours ? "\033[32mok\033[0m      " : "ok      ";
            case Finding::Level::warning: return colours ? "\033[33mwarning\033[0m " : "warning ";
            case Finding::Level::blocking: return colours ? "\033[31mblocking\033[0m" : "blocking";
        }
        return {};
    };
    std::string text;
    for (const Finding& finding : findings) {
        text += fmt::format("{}  {}: {}\n", mark(finding.level), finding.subject, finding.message);
        if (!finding.mend.empty()) text += fmt::format("          mend: {}\n", finding.mend);
    }
    return text;
}

std::string verdict(const Findings& findings) {
    const auto blocking = std::ranges::count(findings, Finding::Level::blocking, &Finding::level);
    const auto warnings = std::ranges::count(findings, Finding::Level::warning, &Finding::level);
    if (blocking > 0) return fmt::format("\n{} blocking, {} warnings.\n", blocking, warnings);
    return fmt::format("\nReady to follow{}.\n",
                       warnings > 0 ? fmt::format(", {} warnings", warnings) : std::string{});
}

}  // namespace

ExitCode run_check(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    World& world = invocation.world;
    Errand errand(world, *program, "pg-capture check");
    const Findings findings =
        check_postgres(errand.config(), errand.links(), world.clock, errand.waiter());
    world.console.out(invocation.json()
                          ? as_json(findings)
                          : as_text(findings, world.console.out_is_terminal()) + verdict(findings));
    const bool blocked = std::ranges::any_of(
        findings, [](const Finding& f) { return f.level == Finding::Level::blocking; });
    return blocked ? ExitCode::findings : ExitCode::done;
}

}  // namespace pgc
