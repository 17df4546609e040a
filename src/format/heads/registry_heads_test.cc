#include "format/heads/registry_heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "format/encoding/wire_header.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using Is = HeadAnswer::Is;

// Answers as the test says, and remembers what it was asked, and where that text stood.
class AskedRegistry final : public SchemaRegistry {
public:
    Result<SchemaAnswer> look_up(const Subject& subject, const SchemaText& schema) override {
        subjects.push_back(subject.name);
        texts.push_back(schema.text.data());
        return answer;
    }
    void drop(const Subject&, const SchemaText&) override {}
    Result<std::optional<Versions>> versions(const Subject&) override { return std::nullopt; }
    void wants(Wants&) const override {}
    std::string waits_for() const override { return {}; }

    SchemaAnswer answer = SchemaAnswer::pending();
    std::vector<std::string> subjects;
    std::vector<const char*> texts;
};

ConnectSchemaPtr record(const std::string& name) {
    auto id = std::make_shared<ConnectSchema>();
    id->type = ConnectType::int32;
    auto schema = std::make_shared<ConnectSchema>();
    schema->type = ConnectType::structure;
    schema->name = name;
    schema->fields = {{.name = "id", .schema = std::move(id)}};
    return schema;
}

class RegistryHeadsTest : public testing::Test {
protected:
    Is asks(const ConnectSchemaPtr& schema, MessagePart part = MessagePart::value) {
        const auto answer = heads_.head(schema, part, "t");
        return answer ? answer->is : Is::refused;
    }

    AskedRegistry registry_;
    RegistryHeads heads_{registry_, {.type = SchemaType::avro}};
};

// Readers compute the subject of the name that stands in the schema.
TEST_F(RegistryHeadsTest, ASubjectOfTheRecordsNameHasItAsItsSchema) {
    for (const auto& [type, subject] : {std::pair{SchemaType::avro, "shop.my_t.Value"},
                                        std::pair{SchemaType::json, "shop.my-t.Value"}}) {
        RegistryHeads heads{registry_, {.type = type, .strategy = SubjectStrategy::record_name}};
        ASSERT_TRUE(heads.head(record("shop.my-t.Value"), MessagePart::value, "t"));
        EXPECT_EQ(registry_.subjects.back(), subject);
    }
}

TEST_F(RegistryHeadsTest, ASchemaThatIsWaitedForIsRenderedOnce) {
    const ConnectSchemaPtr schema = record("shop.Value");
    for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(asks(schema), Is::pending);
    EXPECT_THAT(registry_.texts,
                ElementsAre(registry_.texts[0], registry_.texts[0], registry_.texts[0]));
}

TEST_F(RegistryHeadsTest, AnotherSchemaOrPartIsAskedAboutByItsOwnText) {
    const ConnectSchemaPtr schema = record("shop.Value");
    EXPECT_EQ(asks(schema), Is::pending);
    EXPECT_EQ(asks(schema, MessagePart::key), Is::pending);
    registry_.answer = SchemaAnswer::known(SchemaId{7});
    const auto head = heads_.head(record("shop.Other"), MessagePart::value, "t");
    ASSERT_TRUE(head && head->is == Is::known);
    EXPECT_EQ(head->head.before, wire_header(7));
    EXPECT_THAT(registry_.subjects, ElementsAre("t-value", "t-key", "t-value"));
}

TEST_F(RegistryHeadsTest, AKeyThatIsKnownIsNotAskedAboutAgainWhileTheValueIsWaitedFor) {
    HeadedMessages messages{.key_schema = record("shop.Key"), .value_schema = record("shop.Value")};
    registry_.answer = SchemaAnswer::known(SchemaId{1});
    ASSERT_EQ(make_ready(messages, heads_, "t")->is, Is::known);
    EXPECT_TRUE(messages.ready);
    messages.ready = false;
    registry_.answer = SchemaAnswer::pending();
    EXPECT_EQ(make_ready(messages, heads_, "t")->is, Is::pending);
    EXPECT_THAT(registry_.subjects, ElementsAre("t-key", "t-value", "t-value"));
    EXPECT_FALSE(messages.ready);
}

}  // namespace
}  // namespace pgc
