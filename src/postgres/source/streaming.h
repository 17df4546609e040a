// Whether the server is asked for transactions before they are committed, and has a place for them.
#pragma once

#include <cstdint>

#include "base/lsn.h"
#include "base/spill_folder.h"
#include "observe/log.h"
#include "postgres/relations/source_carry_over.h"

namespace pgc {

struct StreamingTerms {
    SpillFolder* folder = nullptr;  // null: not here
    std::uint64_t limit = 0;        // bytes in it
    int server_version = 0;         // as 150018
    Lsn from;                       // where the stream begins
};

// True: it is, and the folder is prepared. Otherwise nothing stays in it of what a run before us
// had there.
bool prepare_streaming(const StreamingTerms& terms, SourceCarryOver& carry_over,
                       const Logger& logger);

}  // namespace pgc
