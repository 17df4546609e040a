// Whether the server is asked for transactions before they are committed, and whether there is a
// place for them.
#pragma once

#include <cstdint>

#include "base/error.h"
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
    bool look_only = false;
    bool two_phase = false;  // prepared transactions need the folder
};

// True: it is asked for them. Then, and with two_phase, the folder is prepared. Otherwise nothing
// stays in it of what a run before us had there.
[[nodiscard]] Result<bool> prepare_streaming(const StreamingTerms& terms,
                                             SourceCarryOver& carry_over, const Logger& logger);

}  // namespace pgc
