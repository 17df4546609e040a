#include "base/local_address.h"

#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

TEST(LocalAddressTest, LoopbackInEachOfItsForms) {
    for (const auto* host :
         {"localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.255.0.3", "::1", "[::1]",
          "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "[::ffff:127.9.9.9]"}) {
        EXPECT_TRUE(is_this_machine(host)) << host;
    }
}

TEST(LocalAddressTest, WhatOnlyLooksLikeIt) {
    for (const auto* host : {"",
                             "127.evil.com",
                             "127.",
                             "127.0.0.1.evil.com",
                             "127.0.0.1.",
                             "127.1",
                             "127.0.0.256",
                             "localhost.evil.com",
                             "localhosts",
                             "128.0.0.1",
                             "0.0.0.0",
                             "::",
                             "::2",
                             "1::1",
                             "::ffff:128.0.0.1",
                             "::127.0.0.1",
                             "[::1",
                             "::1]",
                             "[localhost]",
                             "127.0.0.1:80",
                             " 127.0.0.1",
                             "fe80::1"}) {
        EXPECT_FALSE(is_this_machine(host)) << host;
    }
    EXPECT_FALSE(is_this_machine(std::string_view{"127.0.0.1\0.evil.com", 19}));
}

TEST(LocalAddressTest, AddressesAreNoNames) {
    for (const auto* host : {"10.1.2.3", "::", "[fd00::1]", "::ffff:1.2.3.4", "255.255.255.255"}) {
        EXPECT_TRUE(is_address(host)) << host;
    }
    for (const auto* host : {"", "kafka", "1.2.3", "1.2.3.4.5", "1.2.3.4.nip.io", "[]", "0x7f.1",
                             "::1.evil", "10.1.2.3.", "1.2.3.4:9"}) {
        EXPECT_FALSE(is_address(host)) << host;
    }
}

TEST(LocalAddressTest, TheHostOfAnAuthority) {
    EXPECT_EQ(host_of_authority("kafka:9092"), "kafka");
    EXPECT_EQ(host_of_authority("kafka"), "kafka");
    EXPECT_EQ(host_of_authority("[::1]:9092"), "::1");
    EXPECT_EQ(host_of_authority("[::1]"), "::1");
    EXPECT_EQ(host_of_authority("::1"), "::1");
    EXPECT_EQ(host_of_authority("[::1"), "");
    EXPECT_EQ(host_of_authority(""), "");
}

TEST(LocalAddressTest, BehindAHostStandsAPortOrNothing) {
    for (const std::string host : {"[::1]", "[::ffff:127.0.0.1]", "localhost", "127.0.0.1"}) {
        const std::string plain = host[0] == '[' ? host.substr(1, host.size() - 2) : host;
        for (const auto* port : {"", ":", ":9", ":09092"}) {
            EXPECT_EQ(host_of_authority(host + port), plain) << host << port;
        }
        for (int c = 1; c < 256; ++c) {
            const char byte = static_cast<char>(c);
            if (c >= '0' && c <= '9') continue;
            EXPECT_FALSE(is_this_machine(host_of_authority(host + ":80" + byte))) << host << c;
            EXPECT_FALSE(is_this_machine(host_of_authority(host + ':' + byte + "80"))) << host << c;
            // "localhost." is that host too.
            if (c == ':' || (c == '.' && plain == "localhost")) continue;
            EXPECT_FALSE(is_this_machine(host_of_authority(host + byte))) << host << c;
            EXPECT_FALSE(is_this_machine(host_of_authority(host + byte + ":80"))) << host << c;
        }
    }
    EXPECT_EQ(host_of_authority("[localhost]:80"), "");
    EXPECT_EQ(host_of_authority("[127.0.0.1]"), "");
}

TEST(LocalAddressTest, TheHostOfAUrl) {
    EXPECT_EQ(host_of_url("http://idp:8080/token?x=@127.0.0.1"), "idp");
    EXPECT_EQ(host_of_url("https://[::1]/token"), "::1");
    EXPECT_EQ(host_of_url("http://127.0.0.1"), "127.0.0.1");
    EXPECT_EQ(host_of_url("http://127.0.0.1@evil.com/"), "evil.com");
    EXPECT_EQ(host_of_url("http://evil.com#127.0.0.1"), "evil.com");
    EXPECT_EQ(host_of_url("http://"), std::nullopt);
    EXPECT_EQ(host_of_url("http:///token"), std::nullopt);
    EXPECT_EQ(host_of_url("localhost/token"), std::nullopt);
}

}  // namespace
}  // namespace pgc
