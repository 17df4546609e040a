#include "postgres/setup/identity.h"

#include <charconv>
#include <cstdint>

#include "pgclient/answer.h"

namespace pgc {

Result<void> read_system(const Rows& rows, SourceIdentity& identity) {
    Answer row{rows};
    identity.system = row.text("systemid");
    identity.timeline = static_cast<std::uint32_t>(row.number("timeline"));
    identity.server_end = row.lsn("xlogpos");
    identity.database = row.text("dbname");
    if (!row.sound() || identity.system.empty()) {
        return std::unexpected(strange_answer("the server's identity"));
    }
    return {};
}

std::vector<TimelineSwitch> read_history(const Rows& rows) {
    std::vector<TimelineSwitch> history;
    const std::string content = Answer{rows}.text("content");
    std::string_view rest{content};
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        // "1\t0/3000158\treason"
        const auto first = line.find('\t');
        if (first == std::string_view::npos) continue;
        const auto second = line.find('\t', first + 1);
        std::uint32_t timeline = 0;
        const auto [stop_at, error] = std::from_chars(line.data(), line.data() + first, timeline);
        const auto at = parse_lsn(line.substr(first + 1, second - first - 1));
        if (error != std::errc{} || stop_at != line.data() + first || !at) continue;
        history.push_back({timeline, *at});
    }
    return history;
}

}  // namespace pgc
