#include "cli/progress_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/status_line.h"

namespace pgc {
namespace {

constexpr std::size_t kTables_max = 16;  // more are only counted: they must fit into a window
constexpr std::size_t kBar_min = 5;      // a shorter one says nothing
constexpr std::size_t kBar_max = 40;
constexpr std::size_t kPercent = 6;  // " 100 %"
constexpr std::size_t kGap = 2;

struct Row {
    std::string name;
    std::uint64_t rows = 0;
    std::uint64_t rows_expected = 0;

    std::string numbers() const {
        std::string text = grouped(rows);
        if (rows_expected > 0) text += " of about " + grouped(rows_expected);
        return text + " rows";
    }
};

// How wide each column is; 0: there is no room for it.
struct Widths {
    std::size_t name = 0;
    std::size_t bar = 0;  // without its brackets
    std::size_t numbers = 0;
};

// At most `width` characters of a printable text; a '~' says that there are more.
std::string cut(std::string_view text, std::size_t width) {
    if (width_of(text) <= width) return std::string{text};
    if (width == 0) return {};
    std::string kept;
    for (std::size_t n = 0; n + 1 < width; ++n) {
        const auto length = std::max<std::size_t>(utf8_sequence_length(text), 1);
        kept += text.substr(0, length);
        text.remove_prefix(length);
    }
    return kept + '~';
}

Widths widths_of(const std::vector<Row>& rows, std::size_t width) {
    Widths widths;
    for (const Row& row : rows) {
        widths.name = std::max(widths.name, width_of(row.name));
        widths.numbers = std::max(widths.numbers, width_of(row.numbers()));
    }
    widths.name = std::min(widths.name, width / 3);
    std::size_t taken = widths.name + kPercent;
    if (taken + kGap + widths.numbers > width) {
        widths.numbers = 0;
    } else {
        taken += kGap + widths.numbers;
    }
    taken += kGap + 2;  // the brackets
    if (taken + kBar_min <= width) widths.bar = std::min(width - taken, kBar_max);
    return widths;
}

std::string bar(const Row& row, std::size_t width) {
    const std::size_t full = width * percent_of(row.rows, row.rows_expected).value_or(0) / 100;
    return '[' + std::string(full, '#') + std::string(width - full, '.') + ']';
}

std::string line(const Row& row, const Widths& widths, std::size_t width) {
    const auto percent = percent_of(row.rows, row.rows_expected);
    std::string text = cut(row.name, widths.name);
    text.append(widths.name - width_of(text), ' ');
    if (widths.bar > 0) text += "  " + bar(row, widths.bar);
    text += percent ? fmt::format(" {:>3} %", *percent) : "     ?";
    if (widths.numbers > 0) text += "  " + row.numbers();
    return cut(text, width);
}

std::string last_line(const SnapshotReport::Request& snapshot, std::size_t unseen_tables) {
    using enum SnapshotReport::State;
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (snapshot.state != reading) add(std::string{name(snapshot.state)});
    if (!snapshot.reason.empty()) add(printable(snapshot.reason));
    if (snapshot.tables > 0) {
        add(fmt::format("{} of {} tables", grouped(snapshot.tables_done),
                        grouped(snapshot.tables)));
    }
    if (unseen_tables > 0) add(fmt::format("{} more being read", grouped(unseen_tables)));
    if (snapshot.state == reading) {
        add(grouped(snapshot.rows_per_second) + " rows/s");
        const auto left =
            time_left(snapshot.rows, snapshot.rows_expected, snapshot.rows_per_second);
        if (!left.empty()) add(left);
    }
    return text;
}

}  // namespace

std::vector<std::string> progress_bars(const SnapshotReport::Request& snapshot, std::size_t width) {
    const std::size_t seen = std::min(snapshot.open.size(), kTables_max);
    std::vector<Row> rows;
    for (std::size_t i = 0; i < seen; ++i) {
        const SnapshotReport::Table& table = snapshot.open[i];
        rows.push_back({printable(table.name), table.rows, table.rows_expected});
    }
    rows.push_back({"all tables", snapshot.rows, snapshot.rows_expected});
    const Widths widths = widths_of(rows, width);
    std::vector<std::string> lines;
    lines.reserve(rows.size() + 1);
    for (const Row& row : rows) lines.push_back(line(row, widths, width));
    lines.push_back(cut(last_line(snapshot, snapshot.open.size() - seen), width));
    return lines;
}

std::string drawn_over(std::size_t before, const std::vector<std::string>& lines) {
    std::string text = before > 0 ? fmt::format("\033[{}A", before) : "";
    // Each is cleared before it is written: after a full line that would take its last character.
    for (const std::string& line : lines) text += "\r\033[K" + line + '\n';
    return text + "\033[J";
}

}  // namespace pgc
