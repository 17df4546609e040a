#include "pgclient/address_lookup.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace pgc {
namespace {

const AddressList kThree{.hosts = "a,/run/b,c", .addresses = "10.0.0.1,,::1", .ports = "1,2,3"};

std::string text(const AddressList& list) {
    return list.hosts + " " + list.addresses + " " + list.ports;
}

Result<AddressList> looked_up(std::vector<PostgresHost> hosts) {
    AddressLookup lookup{std::move(hosts)};
    pollfd ready{lookup.fd(), POLLIN, 0};
    // A name service that nobody reaches takes its time to say so.
    EXPECT_EQ(::poll(&ready, 1, 120'000), 1);
    auto answer = lookup.take();
    if (!answer) return std::unexpected(stop(Error::Category::internal, "no answer"));
    return std::move(*answer);
}

TEST(AddressLookupTest, AddressesAndSocketsNeedNoNameService) {
    const auto list = looked_up({{"127.0.0.1", 1}, {"/run/x", 2}, {"::1", 3}});
    ASSERT_TRUE(list);
    EXPECT_EQ(text(*list), "127.0.0.1,/run/x,::1 127.0.0.1,,::1 1,2,3");
}

TEST(AddressLookupTest, ANameNobodyKnowsIsNamed) {
    const auto list = looked_up({{"no such host", 1}});
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().next, Error::Next::retry);
    EXPECT_NE(list.error().what.find("no such host"), std::string::npos);
}

TEST(AddressLookupTest, UnknownNamesAreLeftOutWhereOthersAreKnown) {
    const auto list = looked_up({{"no such host", 1}, {"127.0.0.1", 2}});
    ASSERT_TRUE(list);
    EXPECT_EQ(text(*list), "127.0.0.1 127.0.0.1 2");
}

TEST(AddressLookupTest, TheNextAttemptBeginsBehindTheSilentOne) {
    EXPECT_EQ(text(beginning_after(kThree, {"a", "10.0.0.1", "1"})),
              "/run/b,c,a ,::1,10.0.0.1 2,3,1");
    EXPECT_EQ(text(beginning_after(kThree, {"/run/b", "", "2"})), "c,a,/run/b ::1,10.0.0.1, 3,1,2");
    EXPECT_EQ(text(beginning_after(kThree, {"c", "::1", "3"})), text(kThree));
}

TEST(AddressLookupTest, ASilentOneThatIsNotThereAnyMoreChangesNothing) {
    EXPECT_EQ(text(beginning_after(kThree, {})), text(kThree));
    EXPECT_EQ(text(beginning_after(kThree, {"a", "10.0.0.2", "1"})), text(kThree));
}

TEST(AddressLookupTest, ANameBecomesAllItsAddresses) {
    const auto list = looked_up({{"localhost", 5}});
    ASSERT_TRUE(list) << describe(list.error());
    EXPECT_NE(list->addresses.find("127.0.0.1"), std::string::npos);
    EXPECT_TRUE(list->hosts.starts_with("localhost"));
}

TEST(AddressLookupTest, MayBeDestroyedWhileItLooks) {
    const AddressLookup lookup{{{"no-such-host.invalid", 5}}};
}

}  // namespace
}  // namespace pgc
