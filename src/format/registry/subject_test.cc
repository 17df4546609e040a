#include "format/registry/subject.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

TEST(SubjectTest, IsNamedAsConsumersNameIt) {
    using enum SubjectStrategy;
    const auto name = [](SubjectStrategy strategy, SchemaOf of) {
        return subject_of(strategy, of, "shop.users", "shop.users.Envelope").name;
    };
    EXPECT_EQ(name(topic_name, SchemaOf::key), "shop.users-key");
    EXPECT_EQ(name(topic_name, SchemaOf::value), "shop.users-value");
    EXPECT_EQ(name(record_name, SchemaOf::value), "shop.users.Envelope");
    EXPECT_EQ(name(topic_record_name, SchemaOf::value), "shop.users-shop.users.Envelope");
}

TEST(SubjectTest, SaysOfWhichPartItIs) {
    for (const auto strategy : {SubjectStrategy::topic_name, SubjectStrategy::record_name,
                                SubjectStrategy::topic_record_name}) {
        EXPECT_EQ(subject_of(strategy, SchemaOf::key, "t", "r").of, SchemaOf::key);
        EXPECT_EQ(subject_of(strategy, SchemaOf::value, "t", "r").of, SchemaOf::value);
    }
}

}  // namespace
}  // namespace pgc
