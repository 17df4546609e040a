// Whose root it is: checkpoint.json names the pipeline. What the registry of another one does not
// know would be moved back and removed, so that one does not start there.
//
// Threads: one at a time, the worker's or a command's.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "sink/file/config.h"
#include "sink/file/disk.h"

namespace pgc {

// False: the root is nobody's yet. An Error: it is another pipeline's.
[[nodiscard]] Result<bool> has_owner(Disk& disk, const std::string& root,
                                     const std::string& pipeline);
// Nobody's becomes ours, durably, before there is anything to lose. Requires: the lock.
[[nodiscard]] Result<void> claim_root(Disk& disk, const FileSinkConfig& config, WallTime now);

}  // namespace pgc
