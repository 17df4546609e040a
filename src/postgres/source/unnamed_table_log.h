// Says of tables that no filter names, nor anything they are or were part of, whether their changes
// are captured: each table once in the life of the process.
//
// Threads: one, the owner's.
#pragma once

#include <string_view>
#include <utility>

#include "base/lsn.h"
#include "observe/log.h"
#include "postgres/relations/relations.h"
#include "postgres/relations/source_carry_over.h"

namespace pgc {

class UnnamedTableLog {
public:
    // `carry_over`, which remembers what was said, outlives it.
    UnnamedTableLog(SourceCarryOver& carry_over, Logger logger)
        : carry_over_(carry_over), logger_(std::move(logger)) {}

    // `commit`: of the transaction in which the table was met.
    void report(std::string_view schema, std::string_view table, UnnamedTable outcome, Lsn commit);

private:
    SourceCarryOver& carry_over_;
    const Logger logger_;
};

}  // namespace pgc
