#include "postgres/source/unnamed_table_log.h"

#include <string>

#include "pgclient/quote.h"

namespace pgc {

void UnnamedTableLog::report(std::string_view schema, std::string_view table, UnnamedTable outcome,
                             Lsn commit) {
    constexpr std::size_t reported_max = 1000;
    auto& reported = carry_over_.reported_left;
    const std::string name = quote_name(schema, table);
    const std::string key = std::to_string(static_cast<int>(outcome)) + name;
    if (reported.size() >= reported_max || !reported.insert(key).second) return;
    switch (outcome) {
        case UnnamedTable::captured:
            logger_.warning(
                "changes of a table are captured though no filter names it: it was published when "
                "they were committed, and no published table is there now that it could be a "
                "partition of, so it may have been one of a captured table",
                {{"table", name},
                 {"commit_lsn", commit},
                 {"hint", "if they are not wanted, add the table to source.tables.exclude"}});
            break;
        case UnnamedTable::left_out_gone:
            logger_.warning(
                "changes of a table that is not there any more are left out: no filter names it, "
                "and what it was a partition of is not known",
                {{"table", name},
                 {"commit_lsn", commit},
                 {"hint", "if they are wanted, add the table to source.tables.include"}});
            break;
        case UnnamedTable::left_out:
            logger_.info(
                "changes of a published table are left out: no filter names it or a partitioned "
                "table above it",
                {{"table", name}, {"commit_lsn", commit}});
            break;
    }
    if (reported.size() == reported_max) {
        logger_.info("further tables that no filter names are not reported",
                     {{"reported", reported_max}});
    }
}

}  // namespace pgc
