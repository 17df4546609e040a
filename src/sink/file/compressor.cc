#include "sink/file/compressor.h"

#include <zstd.h>

#include <algorithm>
#include <cassert>
#include <new>

#include "sink/file/gzip.h"
#include "sink/file/output_room.h"

namespace pgc {
namespace {

constexpr int kIsal_level_max = 3;

class NoCompression final : public Compressor {
public:
    void compress(std::string_view bytes, std::string& out) override { out.append(bytes); }
};

// Each frame has a checksum, and the size of its content where it is given in one piece, as here.
class ZstdFrames final : public Compressor {
public:
    explicit ZstdFrames(int level) : context_(ZSTD_createCCtx()) {
        if (!context_) throw std::bad_alloc{};
        set(ZSTD_c_compressionLevel, level);
        set(ZSTD_c_checksumFlag, 1);
        set(ZSTD_c_windowLog, kWindow_bits);
    }

    void compress(std::string_view bytes, std::string& out) override {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        const std::size_t room = ZSTD_compressBound(std::min(bytes.size(), kPart_max));
        std::size_t left = 0;
        do {
            append_into(out, room, [&](char* at, std::size_t size) {
                ZSTD_outBuffer to{at, size, 0};
                left = ZSTD_compressStream2(context_.get(), &to, &in, ZSTD_e_end);
                if (ZSTD_isError(left) != 0) throw std::bad_alloc{};  // nothing else can fail
                return to.pos;
            });
        } while (left > 0);
    }

private:
    // Up to here in one call, which needs no buffers of the library's own.
    static constexpr std::size_t kPart_max = std::size_t{1} << 20;
    static constexpr int kWindow_bits = 20;

    void set(ZSTD_cParameter parameter, int value) {
        [[maybe_unused]] const auto code = ZSTD_CCtx_setParameter(context_.get(), parameter, value);
        assert(ZSTD_isError(code) == 0);
    }

    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };
    const std::unique_ptr<ZSTD_CCtx, Free> context_;
};

std::unique_ptr<Compressor> make_gzip(int level) {
    if (level <= kIsal_level_max) {
        if (auto made = make_isal_gzip(level)) return made;
    }
    return make_zlib_gzip(level);
}

}  // namespace

std::string_view extension(Compression compression) noexcept {
    switch (compression) {
        case Compression::none: return "";
        case Compression::gzip: return ".gz";
        case Compression::zstd: return ".zst";
    }
    return "";
}

int highest_level(Compression compression) noexcept {
    switch (compression) {
        case Compression::none: return 0;
        case Compression::gzip: return 9;
        case Compression::zstd: return 9;  // those beyond need more than kMemory_max
    }
    return 0;
}

int default_level(Compression compression) noexcept {
    return compression == Compression::none ? 0 : 1;
}

std::unique_ptr<Compressor> make_compressor(Compression compression, int level) {
    assert(level >= 0 && level <= highest_level(compression));
    if (level == 0) level = default_level(compression);
    switch (compression) {
        case Compression::none: return std::make_unique<NoCompression>();
        case Compression::gzip: return make_gzip(level);
        case Compression::zstd: return std::make_unique<ZstdFrames>(level);
    }
    return nullptr;
}

}  // namespace pgc
