#include "http/listen_address.h"

#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

TEST(ListenAddressTest, ReadsAndWritesAddresses) {
    for (const std::string text : {"127.0.0.1:9090", "localhost:0", "[::1]:65535", ":9090"}) {
        const auto address = parse_listen_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_string(*address), text);
    }
    EXPECT_EQ(parse_listen_address("[::1]:80"), (ListenAddress{"::1", 80}));
}

TEST(ListenAddressTest, RefusesWhatIsNoAddress) {
    for (const std::string text :
         {"", "9090", "localhost", "localhost:", "a:65536", "a:-1", "a:+1", "a:1x", "::1:9090",
          "[::1:9090", "http://a:80", "a b:80", "user@a:80"}) {
        const auto address = parse_listen_address(text);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().category, Error::Category::configuration);
        EXPECT_FALSE(address.error().hint.empty());
    }
}

TEST(ListenAddressTest, ANameThatNobodyKnowsIsAClearError) {
    const auto socket = listen_on({"no-such-host.invalid", 0});
    ASSERT_FALSE(socket);
    EXPECT_TRUE(socket.error().what.starts_with("no address for \"no-such-host.invalid\": "));
}

}  // namespace
}  // namespace pgc
