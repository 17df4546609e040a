#include "simulation/catalog.h"

#include <fmt/core.h>

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "pgclient/server_errors.h"
#include "simulation/table_columns.h"

namespace pgc::sim {
namespace {

using Cell = std::optional<std::string>;

// So many bytes of the log after each other, a table has the same comment.
constexpr std::uint64_t kCommentAge = 4096;
constexpr std::uint64_t kMoodsMax = 100;  // more of the log, and they begin anew
constexpr std::uint32_t kVarchar = 1043;

Rows one_row(std::initializer_list<std::pair<const char*, Cell>> cells) {
    Rows rows;
    rows.rows.emplace_back();
    for (const auto& [name, value] : cells) {
        rows.columns.emplace_back(name);
        rows.rows[0].push_back(value);
    }
    return rows;
}

Rows without_rows(Rows rows) {
    rows.rows.clear();
    return rows;
}

std::string flag(bool yes) {
    return yes ? "t" : "f";
}

Answered refused(std::string_view sqlstate, std::string_view message) {
    return {std::unexpected(server_error({.sqlstate = sqlstate, .message = message})),
            std::string{sqlstate}};
}

}  // namespace

Answered Catalog::answer(std::string_view command, Parameters parameters) {
    const auto is = [&](std::string_view name) { return command.starts_with(name); };
    if (is("IDENTIFY_SYSTEM")) return system();
    if (is("TIMELINE_HISTORY")) {
        std::string content;
        for (const TimelineSwitch& left : server_.timelines()) {
            content += fmt::format("{}\t{}\tno recovery target specified\n", left.timeline,
                                   to_string(left.at));
        }
        return {one_row({{"filename", "00000002.history"}, {"content", content}})};
    }
    if (is("/* pg-capture: server */")) return {facts()};
    if (is("/* pg-capture: tables */")) return {tables()};
    if (is("/* pg-capture: publication */")) {
        return {server_.publications() ? listing_publication(kPublished) : publication()};
    }
    if (is("/* pg-capture: publication of inserts */")) {
        return {server_.publications() ? listing_publication(kPublishedInserts)
                                       : without_rows(publication())};
    }
    if (is("/* pg-capture: publication members */")) return {members(kPublished)};
    if (is("/* pg-capture: members of inserts */")) return {members(kPublishedInserts)};
    if (is("/* pg-capture: published tables */")) return {published_tables()};
    if (is("/* pg-capture: publication signature */")) {
        return {one_row({{"signature", signature()}})};
    }
    if (is("/* pg-capture: published types */"))
        return {one_row({{"types", fmt::format("{{20,25,{},{}}}", kMood, kShort)}})};
    if (is("/* pg-capture: slots */")) return {slots()};
    if (is("/* pg-capture: drop slot */")) {
        if (server_.slot_active()) return refused("55006", "replication slot is active");
        server_.drop_slot();
        return {Rows{}};
    }
    if (is("/* pg-capture: slot health */")) return {slot_health()};
    if (is("/* pg-capture: replayed */")) {
        Rows got = one_row({{"in_recovery", flag(server_.standby())},
                            {"replayed", to_string(server_.replayed())}});
        return {server_.slot().exists ? got : without_rows(std::move(got))};
    }
    if (is("/* pg-capture: end stale reader */")) {
        Rows ended = one_row({{"ended", "t"}});
        return {server_.end_stale_walsender() ? ended : without_rows(std::move(ended))};
    }
    if (is("/* pg-capture: reader */")) {
        return {without_rows(one_row({{"application", {}}, {"address", {}}}))};
    }
    if (is("/* pg-capture: table facts */")) return {table_facts(parameters)};
    if (is("/* pg-capture: reselect */")) return {one_row({{"note", "as it is now"}})};
    if (server_.publications() && command.find(" PUBLICATION ") != std::string_view::npos) {
        const std::string failed = server_.publications()->run(command);
        if (!failed.empty()) return refused(failed, "the publications are others");
        return {Rows{}};
    }
    if (command.find("CREATE PUBLICATION") != std::string_view::npos) {
        server_.publication() = true;
        return {Rows{}};
    }
    world_.fail(fmt::format("the fake server does not know: {}", command.substr(0, 200)));
    return refused("42601", "syntax error");
}

Answered Catalog::system() const {
    return {one_row({{"systemid", server_.system()},
                     {"timeline", std::to_string(server_.timeline())},
                     {"xlogpos", to_string(server_.end())},
                     {"dbname", "shop"}})};
}

Rows Catalog::facts() const {
    return one_row({{"version", std::to_string(version_ / 10000)},
                    {"wal_level", "logical"},
                    {"wal_sender_timeout_ms", "20000"},
                    {"max_slot_wal_keep_mb", "-1"},
                    {"idle_slot_timeout_s", {}},
                    {"slots_max", "10"},
                    {"slots", "1"},
                    {"senders_max", "10"},
                    {"senders", "1"},
                    {"encoding", "UTF8"},
                    {"standby", flag(server_.standby())},
                    {"role", "cdc"},
                    {"superuser", "t"},
                    {"replication", "t"},
                    {"may_create", "t"}});
}

Rows Catalog::tables() const {
    Rows rows;
    rows.columns = {"oid",       "schema",       "name",      "kind",       "persistence",
                    "partition", "has_children", "parent",    "identity",   "keyed",
                    "readable",  "owned",        "rewritten", "attached_by"};
    for (std::uint32_t table = 0; table < kTables; ++table) {
        rows.rows.push_back({std::to_string(kFirstOid + table), "public", name_of(table), "r", "p",
                             "f", "f", std::nullopt, std::string(1, server_.identity(table)),
                             flag(is_keyed(table)), "t", "t", "f", std::nullopt});
    }
    return rows;
}

Rows Catalog::publication() const {
    Rows rows = one_row({{"all_tables", "t"},
                         {"inserts", "t"},
                         {"updates", "t"},
                         {"deletes", "t"},
                         {"truncates", "t"},
                         {"via_root", "f"},
                         {"generated", version_ >= 180000 ? "s" : "n"},
                         {"owned", "t"},
                         {"note", {}},
                         {"other_slots", "0"}});
    return server_.publication() ? rows : without_rows(std::move(rows));
}

Rows Catalog::listing_publication(std::string_view name) const {
    const Publications::One* one = server_.publications()->find(name);
    Rows rows = one_row({{"all_tables", "f"},
                         {"inserts", "t"},
                         {"updates", flag(one != nullptr && !one->inserts_only)},
                         {"deletes", flag(one != nullptr && !one->inserts_only)},
                         {"truncates", flag(version_ >= 110000)},
                         {"via_root", "f"},
                         {"generated", version_ >= 180000 ? "s" : "n"},
                         {"owned", "t"},
                         {"note", one == nullptr ? Cell{} : Cell{one->note}},
                         {"other_slots", "0"}});
    return one == nullptr ? without_rows(std::move(rows)) : rows;
}

Rows Catalog::members(std::string_view name) const {
    Rows rows;
    rows.columns = {"kind", "oid", "schema", "name", "filter"};
    const Publications::One* one =
        server_.publications() ? server_.publications()->find(name) : nullptr;
    if (one == nullptr) return rows;
    for (const std::uint32_t table : one->tables) {
        rows.rows.push_back({"r", std::to_string(kFirstOid + table), "public", name_of(table), ""});
    }
    return rows;
}

std::string Catalog::signature() const {
    if (!server_.publications()) return server_.publication() ? "there" : "none";
    std::string text = server_.publications()->signature();
    for (std::uint32_t table = 0; table < kTables; ++table) text += server_.identity(table);
    return text;
}

Rows Catalog::published_tables() const {
    Rows rows;
    rows.columns = {"schema", "name"};
    for (std::uint32_t table = 0; table < kTables; ++table) {
        const Publications* listing = server_.publications();
        if (listing && !listing->publishes(kPublished, table, Operation::insert) &&
            !listing->publishes(kPublishedInserts, table, Operation::insert)) {
            continue;
        }
        rows.rows.push_back({"public", name_of(table)});
    }
    return rows;
}

Rows Catalog::slots() const {
    const Server::Slot& slot = server_.slot();
    Rows rows = one_row(
        {{"name", kSlot},
         {"plugin", "pgoutput"},
         {"database", "shop"},
         {"here", "t"},
         {"active", flag(server_.slot_active())},
         {"pid", server_.slot_active() ? Cell{"4242"} : Cell{}},
         {"restart", to_string(slot.saved)},
         {"confirmed", to_string(slot.confirmed)},
         {"server_end", to_string(slot.confirmed)},
         {"retained", "1000"},
         {"safe", {}},
         {"wal_status", version_ >= 130000 ? Cell{slot.lost ? "lost" : "reserved"} : Cell{}},
         {"invalid", {}},
         {"two_phase", flag(slot.two_phase)},
         {"failover", "f"},
         {"synced", "f"},
         {"reader", {}},
         {"inactive_s", {}},
         {"idle_timeout_s", {}}});
    return slot.exists ? rows : without_rows(std::move(rows));
}

Rows Catalog::slot_health() const {
    const Server::Slot& slot = server_.slot();
    const auto known = [&](std::string text) {
        return slot.exists ? Cell{std::move(text)} : Cell{};
    };
    return one_row(
        {{"slot_exists", flag(slot.exists)},
         {"active", known(flag(server_.slot_active()))},
         {"restart_lsn", known(to_string(slot.saved))},
         {"confirmed_flush_lsn", known(to_string(slot.confirmed))},
         {"wal_status", version_ >= 130000 ? known(slot.lost ? "lost" : "reserved") : Cell{}},
         {"safe_wal_size", {}},
         {"invalidation", {}},
         {"publication_exists",
          flag(server_.publications() ? server_.publications()->find(kPublished) != nullptr
                                      : server_.publication())},
         {"server_end", to_string(server_.end())},
         {"retained_bytes", known("1000")},
         {"walsender_waits_for", {}},
         {"inactive_s", {}},
         {"idle_timeout_s", {}}});
}

// The comment of every table changes now and then, and the enumeration gets labels, which nobody
// announces.
Rows Catalog::table_facts(Parameters parameters) const {
    Rows rows;
    rows.columns = {"what", "oid",     "schema", "name",      "kind",     "category", "element",
                    "base", "subtype", "range",  "delimiter", "sendable", "place"};
    std::uint32_t table = kTables;
    for (std::uint32_t i = 0; i < kTables; ++i) {
        if (parameters[0] == std::to_string(kFirstOid + i)) table = i;
    }
    if (table == kTables) return rows;
    const auto add = [&](const char* what, const std::string& name, const ColumnWords& words = {},
                         const char* type = "0", std::size_t place = 0) {
        rows.rows.push_back({what, "0", std::string{words.default_expression}, name,
                             words.nullable ? "" : "n", std::string{words.comment}, type, "0", "0",
                             "0", "", "", std::to_string(place)});
    };
    std::vector<std::string> names{"id", "v", "note"};
    for (std::uint32_t i = 1; i <= server_.tables()[table].columns; ++i) {
        names.push_back(fmt::format("c{}", i));
    }
    for (const std::string& name : names) {
        add("c", name, words_of(table, name), std::to_string(type_of(name)).c_str(),
            rows.rows.size() + 1);
    }
    add_types(parameters[1].value_or(""), rows);
    if (is_keyed(table)) add("k", "id", {}, "0", 1);
    const std::string comment = fmt::format("as of {}", server_.end().value / kCommentAge);
    add("r", "", {.comment = comment});
    return rows;
}

void Catalog::add_types(std::string_view asked, Rows& rows) const {
    const auto add = [&](const char* what, std::uint32_t type, std::string name, const char* kind,
                         std::uint32_t base, std::uint64_t place) {
        rows.rows.push_back({what, std::to_string(type), "public", std::move(name), kind, "", "0",
                             std::to_string(base), "0", "0", ",", "t", std::to_string(place)});
    };
    const auto is_asked = [&](std::uint32_t type) {
        return asked.find(std::to_string(type)) != std::string_view::npos;
    };
    if (is_asked(kMood)) {
        add("t", kMood, "mood", "e", 0, 0);
        for (std::uint64_t i = 0; i <= server_.end().value / kCommentAge % kMoodsMax; ++i) {
            add("l", kMood, mood(i), "", 0, i + 1);
        }
    }
    if (is_asked(kShort)) add("t", kShort, "short", "d", kVarchar, kShortModifier);
}

}  // namespace pgc::sim
