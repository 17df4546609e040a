// pg-capture files list: what is registered, by file, batch or table. files verify: holds the
// registry against the disk, and changes nothing. files clean: removes what may go; without --yes
// it does no more than show what that is. Documented in docs/reference/files.md.
#pragma once

#include "base/words.h"
#include "cli/command.h"

namespace pgc {

enum class FilesListing : std::uint8_t { file, batch, table };
inline constexpr auto kFilesListings = words_for<FilesListing>(
    {{"file", FilesListing::file}, {"batch", FilesListing::batch}, {"table", FilesListing::table}});

ExitCode run_files_list(Invocation& invocation);
ExitCode run_files_verify(Invocation& invocation);
ExitCode run_files_clean(Invocation& invocation);

}  // namespace pgc
