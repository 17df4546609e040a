#include "postgres/types/geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

#include "postgres/types/real_text.h"
#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::TypeReading;
using testing::Wire;

Wire reals(std::initializer_list<double> values, Wire wire = {}) {
    for (const double value : values) wire.real64(value);
    return wire;
}

std::string written(double value) {
    char text[types::kRealText_max];
    return {text, types::write_server_real(text, value)};
}

std::string written(float value) {
    char text[types::kRealText_max];
    return {text, types::write_server_real(text, value)};
}

std::string extension(std::string_view name, std::string_view bytes) {
    TypeReading reading;
    reading.types.add({.oid = Oid{20001}, .schema = "public", .name = std::string{name}});
    return reading.binary(Oid{20001}, bytes);
}

// As PostgreSQL 15 prints them.
TEST(RealTextTest, NumbersAreWrittenAsTheServerDoes) {
    EXPECT_EQ(written(0.0), "0");
    EXPECT_EQ(written(-0.0), "-0");
    EXPECT_EQ(written(0.1), "0.1");
    EXPECT_EQ(written(1e-4), "0.0001");
    EXPECT_EQ(written(1e-5), "1e-05");
    EXPECT_EQ(written(123456789012345.0), "123456789012345");
    EXPECT_EQ(written(1e15), "1e+15");
    EXPECT_EQ(written(9007199254740991.0), "9.007199254740991e+15");
    EXPECT_EQ(written(1.7976931348623157e308), "1.7976931348623157e+308");
    EXPECT_EQ(written(4.9e-324), "5e-324");
    EXPECT_EQ(written(std::nan("")), "NaN");
    EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "-Infinity");
    EXPECT_EQ(written(-0.00012345), "-0.00012345");
    EXPECT_EQ(written(-1250.0), "-1250");
    EXPECT_EQ(written(12.5), "12.5");
    // Fewer digits would read back the same, but lie in the middle between two numbers.
    EXPECT_EQ(written(9.5e21), "9.500000000000001e+21");
    EXPECT_EQ(written(-4.5007494409744384e16), "-4.5007494409744384e+16");
    EXPECT_EQ(written(5e22), "4.9999999999999996e+22");
    EXPECT_EQ(written(9.9e21), "9.900000000000001e+21");
    EXPECT_EQ(written(1e23), "9.999999999999999e+22");
    EXPECT_EQ(written(2e22), "2e+22");
    EXPECT_EQ(written(123456.0F), "123456");
    EXPECT_EQ(written(1e6F), "1e+06");
    EXPECT_EQ(written(1.1F), "1.1");
}

TEST(GeometryTest, WritesWhatTheServerPrints) {
    EXPECT_EQ(binary("point", reals({1.5, -2})), "'(1.5,-2)'");
    EXPECT_EQ(binary("line", reals({1, 2, 3})), "'{1,2,3}'");
    EXPECT_EQ(binary("lseg", reals({0, 0, 1, 1})), "'[(0,0),(1,1)]'");
    EXPECT_EQ(binary("box", reals({2, 2, 1, 1})), "'(2,2),(1,1)'");
    EXPECT_EQ(binary("circle", reals({1, 2, 3})), "'<(1,2),3>'");
    EXPECT_EQ(binary("path", reals({0, 0, 1, 1}, Wire{}.int8(0).int32(2))), "'[(0,0),(1,1)]'");
    EXPECT_EQ(binary("path", reals({0, 0, 1, 1}, Wire{}.int8(1).int32(2))), "'((0,0),(1,1))'");
    EXPECT_EQ(binary("polygon", reals({0, 0, 1, 0}, Wire{}.int32(2))), "'((0,0),(1,0))'");
}

TEST(GeometryTest, RefusesSizesThatLie) {
    for (const auto* type : {"point", "line", "lseg", "box", "circle", "path", "polygon"}) {
        EXPECT_EQ(binary(type, std::string_view{}), "refused") << type;
        EXPECT_EQ(binary(type, reals({1, 2, 3, 4, 5})), "refused") << type;
    }
    EXPECT_EQ(binary("polygon", reals({0, 0}, Wire{}.int32(-1))), "refused");
    EXPECT_EQ(binary("path", reals({0, 0}, Wire{}.int8(1).int32(2))), "refused");
}

TEST(GeometryTest, WritesCubes) {
    EXPECT_EQ(extension("cube", reals({1, 2, 3, 4}, Wire{}.int32(2))), "'(1, 2),(3, 4)'");
    EXPECT_EQ(extension("cube", reals({1, 2}, Wire{}.uint32(0x80000002U))), "'(1, 2)'");
    EXPECT_EQ(extension("cube", reals({1, 0, 1, -0.0}, Wire{}.int32(2))), "'(1, 0)'")
        << "a box without extent";
    EXPECT_EQ(extension("cube", Wire{}.int32(0)), "'()'");
    EXPECT_EQ(extension("cube", reals({1, 2}, Wire{}.int32(2))), "refused");
    EXPECT_EQ(extension("cube", Wire{}.int32(-1)), "refused");
}

TEST(GeometryTest, WritesSparseVectors) {
    Wire wire;
    wire.int32(5).int32(2).int32(0).int32(0).int32(2);
    wire.real32(1.5F).real32(2.0F);
    EXPECT_EQ(extension("sparsevec", wire), "'{1:1.5,3:2}/5'");
    EXPECT_EQ(extension("sparsevec", Wire{}.int32(5).int32(0).int32(0)), "'{}/5'");
    EXPECT_EQ(extension("sparsevec", Wire{}.int32(5).int32(-1).int32(0)), "refused");
}

TEST(GeometryTest, WritesVectorsOfTheCatalogs) {
    const auto head = [](std::int32_t count, std::int32_t element) {
        return Wire{}.int32(1).int32(0).int32(element).int32(count).int32(0);
    };
    EXPECT_EQ(binary("int2vector", head(2, 21).int32(2).int16(1).int32(2).int16(-2)), "'1 -2'");
    EXPECT_EQ(binary("oidvector", head(1, 26).int32(4).int32(-1)), "'4294967295'");
    EXPECT_EQ(binary("int2vector", head(0, 21)), "''");
    EXPECT_EQ(binary("oidvector", Wire{}.int32(0).int32(0).int32(26)), "''");
    EXPECT_EQ(binary("int2vector", head(2, 21).int32(2).int16(1)), "refused");
    EXPECT_EQ(binary("int2vector", head(1, 21).int32(-1).int16(1)), "refused");
    EXPECT_EQ(binary("oidvector", Wire{}.int32(1).int32(1).int32(26)), "refused");
}

TEST(GeometryTest, AnOlderExtensionsArrayHasNoBinaryForm) {
    TypeMap map;
    map.add({.oid = Oid{20001}, .schema = "public", .name = "cube", .has_send = false});
    map.add({.oid = Oid{20002}, .schema = "public", .name = "_cube", .element = Oid{20001}});
    EXPECT_TRUE(map.binary_known(Oid{20001})) << "it comes as text";
    EXPECT_FALSE(map.binary_known(Oid{20002})) << "the server refuses to encode it";
}

}  // namespace
}  // namespace pgc
