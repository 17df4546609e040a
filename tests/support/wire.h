// Builds big-endian messages by hand, and gives them to a decoder as an exact heap copy,
// so that the address sanitizer sees a read of even one byte too many.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace pgc::testing {

class Wire {
public:
    Wire() = default;
    explicit Wire(char kind) : bytes_(1, kind) {}

    template <std::integral T>
    Wire& put(T value) {
        using Unsigned = std::make_unsigned_t<T>;
        for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
            bytes_.push_back(static_cast<char>(static_cast<Unsigned>(value) >> shift & 0xFF));
        }
        return *this;
    }
    Wire& int8(std::int8_t value) { return put(value); }
    Wire& int16(std::int16_t value) { return put(value); }
    Wire& int32(std::int32_t value) { return put(value); }
    Wire& int64(std::int64_t value) { return put(value); }
    Wire& uint32(std::uint32_t value) { return put(value); }
    Wire& real32(float value) { return put(std::bit_cast<std::uint32_t>(value)); }
    Wire& real64(double value) { return put(std::bit_cast<std::uint64_t>(value)); }
    Wire& letter(char value) {
        bytes_.push_back(value);
        return *this;
    }
    Wire& raw(std::string_view value) {
        bytes_ += value;
        return *this;
    }
    // With the zero at its end.
    Wire& string(std::string_view value) {
        raw(value);
        return letter('\0');
    }
    // With an Int32 length before it.
    Wire& sized(std::string_view value) {
        return int32(static_cast<std::int32_t>(value.size())).raw(value);
    }

    const std::string& bytes() const { return bytes_; }
    operator std::string_view() const { return bytes_; }  // NOLINT: reads as what it is

private:
    std::string bytes_;
};

class ExactCopy {
public:
    explicit ExactCopy(std::string_view bytes)
        : bytes_(std::make_unique_for_overwrite<char[]>(bytes.size())), size_(bytes.size()) {
        if (!bytes.empty()) {
            std::memcpy(bytes_.get(), bytes.data(), bytes.size());
        }
    }
    std::string_view view() const { return {bytes_.get(), size_}; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

}  // namespace pgc::testing
