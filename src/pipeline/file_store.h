// The stored position as a small text file, replaced whole:
//
//   pg-capture position 1
//   pipeline=shop
//   system=7340123456789012345
//   timeline=1
//   database=shop
//   slot=pg_replicate_kafka_slot
//   resume_at=16/B374D848
//   checksum=9ae16a3b2f90404f
//
// Bytes below 0x21, 0x7F and '%' of a value are written as %XX. The checksum is FNV-1a (64 bits) of
// all before its line. Anything that is not exactly this is refused: a position is never guessed.
//
// save() has stored when it returns (base/file.h syncs), so saved() is always true.
// Threads: one, the pipeline's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "core/store.h"

namespace pgc {

class FileStore final : public PositionStore {
public:
    // `files` outlives this. The directory of `path` is created with the first save().
    FileStore(Files& files, std::string pipeline, std::string path);

    Result<std::optional<Loaded>> load() override;
    Result<void> save(const StoredPosition& position) override;
    Result<bool> saved() override { return true; }
    void wants(Wants&) const override {}
    std::string where() const override { return path_; }

private:
    Files& files_;
    const std::string pipeline_;
    const std::string path_;
    bool directory_made_ = false;
};

// The file's content, and back; what is wrong with it otherwise.
std::string write_position(const StoredPosition& position);
[[nodiscard]] Result<StoredPosition, std::string> read_position(std::string_view content);

}  // namespace pgc
