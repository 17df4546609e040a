#include "postgres/setup/publication.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "pgclient/answer.h"
#include "pgclient/quote.h"

namespace pgc {

namespace {

constexpr int kTruncates = 110000;
constexpr int kViaRoot = 130000;
constexpr int kGenerated = 180000;
// A table that somebody holds on to (VACUUM, CREATE INDEX, a migration that was left open) joins
// when it is free; the stream and the heartbeat don't wait for it.
constexpr std::string_view kLockPatience = "3s";
// In a comment of ours, after kMaintainedNote.
constexpr std::string_view kPipeline = " for pipeline ";
constexpr std::string_view kSlot = ", slot ";
constexpr std::string_view kWith = ", with ";
constexpr std::string_view kUnread = "; rows yet to be read of: ";

std::string settings(int version, const WantedPublication& wanted) {
    std::string sql =
        wanted.inserts_only ? "publish = 'insert" : "publish = 'insert, update, delete";
    if (version >= kTruncates) sql += ", truncate";
    sql += "'";
    if (version >= kViaRoot) {
        sql += fmt::format(", publish_via_partition_root = {}", wanted.via_root);
    }
    // Unpublished ones would make the user's updates fail under REPLICA IDENTITY FULL.
    if (version >= kGenerated) sql += ", publish_generated_columns = stored";
    return sql;
}

bool settings_differ(int version, const Publication& is, const WantedPublication& wanted) {
    return !is.inserts || is.updates == wanted.inserts_only || is.deletes == wanted.inserts_only ||
           (version >= kTruncates && !is.truncates) ||
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

std::string note_text(std::string_view head, const PublicationOwner& owner) {
    std::string note{head};
    if (!owner.slot.empty()) {
        note += fmt::format("{}{}{}{}", kPipeline, quote_name(owner.pipeline), kSlot,
                            quote_name(owner.slot));
    }
    if (!owner.inserts.empty()) note += fmt::format("{}{}", kWith, quote_name(owner.inserts));
    return note;
}

// Whether a comment makes a publication ours; and what it says.
bool read_note(std::string_view note, Publication& publication) {
    publication.noted = note.starts_with(kMaintainedNote) || note.starts_with(kPreparedNote);
    const auto skip = [&](std::string_view text) {
        const bool there = note.starts_with(text);
        if (there) note.remove_prefix(text.size());
        return there;
    };
    const bool ours = skip(kMaintainedNote);
    if (!ours && !skip(kPreparedNote)) return false;
    if (skip(kPipeline)) {
        const auto pipeline = take_quoted_name(note);
        if (!pipeline || !skip(kSlot)) return false;
        const auto slot = take_quoted_name(note);
        if (!slot) return false;
        publication.owner = {*pipeline, *slot};
    }
    if (skip(kWith)) {
        const auto inserts = take_quoted_name(note);
        if (!inserts) return false;
        publication.owner.inserts = *inserts;
    }
    if (skip(kUnread)) {
        const auto tables = read_lineage(note);
        if (!tables) return false;
        for (const TableName& table : *tables) {
            publication.unread.push_back(quote_name(table.schema, table.name));
        }
        return ours;
    }
    return ours && note.empty();
}

// Whether it publishes what is to be in a second one, if there was one.
class Members {
public:
    explicit Members(const std::optional<Publication>& is) : is_(is) {
        if (is) names_ = names_of(is->tables);
    }
    bool has(const TableInfo& table, const Lineage& above) const {
        if (!is_) return false;
        if (is_->all_tables || named({table.schema, table.name})) return true;
        return std::ranges::any_of(above, [&](const TableName& name) { return named(name); });
    }

private:
    bool named(const TableName& name) const {
        return names_.contains(quote_name(name.schema, name.name)) ||
               std::ranges::find(is_->schemas, name.schema) != is_->schemas.end();
    }

    const std::optional<Publication>& is_;
    std::unordered_set<std::string> names_;
};

}  // namespace

std::string inserts_publication(std::string_view name) {
    constexpr std::string_view suffix = "_inserts";
    constexpr std::size_t name_max = 63;
    std::size_t length = std::min(name.size(), name_max - suffix.size());
    // Not in the middle of a letter.
    while (length > 0 && length < name.size() &&
           (static_cast<unsigned char>(name[length]) & 0xC0U) == 0x80U) {
        --length;
    }
    return std::string{name.substr(0, length)} + std::string{suffix};
}

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
                                     const std::optional<Publication>& is, bool apart) {
    WantedPublication wanted;
    wanted.via_root = config.publish_via_partition_root && facts.version >= kViaRoot;
    const bool stays = !apart && is && facts.superuser;
    if (stays && config.tables.everything() && is->all_tables) {
        wanted.all_tables = true;
        return wanted;
    }
    const auto schemas = config.tables.whole_schemas();
    if (stays && schemas && !is->schemas.empty()) {
        // One that is not there yet is created with its first table.
        std::ranges::copy_if(*schemas, std::back_inserter(wanted.schemas), [&](const auto& schema) {
            return std::ranges::any_of(tables, [&](const auto& t) { return t.schema == schema; });
        });
        return wanted;
    }
    const Members members{is};
    const auto above = lineages(tables);
    for (const ChosenTable& chosen :
         chosen_tables(tables, config.tables, facts.version, wanted.via_root, apart)) {
        const TableInfo& table = *chosen.table;
        const bool left_out =
            chosen.inserts_only && !apart &&
            !members.has(table, above[static_cast<std::size_t>(chosen.table - tables.data())]);
        if (left_out) {
            wanted.left_out.push_back(quote_name(table.schema, table.name));
            continue;
        }
        (chosen.inserts_only && apart ? wanted.inserts : wanted.tables)
            .push_back({table.schema, table.name, !table.partitioned && table.has_children});
    }
    return wanted;
}

bool has_inserts(const PostgresConfig& config, const std::optional<Publication>& is,
                 const std::optional<Publication>& inserts, bool slot_is_there) {
    if (!is) return config.manage_publication;
    const bool says_so = !is->owner.inserts.empty();
    if (is->maintained && config.manage_publication) return says_so || !slot_is_there;
    if (says_so && is->owner.slot == config.slot) return true;
    return inserts && (says_so || inserts->noted);
}

std::vector<std::string> publications_of(const PostgresConfig& config, bool with_inserts) {
    if (!with_inserts) return {config.publication};
    return {config.publication, inserts_publication(config.publication)};
}

bool leave_for_later(WantedPublication& wanted, const std::optional<Publication>& is,
                     const std::optional<Publication>& inserts, std::size_t at_once) {
    std::unordered_set<std::string> members;
    for (const auto* one : {&is, &inserts}) {
        if (*one) members.merge(names_of((*one)->tables));
    }
    bool left = false;
    for (auto* tables : {&wanted.tables, &wanted.inserts}) {
        const auto gone = std::erase_if(*tables, [&](const WantedPublication::Table& table) {
            if (members.contains(quote_name(table.schema, table.name))) return false;
            if (at_once == 0) return true;
            --at_once;
            return false;
        });
        left |= gone > 0;
    }
    return left;
}

WantedPublication wanted_inserts(const WantedPublication& wanted) {
    WantedPublication inserts;
    inserts.tables = wanted.inserts;
    inserts.via_root = wanted.via_root;
    inserts.inserts_only = true;
    return inserts;
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
                       settings(version, wanted));
}

std::string create_our_publication_sql(int version, std::string_view name,
                                       const WantedPublication& wanted,
                                       const PublicationOwner& owner) {
    return create_publication_sql(version, name, wanted) + " " + note_sql(name, owner, {});
}

PublicationOwner owner_of(const PostgresConfig& config, bool apart) {
    return {config.pipeline, config.slot,
            apart ? inserts_publication(config.publication) : std::string{}};
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
    error.hint = fmt::format(
        "set PG_PUBLICATION to a name of this pipeline's own; or set source.manage_publication to "
        "false to use it as it is; or, if the other pipeline no longer exists, hand it to the "
        "next one that starts: {}",
        note_sql(config.publication,
                 nobody ? PublicationOwner{config.pipeline, config.slot, is.owner.inserts}
                        : PublicationOwner{{}, {}, is.owner.inserts},
                 is.unread));
    return std::unexpected(std::move(error));
}

// The isolation lets the check see what was committed while the lock was waited for.
std::string guard_publication_sql(std::string_view name,
                                  const std::optional<Publication>& as_it_was) {
    return fmt::format(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '{2}'; "
        "SELECT pg_advisory_xact_lock(1885824867, hashtext({0})); "
        "SELECT 1 / CASE WHEN (SELECT coalesce(obj_description(oid, 'pg_publication'), '') "
        "FROM pg_publication WHERE pubname = {0}) IS NOT DISTINCT FROM {1} THEN 1 ELSE 0 END;",
        quote_text(name), as_it_was ? quote_text(as_it_was->comment) : "NULL", kLockPatience);
}

std::string add_inserts_sql(int version, const PostgresConfig& config, const Publication& is) {
    WantedPublication none;
    none.inserts_only = true;
    none.via_root = is.via_root;
    return create_our_publication_sql(version, inserts_publication(config.publication), none,
                                      owner_of(config, false)) +
           " " + note_sql(config.publication, owner_of(config, true), is.unread);
}

std::string prepared_note(const PostgresConfig& config) {
    return note_text(kPreparedNote, owner_of(config, true));
}

std::string note_sql(std::string_view name, const PublicationOwner& owner,
                     const std::vector<std::string>& unread) {
    std::string note = note_text(kMaintainedNote, owner);
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
        alter("SET", "(" + settings(version, wanted) + ")");
    }
    const Difference more = to_add(is, wanted);
    const Difference less = to_drop(is, wanted);
    alter("DROP", objects(less.tables, less.schemas));
    alter("ADD", objects(more.tables, more.schemas));
    return fmt::format("{}", fmt::join(statements, " "));
}

std::string add_tables_sql(const PostgresConfig& config, const Publication& is, bool apart,
                           const std::vector<const TableInfo*>& tables) {
    std::vector<std::string> statements;
    std::string first;
    std::string second;
    for (const TableInfo* table : tables) {
        const std::string name = quote_name(table->schema, table->name);
        const bool breaks = !table->identifiable() && (is.updates || is.deletes);
        if (breaks && !apart) {
            statements.push_back(fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL;", name));
        }
        append(breaks && apart ? second : first, name);
    }
    const auto add = [&](const std::string& publication, const std::string& names) {
        if (names.empty()) return;
        statements.push_back(
            fmt::format("ALTER PUBLICATION {} ADD TABLE {};", quote_name(publication), names));
    };
    add(config.publication, first);
    add(inserts_publication(config.publication), second);
    return fmt::format("{}", fmt::join(statements, " "));
}

}  // namespace pgc
