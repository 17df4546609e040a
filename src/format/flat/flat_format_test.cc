#include "format/flat/flat_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/changes.h"
#include "support/encode.h"

namespace pgc {
namespace {

using test::Changes;
using test::column;
using test::encode_all;
using test::users;

class FlatFormatTest : public testing::Test {
protected:
    void SetUp() override { changes_.begin(567, Lsn{0x1634FF0}); }

    Result<void> encode(FlatOptions options) {
        FlatFormat<JsonEncoding> format{
            {.options = {},
             .debezium = {},
             .about = {.version = "0.1.0", .database = "mydb", .name = "cdc", .run = "7"},
             .topics = {.of_table = [](auto, auto) { return std::string{"topic"}; },
                        .messages = "messages",
                        .transactions = "transactions"},
             .heads = std::make_unique<NoHeads>()},
            std::move(options)};
        auto done = encode_all(format, changes_.batch(), out_);
        if (!done) return std::unexpected(std::move(done.error()));
        return {};
    }

    Relation users_ = users();
    Changes changes_;
    RecordBatch out_;
};

TEST_F(FlatFormatTest, AColumnThatIsCalledAsAnAddedFieldIsRefused) {
    users_.columns.push_back(column("__deleted"));
    changes_.insert(users_, {changes_.text("1"), Changes::null(), changes_.text("a")});
    EXPECT_TRUE(encode({.deletes = FlatDeletes::tombstone}));
    const auto done = encode({.deletes = FlatDeletes::rewrite});
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what.find("\"__deleted\""), std::string::npos);
}

TEST_F(FlatFormatTest, ColumnsInHeadersAreTextsAsTheyAreAndElseJson) {
    const FlatOptions options{
        .headers = {{.of = FlatField::Of::after, .field = "name", .name = "__name"},
                    {.of = FlatField::Of::after, .field = "id", .name = "__id"},
                    {.of = FlatField::Of::before, .field = "name", .name = "__was"}}};
    changes_.insert(users_, {changes_.text("7"), changes_.text("a \"b\"\n\x01\\")});
    changes_.insert(users_, {changes_.text("8"), changes_.text("")});
    changes_.insert(users_, {changes_.text("9"), Changes::null()});
    ASSERT_TRUE(encode(options));
    const auto header = [&](std::size_t i, std::string_view name) {
        const auto headers = out_.records.at(i).headers();
        return std::ranges::find(headers, name, &RecordHeader::name)->value;
    };
    EXPECT_EQ(header(0, "__name"), "a \"b\"\n\x01\\");
    EXPECT_EQ(header(0, "__id"), "7");
    EXPECT_EQ(header(0, "__was").data(), nullptr);
    EXPECT_EQ(header(1, "__name"), "");
    EXPECT_NE(header(1, "__name").data(), nullptr);
    EXPECT_EQ(header(2, "__name").data(), nullptr);
}

constexpr std::size_t kNeeded = 100'000;  // bytes for one value
std::size_t most_held = 0;

bool read_at_length(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    scratch.allocate<char>(kNeeded);
    most_held = std::max(most_held, scratch.capacity());
    out.text = bytes;
    return true;
}

TEST_F(FlatFormatTest, KeysOfDeletionsAreNotHeldAfterTheirRecord) {
    auto type = std::make_shared<Type>(*users_.columns[0].type);
    type->kind = Kind::text;
    type->read_text = read_at_length;
    users_.columns[0].type = type;
    for (int i = 0; i < 100; ++i) {
        changes_.remove(users_, {changes_.text("1"), Changes::absent()});
    }
    EXPECT_TRUE(encode({.deletes = FlatDeletes::tombstone}));
    EXPECT_EQ(out_.records.size(), 100U);
    EXPECT_LT(most_held, 20 * kNeeded);
}

}  // namespace
}  // namespace pgc
