#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/error_output.h"
#include "cli/files_access.h"
#include "cli/files_arguments.h"
#include "cli/files_commands.h"
#include "cli/files_listing.h"
#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/status_line.h"
#include "sink/file/cleaner.h"
#include "sink/file/layout.h"
#include "sink/file/retention_options.h"
#include "sink/file/root_owner.h"
#include "sink/file/verifier.h"

namespace pgc {
namespace {

// Shown at most.
constexpr std::size_t kShown_max = 1'000'000;

// What is to go, and what went.
struct Clean {
    std::vector<OldBatch> batches;
    std::vector<std::string> unregistered;  // folders
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    bool done = false;
};

std::string verdict(const Clean& clean) {
    if (clean.batches.empty() && clean.unregistered.empty()) return "There is nothing to remove.\n";
    std::string what = fmt::format("{} batches, {} files, {}", grouped(clean.batches.size()),
                                   grouped(clean.files), readable_bytes(clean.bytes));
    if (!clean.unregistered.empty()) {
        what += fmt::format(", and {} folders that are not registered",
                            grouped(clean.unregistered.size()));
    }
    return clean.done ? "Removed: " + what + ".\n"
                      : "To be removed: " + what + ". Nothing is removed without --yes.\n";
}

std::string as_text(const Clean& clean) {
    std::string text;
    if (!clean.batches.empty()) text += batches_text(clean.batches);
    for (const std::string& folder : clean.unregistered) {
        text += "not registered  " + printable(folder) + "\n";
    }
    return text + verdict(clean);
}

std::string as_json(const Clean& clean) {
    std::string out =
        fmt::format("{{\"removed\":{},\"files\":{},\"bytes\":{},\"batches\":", clean.done,
                    clean.files, clean.bytes);
    out += batches_json(clean.batches) + ",\"unregistered\":[";
    for (const std::string& folder : clean.unregistered) {
        if (out.back() == '"') out += ',';
        append_json_string(out, folder);
    }
    return out + "]}\n";
}

void add(Clean& to, const std::vector<OldBatch>& batches) {
    for (const OldBatch& batch : batches) {
        to.files += batch.paths.size();
        to.bytes += batch.bytes;
    }
    to.batches.insert(to.batches.end(), batches.begin(), batches.end());
}

Error in_use(std::string what, std::string hint) {
    return stop(Error::Category::server, std::move(what)).with_hint(std::move(hint));
}

Result<void> remove_with(FileCleaner& cleaner, FilesAccess& access, const RetentionRule& rule,
                         const std::string& why, Clean& clean) {
    if (auto finished = cleaner.finish(); !finished) return finished;
    while (!rule.says_nothing()) {
        const auto batches = access.index().removable(rule, FileCleaner::kPiece);
        if (!batches) return std::unexpected(batches.error());
        const auto removed = cleaner.remove(*batches, rule.only_loaded, why);
        if (!removed) return std::unexpected(removed.error());
        if (removed->batches == 0) break;
        add(clean, *batches);
    }
    return {};
}

Result<void> remove_batches(FilesAccess& access, const RetentionRule& rule, const std::string& why,
                            Clean& clean) {
    FileCleaner cleaner{access.root(), access.index(), access.disk()};
    const auto locked = cleaner.lock();
    if (!locked) return std::unexpected(locked.error());
    if (!*locked) {
        return std::unexpected(
            in_use("another process is removing files", "try again in a moment").at(access.root()));
    }
    auto done = remove_with(cleaner, access, rule, why, clean);
    auto unlocked = cleaner.unlock();
    return done ? unlocked : done;
}

// Nobody writes files there meanwhile: what is moved and not registered yet would look the same.
Result<void> remove_unregistered(FilesAccess& access, Clean& clean) {
    const auto lock = access.disk().lock(lock_path(access.root()));
    if (!lock) return std::unexpected(lock.error());
    if (*lock == nullptr) {
        return std::unexpected(in_use("an instance of pg-capture writes files there",
                                      "stop it first; what it left half done it takes back by "
                                      "itself when it starts")
                                   .at(access.root()));
    }
    FileVerifier verifier{access.root(), access.pipeline(), access.index(), access.disk(), {}};
    auto folders = verifier.unregistered(true);
    if (!folders) return std::unexpected(std::move(folders.error()));
    for (std::string& folder : *folders) {
        if (auto done = access.disk().remove(access.root() + "/" + folder); !done) return done;
        clean.unregistered.push_back(std::move(folder));
    }
    return {};
}

Result<void> look(FilesAccess& access, const RetentionRule& rule, bool unregistered, Clean& clean) {
    if (!rule.says_nothing()) {
        const auto batches = access.index().removable(rule, kShown_max);
        if (!batches) return std::unexpected(batches.error());
        add(clean, *batches);
    }
    if (!unregistered) return {};
    FileVerifier verifier{access.root(), access.pipeline(), access.index(), access.disk(), {}};
    auto folders = verifier.unregistered(true);
    if (!folders) return std::unexpected(std::move(folders.error()));
    clean.unregistered = std::move(*folders);
    return {};
}

}  // namespace

ExitCode run_files_clean(Invocation& invocation) {
    const CommandLine& line = invocation.line;
    const auto program = load_program(invocation);
    if (!program) return program.error();
    const FileRetentionConfig configured = file_retention_config(program->settings);
    const bool unregistered = line.has("unregistered");
    const auto rule = given_rule(line, configured, invocation.deps.clock.wall());
    if (!rule) return report_usage_error(invocation.deps, rule.error());
    if (rule->says_nothing() && !unregistered) {
        return report_usage_error(
            invocation.deps,
            "files clean needs to know what may go: --older-than, --keep, --loaded, "
            "--unregistered, or file.retention in the configuration");
    }
    const bool yes = line.has("yes");
    auto access =
        FilesAccess::make(invocation.deps, *program,
                          yes ? SqlSession::Access::read_write : SqlSession::Access::read_only);
    if (!access) return report_error(invocation, access.error());
    if (auto there = (*access)->require_root(); !there) {
        return report_error(invocation, there.error());
    }
    if (auto ours = has_owner((*access)->disk(), (*access)->root(), (*access)->pipeline()); !ours) {
        return report_error(invocation, ours.error());
    }
    if (auto state = (*access)->index().state(); !state) {
        return report_error(invocation, state.error());
    }
    Clean clean{.batches = {}, .unregistered = {}, .done = yes};
    auto done = yes ? remove_batches(**access, *rule, rule_text(line, configured), clean)
                    : look(**access, *rule, unregistered, clean);
    if (done && yes && unregistered) done = remove_unregistered(**access, clean);
    if (!done) return report_error(invocation, done.error());
    invocation.deps.console.out(invocation.json() ? as_json(clean) : as_text(clean));
    return ExitCode::done;
}

}  // namespace pgc
