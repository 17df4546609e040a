#include "postgres/relations/lineages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <utility>

#include "base/ascii.h"
#include "base/percent.h"

namespace pgc {

namespace {

constexpr std::string_view kVersion = "1";

bool is_plain(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || is_letter_or_digit(c) || c == '_' || c == '-';
}

std::string written(const Lineage& above) {
    std::string text;
    for (const TableName& table : above) {
        if (!text.empty()) text += '/';
        percent_encode(text, table.schema, is_plain);
        text += '.';
        percent_encode(text, table.name, is_plain);
    }
    return text;
}

template <typename Number>
std::optional<Number> read_number(std::string_view text, int base) {
    Number value = 0;
    const char* const past = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), past, value, base);
    if (text.empty() || error != std::errc{} || end != past) return std::nullopt;
    return value;
}

std::optional<std::string> read_name(std::string_view text) {
    auto name = percent_decode(text);
    return name && name->empty() ? std::nullopt : name;
}

// The part before the first `mark`, which goes with it; all where there is none.
std::string_view take_until(std::string_view& text, char mark) {
    const auto at = text.find(mark);
    const auto part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

std::optional<Lineage> read_above(std::string_view text) {
    Lineage above;
    while (!text.empty()) {
        std::string_view one = take_until(text, '/');
        auto schema = read_name(take_until(one, '.'));
        auto name = read_name(one);
        if (!schema || !name) return std::nullopt;
        above.push_back({std::move(*schema), std::move(*name)});
    }
    return above;
}

// What is in `more` goes to the end of `names`.
void add_names(Lineage& names, const Lineage& more) {
    for (const TableName& table : more) {
        std::erase(names, table);
        names.push_back(table);
    }
}

// Tables that share one head of a group.
struct Group {
    bool selected = false;
    std::vector<Oid> tables;
};

// As many of the tables as there is room for. False: not all.
bool append_group(std::string& text, std::string_view head, const Group& group) {
    std::string part = fmt::format(";{}", head);
    const std::size_t bare = part.size();
    std::uint32_t before = 0;
    for (const Oid table : group.tables) {
        std::string step = fmt::format("{}{}", part.size() == bare ? ':' : ',',
                                       table.value - std::exchange(before, table.value));
        if (text.size() + part.size() + step.size() > Lineages::kText_max) {
            if (part.size() > bare) text += part;
            return false;
        }
        part += step;
    }
    text += part;
    return true;
}

}  // namespace

void Lineages::refresh(const std::unordered_map<Oid, Lineage>& all) {
    for (auto& [table, known] : tables_) {
        if (!all.contains(table)) retire(known, std::nullopt);
    }
    for (const auto& [table, above] : all) set(tables_[table], above, std::nullopt);
}

void Lineages::saw(Oid table, const Lineage& above, bool wanted, Lsn log_end) {
    const auto since = log_end ? std::optional{log_end} : std::nullopt;
    if (wanted) return set(tables_[table], above, since);
    if (const auto at = tables_.find(table); at != tables_.end()) retire(at->second, since);
}

void Lineages::set(Known& known, const Lineage& above, std::optional<Lsn> since) {
    if (known.now == above) return;
    retire(known, since);
    known.now = above;
    ++revision_;
}

// What it is now, it was before.
void Lineages::retire(Known& known, std::optional<Lsn> since) {
    if (!known.now) return;
    const bool settled = known.before && known.until;
    if (!known.before) {
        known.before.emplace();
        ++befores_;
        known.until = since;
    } else {
        known.until =
            settled && since ? std::optional{std::max(*known.until, *since)} : std::nullopt;
    }
    add_names(*known.before, *known.now);
    if (known.before->size() > kBefore_max) {
        const auto more = known.before->size() - kBefore_max;
        known.before->erase(known.before->begin(),
                            known.before->begin() + static_cast<std::ptrdiff_t>(more));
    }
    if (!known.until) ++unsettled_;
    known.now.reset();
    ++revision_;
}

void Lineages::settle(Lsn log_end) {
    if (unsettled_ == 0 || !log_end) return;
    for (auto& [table, known] : tables_) {
        if (known.before && !known.until) known.until = log_end;
    }
    unsettled_ = 0;
    ++revision_;
}

std::vector<Oid> Lineages::forget(Lsn durable) {
    std::vector<Oid> forgotten;
    if (befores_ == 0) return forgotten;
    for (auto at = tables_.begin(); at != tables_.end();) {
        Known& known = at->second;
        if (!known.before || !known.until || *known.until > durable) {
            ++at;
            continue;
        }
        forgotten.push_back(at->first);
        known.before.reset();
        known.until.reset();
        --befores_;
        at = known.now ? std::next(at) : tables_.erase(at);
    }
    if (!forgotten.empty()) ++revision_;
    return forgotten;
}

Lineage Lineages::above(Oid table) const {
    const auto at = tables_.find(table);
    if (at == tables_.end()) return {};
    Lineage all = at->second.now.value_or(Lineage{});
    if (at->second.before) add_names(all, *at->second.before);
    return all;
}

Lineages::Text Lineages::text(const TableFilter& filter) const {
    std::map<std::string, Group> groups;
    const auto add = [&](Oid table, std::string head, const Lineage& above) {
        Group& group = groups[std::move(head)];
        group.tables.push_back(table);
        group.selected = std::ranges::any_of(
            above, [&](const TableName& name) { return filter.matches(name.schema, name.name); });
    };
    for (const auto& [table, known] : tables_) {
        if (known.now) add(table, "n" + written(*known.now), *known.now);
        if (!known.before) continue;
        std::string head = "b" + written(*known.before);
        if (known.until) head += fmt::format("@{:X}", known.until->value);
        add(table, std::move(head), *known.before);
    }
    Text all;
    if (groups.empty()) return all;
    all.text = kVersion;
    for (const bool selected : {true, false}) {
        for (const auto& [head, group] : groups) {
            if (group.selected != selected) continue;
            if (!append_group(all.text, head, group)) all.whole = false;
        }
    }
    return all;
}

Result<void, std::string> Lineages::read(std::string_view text) {
    if (text.empty()) return {};
    if (take_until(text, ';') != kVersion) {
        return std::unexpected("it was written by another version of pg-capture");
    }
    ++revision_;
    while (!text.empty()) {
        if (!read_group(take_until(text, ';'))) {
            return std::unexpected("it is not what pg-capture writes");
        }
    }
    return {};
}

bool Lineages::read_group(std::string_view group) {
    std::string_view oids = group;
    std::string_view until = take_until(oids, ':');
    std::string_view head = take_until(until, '@');
    const bool now = head.starts_with('n');
    if (!now && !head.starts_with('b')) return false;
    const auto above = read_above(head.substr(1));
    const auto place = read_number<std::uint64_t>(until, 16);
    if (!above || oids.empty() || (!until.empty() && (now || !place))) return false;
    std::uint32_t value = 0;
    while (!oids.empty()) {
        const auto step = read_number<std::uint32_t>(take_until(oids, ','), 10);
        if (!step || *step == 0 || value + *step < value) return false;
        value += *step;
        Known& known = tables_[Oid{value}];
        if (now) {
            known.now = *above;
            continue;
        }
        if (!known.before) ++befores_;
        known.before = *above;
        known.until = place ? std::optional{Lsn{*place}} : std::nullopt;
        if (!place) ++unsettled_;
    }
    return true;
}

}  // namespace pgc
