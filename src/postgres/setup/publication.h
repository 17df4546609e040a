// Publications: what one is, what the filters want it to be, and the SQL between the two.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "postgres/link/link.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/tables.h"

namespace pgc {

// The comment on publications we made. Whoever puts it on another hands that one to us. Behind
// it may stand tables that have joined and whose rows nobody has read yet: so they are found
// whoever is killed when, because the server keeps it together with the change.
inline constexpr std::string_view kMaintainedNote = "maintained by pg-capture";

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
    bool generated = false;           // stored generated columns are published (18+)
    bool owned = false;               // by us
    bool maintained = false;          // made by us, and still ours to alter
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

WantedPublication wanted_publication(const PostgresConfig& config, const ServerFacts& facts,
                                     const std::vector<TableInfo>& tables);

// The statement for somebody else to run: the publication is then theirs.
std::string create_publication_sql(int version, std::string_view name,
                                   const WantedPublication& wanted);
// With the comment that makes it ours. One string, to be run as one transaction.
std::string create_our_publication_sql(int version, std::string_view name,
                                       const WantedPublication& wanted);

// Empty when nothing differs. A publication can't change between "all tables" and a list:
// then it is dropped and made again, which in one transaction the stream does not notice.
std::string alter_publication_sql(int version, std::string_view name, const Publication& is,
                                  const WantedPublication& wanted);

// The comment of ours, with these (quoted) as unread.
std::string note_sql(std::string_view name, const std::vector<std::string>& unread);

// "ALTER PUBLICATION … ADD TABLE …;"
std::string add_tables_sql(std::string_view name, const std::vector<std::string>& quoted_tables);

}  // namespace pgc
