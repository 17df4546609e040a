// Reads back what a Compressor wrote, in pieces of any size: gzip members and zstd frames one after
// the other, or bytes as they are. For whoever proves that a file holds what the registry says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sink/file/compressor.h"

namespace pgc {

class Decompressor {
public:
    // Takes what was decompressed, piece by piece; the view is good for the call.
    using Receiver = std::function<void(std::string_view)>;

    Decompressor() = default;
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;
    virtual ~Decompressor() = default;

    // The next bytes of the file. What is wrong with them, as one clause; then it is over.
    [[nodiscard]] virtual Result<void, std::string> add(std::string_view bytes,
                                                        const Receiver& receiver) = 0;
    // All bytes were given. Wrong: the last member or frame is not whole.
    [[nodiscard]] virtual Result<void, std::string> end() = 0;
};

std::unique_ptr<Decompressor> make_decompressor(Compression compression);

// By the end of a file's name.
Compression compression_of(std::string_view name) noexcept;

}  // namespace pgc
