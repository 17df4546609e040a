// Publications: what one is, what the filters want it to be, and the SQL between the two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "postgres/link/link.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/tables.h"

namespace pgc {

// How the comment on publications that pg-capture made begins. After it come the one pipeline
// that maintains it, and tables that have joined and whose rows nobody has read yet: so they are
// found whoever is killed when, because the server keeps the comment together with the change.
// Who puts just these words on a publication hands it to the next pipeline that starts with it.
inline constexpr std::string_view kMaintainedNote = "maintained by pg-capture";

// The slot decides: two pipelines can't have the same one. The name is for people.
struct PublicationOwner {
    std::string pipeline;
    std::string slot;  // empty: nobody is named, as by earlier versions
    bool operator==(const PublicationOwner&) const = default;
};

struct Publication {
    struct Member {
        std::string schema;
        std::string name;
        std::string filter;  // tells row filters and column lists apart; empty without
    };

    bool all_tables = false;
    bool inserts = true;
    bool updates = true;
    bool deletes = true;
    bool truncates = true;
    bool via_root = false;
    bool generated = false;   // stored generated columns are published (18+)
    bool owned = false;       // by us
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
    bool via_root = false;
};

// `is`: the one that is there. What somebody may have added to a list would be dropped with it,
// so it stays one.
WantedPublication wanted_publication(const PostgresConfig& config, const ServerFacts& facts,
                                     const std::vector<TableInfo>& tables,
                                     const std::optional<Publication>& is = std::nullopt);

// The statement for somebody else to run: the publication is then theirs.
std::string create_publication_sql(int version, std::string_view name,
                                   const WantedPublication& wanted);
// With the comment that makes it ours. One string, to be run as one transaction.
std::string create_our_publication_sql(int version, std::string_view name,
                                       const WantedPublication& wanted,
                                       const PublicationOwner& owner);

PublicationOwner owner_of(const PostgresConfig& config);
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

// Empty when nothing differs. A publication can't change between "all tables" and a list:
// then it is dropped and made again, which in one transaction no stream notices. A list never
// becomes "all tables" (see wanted_publication()).
std::string alter_publication_sql(int version, std::string_view name, const Publication& is,
                                  const WantedPublication& wanted, const PublicationOwner& owner);

// The comment of ours, with these (quoted) as unread.
std::string note_sql(std::string_view name, const PublicationOwner& owner,
                     const std::vector<std::string>& unread);

// "ALTER PUBLICATION … ADD TABLE …;"
std::string add_tables_sql(std::string_view name, const std::vector<std::string>& quoted_tables);

}  // namespace pgc
