#include "pipeline/file_store.h"

#include <fmt/core.h>

#include <utility>

#include "core/position_text.h"

namespace pgc {
FileStore::FileStore(Files& files, std::string pipeline, std::string path)
    : files_(files), pipeline_(std::move(pipeline)), path_(std::move(path)) {}

Result<std::optional<PositionStore::Loaded>> FileStore::load() {
    auto content = files_.read(path_);
    if (!content) return std::unexpected(std::move(content.error()));
    has_loaded_ = true;
    seen_ = *content;
    if (!*content) return Loaded{};

    auto position = read_position(**content);
    if (!position) {
        return std::unexpected(
            stop(Error::Category::position,
                 "the stored position can't be used: " + position.error())
                .at(path_)
                .with_hint(
                    "put the file back from a copy; or pg-capture position reset --yes, after "
                    "which changes may be missing: the next start continues from the slot's "
                    "position and, unless source.snapshot.mode is never, reads all tables again"));
    }
    if (position->pipeline != pipeline_) return std::unexpected(not_ours(position->pipeline));
    return Loaded{std::move(*position)};
}

Error FileStore::not_ours(const std::string& pipeline) const {
    return stop(Error::Category::position,
                fmt::format("the stored position belongs to pipeline {}, not to {}", pipeline,
                            pipeline_))
        .at(path_)
        .with_hint(
            "give each pipeline its own replication.checkpoint_file, or name this one as before");
}

Result<void> FileStore::forget() {
    const auto content = files_.read(path_);
    if (!content) return std::unexpected(content.error());
    if (!*content) return {};
    if (const auto position = read_position(**content);
        position && position->pipeline != pipeline_) {
        return std::unexpected(not_ours(position->pipeline));
    }
    has_loaded_ = false;
    return files_.remove(path_);
}

Result<void> FileStore::save(const StoredPosition& position) {
    if (!directory_made_) {
        const auto slash = path_.rfind('/');
        if (slash != std::string::npos && slash > 0) {
            if (auto made = files_.make_directory(path_.substr(0, slash)); !made) {
                if (made.error().hint.empty()) {
                    made.error().hint = "name another directory with state.dir";
                }
                return made;
            }
        }
        directory_made_ = true;
    }
    const std::string text = write_position(position);
    if (!has_loaded_) return files_.replace(path_, text);
    auto stored = files_.exchange(path_, seen_, text);
    if (stored && !*stored && !tried_.empty()) stored = files_.exchange(path_, tried_, text);
    // A file that was taken away while we run is no other instance.
    if (stored && !*stored && seen_) stored = files_.exchange(path_, std::nullopt, text);
    tried_ = text;
    if (!stored) return std::unexpected(std::move(stored.error()));
    if (!*stored) return std::unexpected(overtaken());
    seen_ = text;
    return {};
}

Error FileStore::overtaken() const {
    return retry(Error::Category::position,
                 "another instance of this pipeline has stored a position since we read it: it "
                 "has taken over, and ours is not stored")
        .at(path_);
}

}  // namespace pgc
