// Reads big-endian fields off the front of a message.
//
// Reading past the end yields zeros and marks the cursor overrun for good, so a
// decoder reads straight through and asks once. It never touches foreign bytes.
//
// Inlined whatever the compiler thinks: several of these make up a cell, and left to its budget
// a reader of some rare type elsewhere decides whether each of them is a call.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace pgc {

class ByteCursor {
public:
    explicit ByteCursor(std::string_view bytes) noexcept : rest_(bytes) {}

    template <std::unsigned_integral T>
    [[gnu::always_inline]] T read() noexcept {
        const auto field = take(sizeof(T));
        if (field.empty()) return 0;
        T value;
        std::memcpy(&value, field.data(), sizeof(T));
        if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little) {
            value = std::byteswap(value);
        }
        return value;
    }

    template <std::signed_integral T>
    T read() noexcept {
        return static_cast<T>(read<std::make_unsigned_t<T>>());
    }

    [[gnu::always_inline]] std::string_view take(std::size_t n) noexcept {
        if (n > rest_.size()) [[unlikely]] {
            overrun_ = true;
            rest_ = {};
            return {};
        }
        const std::string_view front{rest_.data(), n};  // substr() would check again
        rest_.remove_prefix(n);
        return front;
    }

    // A zero-terminated string; the zero is eaten, not returned.
    std::string_view take_string() noexcept {
        const auto end = rest_.find('\0');
        if (end == std::string_view::npos) [[unlikely]] {
            overrun_ = true;
            rest_ = {};
            return {};
        }
        const auto text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }

    std::string_view rest() const noexcept { return rest_; }
    std::size_t remaining() const noexcept { return rest_.size(); }
    bool overrun() const noexcept { return overrun_; }

private:
    std::string_view rest_;
    bool overrun_ = false;
};

}  // namespace pgc
