#include "sink/kafka/header_bytes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/lsn.h"

namespace pgc {
namespace {

constexpr std::size_t kMaxVarint = 10;
constexpr std::size_t kMaxDigits = 20;
// Each name with its size before it; the size of the value follows, one byte.
constexpr std::string_view kLsn = "\x0epgc.lsn";
constexpr std::string_view kSeq = "\x0epgc.seq";
// What stands before the record's own headers.
constexpr std::size_t kMaxFront =
    kMaxVarint + kLsn.size() + 1 + kMaxLsnText + kSeq.size() + 1 + kMaxDigits;

char* put(char* to, std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return to + bytes.size();
}

char* put_size(char* to, std::size_t number) {
    std::uint64_t zigzag = std::uint64_t{number} << 1;
    for (; zigzag >= 0x80; zigzag >>= 7) *to++ = static_cast<char>(zigzag | 0x80);
    *to++ = static_cast<char>(zigzag);
    return to;
}

char* put_place(char* to, const Record& record) {
    to = put(to, kLsn);
    char* end = write_lsn(to + 1, record.commit_lsn);
    put_size(to, static_cast<std::size_t>(end - to - 1));
    to = put(end, kSeq);
    end = std::to_chars(to + 1, to + 1 + kMaxDigits, record.ordinal).ptr;
    put_size(to, static_cast<std::size_t>(end - to - 1));
    return end;
}

char* put_header(char* to, const RecordHeader& header) {
    to = put(put_size(to, header.name.size()), header.name);
    if (header.value.data() == nullptr) {
        *to++ = 1;  // -1
        return to;
    }
    return put(put_size(to, header.value.size()), header.value);
}

}  // namespace

void KafkaHeaderBytes::write(std::span<const RecordHeader> headers) {
    std::size_t most = kMaxFront;
    for (const RecordHeader& header : headers) {
        most += 2 * kMaxVarint + header.name.size() + header.value.size();
    }
    if (most > size_ || (size_ > kKept_max && most <= kKept_max)) {
        size_ = std::max(most, std::size_t{1024});
        buffer_ = std::make_unique_for_overwrite<char[]>(size_);
    }
    end_ = buffer_.get() + kMaxFront;
    for (const RecordHeader& header : headers) end_ = put_header(end_, header);
    written_ = headers.data();
    count_ = headers.size();
}

std::string_view KafkaHeaderBytes::of(const Record& record, bool place) {
    const auto own = record.headers();
    if (end_ == nullptr || own.data() != written_ || own.size() != count_) [[unlikely]] {
        write(own);
    }
    std::array<char, kMaxFront> front;
    char* front_end = put_size(front.data(), own.size() + (place ? 2 : 0));
    if (place) front_end = put_place(front_end, record);
    const auto size = static_cast<std::size_t>(front_end - front.data());
    char* const begin = buffer_.get() + kMaxFront - size;
    std::memcpy(begin, front.data(), size);
    return {begin, end_};
}

std::string_view KafkaHeaderBytes::of(std::span<const RecordHeader> headers) {
    Record record;
    record.first_header = headers.data();
    record.header_count = static_cast<std::uint32_t>(headers.size());
    forget();
    const std::string_view bytes = of(record, false);
    forget();
    return bytes;
}

}  // namespace pgc
