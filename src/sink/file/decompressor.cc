#include "sink/file/decompressor.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace pgc {
namespace {

constexpr std::size_t kPiece_bytes = std::size_t{64} << 10;

class NoDecompression final : public Decompressor {
public:
    Result<void, std::string> add(std::string_view bytes, const Receiver& receiver) override {
        if (!bytes.empty()) receiver(bytes);
        return {};
    }
    Result<void, std::string> end() override { return {}; }
};

class GzipMembers final : public Decompressor {
public:
    GzipMembers() {
        constexpr int gzip_only = 16;
        if (::inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc{};
    }
    ~GzipMembers() override { ::inflateEnd(&stream_); }

    Result<void, std::string> add(std::string_view bytes, const Receiver& receiver) override {
        while (!bytes.empty()) {
            const std::size_t part =
                std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
            if (auto done = add_part(bytes.substr(0, part), receiver); !done) return done;
            bytes.remove_prefix(part);
        }
        return {};
    }

    Result<void, std::string> end() override {
        if (within_) return std::unexpected(std::string{"its last gzip member is not whole"});
        return {};
    }

private:
    Result<void, std::string> add_part(std::string_view bytes, const Receiver& receiver) {
        // zlib does not write there; its types are older than const.
        stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
        bool filled = false;  // there may be more to come out of what went in
        while (stream_.avail_in > 0 || filled) {
            within_ = true;
            stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
            stream_.avail_out = static_cast<uInt>(out_.size());
            const int code = ::inflate(&stream_, Z_NO_FLUSH);
            if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
                return std::unexpected(std::string{"it is not valid gzip"});
            }
            const std::size_t made = out_.size() - stream_.avail_out;
            if (made > 0) receiver({out_.data(), made});
            filled = stream_.avail_out == 0;
            if (code == Z_STREAM_END) {
                ::inflateReset(&stream_);
                within_ = filled = false;
            }
            if (code == Z_BUF_ERROR && stream_.avail_in == 0) break;
        }
        return {};
    }

    z_stream stream_{};
    std::array<char, kPiece_bytes> out_{};
    bool within_ = false;  // a member has begun, and has not ended
};

class ZstdFrameReader final : public Decompressor {
public:
    ZstdFrameReader() : context_(ZSTD_createDCtx()) {
        if (!context_) throw std::bad_alloc{};
    }

    Result<void, std::string> add(std::string_view bytes, const Receiver& receiver) override {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        bool filled = false;
        while (in.pos < in.size || filled) {
            ZSTD_outBuffer out{out_.data(), out_.size(), 0};
            const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
            if (ZSTD_isError(left) != 0) {
                return std::unexpected(std::string{"it is not valid zstd"});
            }
            if (out.pos > 0) receiver({out_.data(), out.pos});
            within_ = left > 0;
            filled = out.pos == out.size && within_;
        }
        return {};
    }

    Result<void, std::string> end() override {
        if (within_) return std::unexpected(std::string{"its last zstd frame is not whole"});
        return {};
    }

private:
    struct Free {
        void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    };
    const std::unique_ptr<ZSTD_DCtx, Free> context_;
    std::array<char, kPiece_bytes> out_{};
    bool within_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(Compression compression) {
    switch (compression) {
        case Compression::none: return std::make_unique<NoDecompression>();
        case Compression::gzip: return std::make_unique<GzipMembers>();
        case Compression::zstd: return std::make_unique<ZstdFrameReader>();
    }
    return nullptr;
}

Compression compression_of(std::string_view name) noexcept {
    for (const Compression one : {Compression::gzip, Compression::zstd}) {
        if (name.ends_with(extension(one))) return one;
    }
    return Compression::none;
}

}  // namespace pgc
