#include "postgres/types/array.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"
#include "postgres/types/elements.h"

namespace pgc::types {
namespace {

constexpr std::size_t kMaxDimensions = 6;  // PostgreSQL's MAXDIM

struct Shape {
    std::array<Dimension, kMaxDimensions> dimensions{};
    std::size_t count = 0;
};

std::span<const Dimension> keep(const Shape& shape, Scratch& scratch) {
    Dimension* kept = scratch.allocate<Dimension>(shape.count);
    for (std::size_t i = 0; i < shape.count; ++i) {
        kept[i] = shape.dimensions[i];
    }
    return {kept, shape.count};
}

bool eat_bound(std::string_view& text, char before, std::int32_t& bound) noexcept {
    if (!text.starts_with(before)) {
        return false;
    }
    text.remove_prefix(1);
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), bound);
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    return error == std::errc{};
}

// "[0:2][1:2]=", if it is there. Lengths are taken from the braces; these must agree.
bool eat_bounds(std::string_view& text, Shape& shape) noexcept {
    while (text.starts_with('[')) {
        std::int32_t lower = 0;
        std::int32_t upper = 0;
        if (shape.count == kMaxDimensions || !eat_bound(text, '[', lower) ||
            !eat_bound(text, ':', upper) || !text.starts_with(']')) {
            return false;
        }
        text.remove_prefix(1);
        const std::int64_t length = std::int64_t{upper} - lower + 1;
        if (length < 1 || length > INT32_MAX) {
            return false;
        }
        shape.dimensions[shape.count++] = {static_cast<std::int32_t>(length), lower};
    }
    if (shape.count == 0) {
        return true;
    }
    if (!text.starts_with('=')) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

// Walks over "{{…},{…}}" and calls `on_item(item, escaped)` for each element. Fills in the
// lengths of `shape`, or checks them where they are known already.
class BraceWalker {
public:
    BraceWalker(std::string_view text, char delimiter, Shape& shape) noexcept
        : text_(text), delimiter_(delimiter), shape_(shape) {}

    template <typename OnItem>
    bool walk(OnItem on_item) {
        while (shape_depth_ < text_.size() && text_[shape_depth_] == '{') {
            ++shape_depth_;
        }
        if (shape_depth_ == 0 || shape_depth_ > kMaxDimensions ||
            (shape_.count != 0 && shape_.count != shape_depth_)) {
            return false;
        }
        shape_.count = shape_depth_;
        at_ = depth_ = shape_depth_;
        const std::array<char, 2> stops = {delimiter_, '}'};
        while (true) {
            bool escaped = false;
            const std::size_t end =
                find_item_end(text_, at_, {stops.data(), stops.size()}, escaped);
            if (end >= text_.size() || end == at_ ||
                !on_item(text_.substr(at_, end - at_), escaped)) {
                return false;
            }
            ++seen_[depth_ - 1];
            at_ = end;
            if (!close_and_open()) {
                return false;
            }
            if (depth_ == 0) {
                return at_ == text_.size();
            }
        }
    }

private:
    // After an element: "}" any number of times, then the delimiter and as many "{".
    bool close_and_open() noexcept {
        while (depth_ > 0 && next_is('}')) {
            ++at_;
            --depth_;
            Dimension& dimension = shape_.dimensions[depth_];
            if (dimension.length == 0) {
                dimension.length = seen_[depth_];
            } else if (dimension.length != seen_[depth_]) {
                return false;
            }
            seen_[depth_] = 0;
            if (depth_ > 0) {
                ++seen_[depth_ - 1];
            }
        }
        if (depth_ == 0) {
            return true;
        }
        if (!next_is(delimiter_)) {
            return false;
        }
        ++at_;
        for (; depth_ < shape_depth_; ++depth_, ++at_) {
            if (!next_is('{')) {
                return false;
            }
        }
        return !next_is('{');
    }
    bool next_is(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }

    std::string_view text_;
    char delimiter_;
    Shape& shape_;
    std::size_t at_ = 0;
    std::size_t shape_depth_ = 0;  // as many as braces open at the beginning
    std::size_t depth_ = 0;        // open now
    std::array<std::int32_t, kMaxDimensions> seen_{};
};

bool read_element(const Type& type, std::string_view item, bool escaped, Scratch& scratch,
                  Value& out) {
    out = Value{};
    if (!escaped && item == "NULL") {
        out.is_null = true;
        return true;
    }
    const auto bytes = escaped ? unescape(item, Quoting::backslash, scratch) : item;
    return type.read_text != nullptr && type.read_text(type, bytes, scratch, out);
}

void make_empty(Value& out) noexcept {
    out.list = {};
    out.dimensions = {};
}

// 16 bits: sign, 5 of exponent, 10 of fraction.
double half_to_real(std::uint16_t half) noexcept {
    const std::uint32_t sign = (half & 0x8000U) << 16;
    const std::uint32_t exponent = half >> 10 & 0x1FU;
    const std::uint32_t fraction = half & 0x3FFU;
    if (exponent == 0) {  // zero and subnormal numbers: fraction × 2^-24
        const double magnitude = static_cast<double>(fraction) / (1 << 24);
        return sign != 0 ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 0x1F ? 0xFFU : exponent + (127 - 15);
    return static_cast<double>(std::bit_cast<float>(sign | wide << 23 | fraction << 13));
}

void set_vector(Value* values, std::size_t count, Scratch& scratch, Value& out) {
    Shape shape;
    shape.count = 1;
    shape.dimensions[0] = {static_cast<std::int32_t>(count), 1};
    out.list = {values, count};
    out.dimensions = keep(shape, scratch);
}

template <typename Word, typename ToReal>
bool read_packed(std::string_view bytes, Scratch& scratch, Value& out, ToReal to_real) {
    ByteCursor in{bytes};
    const std::size_t count = in.read<std::uint16_t>();
    in.take(2);
    if (in.overrun() || in.remaining() != count * sizeof(Word)) {
        return false;
    }
    Value* values = scratch.allocate<Value>(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = Value{};
        values[i].real = to_real(in.read<Word>());
    }
    set_vector(values, count, scratch, out);
    return true;
}

}  // namespace

bool read_array_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes == "{}") {
        make_empty(out);
        return true;
    }
    Shape shape;
    if (!eat_bounds(bytes, shape)) {
        return false;
    }
    const char delimiter = type.element->delimiter;
    std::size_t count = 0;
    const auto count_one = [&](std::string_view, bool) { return ++count <= INT32_MAX; };
    if (!BraceWalker{bytes, delimiter, shape}.walk(count_one)) {
        return false;
    }
    Value* values = scratch.allocate<Value>(count);
    Value* next = values;
    const auto read_one = [&](std::string_view item, bool escaped) {
        return read_element(*type.element, item, escaped, scratch, *next++);
    };
    if (!BraceWalker{bytes, delimiter, shape}.walk(read_one)) {
        return false;
    }
    out.list = {values, count};
    out.dimensions = keep(shape, scratch);
    return true;
}

bool read_array_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    Shape shape;
    shape.count = in.read<std::uint32_t>();
    in.take(2 * sizeof(std::int32_t));  // has-nulls and the element's OID: we know both
    if (in.overrun() || shape.count > kMaxDimensions) {
        return false;
    }
    if (shape.count == 0) {
        make_empty(out);
        return in.remaining() == 0;
    }
    std::size_t count = 1;
    for (std::size_t i = 0; i < shape.count; ++i) {
        Dimension& dimension = shape.dimensions[i];
        dimension.length = in.read<std::int32_t>();
        dimension.lower = in.read<std::int32_t>();
        // Every element has four bytes at least; that bounds the product, too.
        if (dimension.length < 1 ||
            __builtin_mul_overflow(count, static_cast<std::size_t>(dimension.length), &count) ||
            count > in.remaining() / sizeof(std::int32_t)) {
            return false;
        }
    }
    Value* values = scratch.allocate<Value>(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (!read_sized(*type.element, in, scratch, values[i])) {
            return false;
        }
    }
    out.list = {values, count};
    out.dimensions = keep(shape, scratch);
    return in.remaining() == 0;
}

bool read_vector_text(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() < 3 || bytes.front() != '[' || bytes.back() != ']') {
        return false;
    }
    std::size_t count = 1;
    for (const char c : bytes) {
        count += c == ',' ? 1 : 0;
    }
    Value* values = scratch.allocate<Value>(count);
    const char* at = bytes.data() + 1;
    const char* end = bytes.data() + bytes.size() - 1;
    for (std::size_t i = 0; i < count; ++i) {
        float number = 0;
        const auto [stop, error] = std::from_chars(at, end, number);
        const bool last = i + 1 == count;
        if (error != std::errc{} || (last ? stop != end : stop == end || *stop != ',')) {
            return false;
        }
        values[i] = Value{};
        values[i].real = static_cast<double>(number);
        at = stop + 1;
    }
    set_vector(values, count, scratch, out);
    return true;
}

bool read_vector_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    return read_packed<std::uint32_t>(bytes, scratch, out, [](std::uint32_t word) {
        return static_cast<double>(std::bit_cast<float>(word));
    });
}

bool read_halfvec_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    return read_packed<std::uint16_t>(bytes, scratch, out, half_to_real);
}

}  // namespace pgc::types
