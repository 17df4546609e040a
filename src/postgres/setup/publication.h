// Publications: what one is, what the filters want it to be, and the SQL between the two.
//
// Ours come as two, made before the slot, the second even when it is to be empty (decoding can't
// find a publication that is younger than the slot's place in the log):
//
//   NAME          tables whose rows an UPDATE or DELETE can name
//   NAME_inserts  those without a replica identity. Publishing updates of them would make the
//                 server refuse the application's UPDATE and DELETE, so this one publishes inserts
//                 and truncates only
//
// Both list their tables: FOR ALL TABLES and TABLES IN SCHEMA would take in a table without a
// replica identity as soon as it is created. A table moves between them in one transaction.
// That there are two is said by the comment on NAME. Without these words (the slot is of a version
// that made one) there is one, and no further table without a replica identity joins it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "pgclient/link.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/tables.h"

namespace pgc {

// How the comment on publications that pg-capture made begins. After it come the one pipeline
// that maintains it, and tables that have joined and whose rows nobody has read yet: so they are
// found whoever is killed when, because the server keeps the comment together with the change.
// Who puts just these words on a publication hands it to the next pipeline that starts with it.
inline constexpr std::string_view kMaintainedNote = "maintained by pg-capture";
// And on those of `pg-capture init`'s, which nobody but their owner alters.
inline constexpr std::string_view kPreparedNote = "prepared by pg-capture init";

// The slot decides: two pipelines can't have the same one. The name is for people.
struct PublicationOwner {
    std::string pipeline;
    std::string slot;       // empty: nobody is named, as by earlier versions
    std::string inserts{};  // the second publication that goes with it; empty: none
    bool operator==(const PublicationOwner&) const = default;
};

// The name of the second one, which fits into a name's length.
std::string inserts_publication(std::string_view name);

struct Publication {
    struct Member {
        std::string schema;
        std::string name;
        std::string filter;  // distinguishes row filters and column lists; empty without
    };

    bool all_tables = false;
    bool inserts = true;
    bool updates = true;
    bool deletes = true;
    bool truncates = true;
    bool via_root = false;
    bool generated = false;   // stored generated columns are published (18+)
    bool owned = false;       // by us
    bool noted = false;       // its comment is one of pg-capture's
    bool maintained = false;  // made by pg-capture, and still to be altered by its owner
    std::string comment;
    PublicationOwner owner;  // of the comment
    // Slots of this database that may read it, but the one asked about.
    std::int64_t other_slots = 0;
    std::vector<std::string> unread;  // of the comment; quoted
    std::vector<Member> tables;
    std::vector<std::string> schemas;
};

// Nothing when there is no such publication.
[[nodiscard]] Result<std::optional<Publication>> read_publication(const Rows& rows);
[[nodiscard]] Result<void> read_members(const Rows& rows, Publication& publication);

// What the filters ask for, in the form the server and our privileges allow.
struct WantedPublication {
    struct Table {
        std::string schema;
        std::string name;
        bool only = false;  // without its heirs
        bool operator==(const Table&) const = default;
    };

    bool all_tables = false;
    std::vector<std::string> schemas;
    std::vector<Table> tables;
    std::vector<Table> inserts;         // for the second one
    std::vector<std::string> left_out;  // would have to be in the second one, if there was one
    bool via_root = false;
    bool inserts_only = false;  // and truncates
};

// `is`: the one that is there. `apart`: a second one is there or may be made. Without it what is
// for all tables or whole schemas stays that, and tables without a replica identity that are
// published already stay in.
WantedPublication wanted_publication(const PostgresConfig& config, const ServerFacts& facts,
                                     const std::vector<TableInfo>& tables,
                                     const std::optional<Publication>& is = std::nullopt,
                                     bool apart = true);
// Whether the stream is to name a second one as well (`inserts`, as it is there): where it was made
// with the first, which then says so, or where there is no slot yet and we make it. Beside a first
// one that is not ours to alter, or whose comment somebody has overwritten: where it is there and
// one of the two says that it is pg-capture's. A slot may then be older than it, which shows when
// the server can't find it: SourceCarryOver::without_inserts.
bool has_inserts(const PostgresConfig& config, const std::optional<Publication>& is,
                 const std::optional<Publication>& inserts, bool slot_is_there);

// The names the stream is to be asked for.
std::vector<std::string> publications_of(const PostgresConfig& config, bool with_inserts);

// Each table that is added is locked until the change is over, and the server has room for some
// thousand locks: takes those beyond `at_once` out that are in neither. True: there were any.
bool leave_for_later(WantedPublication& wanted, const std::optional<Publication>& is,
                     const std::optional<Publication>& inserts, std::size_t at_once = 1000);

// The second one of these.
WantedPublication wanted_inserts(const WantedPublication& wanted);

// The statement for somebody else to run: the publication is then theirs.
std::string create_publication_sql(int version, std::string_view name,
                                   const WantedPublication& wanted);
// With the comment that makes it ours. One string, to be run as one transaction.
std::string create_our_publication_sql(int version, std::string_view name,
                                       const WantedPublication& wanted,
                                       const PublicationOwner& owner);

// The comment on the first of two that `pg-capture init` prepares.
std::string prepared_note(const PostgresConfig& config);

PublicationOwner owner_of(const PostgresConfig& config, bool apart);
// Whether a publication that pg-capture maintains may be maintained by this pipeline: it is its
// owner, or nobody is named and nobody else can have read from it. An Error that stops, with the
// choices there are.
[[nodiscard]] Result<void> require_owner(const PostgresConfig& config, const Publication& is,
                                         bool slot_is_there);

// To be run before a change, in its transaction: the others that want to change it wait, and it
// fails with kChangedMeanwhile unless the comment is still the one that was read (none: there was
// no such publication).
std::string guard_publication_sql(std::string_view name,
                                  const std::optional<Publication>& as_it_was);
inline constexpr std::string_view kChangedMeanwhile = "22012";

// Makes the second one, empty, beside a first one that is there; and the first one says so.
std::string add_inserts_sql(int version, const PostgresConfig& config, const Publication& is);

// Empty when nothing differs. A publication can't change between "all tables" and a list:
// then it is dropped and made again, which in one transaction no stream notices. A list never
// becomes "all tables" (see wanted_publication()).
std::string alter_publication_sql(int version, std::string_view name, const Publication& is,
                                  const WantedPublication& wanted, const PublicationOwner& owner);

// The comment of ours, with these (quoted) as unread.
std::string note_sql(std::string_view name, const PublicationOwner& owner,
                     const std::vector<std::string>& unread);

// "ALTER PUBLICATION … ADD TABLE …;", for somebody else to run, so that the server refuses no
// UPDATE afterwards: a table without a replica identity goes into the second publication, or gets
// one first.
std::string add_tables_sql(const PostgresConfig& config, const Publication& is, bool apart,
                           const std::vector<const TableInfo*>& tables);

}  // namespace pgc
