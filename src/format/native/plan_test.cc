#include "format/native/plan.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/changes.h"
#include "support/format_context.h"

namespace pgc {
namespace {

using test::column;
using test::kContext;
using test::users;

TEST(NativePlanTest, ConstantPartsAreJoined) {
    const auto plan = compile_plan(users(), {}, kContext);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->heads[static_cast<std::size_t>(Operation::update)],
              R"({"schema":"public","table":"users","op":"UPDATE","ts_ms":)");
    EXPECT_EQ(plan->source, R"(,"db":"mydb","schema":"public","table":"users","lsn":")");
    EXPECT_EQ(plan->columns[1].name, R"(,"name":)");
    ASSERT_EQ(plan->key.size(), 1U);
    EXPECT_EQ(plan->key[0].name, R"({"id":)");
}

TEST(NativePlanTest, NamesAreEscaped) {
    Relation relation = users();
    relation.schema = "a\"b";
    relation.name = "c\\d\n";
    relation.columns[1].name = "é\t";
    const auto plan = compile_plan(relation, {}, kContext);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->heads[0], R"({"schema":"a\"b","table":"c\\d\n","op":"INSERT","ts_ms":)");
    EXPECT_EQ(plan->columns[1].name, R"(,"é\t":)");
}

TEST(NativePlanTest, BrokenNamesFailWithTheTablesOid) {
    Relation relation = users();
    relation.columns[1].name = "caf\xE9";
    const auto plan = compile_plan(relation, {}, kContext);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().category, Error::Category::data);
    EXPECT_EQ(plan.error().where, "table with OID 16384");
}

TEST(NativePlanTest, BrokenNamesOfFieldsFailToo) {
    Relation relation = users();
    const TypePtr point =
        test::type(Kind::composite, nullptr, {{"caf\xE9", test::type(Kind::integer)}});
    relation.columns[1].type = test::type(Kind::array, point);
    EXPECT_FALSE(compile_plan(relation, {}, kContext));
    EXPECT_TRUE(compile_plan(relation, {.invalid_utf8 = InvalidUtf8::base64}, kContext));
}

TEST(NativePlanTest, BrokenNamesAreBase64WhereBrokenTextIsAllowed) {
    Relation relation = users();
    relation.columns[1].name = "caf\xE9";
    for (const InvalidUtf8 policy : {InvalidUtf8::base64, InvalidUtf8::replace}) {
        const auto plan = compile_plan(relation, {.invalid_utf8 = policy}, kContext);
        ASSERT_TRUE(plan);
        EXPECT_EQ(plan->columns[1].name, R"(,"Y2Fm6Q==":)");
    }
}

TEST(NativePlanTest, MessagesBelongToNoTable) {
    const TablePlan plan = compile_message_plan(kContext);
    EXPECT_EQ(plan.heads[static_cast<std::size_t>(Operation::message)],
              R"({"schema":null,"table":null,"op":"MESSAGE","ts_ms":)");
}

}  // namespace
}  // namespace pgc
