#include "format/debezium/geometry.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <system_error>

namespace pgc {
namespace {

constexpr std::uint32_t kWkbPoint = 1;
constexpr std::uint32_t kWkbLineString = 2;
constexpr std::uint32_t kWkbPolygon = 3;
constexpr std::uint32_t kHasSrid = 0x2000'0000;
constexpr std::size_t kHeader = 1 + sizeof(std::uint32_t);

template <typename T>
void put(std::string& out, T value) {
    static_assert(std::endian::native == std::endian::little);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.append(bytes, sizeof(T));
}

void put_header(std::string& out, std::uint32_t type) {
    out += '\x01';  // the lowest byte first
    put(out, type);
}

void put_points(std::string& out, const std::vector<double>& numbers, bool closed) {
    const std::size_t count = numbers.size() / 2;
    const bool again =
        closed && count >= 2 &&
        (numbers[0] != numbers[2 * count - 2] || numbers[1] != numbers[2 * count - 1]);
    put(out, static_cast<std::uint32_t>(count + (again ? 1 : 0)));
    for (std::size_t i = 0; i < 2 * count; ++i) put(out, numbers[i]);
    if (again) {
        put(out, numbers[0]);
        put(out, numbers[1]);
    }
}

int digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool from_hexadecimal(std::string_view text, std::string& out) {
    if (text.size() % 2 != 0) return false;
    out.clear();
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit(text[i]);
        const int low = digit(text[i + 1]);
        if (high < 0 || low < 0) return false;
        out += static_cast<char>(high * 16 + low);
    }
    return true;
}

std::uint32_t read_number(const char* at, bool low_first) noexcept {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return low_first ? value : std::byteswap(value);
}

}  // namespace

bool read_coordinates(std::string_view text, std::vector<double>& out) {
    out.clear();
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        if (std::string_view{"()[]{}<>,:/ "}.find(*at) != std::string_view::npos) {
            ++at;
            continue;
        }
        double number = 0;
        const auto [rest, error] = std::from_chars(at, end, number);
        if (error != std::errc{}) return false;
        out.push_back(number);
        at = rest;
    }
    return true;
}

std::string_view name(Shape shape) noexcept {
    switch (shape) {
        case Shape::box: return "box";
        case Shape::lseg: return "lseg";
        case Shape::path: return "path";
        case Shape::polygon: return "polygon";
    }
    return {};
}

bool append_wkb(std::string& out, Shape shape, const std::vector<double>& numbers) {
    const std::size_t count = numbers.size();
    if (count == 0 || count % 2 != 0) return false;
    if ((shape == Shape::box || shape == Shape::lseg) && count != 4) return false;
    switch (shape) {
        case Shape::lseg:
        case Shape::path:
            put_header(out, kWkbLineString);
            put_points(out, numbers, false);
            return true;
        case Shape::polygon:
            put_header(out, kWkbPolygon);
            put(out, std::uint32_t{1});
            put_points(out, numbers, true);
            return true;
        case Shape::box: break;
    }
    const double x1 = numbers[0], y1 = numbers[1], x2 = numbers[2], y2 = numbers[3];
    put_header(out, kWkbPolygon);
    put(out, std::uint32_t{1});
    put_points(out, {x1, y1, x1, y2, x2, y2, x2, y1, x1, y1}, false);
    return true;
}

void append_wkb(std::string& out, GeometryPoint point) {
    put_header(out, kWkbPoint);
    put(out, point.x);
    put(out, point.y);
}

bool read_postgis(std::string_view hexadecimal, PostgisGeometry& out) {
    out.srid.reset();
    if (!from_hexadecimal(hexadecimal, out.wkb) || out.wkb.size() < kHeader) return false;
    const bool low_first = out.wkb[0] != 0;
    const std::uint32_t type = read_number(out.wkb.data() + 1, low_first);
    if ((type & kHasSrid) == 0) return true;
    if (out.wkb.size() < kHeader + sizeof(std::uint32_t)) return false;
    out.srid = static_cast<std::int32_t>(read_number(out.wkb.data() + kHeader, low_first));
    out.wkb.erase(kHeader, sizeof(std::uint32_t));
    const std::uint32_t bare = type & ~kHasSrid;
    const std::uint32_t stored = low_first ? bare : std::byteswap(bare);
    std::memcpy(out.wkb.data() + 1, &stored, sizeof stored);
    return true;
}

}  // namespace pgc
