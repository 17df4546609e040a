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
