// Which unique index distinguishes the rows of a table where there is no primary key: one whose
// columns can be the key of the table's records.
//
// Its uniqueness must hold at each moment and for every row: no condition, not deferrable, valid,
// and no column that may be NULL, of which there may be several in different rows. And its columns
// must be columns, those that INCLUDE adds among them: Debezium's connector makes them part of the
// key, too. Of a partitioned table each partition that sends old rows must send them with these
// columns.
//
// Of several it is the first that the connector takes: a clustered one, else the first by name.
#pragma once

#include <string>
#include <string_view>

namespace pgc {

// Why an index is not one: "" if it is. `i` is its row in pg_index.
//   expression, partial, deferrable, invalid, nullable, partition
std::string unique_index_fault_sql(int server_version);

// What stands after ORDER BY; `x` is its row in pg_class.
inline constexpr std::string_view kUniqueIndexOrder = "NOT i.indisclustered, x.relname";

}  // namespace pgc
