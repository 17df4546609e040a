// The stored position as a small text file (core/position_text.h), replaced whole.
//
// A save() replaces only what load() or a save() of this store has seen (Files::exchange()): an
// instance that was frozen and wakes up after its successor neither puts the position back nor
// erases what was requested since. Without a load() before, it replaces whatever is there; a file
// that was taken away is written again.
//
// save() has stored when it returns (base/file.h syncs), so saved() is always true. That takes
// as long as the disk does: pipeline/background_store.h.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file.h"
#include "core/store.h"

namespace pgc {

class FileStore final : public PositionStore {
public:
    // `files` outlives this. The directory of `path` is created with the first save().
    FileStore(Files& files, std::string pipeline, std::string path);

    Result<std::optional<Loaded>> load() override;
    void create() override {}  // save() makes the directory
    Result<void> save(const StoredPosition& position) override;
    Result<void> forget() override;
    Result<bool> saved() override { return true; }
    void wants(Wants&) const override {}
    std::uint64_t attempts() const noexcept override { return 0; }
    std::string where() const override { return path_; }

private:
    Error not_ours(const std::string& pipeline) const;
    Error overtaken() const;

    Files& files_;
    const std::string pipeline_;
    const std::string path_;
    bool directory_made_ = false;
    bool has_loaded_ = false;
    std::optional<std::string> seen_;  // none: there was no file
    std::string tried_;                // what a save() that failed may have left there
};

}  // namespace pgc
