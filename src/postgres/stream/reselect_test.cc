#include "postgres/stream/reselect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReselectTest : public ::testing::Test {
protected:
    ReselectTest() {
        relation_.schema = "public";
        relation_.name = "users";
        relation_.columns = {{.name = "id", .type = nullptr},
                             {.name = "bio", .type = nullptr},
                             {.name = "ssn", .type = nullptr, .captured = false}};
        relation_.key = {0};
    }
    static Cell text(std::string_view bytes) {
        return {bytes.data(), static_cast<std::uint32_t>(bytes.size()), Cell::State::text};
    }
    static Cell unchanged() { return {nullptr, 0, Cell::State::unchanged}; }
    Reselection asked() const { return reselection({&relation_, row_}); }
    static Rows row(std::vector<std::optional<std::string>> values) {
        Rows rows;
        rows.rows.push_back(std::move(values));
        return rows;
    }

    Relation relation_;
    std::array<Cell, 3> row_{text("7"), unchanged(), unchanged()};
};

TEST_F(ReselectTest, AsksForTheUnsentColumnsThatAreCaptured) {
    const Reselection reselection = asked();
    EXPECT_THAT(reselection.places, ElementsAre(1U));
    EXPECT_THAT(reselection.query.text, HasSubstr("SELECT \"bio\" FROM \"public\".\"users\""));
    EXPECT_THAT(reselection.query.parameters, ElementsAre(std::optional<std::string>{"7"}));
    EXPECT_FALSE(reselection.query.may_repeat);
}

TEST_F(ReselectTest, NoValueStandsInTheText) {
    row_[0] = text("'; DROP TABLE users; --");
    EXPECT_EQ(asked().query.text.find("DROP"), std::string::npos);
}

TEST_F(ReselectTest, GivesTheValuesTheirPlaces) {
    const Reselected values = reselected(asked(), row({"long"}));
    ASSERT_EQ(values.columns.size(), 1U);
    EXPECT_EQ(values.columns[0].place, 1U);
    EXPECT_EQ(values.columns[0].text, "long");
}

TEST_F(ReselectTest, ARowThatIsGoneGivesNothing) {
    EXPECT_THAT(reselected(asked(), Rows{}).columns, IsEmpty());
}

TEST_F(ReselectTest, AnAnswerOfAnotherShapeGivesNothing) {
    EXPECT_THAT(reselected(asked(), row({"a", "b"})).columns, IsEmpty());
}

}  // namespace
}  // namespace pgc
