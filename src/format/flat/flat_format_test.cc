#include "format/flat/flat_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
             .debezium = {.transaction_metadata = counts_},
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

    // "own VALUE" or "none VALUE" of each record.
    std::vector<std::string> written() const {
        std::vector<std::string> all;
        for (const Record& record : out_.records) {
            const bool goes = record.destination == Destination::own;
            all.push_back(std::string{goes ? "own " : "none "} + std::string{record.value});
        }
        return all;
    }

    Relation users_ = users();
    Changes changes_;
    RecordBatch out_;
    bool counts_ = false;
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

TEST_F(FlatFormatTest, FieldsOfAllBlocksHaveTheirValues) {
    using Of = FlatField::Of;
    counts_ = true;
    FlatOptions options;
    for (const auto& [of, field] : std::vector<std::pair<Of, const char*>>{
             {Of::envelope, "op"},     {Of::envelope, "ts_ms"},
             {Of::envelope, "ts_us"},  {Of::envelope, "ts_ns"},
             {Of::transaction, "id"},  {Of::transaction, "total_order"},
             {Of::source, "version"},  {Of::source, "connector"},
             {Of::source, "name"},     {Of::source, "db"},
             {Of::source, "schema"},   {Of::source, "table"},
             {Of::source, "ts_ms"},    {Of::source, "ts_us"},
             {Of::source, "ts_ns"},    {Of::source, "snapshot"},
             {Of::source, "sequence"}, {Of::source, "txId"},
             {Of::source, "lsn"},      {Of::source, "xmin"},
             {Of::source, "origin"},   {Of::transaction, "data_collection_order"}}) {
        options.headers.push_back({.of = of, .field = field, .name = field});
    }
    changes_.insert(users_, {changes_.text("7"), Changes::null()}).lsn = Lsn{9};
    ASSERT_TRUE(encode(options));
    std::vector<std::string> values;
    for (const RecordHeader& header : out_.records[0].headers().last(options.headers.size())) {
        values.push_back(header.value.data() == nullptr ? "null" : std::string{header.value});
    }
    EXPECT_EQ(values, (std::vector<std::string>{"c",
                                                "1634567890123",
                                                "1634567890123000",
                                                "1634567890123000000",
                                                "567:9",
                                                "1",
                                                "0.1.0",
                                                "postgresql",
                                                "cdc",
                                                "mydb",
                                                "public",
                                                "users",
                                                "1634567890100",
                                                "1634567890100000",
                                                "1634567890100000000",
                                                "false",
                                                "[\"9\",\"9\"]",
                                                "567",
                                                "9",
                                                "null",
                                                "null",
                                                "1"}));
}

const FlatField kTotalOrder{.of = FlatField::Of::transaction, .field = "total_order", .name = "n"};

TEST_F(FlatFormatTest, ADeletionThatIsLeftOutIsCounted) {
    counts_ = true;
    Relation keyless = users_;
    keyless.key.clear();
    keyless.slot = 1;
    changes_.remove(users_, {changes_.text("1"), Changes::absent()});
    changes_.insert(users_, {changes_.text("2"), Changes::null()});
    changes_.remove(keyless, {changes_.text("1"), Changes::null()});
    changes_.insert(users_, {changes_.text("3"), Changes::null()});
    const auto dropped = std::vector<std::string>{"none ", R"(own {"id":2,"name":null,"n":2})",
                                                  "none ", R"(own {"id":3,"name":null,"n":4})"};
    ASSERT_TRUE(encode({.deletes = FlatDeletes::drop, .fields = {kTotalOrder}}));
    EXPECT_EQ(written(), dropped);
    out_.records.clear();
    auto tombstone = dropped;
    tombstone[0] = "own ";
    ASSERT_TRUE(encode({.deletes = FlatDeletes::tombstone, .fields = {kTotalOrder}}));
    EXPECT_EQ(written(), tombstone);
}

TEST_F(FlatFormatTest, WhereNothingIsCountedWhatIsLeftOutIsNoRecord) {
    changes_.remove(users_, {changes_.text("1"), Changes::absent()});
    ASSERT_TRUE(encode({.deletes = FlatDeletes::drop}));
    EXPECT_TRUE(out_.records.empty());
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
