#include "postgres/catalog/table_facts.h"

#include <gtest/gtest.h>

#include <utility>

namespace pgc {
namespace {

using Row = std::vector<std::optional<std::string>>;

Row key_column(const char* what, const char* name, const char* place) {
    return {what, "0", "", name, "", "", "0", "0", "0", "0", "", "", place};
}
Row attribute(const char* type, const char* name, const char* of) {
    return {"a", type, "", name, "", "", of, "0", "0", "0", "", "", "1"};
}

Rows answer(std::vector<Row> rows) {
    Rows result;
    result.rows = std::move(rows);
    return result;
}

TEST(TableFactsTest, KeepsTheKeysOrder) {
    const auto facts =
        read_table_facts(answer({key_column("k", "region", "1"), key_column("k", "id", "2")}));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->primary_key, (std::vector<std::string>{"region", "id"}));
    EXPECT_TRUE(facts->identity_index.empty());
}

TEST(TableFactsTest, TellsTheIdentityIndexFromThePrimaryKey) {
    const auto facts =
        read_table_facts(answer({key_column("i", "email", "1"), key_column("k", "id", "1")}));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->identity_index, std::vector<std::string>{"email"});
    EXPECT_EQ(facts->primary_key, std::vector<std::string>{"id"});
}

TEST(TableFactsTest, KeepsUniqueIndexesApartAndInTheirOrder) {
    const auto column = [](const char* rank, const char* name, const char* place) -> Row {
        return {"u", rank, "", name, "", "", "0", "0", "0", "0", "", "", place};
    };
    const auto facts = read_table_facts(
        answer({column("2", "b", "1"), column("2", "a", "2"), column("3", "a", "1")}));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->unique_indexes, (std::vector<std::vector<std::string>>{{"b", "a"}, {"a"}}));
    EXPECT_TRUE(facts->primary_key.empty());
}

TEST(TableFactsTest, ReadsATypeWithAllThatBelongsToIt) {
    const auto facts = read_table_facts(answer(
        {{"t", "16500", "shop", "mood_range", "r", "R", "0", "0", "16400", "0", ",", "t", "0"}}));
    ASSERT_TRUE(facts);
    ASSERT_EQ(facts->types.size(), 1U);
    const CatalogType& type = facts->types[0];
    EXPECT_EQ(type.oid, Oid{16500});
    EXPECT_EQ(type.schema, "shop");
    EXPECT_EQ(type.name, "mood_range");
    EXPECT_EQ(type.type, 'r');
    EXPECT_EQ(type.category, 'R');
    EXPECT_EQ(type.subtype, Oid{16400});
    EXPECT_EQ(type.delimiter, ',');
    EXPECT_TRUE(type.has_send);
}

TEST(TableFactsTest, GivesACompositeItsAttributesInOrder) {
    const auto facts = read_table_facts(
        answer({attribute("16600", "street", "25"),
                attribute("16600", "number", "23"),
                {"t", "16600", "public", "address", "c", "C", "0", "0", "0", "0", ",", "t", "0"}}));
    ASSERT_TRUE(facts);
    ASSERT_EQ(facts->types.size(), 1U);
    ASSERT_EQ(facts->types[0].attributes.size(), 2U);
    EXPECT_EQ(facts->types[0].attributes[0].name, "street");
    EXPECT_EQ(facts->types[0].attributes[1].type, Oid{23});
}

TEST(TableFactsTest, GivesAnEnumerationItsLabelsAndADomainItsModifier) {
    const auto label = [](const char* type, const char* name, const char* place) -> Row {
        return {"l", type, "", name, "", "", "0", "0", "0", "0", "", "", place};
    };
    const auto facts = read_table_facts(answer(
        {label("16700", "glad", "1"),
         label("16700", "a,b", "2"),
         label("16701", "gone", "1"),
         {"t", "16700", "public", "mood", "e", "E", "0", "0", "0", "0", ",", "t", "-1"},
         {"t", "16702", "public", "short", "d", "S", "0", "1043", "0", "0", ",", "t", "24"}}));
    ASSERT_TRUE(facts);
    ASSERT_EQ(facts->types.size(), 2U);
    EXPECT_EQ(facts->types[0].labels, (std::vector<std::string>{"glad", "a,b"}));
    EXPECT_EQ(facts->types[0].modifier, -1);
    EXPECT_EQ(facts->types[1].modifier, 24);
    EXPECT_TRUE(facts->types[1].labels.empty());
}

TEST(TableFactsTest, IgnoresAttributesOfATypeThatVanishedMeanwhile) {
    const auto facts = read_table_facts(answer({attribute("16600", "street", "25")}));
    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->types.empty());
}

TEST(TableFactsTest, AVanishedTableHasNoKey) {
    const auto facts = read_table_facts(answer({}));
    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->primary_key.empty());
}

TEST(TableFactsTest, SaysOfEachColumnWhetherItMayBeNullAndItsDefaultAndComment) {
    const auto facts = read_table_facts(
        answer({{"c", "0", "", "id", "n", "who it is", "20", "0", "0", "0", "", "", "1"},
                {"c", "0", "'none'::text", "note", "", "", "25", "0", "0", "0", "", "", "2"},
                {"c", "0", "", "twice", "", "", "23", "0", "0", "0", "", "g", "4"},
                {"r", "16400", "", "", "", "what was sold", "0", "0", "0", "0", "", "", "0"}}));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->comment, "what was sold");
    ASSERT_EQ(facts->columns.size(), 3U);
    const ColumnFacts& id = facts->columns[0];
    EXPECT_EQ(id.name, "id");
    EXPECT_EQ(id.type, Oid{20});
    EXPECT_FALSE(id.nullable);
    EXPECT_FALSE(id.generated);
    EXPECT_EQ(id.default_expression, "");
    EXPECT_EQ(id.comment, "who it is");
    const ColumnFacts& note = facts->columns[1];
    EXPECT_TRUE(note.nullable);
    EXPECT_EQ(note.default_expression, "'none'::text");
    EXPECT_EQ(note.comment, "");
    EXPECT_TRUE(facts->columns[2].generated);
}

TEST(TableFactsTest, RefusesAnAnswerOfAnotherShape) {
    EXPECT_FALSE(read_table_facts(answer({{"k", "id"}})));
    EXPECT_FALSE(read_table_facts(answer({Row(13)})));
}

TEST(TableFactsTest, AsksOnlyForWhatTheVersionHas) {
    EXPECT_EQ(table_facts_query(100023, true).find("rngmultitypid"), std::string::npos);
    EXPECT_EQ(table_facts_query(100023, true).find("indnkeyatts"), std::string::npos);
    EXPECT_EQ(table_facts_query(130000, true).find("rngmultitypid"), std::string::npos);
    EXPECT_NE(table_facts_query(130000, true).find("indnkeyatts"), std::string::npos);
    EXPECT_NE(table_facts_query(180000, true).find("rngmultitypid"), std::string::npos);
    EXPECT_EQ(table_facts_query(140000, true).find("publication_namespace"), std::string::npos);
    EXPECT_NE(table_facts_query(150000, true).find("publication_namespace"), std::string::npos);
    EXPECT_EQ(table_facts_query(110000, true).find("attgenerated"), std::string::npos);
    EXPECT_NE(table_facts_query(120000, true).find("attgenerated"), std::string::npos);
    EXPECT_NE(table_facts_query(170000, true).find("indisunique"), std::string::npos);
    EXPECT_EQ(table_facts_query(170000, false).find("indisunique"), std::string::npos);
    EXPECT_EQ(table_facts_query(170000, true).find("convalidated"), std::string::npos);
    EXPECT_NE(table_facts_query(180000, true).find("convalidated"), std::string::npos);
}

TEST(TableFactsTest, ReadsWhyTheTableIsPublishedAndTheLogsEnd) {
    const auto with = [](std::string why) {
        return read_table_facts(answer(
            {{"w", "0", "", "16/B374D848", std::move(why), "", "0", "0", "0", "0", "", "", "0"}}));
    };
    EXPECT_EQ(with("a")->published, Published::all);
    EXPECT_EQ(with("l")->published, Published::listed);
    EXPECT_EQ(with("n")->published, Published::no);
    EXPECT_EQ(with("n")->log_end, (Lsn{0x16'B374'D848}));
    EXPECT_FALSE(with("n")->exists);
    EXPECT_EQ(read_table_facts(answer({}))->published, Published::unknown);
}

TEST(TableFactsTest, WritesTypesAsAnArray) {
    const std::vector<Oid> types{Oid{16400}, Oid{16401}};
    const auto parameters = table_facts_parameters(Oid{4294967295}, types);
    EXPECT_EQ(parameters, (Row{"4294967295", "{16400,16401}", "{}", ""}));
    EXPECT_EQ(table_facts_parameters(Oid{1}, {})[1], "{}");
    const std::vector<std::string> publications{"shop", R"(a"b\c)"};
    EXPECT_EQ(table_facts_parameters(Oid{1}, {}, publications)[2], R"({"shop","a\"b\\c"})");
}

}  // namespace
}  // namespace pgc
