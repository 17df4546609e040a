#include "postgres/types/numbers.h"

#include <bit>
#include <limits>

namespace pgc::types {
namespace {

bool read_special(std::string_view bytes, Value& out) {
    if (bytes == "NaN") {
        out.real = std::numeric_limits<double>::quiet_NaN();
    } else if (bytes == "Infinity") {
        out.real = std::numeric_limits<double>::infinity();
    } else if (bytes == "-Infinity") {
        out.real = -std::numeric_limits<double>::infinity();
    } else {
        return false;
    }
    return true;
}

template <std::floating_point T>
bool read_real_text(std::string_view bytes, Value& out) {
    if (bytes.empty()) {
        return false;
    }
    // from_chars knows more spellings of the special values than PostgreSQL writes.
    if (bytes.back() < '0' || bytes.back() > '9') {
        return read_special(bytes, out);
    }
    T value{};
    const char* end = bytes.data() + bytes.size();
    const auto [stop, error] = std::from_chars(bytes.data(), end, value);
    out.real = static_cast<double>(value);
    return error == std::errc{} && stop == end;
}

template <std::floating_point T, std::unsigned_integral Word>
bool read_real_binary(std::string_view bytes, Value& out) {
    if (bytes.size() != sizeof(Word)) {
        return false;
    }
    ByteCursor in{bytes};
    out.real = static_cast<double>(std::bit_cast<T>(in.read<Word>()));
    return true;
}

}  // namespace

bool read_boolean_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.integer = bytes == "t" ? 1 : 0;
    return bytes == "t" || bytes == "f";
}

bool read_boolean_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (bytes.size() != 1) {
        return false;
    }
    out.integer = bytes.front() != '\0' ? 1 : 0;
    return true;
}

bool read_real32_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    return read_real_text<float>(bytes, out);
}

bool read_real64_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    return read_real_text<double>(bytes, out);
}

bool read_real32_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    return read_real_binary<float, std::uint32_t>(bytes, out);
}

bool read_real64_binary(const Type&, std::string_view bytes, Scratch&, Value& out) {
    return read_real_binary<double, std::uint64_t>(bytes, out);
}

}  // namespace pgc::types
