#include "postgres/check/table_checks.h"

#include <fmt/format.h>

#include "postgres/quote.h"

namespace pgc {
namespace {

using Level = Finding::Level;

// At most this many tables are named in one finding or have findings of their own.
constexpr std::size_t kNamed_max = 20;

struct Table {
    std::string schema;
    std::string name;
    bool published = false;
    bool readable = false;
    bool owned = false;
    bool has_key = false;
    bool unlogged = false;
    bool generated = false;  // has stored generated columns
    char identity = 'd';

    std::string quoted() const { return quote_name(schema, name); }
};

struct Publication {
    bool exists = false;
    bool all_tables = false;
    bool updates = true;
    bool made_by_us = false;
};

Result<Publication> ask_publication(BlockingLink& link, const std::string& name) {
    const auto rows = link.ask(
        "SELECT p.puballtables, p.pubupdate OR p.pubdelete, "
        "coalesce(obj_description(p.oid, 'pg_publication'), '') LIKE '%pg-capture%' "
        "FROM pg_publication p WHERE p.pubname = " +
        quote_text(name));
    if (!rows) return std::unexpected(rows.error());
    if (rows->rows.empty()) return Publication{};
    const auto& row = rows->rows.front();
    return Publication{true, row[0] == "t", row[1] == "t", row[2] == "t"};
}

// Every table that can be published: ordinary ones, and with the root's name partitioned
// ones; a partition counts as published when its root is.
Result<std::vector<Table>> ask_tables(BlockingLink& link, const PostgresConfig& config) {
    const int version = link.link().server_version();
    const bool roots = config.publish_via_partition_root && version >= 130000;
    const auto rows = link.ask(fmt::format(
        "SELECT n.nspname, c.relname, EXISTS (SELECT 1 FROM pg_publication_tables t WHERE "
        "t.pubname = {} AND t.schemaname = n.nspname AND t.tablename = c.relname), "
        "has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'), "
        "pg_has_role(c.relowner, 'USAGE'), "
        "EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), "
        "c.relpersistence = 'u', {}, c.relreplident "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r'{}) AND c.relpersistence <> 't' {} "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp\\_%' "
        "ORDER BY 1, 2",
        quote_text(config.publication),
        version >= 120000 ? "EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid "
                            "AND a.attgenerated <> '' AND NOT a.attisdropped)"
                          : "false",
        roots ? ", 'p'" : "", roots ? "AND NOT c.relispartition" : ""));
    if (!rows) return std::unexpected(rows.error());
    std::vector<Table> tables;
    for (const auto& row : rows->rows) {
        if (row.size() != 9 || !row[0] || !row[1] || !config.tables.matches(*row[0], *row[1]))
            continue;
        const auto yes = [&](std::size_t i) { return row[i] == "t"; };
        tables.push_back({.schema = *row[0],
                          .name = *row[1],
                          .published = yes(2),
                          .readable = yes(3),
                          .owned = yes(4),
                          .has_key = yes(5),
                          .unlogged = yes(6),
                          .generated = yes(7),
                          .identity = row[8].value_or("d").front()});
    }
    return tables;
}

template <typename Predicate>
std::vector<const Table*> those(const std::vector<Table>& tables, Predicate predicate) {
    std::vector<const Table*> found;
    for (const Table& table : tables) {
        if (predicate(table)) found.push_back(&table);
    }
    return found;
}

std::string listed(const std::vector<const Table*>& tables) {
    std::string text;
    for (std::size_t i = 0; i < tables.size() && i < kNamed_max; ++i) {
        text += (i == 0 ? "" : ", ") + tables[i]->quoted();
    }
    if (tables.size() > kNamed_max) text += fmt::format(" and {} more", tables.size() - kNamed_max);
    return text;
}

// Not cut short: it is to be run.
std::string all_of(const std::vector<const Table*>& tables) {
    std::string text;
    for (const Table* table : tables) text += (text.empty() ? "" : ", ") + table->quoted();
    return text;
}

void check_publication(const PostgresConfig& config, const RoleFacts& role,
                       const Publication& found, const std::vector<Table>& tables,
                       Findings& findings) {
    const std::string publication = quote_name(config.publication);
    Finding finding{.id = "publication", .subject = "publication " + config.publication};
    const auto loggable = those(tables, [](const Table& t) { return !t.unlogged; });
    const auto foreign = those(tables, [](const Table& t) { return !t.owned && !t.unlogged; });
    const auto missing = those(tables, [](const Table& t) { return !t.published && !t.unlogged; });
    const bool we_may = config.manage_publication && (role.superuser || foreign.empty());
    if (!found.exists) {
        finding.message = "is not there";
        if (config.manage_publication && role.superuser) {
            finding.message += " yet; it will be created";
        } else if (we_may && role.may_create) {
            finding.message += " yet; it will be created";
        } else {
            finding.level = Level::blocking;
            finding.mend = loggable.empty() ? fmt::format("CREATE PUBLICATION {}", publication)
                                            : fmt::format("CREATE PUBLICATION {} FOR TABLE {}",
                                                          publication, all_of(loggable));
            finding.message += ", and we may not create it";
        }
    } else if (missing.empty()) {
        finding.message = fmt::format("covers all {} tables that match", loggable.size());
    } else if (found.made_by_us && we_may) {
        finding.message = fmt::format("lacks {}, which will be added", listed(missing));
    } else {
        finding.level = Level::blocking;
        finding.message = "lacks " + listed(missing);
        finding.mend =
            fmt::format("ALTER PUBLICATION {} ADD TABLE {}", publication, all_of(missing));
    }
    findings.push_back(std::move(finding));
}

void check_select(const RoleFacts& role, const std::vector<Table>& tables, Findings& findings) {
    const auto unreadable = those(tables, [](const Table& t) { return !t.readable; });
    Finding finding{
        .id = "select", .subject = "role " + role.name, .message = "may read every table"};
    if (!unreadable.empty()) {
        finding.level = Level::blocking;
        finding.message = "may not read " + listed(unreadable);
        std::string schemas;
        std::string last;
        for (const Table* table : unreadable) {
            if (table->schema == last) continue;
            last = table->schema;
            schemas += fmt::format("GRANT USAGE ON SCHEMA {} TO {}; ", quote_name(last),
                                   quote_name(role.name));
        }
        finding.mend = fmt::format("{}GRANT SELECT ON {} TO {}", schemas, all_of(unreadable),
                                   quote_name(role.name));
    }
    findings.push_back(std::move(finding));
}

void check_identity(const std::vector<Table>& tables, Findings& findings) {
    const auto without = those(tables, [](const Table& t) {
        return !t.unlogged && (t.identity == 'n' || (t.identity == 'd' && !t.has_key));
    });
    if (without.empty()) {
        findings.push_back({.id = "replica_identity",
                            .subject = "tables",
                            .message = "every table has a replica identity"});
        return;
    }
    for (std::size_t i = 0; i < without.size() && i < kNamed_max; ++i) {
        const Table& table = *without[i];
        findings.push_back(
            {.id = "replica_identity",
             .level = Level::blocking,
             .subject = "table " + table.quoted(),
             .message =
                 "has no replica identity: once it is published, UPDATE and DELETE on it fail",
             .mend = fmt::format("ALTER TABLE {} REPLICA IDENTITY {}", table.quoted(),
                                 table.has_key ? "DEFAULT" : "FULL")});
    }
}

void check_left_out(const std::vector<Table>& tables, int version, Findings& findings) {
    if (const auto unlogged = those(tables, [](const Table& t) { return t.unlogged; });
        !unlogged.empty()) {
        findings.push_back(
            {.id = "unlogged",
             .level = Level::warning,
             .subject = "tables",
             .message = "unlogged tables leave no trace in the log: " + listed(unlogged),
             .mend = fmt::format("ALTER TABLE {} SET LOGGED", unlogged.front()->quoted())});
    }
    const auto generated = those(tables, [](const Table& t) { return t.generated; });
    if (!generated.empty()) {
        findings.push_back(
            {.id = "generated_columns",
             .level = Level::warning,
             .subject = "tables",
             .message = "generated columns are not sent: " + listed(generated),
             .mend =
                 version >= 180000
                     ? "create the publication WITH (publish_generated_columns = stored)"
                     : "PostgreSQL 18 can send them; until then compute them where they are read"});
    }
}

}  // namespace

Result<void> check_tables(BlockingLink& link, const PostgresConfig& config, const RoleFacts& role,
                          Findings& findings) {
    const auto publication = ask_publication(link, config.publication);
    if (!publication) return std::unexpected(publication.error());
    const auto tables = ask_tables(link, config);
    if (!tables) return std::unexpected(tables.error());
    if (tables->empty()) {
        findings.push_back({.id = "tables",
                            .level = Level::warning,
                            .subject = "source.tables",
                            .message = "no table matches the filters",
                            .mend = "widen source.tables.include; names are schema.table"});
    }
    check_publication(config, role, *publication, *tables, findings);
    check_select(role, *tables, findings);
    check_identity(*tables, findings);
    check_left_out(*tables, link.link().server_version(), findings);
    return {};
}

}  // namespace pgc
