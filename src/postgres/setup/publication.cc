#include "postgres/setup/publication.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "postgres/quote.h"
#include "postgres/setup/answer.h"

namespace pgc {

namespace {

constexpr int kTruncates = 110000;
constexpr int kViaRoot = 130000;
constexpr int kSchemas = 150000;
constexpr int kGenerated = 180000;
// In a comment of ours, after kMaintainedNote.
constexpr std::string_view kPipeline = " for pipeline ";
constexpr std::string_view kSlot = ", slot ";
constexpr std::string_view kUnread = "; rows yet to be read of: ";

std::string settings(int version, bool via_root) {
    std::string sql = "publish = 'insert, update, delete";
    if (version >= kTruncates) sql += ", truncate";
    sql += "'";
    if (version >= kViaRoot) {
        sql += fmt::format(", publish_via_partition_root = {}", via_root);
    }
    // Unpublished ones would make the user's updates fail under REPLICA IDENTITY FULL.
    if (version >= kGenerated) sql += ", publish_generated_columns = stored";
    return sql;
}

bool settings_differ(int version, const Publication& is, const WantedPublication& wanted) {
    return !is.inserts || !is.updates || !is.deletes || (version >= kTruncates && !is.truncates) ||
           (version >= kViaRoot && is.via_root != wanted.via_root) ||
           (version >= kGenerated && !is.generated);
}

void append(std::string& list, std::string_view item) {
    if (!list.empty()) list += ", ";
    list += item;
}

std::string table_list(const std::vector<WantedPublication::Table>& tables) {
    std::string list;
    for (const auto& table : tables) {
        append(list, (table.only ? "ONLY " : "") + quote_name(table.schema, table.name));
    }
    return list;
}

std::string schema_list(const std::vector<std::string>& schemas) {
    std::string list;
    for (const auto& schema : schemas) append(list, quote_name(schema));
    return list;
}

// "TABLE a, b, TABLES IN SCHEMA s"; empty for nothing.
std::string objects(const std::vector<WantedPublication::Table>& tables,
                    const std::vector<std::string>& schemas) {
    std::string list;
    if (!tables.empty()) list = "TABLE " + table_list(tables);
    if (!schemas.empty()) append(list, "TABLES IN SCHEMA " + schema_list(schemas));
    return list;
}

template <typename Tables>
std::unordered_set<std::string> names_of(const Tables& tables) {
    std::unordered_set<std::string> names;
    for (const auto& table : tables) names.insert(quote_name(table.schema, table.name));
    return names;
}

struct Difference {
    std::vector<WantedPublication::Table> tables;
    std::vector<std::string> schemas;
};

Difference to_add(const Publication& is, const WantedPublication& wanted) {
    Difference more;
    const auto there = names_of(is.tables);
    for (const auto& table : wanted.tables) {
        if (!there.contains(quote_name(table.schema, table.name))) more.tables.push_back(table);
    }
    std::ranges::copy_if(wanted.schemas, std::back_inserter(more.schemas), [&](const auto& schema) {
        return std::ranges::find(is.schemas, schema) == is.schemas.end();
    });
    return more;
}

Difference to_drop(const Publication& is, const WantedPublication& wanted) {
    Difference less;
    const auto still = names_of(wanted.tables);
    for (const auto& member : is.tables) {
        if (!still.contains(quote_name(member.schema, member.name))) {
            // Heirs that stay in would be dropped, too; and one that is not in it is an error.
            less.tables.push_back({member.schema, member.name, true});
        }
    }
    std::ranges::copy_if(is.schemas, std::back_inserter(less.schemas), [&](const auto& schema) {
        return std::ranges::find(wanted.schemas, schema) == wanted.schemas.end();
    });
    return less;
}

// Whether a comment makes a publication ours; then what it says.
bool read_note(std::string_view note, Publication& publication) {
    const auto skip = [&](std::string_view text) {
        const bool there = note.starts_with(text);
        if (there) note.remove_prefix(text.size());
        return there;
    };
    if (!skip(kMaintainedNote)) return false;
    if (skip(kPipeline)) {
        const auto pipeline = take_quoted_name(note);
        if (!pipeline || !skip(kSlot)) return false;
        const auto slot = take_quoted_name(note);
        if (!slot) return false;
        publication.owner = {*pipeline, *slot};
    }
    if (skip(kUnread)) {
        const auto tables = read_lineage(note);
        if (!tables) return false;
        for (const TableName& table : *tables) {
            publication.unread.push_back(quote_name(table.schema, table.name));
        }
        return true;
    }
    return note.empty();
}

}  // namespace

Result<std::optional<Publication>> read_publication(const Rows& rows) {
    if (rows.rows.empty()) return std::nullopt;
    Answer row{rows};
    Publication p;
    p.all_tables = row.flag("all_tables");
    p.inserts = row.flag("inserts");
    p.updates = row.flag("updates");
    p.deletes = row.flag("deletes");
    p.truncates = row.flag("truncates");
    p.via_root = row.flag("via_root");
    p.generated = row.letter("generated") == 's';
    p.owned = row.flag("owned");
    p.comment = row.text("note");
    p.maintained = read_note(p.comment, p) && p.owned;
    p.other_slots = row.number("other_slots");
    if (!row.sound()) return std::unexpected(strange_answer("the publication"));
    return p;
}

Result<void> read_members(const Rows& rows, Publication& publication) {
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        if (row.letter("kind") == 's') {
            publication.schemas.push_back(row.text("schema"));
        } else {
            publication.tables.push_back(
                {row.text("schema"), row.text("name"), row.text("filter")});
        }
        if (!row.sound()) return std::unexpected(strange_answer("the publication's members"));
    }
    return {};
}

WantedPublication wanted_publication(const PostgresConfig& config, const ServerFacts& facts,
                                     const std::vector<TableInfo>& tables,
                                     const std::optional<Publication>& is) {
    WantedPublication wanted;
    wanted.via_root = config.publish_via_partition_root && facts.version >= kViaRoot;
    if (facts.superuser && config.tables.everything() && (!is || is->all_tables)) {
        wanted.all_tables = true;
        return wanted;
    }
    const auto schemas = config.tables.whole_schemas();
    if (facts.superuser && facts.version >= kSchemas && schemas) {
        // One that is not there yet is taken up with its first table.
        std::ranges::copy_if(*schemas, std::back_inserter(wanted.schemas), [&](const auto& schema) {
            return std::ranges::any_of(tables, [&](const auto& t) { return t.schema == schema; });
        });
        return wanted;
    }
    for (const TableInfo* table :
         chosen_tables(tables, config.tables, facts.version, wanted.via_root)) {
        wanted.tables.push_back(
            {table->schema, table->name, !table->partitioned && table->has_children});
    }
    return wanted;
}

std::string create_publication_sql(int version, std::string_view name,
                                   const WantedPublication& wanted) {
    const std::string list = objects(wanted.tables, wanted.schemas);
    std::string what;
    if (wanted.all_tables) {
        what = " FOR ALL TABLES";
    } else if (!list.empty()) {
        what = " FOR " + list;
    }
    return fmt::format("CREATE PUBLICATION {}{} WITH ({});", quote_name(name), what,
                       settings(version, wanted.via_root));
}

std::string create_our_publication_sql(int version, std::string_view name,
                                       const WantedPublication& wanted,
                                       const PublicationOwner& owner) {
    return create_publication_sql(version, name, wanted) + " " + note_sql(name, owner, {});
}

PublicationOwner owner_of(const PostgresConfig& config) {
    return {config.pipeline, config.slot};
}

Result<void> require_owner(const PostgresConfig& config, const Publication& is,
                           bool slot_is_there) {
    if (is.owner.slot == config.slot) return {};
    const bool nobody = is.owner.slot.empty();
    if (nobody && (slot_is_there || is.other_slots == 0)) return {};
    const std::string name = quote_name(config.publication);
    const std::string whose = nobody
                                  ? std::string{"a pipeline of an earlier version, whose slot may "
                                                "be one of those in this database"}
                                  : fmt::format("pipeline {} (slot {})",
                                                quote_name(is.owner.pipeline),
                                                quote_name(is.owner.slot));
    Error error = stop(Error::Category::configuration,
                       fmt::format("publication {} is maintained by {}: each would alter it to its "
                                   "own filters, and the other lose changes",
                                   name, whose));
    error.mend = fmt::format(
        "set PG_PUBLICATION to a name of this pipeline's own; or set source.manage_publication to "
        "false to use it as it is; or, if the other pipeline is no more, hand it to the next one "
        "that starts: COMMENT ON PUBLICATION {} IS {};",
        name,
        nobody
            ? quote_text(fmt::format("{}{}{}{}{}", kMaintainedNote, kPipeline,
                                     quote_name(config.pipeline), kSlot, quote_name(config.slot)))
            : quote_text(kMaintainedNote));
    return std::unexpected(std::move(error));
}

// The isolation lets the check see what was committed while the lock was waited for.
std::string guard_publication_sql(std::string_view name,
                                  const std::optional<Publication>& as_it_was) {
    return fmt::format(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; "
        "SELECT pg_advisory_xact_lock(1885824867, hashtext({0})); "
        "SELECT 1 / CASE WHEN (SELECT coalesce(obj_description(oid, 'pg_publication'), '') "
        "FROM pg_publication WHERE pubname = {0}) IS NOT DISTINCT FROM {1} THEN 1 ELSE 0 END;",
        quote_text(name), as_it_was ? quote_text(as_it_was->comment) : "NULL");
}

std::string note_sql(std::string_view name, const PublicationOwner& owner,
                     const std::vector<std::string>& unread) {
    std::string note{kMaintainedNote};
    if (!owner.slot.empty()) {
        note += fmt::format("{}{}{}{}", kPipeline, quote_name(owner.pipeline), kSlot,
                            quote_name(owner.slot));
    }
    if (!unread.empty()) note += fmt::format("{}{}", kUnread, fmt::join(unread, ", "));
    return fmt::format("COMMENT ON PUBLICATION {} IS {};", quote_name(name), quote_text(note));
}

std::string alter_publication_sql(int version, std::string_view name, const Publication& is,
                                  const WantedPublication& wanted, const PublicationOwner& owner) {
    const std::string quoted = quote_name(name);
    if (is.all_tables != wanted.all_tables) {
        return fmt::format("DROP PUBLICATION {}; {}", quoted,
                           create_our_publication_sql(version, name, wanted, owner));
    }
    std::vector<std::string> statements;
    const auto alter = [&](std::string_view how, const std::string& what) {
        if (!what.empty()) {
            statements.push_back(fmt::format("ALTER PUBLICATION {} {} {};", quoted, how, what));
        }
    };
    if (settings_differ(version, is, wanted)) {
        alter("SET", "(" + settings(version, wanted.via_root) + ")");
    }
    const Difference more = to_add(is, wanted);
    const Difference less = to_drop(is, wanted);
    alter("DROP", objects(less.tables, less.schemas));
    alter("ADD", objects(more.tables, more.schemas));
    return fmt::format("{}", fmt::join(statements, " "));
}

std::string add_tables_sql(std::string_view name, const std::vector<std::string>& quoted_tables) {
    return fmt::format("ALTER PUBLICATION {} ADD TABLE {};", quote_name(name),
                       fmt::join(quoted_tables, ", "));
}

}  // namespace pgc
