#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "cli/error_output.h"
#include "cli/files_access.h"
#include "cli/files_arguments.h"
#include "cli/files_commands.h"
#include "cli/files_listing.h"

namespace pgc {
namespace {

constexpr std::size_t kPage = 5000;

// Which files are listed.
struct Wanted {
    TableFilter tables{};
    bool all_tables = true;
    std::optional<WallTime> since{};  // closed then, or later
    bool not_loaded = false;

    bool has(const IndexedFile& one) const {
        const CompleteFile& file = one.file;
        if (since && file.closed_at < *since) return false;
        if (not_loaded && one.loaded) return false;
        return all_tables || tables.matches(file.table.schema, file.table.name);
    }
};

std::expected<Wanted, std::string> given(const CommandLine& line, WallTime now) {
    Wanted wanted{.not_loaded = line.has("not-loaded")};
    auto tables = given_tables(line);
    if (!tables) return std::unexpected(std::move(tables.error()));
    wanted.all_tables = tables->empty();
    wanted.tables = TableFilter{std::move(*tables), {}};
    if (line.has("since")) {
        wanted.since = parse_since(line.value("since"), now);
        if (!wanted.since) {
            return std::unexpected(
                std::string{"flag --since takes a time such as 2h, 7d or 2026-11-30T17:45:00Z"});
        }
    }
    return wanted;
}

}  // namespace

ExitCode run_files_list(Invocation& invocation) {
    const auto wanted = given(invocation.line, invocation.deps.clock.wall());
    if (!wanted) return report_usage_error(invocation.deps, wanted.error());
    const auto program = load_program(invocation);
    if (!program) return program.error();
    auto access = FilesAccess::make(invocation.deps, *program, SqlSession::Access::read_only);
    if (!access) return report_error(invocation, access.error());
    FileIndex& index = (*access)->index();
    if (auto state = index.state(); !state) return report_error(invocation, state.error());
    const auto by = kFilesListings.find(invocation.line.value("by"));
    FilesList list{by.value_or(FilesListing::file)};
    std::uint64_t after = 0;
    for (bool more = true; more;) {
        const auto page = index.files(after, kPage);
        if (!page) return report_error(invocation, page.error());
        for (const IndexedFile& file : *page) {
            after = file.id;
            if (wanted->has(file)) list.add(file);
        }
        more = page->size() == kPage;
    }
    invocation.deps.console.out(invocation.json() ? list.as_json() : list.as_text());
    return ExitCode::done;
}

}  // namespace pgc
