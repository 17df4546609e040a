#include "postgres/check/table_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "postgres/check/captured_tables.h"
#include "postgres/costly_steps.h"
#include "postgres/setup/publication.h"
#include "postgres/setup/statements.h"
#include "postgres/setup/tables.h"

namespace pgc {

namespace {

using Level = Finding::Level;
using Chosen = std::vector<const TableInfo*>;

// What the checks look at, asked once.
struct Seen {
    std::vector<TableInfo> tables;
    std::optional<Publication> publication;
    std::vector<std::string> published;         // quoted
    std::unordered_set<std::string> generated;  // quoted: with stored generated columns
    Chosen selected;                            // by the filters, with rows of their own
    Chosen missing;                             // of these, not published
    Chosen captured;                            // of these, published or about to be
    Chosen left_out;                            // of these, by us: see publication.h
    bool slot_is_there = false;
    bool apart = false;            // there is a second publication, or will be
    bool inserts_foreign = false;  // its name is taken
    bool inserts_gone = false;
};

// Somebody else's, or one that we are to leave alone: what it publishes is what there is, the
// filters only leave out. One that is missing will be made as they say.
bool used_as_it_is(const PostgresConfig& config, const Seen& seen) {
    return seen.publication ? !(seen.publication->maintained && config.manage_publication)
                            : !config.manage_publication;
}

std::string quoted(const TableInfo& table) {
    return quote_name(table.schema, table.name);
}

std::string listed(const Chosen& tables, std::size_t at_most) {
    std::string text;
    for (std::size_t i = 0; i < tables.size() && i < at_most; ++i) {
        text += (i == 0 ? "" : ", ") + quoted(*tables[i]);
    }
    if (tables.size() > at_most) text += fmt::format(" and {} more", tables.size() - at_most);
    return text;
}

// Not cut short: it is to be run.
std::string all_of(const Chosen& tables) {
    return listed(tables, tables.size());
}

template <typename Predicate>
Chosen those(const Chosen& tables, Predicate predicate) {
    Chosen found;
    std::ranges::copy_if(tables, std::back_inserter(found),
                         [&](const TableInfo* table) { return predicate(*table); });
    return found;
}

Result<std::vector<std::string>> ask_names(BlockingLink& link, const std::string& sql) {
    const auto rows = link.ask(sql);
    if (!rows) return std::unexpected(rows.error());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < rows->rows.size(); ++i) {
        Answer row{*rows, i};
        names.push_back(quote_name(row.text("schema"), row.text("name")));
        if (!row.sound()) return std::unexpected(strange_answer("tables"));
    }
    return names;
}

Result<std::optional<Publication>> ask_publication(BlockingLink& link, int version,
                                                   const PostgresConfig& config) {
    const std::string& name = config.publication;
    const auto rows = link.ask(publication_query(version, name, config.slot));
    if (!rows) return std::unexpected(rows.error());
    auto publication = read_publication(*rows);
    if (!publication || !*publication) return publication;
    const auto members = link.ask(publication_members_query(version, name));
    if (!members) return std::unexpected(members.error());
    if (auto read = read_members(*members, **publication); !read) {
        return std::unexpected(read.error());
    }
    return publication;
}

Result<void> look_at_inserts(BlockingLink& link, const PostgresConfig& config,
                             const ServerFacts& facts, Seen& seen) {
    const auto rows = link.ask(inserts_publication_query(
        facts.version, inserts_publication(config.publication), config.slot));
    if (!rows) return std::unexpected(rows.error());
    const auto inserts = read_publication(*rows);
    if (!inserts) return std::unexpected(inserts.error());
    seen.apart = has_inserts(config, seen.publication, *inserts, seen.slot_is_there);
    if (!seen.apart) return {};
    seen.inserts_gone =
        !*inserts && seen.publication && (seen.slot_is_there || used_as_it_is(config, seen));
    seen.inserts_foreign = *inserts && !(*inserts)->maintained && !used_as_it_is(config, seen);
    return {};
}

Result<Seen> look(BlockingLink& link, const PostgresConfig& config, const ServerFacts& facts,
                  bool slot_is_there) {
    Seen seen;
    seen.slot_is_there = slot_is_there;
    const auto rows = link.ask(tables_query());
    if (!rows) return std::unexpected(rows.error());
    auto tables = read_tables(*rows);
    if (!tables) return std::unexpected(tables.error());
    seen.tables = std::move(*tables);
    auto publication = ask_publication(link, facts.version, config);
    if (!publication) return std::unexpected(publication.error());
    seen.publication = std::move(*publication);
    if (auto looked = look_at_inserts(link, config, facts, seen); !looked) {
        return std::unexpected(looked.error());
    }
    auto published = ask_names(link, published_tables_query(publications_of(config, seen.apart)));
    if (!published) return std::unexpected(published.error());
    seen.published = std::move(*published);
    if (facts.version >= 120000) {
        auto generated = ask_names(link, generated_columns_query());
        if (!generated) return std::unexpected(generated.error());
        seen.generated.insert(generated->begin(), generated->end());
    }
    seen.selected = uncovered_tables(seen.tables, config.tables, {});
    seen.missing = uncovered_tables(seen.tables, config.tables, seen.published);
    seen.captured =
        seen.publication && used_as_it_is(config, seen)
            ? those(seen.selected,
                    [&](const TableInfo& t) {
                        return std::ranges::find(seen.missing, &t) == seen.missing.end();
                    })
            : seen.selected;
    if (!seen.apart && seen.publication && !used_as_it_is(config, seen)) {
        const auto out = [](const TableInfo& t) { return !t.identifiable(); };
        seen.left_out = those(seen.missing, out);
        for (auto* list : {&seen.missing, &seen.captured}) {
            std::erase_if(*list, [&](const TableInfo* table) {
                return std::ranges::find(seen.left_out, table) != seen.left_out.end();
            });
        }
    }
    return seen;
}

void inserts_name_is_taken(const PostgresConfig& config, Finding& finding) {
    finding.level = Level::blocking;
    finding.message = fmt::format(
        "goes with {} for tables without a replica identity, but one of that name is there and is "
        "not ours",
        quote_name(inserts_publication(config.publication)));
    finding.hint = "set PG_PUBLICATION to another name";
}

void publication_is_missing(const PostgresConfig& config, const ServerFacts& facts,
                            const Seen& seen, Finding& finding) {
    const auto wanted = wanted_publication(config, facts, seen.tables);
    const auto foreign = those(seen.selected, [](const TableInfo& t) { return !t.owned; });
    if (seen.slot_is_there) {
        finding.level = Level::blocking;
        finding.message =
            "is not there, and the slot finds only those that are older than its position";
        finding.hint = create_publication_sql(facts.version, config.publication, wanted) +
                       " then " + drop_slot_step(config.slot);
        return;
    }
    if (seen.inserts_foreign) return inserts_name_is_taken(config, finding);
    if (config.manage_publication && (facts.superuser || (facts.may_create && foreign.empty()))) {
        finding.message = "is not there yet; it will be created";
        return;
    }
    finding.level = Level::blocking;
    finding.message = config.manage_publication
                          ? "is not there, and we may not create it"
                          : "is not there, and source.manage_publication says not to create it";
    finding.hint = create_publication_sql(facts.version, config.publication, wanted);
}

// Whoever made it chose; only a table that is asked for by its name is missed.
void others_publication_is_there(const PostgresConfig& config, const Seen& seen, Finding& finding) {
    const auto asked_for = those(
        seen.missing, [&](const TableInfo& t) { return config.tables.names(t.schema, t.name); });
    finding.message = fmt::format("publishes {} tables", seen.published.size());
    if (!asked_for.empty()) {
        finding.level = Level::warning;
        finding.message =
            fmt::format("lacks {}, whose changes are not captured", listed(asked_for, kNamed_max));
        finding.hint = add_tables_sql(config, *seen.publication, seen.apart, asked_for);
    } else if (!seen.missing.empty()) {
        finding.message += fmt::format(
            "; {} more that match source.tables are not in it and are "
            "not captured",
            seen.missing.size());
    }
}

void publication_is_there(const PostgresConfig& config, const Seen& seen, Finding& finding) {
    if (seen.inserts_gone) {
        finding.level = Level::blocking;
        finding.message = fmt::format(
            "goes with {}, which is not there, and the slot finds only those that are older than "
            "its position",
            quote_name(inserts_publication(config.publication)));
        finding.hint = begin_anew();
        return;
    }
    if (used_as_it_is(config, seen)) return others_publication_is_there(config, seen, finding);
    if (auto ours = require_owner(config, *seen.publication, seen.slot_is_there); !ours) {
        finding.level = Level::blocking;
        finding.message = ours.error().what;
        finding.hint = ours.error().hint;
        return;
    }
    if (seen.inserts_foreign) return inserts_name_is_taken(config, finding);
    if (seen.missing.empty()) {
        finding.message = fmt::format("publishes {} tables", seen.published.size());
    } else if (those(seen.missing, [](const TableInfo& t) { return !t.owned; }).empty()) {
        finding.message =
            fmt::format("lacks {}, which will be added", listed(seen.missing, kNamed_max));
    } else {
        finding.level = Level::blocking;
        finding.message = "lacks " + listed(seen.missing, kNamed_max);
        finding.hint = add_tables_sql(config, *seen.publication, seen.apart, seen.missing);
    }
}

// One that leaves operations out is lawful, but rarely meant.
void check_operations(const PostgresConfig& config, const ServerFacts& facts, const Seen& seen,
                      Findings& findings) {
    if (!seen.publication || !used_as_it_is(config, seen)) return;
    const Publication& p = *seen.publication;
    std::string lacking;
    const auto lacks = [&](bool published, std::string_view operation) {
        if (!published) lacking += (lacking.empty() ? "" : ", ") + std::string{operation};
    };
    lacks(p.inserts, "INSERT");
    lacks(p.updates, "UPDATE");
    lacks(p.deletes, "DELETE");
    lacks(p.truncates || facts.version < 110000, "TRUNCATE");
    if (lacking.empty()) return;
    findings.push_back(
        {.id = "publication_operations",
         .level = Level::warning,
         .subject = "publication " + config.publication,
         .message = "leaves out " + lacking,
         .hint = fmt::format("ALTER PUBLICATION {} SET (publish = 'insert, update, delete{}')",
                             quote_name(config.publication),
                             facts.version >= 110000 ? ", truncate" : "")});
}

void check_select(const ServerFacts& facts, const Seen& seen, Findings& findings) {
    const auto unreadable = those(seen.captured, [](const TableInfo& t) { return !t.readable; });
    Finding finding{
        .id = "select", .subject = "role " + facts.role, .message = "may read every table"};
    if (!unreadable.empty()) {
        finding.level = Level::blocking;
        finding.message = "may not read " + listed(unreadable, kNamed_max);
        std::string_view last;
        for (const TableInfo* table : unreadable) {  // in the order of their schemas
            if (table->schema == last) continue;
            last = table->schema;
            finding.hint += fmt::format("GRANT USAGE ON SCHEMA {} TO {}; ", quote_name(last),
                                        quote_name(facts.role));
        }
        finding.hint +=
            fmt::format("GRANT SELECT ON {} TO {}", all_of(unreadable), quote_name(facts.role));
    }
    findings.push_back(std::move(finding));
}

void report_left_out(const Seen& seen, Findings& findings) {
    if (seen.left_out.empty()) return;
    const std::string first = quoted(*seen.left_out.front());
    findings.push_back(
        {.id = "replica_identity",
         .level = Level::warning,
         .subject = "tables",
         .message = "have no replica identity and are not captured, as the slot is older than a "
                    "publication for inserts only would be: " +
                    listed(seen.left_out, kNamed_max),
         .hint = fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL; or give it a primary key; or, "
                             "for inserts only, begin with a new slot",
                             first)});
}

void check_identity(const Seen& seen, Findings& findings) {
    report_left_out(seen, findings);
    const bool keeps_inserts_only =
        seen.publication && !seen.publication->updates && !seen.publication->deletes;
    Chosen without;
    if (!keeps_inserts_only) {
        without = those(seen.captured, [](const TableInfo& t) { return !t.identifiable(); });
    }
    if (without.empty()) {
        findings.push_back({.id = "replica_identity",
                            .subject = "tables",
                            .message = "every table can say which row an UPDATE or DELETE means"});
        return;
    }
    for (std::size_t i = 0; i < without.size() && i < kNamed_max; ++i) {
        const TableInfo& table = *without[i];
        const bool has_key = table.keyed && table.identity == ReplicaIdentity::nothing;
        findings.push_back({.id = "replica_identity",
                            .level = seen.apart ? Level::warning : Level::blocking,
                            .subject = "table " + quoted(table),
                            .message = seen.apart
                                           ? "has no replica identity: its inserts and truncates "
                                             "are captured, updates and deletes are not"
                                           : "has no replica identity: once it is published, the "
                                             "server refuses UPDATE and DELETE on it",
                            .hint = fmt::format("ALTER TABLE {} REPLICA IDENTITY {}", quoted(table),
                                                has_key ? "DEFAULT" : "FULL")});
    }
}

void check_unlogged(const PostgresConfig& config, const Seen& seen, Findings& findings) {
    Chosen unlogged;
    const auto above = lineages(seen.tables);
    for (std::size_t i = 0; i < seen.tables.size(); ++i) {
        const TableInfo& table = seen.tables[i];
        if (!table.permanent && filter_means(config.tables, table.schema, table.name, above[i])) {
            unlogged.push_back(&table);
        }
    }
    if (unlogged.empty()) return;
    findings.push_back(
        {.id = "unlogged",
         .level = Level::warning,
         .subject = "tables",
         .message = "unlogged tables are not in the WAL: " + listed(unlogged, kNamed_max),
         .hint = fmt::format("ALTER TABLE {} SET LOGGED", quoted(*unlogged.front()))});
}

void check_generated(const PostgresConfig& config, const ServerFacts& facts, const Seen& seen,
                     Findings& findings) {
    const auto generated = those(
        seen.captured, [&](const TableInfo& t) { return seen.generated.contains(quoted(t)); });
    const bool sends = facts.version >= 180000;
    const bool will = sends && (!seen.publication || seen.publication->maintained);
    const bool are = sends && seen.publication && seen.publication->generated;
    if (generated.empty() || will || are) return;
    findings.push_back(
        {.id = "generated_columns",
         .level = Level::warning,
         .subject = "tables",
         .message = "generated columns are not sent: " + listed(generated, kNamed_max),
         .hint = sends
                     ? fmt::format("ALTER PUBLICATION {} SET (publish_generated_columns = stored)",
                                   quote_name(config.publication))
                     : "PostgreSQL 18 can send them; until then compute them where they are read"});
}

}  // namespace

Result<void> check_tables(BlockingLink& link, const PostgresConfig& config,
                          const ServerFacts& facts, bool slot_is_there, Findings& findings) {
    auto seen = look(link, config, facts, slot_is_there);
    if (!seen) return std::unexpected(seen.error());
    if (seen->selected.empty()) {
        findings.push_back({.id = "tables",
                            .level = Level::warning,
                            .subject = "source.tables",
                            .message = "no table matches the filters",
                            .hint = "widen source.tables.include; names are schema.table"});
    }
    Finding publication{.id = "publication", .subject = "publication " + config.publication};
    if (seen->publication) {
        publication_is_there(config, *seen, publication);
    } else {
        publication_is_missing(config, facts, *seen, publication);
    }
    findings.push_back(std::move(publication));
    check_operations(config, facts, *seen, findings);
    check_select(facts, *seen, findings);
    check_identity(*seen, findings);
    check_unlogged(config, *seen, findings);
    check_generated(config, facts, *seen, findings);
    return {};
}

}  // namespace pgc
