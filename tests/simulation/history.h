// What was committed: the truth that everything else is held against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "core/change.h"

namespace pgc::sim {

inline constexpr std::uint32_t kTables = 4;
inline constexpr const char* kPublished = "shop_pub";
inline constexpr const char* kPublishedInserts = "shop_pub_inserts";
inline constexpr std::uint32_t kFirstOid = 16401;  // of table 0
inline constexpr std::uint32_t kMood = 16501;      // an enumeration
inline constexpr std::uint32_t kShort = 16502;     // a domain over varchar(kShortModifier - 4)
inline constexpr std::int32_t kShortModifier = 24;

// Of a column by its name: "id", "v", "note", and "c1", "c2" that were added.
constexpr std::uint32_t type_of(std::string_view column) noexcept {
    if (column == "id") return 20;
    if (!column.starts_with('c')) return 25;
    return (column.back() - '0') % 2 == 1 ? kMood : kShort;
}

// Table 0 has the default replica identity, table 1 FULL, table 2 the default again, table 3
// FULL and no key.
constexpr char identity_of(std::uint32_t table) noexcept {
    return table == 1 || table == 3 ? 'f' : 'd';
}
constexpr bool is_keyed(std::uint32_t table) noexcept {
    return table != 3;
}
inline std::string name_of(std::uint32_t table) {
    return "t" + std::to_string(table);
}

struct Row {
    std::uint32_t table = 0;
    Operation operation = Operation::insert;
    std::int64_t key = 0;
    std::int64_t old_key = 0;   // of an update that changes it; else 0
    std::uint64_t version = 0;  // unique: the row's content says it
    std::size_t padding = 0;    // further bytes of content
    std::uint64_t note = 0;     // of a value that never changes, and is not sent with changes
    std::uint32_t columns = 0;  // that ALTER TABLE had added by then
    Lsn lsn;
    char identity = 'd';         // replica identity of its table by then
    std::uint8_t published = 3;  // 1: by the publication, 2: by the one for inserts
};

struct Committed {
    Xid xid;
    Lsn commit;
    Lsn end;
    WallTime at;
    std::vector<Row> rows;
    std::size_t first_row = 0;              // how many rows were committed before
    std::optional<std::size_t> prepared{};  // of History::prepared, if it was
};

struct Prepared {
    Xid xid;
    Lsn at;  // its PREPARE
    Lsn end;
    std::vector<Row> rows;
    bool doomed = false;  // it will be rolled back
};

struct RolledBack {
    std::size_t prepared = 0;
    Lsn at;
    Lsn end;
};

// "v17": stands in the content of the row that has this version.
inline std::string token(const Row& row) {
    return "v" + std::to_string(row.version) + ".";
}

// What stands in the row's column that never changes.
inline std::string note_of(const Row& row) {
    return "n" + std::to_string(row.note) + ".";
}

struct History {
    std::vector<Committed> transactions;
    std::vector<Prepared> prepared;     // in the order of the log, decided or not
    std::vector<RolledBack> rollbacks;  // likewise
    std::size_t rows = 0;

    std::vector<std::uint32_t> transaction_of_row;

    void add(Committed transaction) {
        transaction.first_row = rows;
        rows += transaction.rows.size();
        transaction_of_row.resize(rows, static_cast<std::uint32_t>(transactions.size()));
        transactions.push_back(std::move(transaction));
    }
    const Row& row(std::size_t at) const {
        const Committed& transaction = transactions[transaction_of_row[at]];
        return transaction.rows[at - transaction.first_row];
    }
    // The first transaction that commits at or after `from`.
    std::size_t first_from(Lsn from) const {
        std::size_t low = 0;
        std::size_t high = transactions.size();
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            if (transactions[middle].commit < from) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
    // How many rows committed before `lsn`.
    std::size_t rows_before(Lsn lsn) const {
        const std::size_t next = first_from(lsn);
        return next == transactions.size() ? rows : transactions[next].first_row;
    }
};

}  // namespace pgc::sim
