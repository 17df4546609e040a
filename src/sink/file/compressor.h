// Compresses the bytes of files in pieces, each of which is complete in itself.
//
// A file may end after any piece and go on with the next one later: gzip members and zstd frames
// one after the other are one valid file, which reads as what went in. The same input makes the
// same bytes (no time and no name in it), with the same build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pgc {

enum class Compression : std::uint8_t { none, gzip, zstd };

// What the names of such files end in: "", ".gz", ".zst".
std::string_view extension(Compression compression) noexcept;

// Higher is smaller and slower. gzip: 1 to 3 are ISA-L's where the build has it, the others zlib's.
// 0 stands for the default, which docs/internals/files.md measures.
int highest_level(Compression compression) noexcept;
int default_level(Compression compression) noexcept;

// Keeps its state from piece to piece, and allocates nothing for one but the room in `out`.
// Threads: one at a time.
class Compressor {
public:
    // What one holds, at any level.
    static constexpr std::size_t kMemory_max = std::size_t{16} << 20;

    Compressor() = default;
    Compressor(const Compressor&) = delete;
    Compressor& operator=(const Compressor&) = delete;
    virtual ~Compressor() = default;

    // Appends one whole gzip member or zstd frame, or the bytes themselves. Of no bytes, too: a
    // member of nothing is valid, and takes some 20 bytes.
    virtual void compress(std::string_view bytes, std::string& out) = 0;
};

// Requires: `level` is 0 to highest_level().
std::unique_ptr<Compressor> make_compressor(Compression compression, int level);

}  // namespace pgc
