#include "sink/file/cleaner.h"

#include <algorithm>
#include <utility>

#include "observe/json_reader.h"
#include "observe/json_text.h"
#include "sink/file/layout.h"

namespace pgc {
namespace {

std::string clean_lock_path(const std::string& root) {
    return hidden_folder(root) + "/clean.lock";
}
Error leads_elsewhere(const std::string& folder) {
    return stop(Error::Category::position,
                "the registry names a folder that is not one of a batch: " + folder)
        .with_hint("find out who wrote that row of cdc_registry.file_log, and remove it");
}

}  // namespace

bool is_sound_below_root(std::string_view path) noexcept {
    if (path.empty() || path.starts_with(".pg-capture")) return false;
    while (true) {
        const auto slash = path.find('/');
        const std::string_view part = path.substr(0, slash);
        if (part.empty() || part == "." || part == "..") return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

FileCleaner::FileCleaner(std::string root, FileIndex& index, Disk& disk)
    : root_(std::move(root)), index_(index), disk_(disk) {}

FileCleaner::~FileCleaner() = default;

Result<bool> FileCleaner::lock() {
    if (lock_ != nullptr) return true;
    auto lock = disk_.lock(clean_lock_path(root_));
    if (!lock) return std::unexpected(std::move(lock.error()));
    lock_ = std::move(*lock);
    return lock_ != nullptr;
}

// The file goes while it is locked: one of another user's would be in the way of the next.
Result<void> FileCleaner::unlock() {
    auto removed = disk_.remove(clean_lock_path(root_));
    lock_.reset();
    return removed;
}

Result<void> FileCleaner::finish() {
    const std::string path = removing_path(root_);
    auto text = disk_.read(path);
    if (!text) return std::unexpected(std::move(text.error()));
    if (!*text) return {};
    const auto all = read(**text);
    if (!all) {
        return std::unexpected(
            stop(Error::Category::storage, "what was about to be removed can't be read")
                .at(path)
                .with_hint("remove this file; then pg-capture files verify shows which folders "
                           "are not registered any more"));
    }
    if (auto removed = remove_folders(*all); !removed) return std::unexpected(removed.error());
    return disk_.remove(path);
}

Result<CleanResult> FileCleaner::remove(const std::vector<OldBatch>& batches, bool only_loaded,
                                        const std::string& why) {
    std::vector<Going> all;
    std::vector<std::string> paths;
    for (const OldBatch& batch : batches) {
        if (!is_sound_below_root(batch.folder)) {
            return std::unexpected(leads_elsewhere(batch.folder).at(index_.where()));
        }
        all.push_back({.folder = batch.folder, .paths = batch.paths, .bytes = batch.bytes});
        paths.insert(paths.end(), batch.paths.begin(), batch.paths.end());
    }
    if (all.empty()) return CleanResult{};
    const std::string path = removing_path(root_);
    if (auto noted = disk_.replace(path, text_of(all)); !noted) {
        return std::unexpected(std::move(noted.error()));
    }
    if (auto removed = index_.remove(paths, only_loaded, why); !removed) {
        // Else it may have been done, or may be yet: finish() finds out.
        if (removed.error().category != Error::Category::connection) {
            if (auto gone = disk_.remove(path); !gone) return std::unexpected(gone.error());
        }
        return std::unexpected(std::move(removed.error()));
    }
    auto done = remove_folders(all);
    if (!done) return done;
    if (auto gone = disk_.remove(path); !gone) return std::unexpected(std::move(gone.error()));
    return done;
}

// Those with a file that is registered stay.
Result<CleanResult> FileCleaner::remove_folders(const std::vector<Going>& all) {
    std::vector<std::string> paths;
    for (const Going& one : all) paths.insert(paths.end(), one.paths.begin(), one.paths.end());
    const auto left = index_.registered(paths);
    if (!left) return std::unexpected(left.error());
    CleanResult result;
    for (const Going& one : all) {
        const bool stays = std::ranges::any_of(one.paths, [&](const std::string& path) {
            return std::ranges::binary_search(*left, path);
        });
        if (stays) continue;
        if (auto removed = disk_.remove(root_ + "/" + one.folder); !removed) {
            return std::unexpected(std::move(removed.error()));
        }
        ++result.batches;
        result.files += one.paths.size();
        result.bytes += one.bytes;
    }
    return result;
}

std::string FileCleaner::text_of(const std::vector<Going>& all) {
    std::string out = "{\"folders\":[";
    for (const Going& one : all) {
        if (out.back() == '}') out += ',';
        out += '{';
        append_json_field(out, "folder", one.folder);
        out += ",\"paths\":[";
        for (const std::string& path : one.paths) {
            if (out.back() == '"') out += ',';
            append_json_string(out, path);
        }
        out += "]}";
    }
    return out + "]}\n";
}

std::optional<std::vector<FileCleaner::Going>> FileCleaner::read(std::string_view text) {
    constexpr JsonLimits limits{
        .bytes = std::size_t{16} << 20, .values = std::size_t{1} << 20, .depth = 8};
    const auto document = read_json(text, limits);
    if (!document || !document->member("folders").is_list()) return std::nullopt;
    std::vector<Going> all;
    for (const Json& item : document->member("folders").elements()) {
        auto folder = item.member("folder").text();
        if (!folder || !is_sound_below_root(*folder)) return std::nullopt;
        Going one{.folder = std::move(*folder), .paths = {}};
        for (const Json& path : item.member("paths").elements()) {
            one.paths.push_back(path.text().value_or(""));
        }
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace pgc
