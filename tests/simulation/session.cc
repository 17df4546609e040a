#include "simulation/session.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include "pgclient/server_errors.h"
#include "support/wire.h"

namespace pgc::sim {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

Answered refused(std::string_view sqlstate, std::string_view message) {
    return {std::unexpected(server_error({.sqlstate = sqlstate, .message = message})),
            std::string{sqlstate}};
}

// What stands between the two, after the first `from`; empty if that is not there.
std::string_view between(std::string_view text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + from.size());
    return text.substr(0, text.find(to));
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    while (!text.empty() && (text.front() == ' ' || text.front() == '\'' || text.front() == '(')) {
        text.remove_prefix(1);
    }
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// "id", "v" without the quotes.
std::vector<std::string> names(std::string_view list) {
    std::vector<std::string> all;
    while (!list.empty()) {
        const auto comma = list.find(", ");
        const auto name = list.substr(0, comma);
        all.emplace_back(name.substr(1, name.size() - 2));
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 2);
    }
    return all;
}

// A condition whose terms are joined by AND: ("id" > '5' AND "id" <= '9') AND (id > 7).
class Condition {
public:
    Condition(std::string_view text, std::uint32_t pages) : pages_(pages) {
        while (!text.empty()) {
            const auto at = text.find(" AND ");
            add(text.substr(0, at));
            text.remove_prefix(at == std::string_view::npos ? text.size() : at + 5);
        }
    }
    bool understood() const noexcept { return understood_; }
    bool holds(std::int64_t key) const {
        const std::int64_t page = page_of(key, pages_);
        if (!alone_.empty() && !alone_.contains(key)) return false;
        return key > after_ && key <= upto_ && page >= first_page_ && page < end_page_;
    }
    static std::int64_t page_of(std::int64_t key, std::uint32_t pages) {
        return key % std::max(pages, 1U);
    }

private:
    void add(std::string_view term) {
        while (term.starts_with('(')) term.remove_prefix(1);
        const auto value = [&](std::string_view head) { return number(term.substr(head.size())); };
        const auto is = [&](std::string_view head) { return term.starts_with(head); };
        constexpr std::string_view greater = "\"id\" OPERATOR(pg_catalog.>) ";
        constexpr std::string_view at_most = "\"id\" OPERATOR(pg_catalog.<=) ";
        constexpr std::string_view equal = "\"id\" OPERATOR(pg_catalog.=) ";
        if (is(greater)) {
            after_ = std::max(after_, value(greater));
        } else if (is("id > ")) {
            after_ = std::max(after_, value("id > "));
        } else if (is(at_most)) {
            upto_ = std::min(upto_, value(at_most));
        } else if (is(equal)) {
            alone_.insert(value(equal));
            constexpr std::string_view other = " OR ";
            if (const auto at = term.find(other); at != std::string_view::npos) {
                add(term.substr(at + other.size()));
            }
        } else if (is("ctid >= ")) {
            first_page_ = value("ctid >= ");
        } else if (is("ctid < ")) {
            end_page_ = value("ctid < ");
        } else {
            understood_ = false;
        }
    }

    static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    const std::uint32_t pages_;
    bool understood_ = true;
    std::int64_t after_ = 0;
    std::int64_t upto_ = kMost;
    std::int64_t first_page_ = 0;
    std::int64_t end_page_ = kMost;
    std::set<std::int64_t> alone_;  // keys, where only these are meant
};

}  // namespace

void Session::end() {
    if (open_) server_.unlock(*open_);
    open_.reset();
    tables_.reset();
}

std::optional<Answered> Session::answer(std::string_view command) {
    const auto is = [&](std::string_view name) { return command.starts_with(name); };
    if (is("ROLLBACK; BEGIN")) return begin(command);
    if (is("/* pg-capture: snapshot tables */")) return list();
    if (is("/* pg-capture: snapshot columns */")) return columns();
    if (is("/* pg-capture: snapshot order */")) return order();
    if (is("/* pg-capture: split */")) return split(command);
    if (is("/* pg-capture: check condition */")) return Answered{Rows{}};
    if (is("COPY ")) return copy(command);
    if (command != "ROLLBACK") return std::nullopt;
    end();
    return Answered{Rows{}};
}

Answered Session::begin(std::string_view command) {
    end();
    tables_ = slots_.snapshot(between(command, "SET TRANSACTION SNAPSHOT '", "'"));
    if (tables_ == nullptr) return refused("22023", "invalid snapshot identifier");
    if (command.find("/* pg-capture: snapshot tables */") != std::string_view::npos) return list();
    return open(command);
}

Answered Session::list() const {
    Rows rows;
    rows.columns = {"oid",        "schema", "name",   "shown_oid", "shown_schema",
                    "shown_name", "bytes",  "filter", "above"};
    for (std::uint32_t table = 0; table < kTables; ++table) {
        const std::string oid = std::to_string(kFirstOid + table);
        rows.rows.push_back({oid, "public", name_of(table), oid, "public", name_of(table),
                             std::to_string(habits_.bytes), "", ""});
    }
    return {std::move(rows)};
}

Answered Session::open(std::string_view command) {
    const auto oid = number(between(command, "relfilenode FROM pg_class WHERE oid = ", ")"));
    const auto table = static_cast<std::uint32_t>(oid) - kFirstOid;
    if (table >= kTables) {
        world_.fail("a table was opened that is not there");
        return refused("42P01", "relation does not exist");
    }
    const bool altered = world_.random.chance(habits_.altered);
    if (altered && world_.random.chance(50)) {
        ++counts_.altered;
        constexpr std::array<std::string_view, 3> states{"42P01", "42703", "55P03"};
        end();
        return refused(states[world_.random.below(states.size())], "it was altered");
    }
    const bool same = !altered && server_.tables()[table].file == (*tables_)[table].file;
    if (!same) ++counts_.altered;
    open_ = table;
    server_.lock(table);
    Rows rows;
    rows.columns = {"same"};
    rows.fields = {{}};
    rows.rows.push_back({same ? "t" : "f"});
    // ALTER TABLE … RENAME v TO was, ADD v text: the names are those of before.
    renamed_ = world_.random.chance(habits_.altered);
    if (renamed_) ++counts_.altered;
    for (const std::string& name : column_names()) {
        const auto number = static_cast<std::uint16_t>(rows.columns.size());
        rows.columns.push_back(name);
        rows.fields.push_back(
            {.number = static_cast<std::uint16_t>(renamed_ && name == "v" ? 99 : number),
             .type = type_of(name),
             .modifier = -1});
        rows.rows[0].emplace_back();
    }
    return {std::move(rows)};
}

std::vector<std::string> Session::column_names() const {
    std::vector<std::string> all{"id", "v", "note"};
    for (std::uint32_t i = 1; i <= (*tables_)[*open_].columns; ++i) {
        all.push_back(fmt::format("c{}", i));
    }
    return all;
}

Answered Session::order() const {
    if (!open_) return refused("25P02", "no table is open");
    Rows rows;
    rows.columns = {"number",  "name",    "type",  "modifier", "type_name", "collation",
                    "less",    "at_most", "equal", "at_least", "greater",   "unusual",
                    "version", "made",    "fills", "file"};
    for (const std::string& name : column_names()) {
        const bool keyed = is_keyed(*open_) && name == "id";
        const auto known = [&](const char* text) {
            return keyed ? std::optional<std::string>{text} : std::nullopt;
        };
        rows.rows.push_back({std::to_string(rows.rows.size() + 1), name,
                             std::to_string(type_of(name)), "-1", "bigint", std::nullopt,
                             known("OPERATOR(pg_catalog.<)"), known("OPERATOR(pg_catalog.<=)"),
                             known("OPERATOR(pg_catalog.=)"), known("OPERATOR(pg_catalog.>=)"),
                             known("OPERATOR(pg_catalog.>)"), known(""), known("1.1"), "1", "f",
                             "1"});
    }
    return {std::move(rows)};
}

Answered Session::columns() const {
    Rows rows;
    rows.columns = {"name", "type", "modifier", "is_identity", "identity", "rows", "pages"};
    if (!open_) return refused("25P02", "no table is open");
    const char identity = identity_of(*open_);
    for (const std::string& name : column_names()) {
        const bool is_identity = identity == 'f' || name == "id";
        rows.rows.push_back({name, std::to_string(type_of(name)), "-1", is_identity ? "t" : "f",
                             std::string(1, identity),
                             std::to_string((*tables_)[*open_].rows.size()),
                             std::to_string(habits_.pages)});
    }
    return {std::move(rows)};
}

Answered Session::split(std::string_view command) const {
    if (!open_) return refused("25P02", "no table is open");
    Rows rows;
    rows.columns = {"id"};
    const auto& all = (*tables_)[*open_].rows;
    const auto parts =
        static_cast<std::size_t>(number(between(command, "WHERE \"pgc#rows\" >= ", " *")));
    // A sample may have found too few.
    if (parts < 2 || all.size() < parts || world_.random.chance(20)) return {std::move(rows)};
    std::size_t at = 0;
    for (const auto& [key, row] : all) {
        if (++at % (all.size() / parts) == 0 && at / (all.size() / parts) < parts) {
            rows.rows.push_back({std::to_string(key)});
        }
    }
    ++counts_.splits;
    return {std::move(rows)};
}

Answered Session::copy(std::string_view command) {
    if (!open_) return refused("25P02", "no table is open");
    const bool query = command.starts_with("COPY (");
    const auto list = names(query ? between(command, "SELECT ", " FROM ONLY ")
                                  : between(command, " (", ") TO STDOUT"));
    const bool binary = command.find("FORMAT binary") != std::string_view::npos;
    const auto text = between(command, " WHERE ", " TO STDOUT");
    const Condition condition{text.substr(0, text.find(" ORDER BY ")), habits_.pages};
    if (!condition.understood() || list.empty()) {
        world_.fail(fmt::format("COPY can't be understood: {}", command));
    }
    const auto limit = static_cast<std::size_t>(number(between(command, " LIMIT ", ")")));
    copy_ = std::make_unique<CopyOut>();
    std::string head{binary ? "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"sv : ""sv};
    std::size_t rows = 0;
    for (const auto& [key, one] : (*tables_)[*open_].rows) {
        if (!condition.holds(key)) continue;
        if (limit > 0 && rows == limit) break;
        copy_->messages.push_back(std::exchange(head, {}) + row(one, list, binary));
        ++rows;
    }
    if (binary) copy_->messages.push_back(head + "\xFF\xFF");
    const std::size_t least = habits_.timeouts_are_late ? 1 : 0;
    const bool may_fail = is_keyed(*open_) || !habits_.timeouts_are_late;
    if (world_.random.chance(habits_.timeouts) && may_fail && rows > least) {
        ++counts_.timeouts;
        copy_->messages.resize(least + world_.random.below(rows - least));
        copy_->fails_with = "57014";
    }
    if (world_.random.chance(habits_.cut)) copy_->cut_in = world_.random.below(rows + 1);
    copy_->next_at = world_.clock.now() + world_.between(0ms, habits_.row_max);
    return {Rows{}};
}

std::string Session::row(const Row& row, const std::vector<std::string>& columns,
                         bool binary) const {
    testing::Wire wire;
    std::string text;
    if (binary) wire.int16(static_cast<std::int16_t>(columns.size()));
    const auto put = [&](const std::optional<std::string>& value) {
        if (binary && value) wire.sized(*value);
        if (binary && !value) wire.int32(-1);
        text += (text.empty() ? "" : "\t") + value.value_or("\\N");
    };
    for (const std::string& name : columns) {
        if (name == "id") {
            put(binary ? testing::Wire{}.int64(row.key).bytes() : std::to_string(row.key));
        } else if (name == "v" && renamed_) {
            put(std::nullopt);
        } else if (name == "v") {
            put(token(row) + std::string(row.padding, 'x'));
        } else if (name.starts_with('c')) {
            const auto which = static_cast<std::uint32_t>(number(name.substr(1)));
            put(which <= row.columns ? std::optional<std::string>{"new"} : std::nullopt);
        } else {
            put(note_of(row));
        }
    }
    return binary ? std::string{wire.bytes()} : text + "\n";
}

}  // namespace pgc::sim
