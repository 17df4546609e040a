#include "postgres/types/network.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using namespace std::string_view_literals;
using testing::binary;
using testing::text;
using testing::Wire;

std::string ipv4(int bits, bool is_cidr, std::string_view address) {
    return binary(
        "inet",
        Wire{}.int8(2).put(static_cast<std::uint8_t>(bits)).int8(is_cidr).int8(4).raw(address));
}
std::string ipv6(int bits, std::initializer_list<unsigned> words) {
    Wire wire;
    wire.int8(3).put(static_cast<std::uint8_t>(bits)).int8(0).int8(16);
    for (const unsigned word : words) {
        wire.put(static_cast<std::uint16_t>(word));
    }
    return binary("inet", wire);
}

TEST(InetTest, TextIsKept) {
    EXPECT_EQ(text("inet", "10.0.0.1/8"), "'10.0.0.1/8'");
    EXPECT_EQ(text("cidr", "10.0.0.0/8"), "'10.0.0.0/8'");
}

TEST(InetTest, WritesIPv4) {
    EXPECT_EQ(ipv4(32, false, "\x0a\x00\x00\x01"sv), "'10.0.0.1'");
    EXPECT_EQ(ipv4(8, false, "\x0a\x00\x00\x01"sv), "'10.0.0.1/8'");
    EXPECT_EQ(ipv4(32, true, "\x0a\x00\x00\x01"sv), "'10.0.0.1/32'");
    EXPECT_EQ(ipv4(0, true, "\x00\x00\x00\x00"sv), "'0.0.0.0/0'");
}

TEST(InetTest, WritesIPv6AsTheServerDoes) {
    EXPECT_EQ(ipv6(128, {0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}), "'2001:db8::1'");
    EXPECT_EQ(ipv6(64, {0x2001, 0xdb8, 0, 0, 1, 0, 0, 0}), "'2001:db8:0:0:1::/64'");
    EXPECT_EQ(ipv6(128, {0, 0, 0, 0, 0, 0, 0, 0}), "'::'");
    EXPECT_EQ(ipv6(128, {0, 0, 0, 0, 0, 0, 0, 1}), "'::1'");
    EXPECT_EQ(ipv6(128, {1, 0, 0, 2, 0, 0, 3, 4}), "'1::2:0:0:3:4'");
    EXPECT_EQ(ipv6(128, {1, 0, 2, 3, 4, 5, 6, 7}), "'1:0:2:3:4:5:6:7'");
    EXPECT_EQ(ipv6(128, {0xffff, 0, 0, 0, 0, 0, 0, 0}), "'ffff::'");
}

TEST(InetTest, ShowsIPv4InsideIPv6) {
    EXPECT_EQ(ipv6(128, {0, 0, 0, 0, 0, 0, 0x0102, 0x0304}), "'::1.2.3.4'");
    EXPECT_EQ(ipv6(96, {0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304}), "'::ffff:1.2.3.4/96'");
    EXPECT_EQ(ipv6(128, {0, 0, 0, 0, 0, 0xfffe, 0x0102, 0x0304}), "'::fffe:102:304'");
}

TEST(InetTest, RefusesOtherBytes) {
    EXPECT_EQ(binary("inet", ""), "refused");
    EXPECT_EQ(ipv4(33, false, "\x0a\x00\x00\x01"sv), "refused");
    EXPECT_EQ(ipv4(8, false, "\x0a\x00\x00"sv), "refused");
    EXPECT_EQ(ipv4(8, false, "\x0a\x00\x00\x01\x01"sv), "refused");
    EXPECT_EQ(ipv6(129, {0, 0, 0, 0, 0, 0, 0, 0}), "refused");
    EXPECT_EQ(binary("inet", Wire{}.int8(4).int8(8).int8(0).int8(4).raw("abcd")), "refused");
    EXPECT_EQ(binary("inet", Wire{}.int8(3).int8(8).int8(0).int8(4).raw("abcd")), "refused");
}

TEST(MacaddrTest, ReadsBothLengths) {
    EXPECT_EQ(binary("macaddr", "\x08\x00\x2b\x01\x02\x03"sv), "'08:00:2b:01:02:03'");
    EXPECT_EQ(binary("macaddr8", "\x08\x00\x2b\xff\xfe\x01\x02\x03"sv),
              "'08:00:2b:ff:fe:01:02:03'");
    EXPECT_EQ(text("macaddr", "08:00:2b:01:02:03"), "'08:00:2b:01:02:03'");
    EXPECT_EQ(binary("macaddr", "1234567"), "refused");
}

}  // namespace
}  // namespace pgc
