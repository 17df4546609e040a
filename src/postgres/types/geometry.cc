#include "postgres/types/geometry.h"

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"
#include "postgres/types/real_text.h"
#include "postgres/types/written_text.h"

namespace pgc::types {
namespace {

constexpr std::size_t kReal = sizeof(double);
constexpr std::size_t kPoint = 2 * kReal;
// "(x,y)," and brackets around all of them.
constexpr std::size_t kPointText_max = 2 * kRealText_max + 4;
constexpr std::size_t kBracketsText_max = 8;

double take_real(ByteCursor& in) noexcept {
    return std::bit_cast<double>(in.read<std::uint64_t>());
}

char* write_pair(ByteCursor& in, char* to) noexcept {
    to = write_server_real(to, take_real(in));
    *to++ = ',';
    return write_server_real(to, take_real(in));
}

char* write_points(ByteCursor& in, std::size_t count, char* to) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) *to++ = ',';
        *to++ = '(';
        to = write_pair(in, to);
        *to++ = ')';
    }
    return to;
}

// All of `in`, which holds exactly `count` points; 0 for no bracket.
bool read_points(ByteCursor& in, std::size_t count, char open, char close, Scratch& scratch,
                 Value& out) {
    if (in.overrun() || in.remaining() / kPoint != count || in.remaining() % kPoint != 0) {
        return false;
    }
    char* const text = scratch.reserve(count * kPointText_max + kBracketsText_max);
    char* to = text;
    if (open != 0) *to++ = open;
    to = write_points(in, count, to);
    if (close != 0) *to++ = close;
    commit_text(text, to, scratch, out);
    return true;
}

// Three numbers; a circle is "<(x,y),r>", a line "{a,b,c}".
bool read_three(std::string_view bytes, std::string_view open, std::string_view middle, char close,
                Scratch& scratch, Value& out) {
    if (bytes.size() != 3 * kReal) return false;
    ByteCursor in{bytes};
    char* const text = scratch.reserve(3 * kRealText_max + kBracketsText_max);
    char* to = text;
    for (const char c : open) *to++ = c;
    to = write_pair(in, to);
    for (const char c : middle) *to++ = c;
    to = write_server_real(to, take_real(in));
    *to++ = close;
    commit_text(text, to, scratch, out);
    return true;
}

char* write_corner(std::string_view reals, char* to) noexcept {
    ByteCursor in{reals};
    *to++ = '(';
    for (std::size_t i = 0; in.remaining() > 0; ++i) {
        if (i > 0) {
            *to++ = ',';
            *to++ = ' ';
        }
        to = write_server_real(to, take_real(in));
    }
    *to++ = ')';
    return to;
}

// By value: 0 is -0, and NaN is nothing.
bool same_reals(std::string_view one, std::string_view other) noexcept {
    ByteCursor a{one};
    ByteCursor b{other};
    while (a.remaining() > 0) {
        if (take_real(a) != take_real(b)) return false;
    }
    return true;
}

// An array of one dimension without nulls, its lower bound 0.
template <typename Number>
bool read_numbers(std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const auto dimensions = in.read<std::int32_t>();
    const auto has_nulls = in.read<std::int32_t>();
    in.read<std::uint32_t>();  // the element's type
    std::size_t count = 0;
    if (dimensions == 1) {
        count = in.read<std::uint32_t>();
        in.read<std::int32_t>();
    }
    constexpr std::size_t element = sizeof(std::int32_t) + sizeof(Number);
    if (in.overrun() || dimensions < 0 || dimensions > 1 || has_nulls != 0 ||
        in.remaining() / element != count || in.remaining() % element != 0) {
        return false;
    }
    constexpr std::size_t number_max = 12;
    char* const text = scratch.reserve(count * number_max + 1);
    char* to = text;
    for (std::size_t i = 0; i < count; ++i) {
        if (in.read<std::int32_t>() != static_cast<std::int32_t>(sizeof(Number))) return false;
        if (i > 0) *to++ = ' ';
        to = std::to_chars(to, to + number_max, in.read<Number>()).ptr;
    }
    commit_text(text, to, scratch, out);
    return true;
}

}  // namespace

bool read_point_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    return read_points(in, 1, 0, 0, scratch, out);
}

bool read_line_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    return read_three(bytes, "{", ",", '}', scratch, out);
}

bool read_lseg_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    return read_points(in, 2, '[', ']', scratch, out);
}

bool read_box_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    return read_points(in, 2, 0, 0, scratch, out);
}

bool read_path_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const bool closed = in.read<std::uint8_t>() != 0;
    const std::size_t count = in.read<std::uint32_t>();
    return read_points(in, count, closed ? '(' : '[', closed ? ')' : ']', scratch, out);
}

bool read_polygon_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const std::size_t count = in.read<std::uint32_t>();
    return read_points(in, count, '(', ')', scratch, out);
}

bool read_circle_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    return read_three(bytes, "<(", "),", '>', scratch, out);
}

// Int32 dimensions, its highest bit set for a point; then one corner or two.
bool read_cube_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const auto header = in.read<std::uint32_t>();
    constexpr std::uint32_t point_bit = 1U << 31;
    const bool is_point = (header & point_bit) != 0;
    const std::size_t corner = std::size_t{header & ~point_bit} * kReal;
    if (in.overrun() || in.remaining() != (is_point ? corner : 2 * corner)) return false;
    const std::string_view low = in.take(corner);
    const std::string_view high = in.rest();
    char* const text =
        scratch.reserve(bytes.size() / kReal * (kRealText_max + 2) + kBracketsText_max);
    char* to = write_corner(low, text);
    if (!is_point && !same_reals(low, high)) {
        *to++ = ',';
        to = write_corner(high, to);
    }
    commit_text(text, to, scratch, out);
    return true;
}

// Int32 dimensions  Int32 n  Int32 unused  n × Int32 index from 0  n × Float32
bool read_sparsevec_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const auto dimensions = in.read<std::uint32_t>();
    const std::size_t count = in.read<std::uint32_t>();
    in.read<std::uint32_t>();
    constexpr std::size_t each = sizeof(std::uint32_t) + sizeof(float);
    if (in.overrun() || in.remaining() / each != count || in.remaining() % each != 0) return false;
    ByteCursor values{in.rest().substr(count * sizeof(std::uint32_t))};
    constexpr std::size_t number_max = 12;
    char* const text =
        scratch.reserve(count * (kRealText_max + number_max + 2) + number_max + kBracketsText_max);
    char* to = text;
    *to++ = '{';
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) *to++ = ',';
        to = std::to_chars(to, to + number_max, std::uint64_t{in.read<std::uint32_t>()} + 1).ptr;
        *to++ = ':';
        to = write_server_real(to, std::bit_cast<float>(values.read<std::uint32_t>()));
    }
    *to++ = '}';
    *to++ = '/';
    to = std::to_chars(to, to + number_max, dimensions).ptr;
    commit_text(text, to, scratch, out);
    return true;
}

bool read_int2vector_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    return read_numbers<std::int16_t>(bytes, scratch, out);
}

bool read_oidvector_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    return read_numbers<std::uint32_t>(bytes, scratch, out);
}

}  // namespace pgc::types
