#include "sink/file/layout_template.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/fnv.h"
#include "sink/file/layout.h"

namespace pgc {
namespace {

constexpr std::string_view kRootVariable = "{root}/";
constexpr std::size_t kSegment_max = 250;
constexpr std::string_view kLayoutVariables[] = {"database", "schema",    "table",   "date",
                                                 "time",     "timestamp", "end_lsn", "sequence"};

bool is_literal(char c) noexcept {
    return is_letter_or_digit(c) || std::string_view{"_-.=+@,"}.contains(c);
}

// The root is where all of them are: it may be written, and changes nothing.
std::string_view without_root(std::string_view text) {
    if (text.starts_with(kRootVariable)) text.remove_prefix(kRootVariable.size());
    return text;
}

// One name of the path, cut off its front.
std::string_view take_segment(std::string_view& rest) {
    const auto slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    return segment;
}

// Calls literal(char) and variable(name) for what `segment` is made of. False: a brace is open.
template <typename Literal, typename Variable>
bool walk_segment(std::string_view segment, Literal literal, Variable variable) {
    while (!segment.empty()) {
        if (segment.front() != '{') {
            literal(segment.front());
            segment.remove_prefix(1);
            continue;
        }
        const auto end = segment.find('}');
        if (end == std::string_view::npos) return false;
        variable(segment.substr(1, end - 1));
        segment.remove_prefix(end + 1);
    }
    return true;
}

std::string segment_fault(std::string_view segment, std::set<std::string_view>& used) {
    if (segment.empty()) return "it has a folder without a name";
    if (segment.front() == '.') return "no folder of it may begin with a dot";
    std::string fault;
    const bool closed = walk_segment(
        segment,
        [&](char c) {
            if (is_literal(c) || !fault.empty()) return;
            fault = fmt::format("a folder of it can't have '{}' in its name", c);
        },
        [&](std::string_view name) {
            used.insert(name);
            if (std::ranges::find(kLayoutVariables, name) != std::end(kLayoutVariables)) return;
            if (fault.empty()) fault = fmt::format("there is no {{{}}}", name);
        });
    return closed ? fault : "a brace is not closed";
}

// So that a file system holds it.
std::string shortened_segment(std::string segment) {
    if (segment.size() <= kSegment_max) return segment;
    return fmt::format("{}-{:016x}", segment.substr(0, kSegment_max - 17), fnv1a(segment));
}

// checkpoint.json is a file of the root's: a folder is not called so.
std::string beside_checkpoint(std::string segment) {
    return segment == kCheckpointName ? "%63" + segment.substr(1) : segment;
}

template <typename Value>
std::string fill_layout(std::string_view text, Value value) {
    std::string path;
    while (!text.empty()) {
        std::string segment;
        walk_segment(
            take_segment(text), [&](char c) { segment += c; },
            [&](std::string_view name) { segment += value(name); });
        if (path.empty()) {
            path = beside_checkpoint(shortened_segment(std::move(segment)));
            continue;
        }
        path += '/';
        path += shortened_segment(std::move(segment));
    }
    return path;
}

}  // namespace

std::string layout_fault(std::string_view text) {
    text = without_root(text);
    if (text.empty()) return "it is empty";
    if (text.starts_with('/')) return "it is below the root, and doesn't begin with /";
    if (text.ends_with('/')) return "it doesn't end with /";
    std::set<std::string_view> used;
    while (!text.empty()) {
        if (auto fault = segment_fault(take_segment(text), used); !fault.empty()) return fault;
    }
    if (!used.contains("table")) {
        return "without {table} a folder would be that of several tables' batches";
    }
    const bool day_and_time = used.contains("date") && used.contains("time");
    if (!used.contains("timestamp") && !used.contains("sequence") && !day_and_time) {
        return "a table's batches need folders of their own: add {timestamp}, {sequence}, or "
               "{date} and {time}";
    }
    return {};
}

LayoutTemplate::LayoutTemplate(std::string_view text) : text_(without_root(text)) {}

std::string LayoutTemplate::folder(const Batch& batch) const {
    const std::string_view at = batch.name;
    return fill_layout(text_, [&](std::string_view name) -> std::string {
        if (name == "database") return folder_name(batch.database);
        if (name == "schema") return folder_name(batch.schema);
        if (name == "table") return std::string{batch.folder};
        if (name == "timestamp") return std::string{at};
        if (name == "date") {
            return fmt::format("{}-{}-{}", at.substr(0, 4), at.substr(4, 2), at.substr(6, 2));
        }
        if (name == "time") return std::string{at.substr(9, 6)};
        if (name == "end_lsn") return fmt::format("{:016X}", batch.end_lsn.value);
        return fmt::format("{:012}", batch.sequence);
    });
}

std::string LayoutTemplate::place(std::string_view schema, std::string_view folder) const {
    return fill_layout(text_, [&](std::string_view name) -> std::string {
        if (name == "schema") return folder_name(schema);
        if (name == "table") return std::string{folder};
        return fmt::format("{{{}}}", name);
    });
}

}  // namespace pgc
