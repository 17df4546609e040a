// A record's headers as they stand in it (Kafka's message format 2): how many, then of each its
// name and value with the size before it, numbers as zigzag varints. librdkafka copies them as one
// piece into the allocation that the record is (tools/patches/librdkafka-serialized-headers.patch).
//
// Formats give all records of a batch the same array of headers, so it is written once: before it
// there is room for what differs, the number of headers, pgc.lsn and pgc.seq.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "core/record.h"

namespace pgc {

class KafkaHeaderBytes {
public:
    // A larger buffer is not kept beyond the next headers.
    static constexpr std::size_t kKept_max = std::size_t{64} << 10;

    // The record's own headers, before them pgc.lsn and pgc.seq if `place`. A value without an
    // address is null. Valid until the next call.
    std::string_view of(const Record& record, bool place);
    // These alone.
    std::string_view of(std::span<const RecordHeader> headers);
    // To be called when arrays that of() was given may be gone: another may be where one was.
    void forget() noexcept { end_ = nullptr; }

private:
    void write(std::span<const RecordHeader> headers);

    std::unique_ptr<char[]> buffer_;
    std::size_t size_ = 0;
    // Whose bytes are in the buffer, and where they end; null: nobody's.
    const RecordHeader* written_ = nullptr;
    std::size_t count_ = 0;
    char* end_ = nullptr;
};

}  // namespace pgc
