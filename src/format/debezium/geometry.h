// PostgreSQL's geometric types as well-known binary, the way Debezium sends them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <cstdint>

namespace pgc {

struct GeometryPoint {
    double x = 0;
    double y = 0;
};

// The numbers in a geometric value's text, in their order: `((1,2),(3,4))` has four. False when
// something else stands there.
bool read_coordinates(std::string_view text, std::vector<double>& out);

// A shape and its name. `numbers`: as read_coordinates() gives them; false when they are not as
// many as it has.
enum class Shape : std::uint8_t { box, lseg, path, polygon };
std::string_view name(Shape shape) noexcept;
bool append_wkb(std::string& out, Shape shape, const std::vector<double>& numbers);

void append_wkb(std::string& out, GeometryPoint point);

// PostGIS's text is its extended form in hexadecimal: without the zone it is well-known binary.
struct PostgisGeometry {
    std::string wkb;
    std::optional<std::int32_t> srid;
};
bool read_postgis(std::string_view hexadecimal, PostgisGeometry& out);

}  // namespace pgc
