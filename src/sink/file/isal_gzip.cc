// gzip by ISA-L: the processor's vector instructions, chosen when the process starts.
#include <cassert>
#include <cstdint>
#include <vector>

#include "sink/file/gzip.h"
#include "sink/file/output_room.h"

#if defined(PGC_HAS_ISAL)
#include <isa-l/igzip_lib.h>
#endif

namespace pgc {

#if defined(PGC_HAS_ISAL)

namespace {

constexpr std::size_t kLevel_buffers[] = {ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                          ISAL_DEF_LVL3_DEFAULT};
static_assert(sizeof(isal_zstream) + ISAL_DEF_LVL3_DEFAULT < Compressor::kMemory_max);

class IsalGzip final : public Compressor {
public:
    explicit IsalGzip(int level) : buffer_(kLevel_buffers[level - 1]) {
        isal_deflate_init(&stream_);
        stream_.level = static_cast<std::uint32_t>(level);
        stream_.level_buf = buffer_.data();
        stream_.level_buf_size = static_cast<std::uint32_t>(buffer_.size());
    }

    void compress(std::string_view bytes, std::string& out) override {
        isal_deflate_reset(&stream_);
        stream_.gzip_flag = IGZIP_GZIP;  // which the last header took back
        do {
            const auto part = bytes.substr(0, kPart_max);
            bytes.remove_prefix(part.size());
            deflate(part, bytes.empty(), out);
        } while (!bytes.empty());
    }

private:
    // The library counts with 32 bits, and `out` grows by what is needed.
    static constexpr std::size_t kPart_max = std::size_t{1} << 20;
    static constexpr std::size_t kRoom_min = 4096;

    void deflate(std::string_view part, bool last, std::string& out) {
        // The library does not write to its input.
        stream_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(part.data()));
        stream_.avail_in = static_cast<std::uint32_t>(part.size());
        stream_.end_of_stream = last ? 1 : 0;
        stream_.flush = NO_FLUSH;
        const std::size_t room = part.size() / 3 + kRoom_min;
        do {
            append_into(out, room, [&](char* at, std::size_t size) {
                stream_.next_out = reinterpret_cast<std::uint8_t*>(at);
                stream_.avail_out = static_cast<std::uint32_t>(size);
                [[maybe_unused]] const int code = isal_deflate(&stream_);
                assert(code == COMP_OK);
                return size - stream_.avail_out;
            });
        } while (!is_done(last));
    }

    bool is_done(bool last) const {
        return last ? stream_.internal_state.state == ZSTATE_END
                    : stream_.avail_in == 0 && stream_.avail_out > 0;
    }

    isal_zstream stream_;
    std::vector<std::uint8_t> buffer_;
};

}  // namespace

std::unique_ptr<Compressor> make_isal_gzip(int level) {
    assert(level >= 1 && level <= 3);
    return std::make_unique<IsalGzip>(level);
}

#else

std::unique_ptr<Compressor> make_isal_gzip(int) {
    return nullptr;
}

#endif

}  // namespace pgc
