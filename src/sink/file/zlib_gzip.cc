// gzip by zlib: on every machine, and at levels that compress more.
#include <zlib.h>

#include <cassert>
#include <new>

#include "sink/file/gzip.h"
#include "sink/file/output_room.h"

namespace pgc {
namespace {

constexpr int kGzip_window_bits = 15 + 16;
constexpr int kMemory_level = 8;
// As zlib's zconf.h counts it.
static_assert((1U << (15 + 2)) + (1U << (kMemory_level + 9)) < Compressor::kMemory_max);

class ZlibGzip final : public Compressor {
public:
    explicit ZlibGzip(int level) {
        if (deflateInit2(&stream_, level, Z_DEFLATED, kGzip_window_bits, kMemory_level,
                         Z_DEFAULT_STRATEGY) != Z_OK) {
            throw std::bad_alloc{};
        }
    }
    ~ZlibGzip() override { deflateEnd(&stream_); }

    void compress(std::string_view bytes, std::string& out) override {
        deflateReset(&stream_);
        do {
            const auto part = bytes.substr(0, kPart_max);
            bytes.remove_prefix(part.size());
            deflate_part(part, bytes.empty(), out);
        } while (!bytes.empty());
    }

private:
    static constexpr std::size_t kPart_max = std::size_t{1} << 20;
    static constexpr std::size_t kRoom_min = 4096;

    void deflate_part(std::string_view part, bool last, std::string& out) {
        // The library does not write to its input.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
        stream_.avail_in = static_cast<uInt>(part.size());
        const std::size_t room = part.size() / 3 + kRoom_min;
        int code = Z_OK;
        do {
            append_into(out, room, [&](char* at, std::size_t size) {
                stream_.next_out = reinterpret_cast<Bytef*>(at);
                stream_.avail_out = static_cast<uInt>(size);
                code = ::deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
                assert(code != Z_STREAM_ERROR);
                return size - stream_.avail_out;
            });
        } while (last ? code != Z_STREAM_END : stream_.avail_out == 0);
        assert(stream_.avail_in == 0);
    }

    z_stream stream_{};
};

}  // namespace

std::unique_ptr<Compressor> make_zlib_gzip(int level) {
    assert(level >= 1 && level <= 9);
    return std::make_unique<ZlibGzip>(level);
}

}  // namespace pgc
