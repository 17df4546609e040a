#include "sink/kafka/topic_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

KafkaConfig named_by(std::string topic = "{prefix}.{schema}.{table}") {
    KafkaConfig made;
    made.database = "shop";
    made.topic = std::move(topic);
    return made;
}

std::string topic_of(TopicNames& names, std::string_view schema, std::string_view table) {
    const auto topic = names.of_table(schema, table);
    return topic ? topic->name : "refused: " + topic.error().what;
}

TEST(TopicTemplateTest, KnowsItsVariables) {
    EXPECT_THAT(template_fault("{prefix}.{db}.{schema}.{table}", TopicOf::table), IsEmpty());
    EXPECT_THAT(template_fault("changes", TopicOf::table), IsEmpty());
    EXPECT_THAT(template_fault("{prefix}.{db}.messages", TopicOf::pipeline), IsEmpty());
    EXPECT_EQ(fill_template("a-{prefix}.{db}.{schema}.{table}-z", {"p", "d", "s", "t"}),
              "a-p.d.s.t-z");
}

TEST(TopicTemplateTest, RefusesWhatCanBeNoName) {
    EXPECT_THAT(template_fault("", TopicOf::table), HasSubstr("needs a name"));
    EXPECT_THAT(template_fault("{prefix}.{tabel}", TopicOf::table),
                HasSubstr("{tabel} stands for"));
    EXPECT_THAT(template_fault("{prefix}.{table}", TopicOf::pipeline), HasSubstr("{table} stands"));
    EXPECT_THAT(template_fault("{prefix} {table}", TopicOf::table), HasSubstr("0-9"));
    EXPECT_THAT(template_fault("{prefix}.{table", TopicOf::table), HasSubstr("0-9"));
    EXPECT_THAT(template_fault("prefix}", TopicOf::table), HasSubstr("0-9"));
    EXPECT_THAT(template_fault(std::string(250, 'a'), TopicOf::table), HasSubstr("249"));
}

TEST(SafeTopicNameTest, LeavesAloneWhatKafkaCanHold) {
    for (const auto* name : {"cdc.public.users", "A-Z_0.9", "...", "x"}) {
        EXPECT_EQ(safe_topic_name(name), name);
    }
}

TEST(SafeTopicNameTest, ReplacesCharactersAndTellsNamesApart) {
    EXPECT_THAT(safe_topic_name("cdc.public.Order Details"),
                MatchesRegex("cdc\\.public\\.Order_Details-[0-9a-f]{8}"));
    // A character is one _, however many bytes it has.
    EXPECT_THAT(safe_topic_name("B\xc3\xbc"
                                "cher"),
                MatchesRegex("B_cher-[0-9a-f]{8}"));
    EXPECT_NE(safe_topic_name("a b"), safe_topic_name("a\tb"));
    EXPECT_THAT(safe_topic_name("."), MatchesRegex("_-[0-9a-f]{8}"));
    EXPECT_THAT(safe_topic_name(".."), MatchesRegex("__-[0-9a-f]{8}"));
    EXPECT_THAT(safe_topic_name(""), MatchesRegex("-[0-9a-f]{8}"));
}

TEST(SafeTopicNameTest, CutsWhatIsTooLong) {
    const std::string stem(300, 'x');
    EXPECT_EQ(safe_topic_name(stem).size(), kTopicName_max);
    EXPECT_NE(safe_topic_name(stem + "a"), safe_topic_name(stem + "b"));
    EXPECT_EQ(safe_topic_name(stem.substr(0, 249)), stem.substr(0, 249));
}

TEST(SafeTopicNameTest, AnyBytesComeToAName) {
    std::mt19937 random(3);
    for (int i = 0; i < 20'000; ++i) {
        std::string raw(random() % 400, '\0');
        for (char& c : raw) c = static_cast<char>(random());
        const std::string name = safe_topic_name(raw);
        ASSERT_TRUE(is_topic_name(name)) << name;
        ASSERT_EQ(safe_topic_name(name), name);
    }
}

TEST(TopicNamesTest, GiveTheSameAnswerAtEachCall) {
    TopicNames names(named_by());
    EXPECT_EQ(topic_of(names, "public", "users"), "cdc.public.users");
    EXPECT_EQ(topic_of(names, "public", "users"), "cdc.public.users");
    EXPECT_EQ(names.messages(), "cdc.messages");
    EXPECT_EQ(names.dead_letters(), "cdc.dead_letters");
    EXPECT_EQ(names.positions(), "pg-capture.positions");
}

TEST(TopicNamesTest, ArePlainWhereTheConfigurationSaysSo) {
    KafkaConfig plain = named_by();
    plain.plain_topics = true;
    TopicNames names(plain);
    EXPECT_EQ(topic_of(names, "Odd Schema", "t-1"), "cdc.Odd_Schema.t-1");
    EXPECT_THAT(topic_of(names, "Odd_Schema", "t-1"),
                HasSubstr("would share the topic cdc.Odd_Schema.t-1"));
}

TEST(TopicNamesTest, RefuseASecondTableAndNameBoth) {
    TopicNames names(named_by());
    EXPECT_EQ(topic_of(names, "a.b", "c"), "cdc.a.b.c");
    const auto second = names.of_table("a", "b.c");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().category, Error::Category::configuration);
    EXPECT_EQ(second.error().next, Error::Next::stop);
    EXPECT_EQ(second.error().what,
              "table \"a.b\".c and table a.\"b.c\" would share the topic cdc.a.b.c");
    EXPECT_EQ(topic_of(names, "a.b", "c"), "cdc.a.b.c");
}

TEST(TopicNamesTest, RefuseTablesOfOneNameWhereTheSchemaIsLeftOut) {
    TopicNames names(named_by("{prefix}.{table}"));
    EXPECT_EQ(topic_of(names, "public", "users"), "cdc.users");
    EXPECT_THAT(topic_of(names, "audit", "users"), HasSubstr("table public.users and table audit"));
}

TEST(TopicNamesTest, LetTablesShareWhereTheTemplateHasNoTable) {
    TopicNames of_schema(named_by("{prefix}.{schema}"));
    EXPECT_EQ(topic_of(of_schema, "public", "users"), "cdc.public");
    EXPECT_EQ(topic_of(of_schema, "public", "orders"), "cdc.public");
    TopicNames of_all(named_by("{db}.changes"));
    EXPECT_EQ(topic_of(of_all, "public", "users"), "shop.changes");
    EXPECT_EQ(topic_of(of_all, "audit", "users"), "shop.changes");
}

TEST(TopicNamesTest, KeepThePipelinesOwnTopics) {
    TopicNames names(named_by("{prefix}.{table}"));
    EXPECT_THAT(topic_of(names, "public", "messages"), HasSubstr("kafka.message_topic and table"));
    EXPECT_THAT(topic_of(names, "public", "dead_letters"), HasSubstr("dead_letter_topic and"));
    TopicNames bare(named_by("{schema}.{table}"));
    EXPECT_THAT(topic_of(bare, "pg-capture", "positions"), HasSubstr("state.topic and table"));
}

TEST(TopicNamesTest, TellOfNamesThatDifferOnlyInDotAndUnderscore) {
    TopicNames names(named_by());
    EXPECT_THAT(names.of_table("a", "b.c")->lookalike, IsEmpty());
    EXPECT_EQ(names.of_table("a", "b_c")->lookalike, "cdc.a.b.c");
    EXPECT_THAT(names.of_table("a", "b.c")->lookalike, IsEmpty());
}

// Two tables get one topic only where one of them is refused.
TEST(TopicNamesTest, NeverGiveOneTopicToTwoTables) {
    std::mt19937 random(5);
    constexpr std::string_view letters = "ab._- \"\xc3\xbc";
    const auto word = [&] {
        std::string text(1 + random() % 3, '\0');
        for (char& c : text) c = letters[random() % letters.size()];
        return text;
    };
    TopicNames names(named_by());
    std::map<std::string, std::pair<std::string, std::string>> owners;
    for (int i = 0; i < 20'000; ++i) {
        const std::pair table{word(), word()};
        const auto topic = names.of_table(table.first, table.second);
        if (!topic) continue;
        ASSERT_TRUE(is_topic_name(topic->name));
        const auto [entry, added] = owners.emplace(topic->name, table);
        ASSERT_EQ(entry->second, table) << topic->name;
    }
}

}  // namespace
}  // namespace pgc
