// Rows in Protobuf whose fields have the numbers that a registry has for them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "format/debezium/debezium_format.h"
#include "format/flat/flat_format.h"
#include "format/heads/protobuf_heads.h"
#include "support/changes.h"
#include "support/encode.h"
#include "support/kept_schemas.h"

namespace pgc {
namespace {

using namespace test;

class NumberedRowsTest : public testing::Test {
protected:
    void SetUp() override {
        users_.columns[0].nullable = false;
        changes_.begin(567, Lsn{5});
        changes_.insert(users_, {changes_.text("7"), changes_.text("Jo")});
    }
    TableFormatDeps deps() {
        return {
            .options = {},
            .debezium = {},
            .about = {.version = "0", .database = "shop", .name = "cdc", .run = "1"},
            .topics = {.of_table = [](auto, auto) { return std::string{"t"}; },
                       .messages = "messages",
                       .transactions = "transactions"},
            .heads = std::make_unique<ProtobufHeads>(registry_, memory_, ProtobufHeads::Options{})};
    }

    KeptSchemas registry_;
    ProtobufMemory memory_;
    Relation users_ = users();
    Changes changes_;
    RecordBatch out_;
};

TEST_F(NumberedRowsTest, AFlatRow) {
    registry_.add("t-key", "message Key { int64 id = 3; }");
    registry_.add("t-value",
                  "message Value { optional string name = 1; optional string __op = 6; }");
    FlatFormat<ProtobufEncoding> format{deps(),
                                        {.fields = {{FlatField::Of::envelope, "op", "__op"}}}};
    const auto done = encode_all(format, changes_.batch(), out_);
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(out_.records[0].key.substr(6), "\x18\x07");
    EXPECT_EQ(out_.records[0].value.substr(6),
              "\x38\x07\x0A\x02Jo\x32\x01"
              "c");
}

TEST_F(NumberedRowsTest, ATableWithoutATopicIsRefusedBeforeTheRegistryIsAsked) {
    auto with_collision = deps();
    with_collision.topics.of_table = [](auto, auto) -> Result<std::string> {
        return std::unexpected(stop(Error::Category::configuration, "two tables, one topic"));
    };
    FlatFormat<ProtobufEncoding> format{std::move(with_collision), {}};
    const auto done = format.encode(changes_.batch(), 0, out_);
    ASSERT_FALSE(done) << "no record alone is refused";
    EXPECT_EQ(done.error().what, "two tables, one topic");
    EXPECT_EQ(registry_.asked, 0);
    EXPECT_TRUE(registry_.subjects.empty());
    EXPECT_TRUE(out_.records.empty());
}

constexpr const char* kMoved =
    "message Envelope { Value before = 1; Value after = 2; message Value { int64 id = 2; optional "
    "string name = 1; } }";

TEST_F(NumberedRowsTest, AnEnvelope) {
    registry_.add("t-value", kMoved);
    DebeziumFormat<ProtobufEncoding> format{deps()};
    const auto done = encode_all(format, changes_.batch(), out_);
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(out_.records[0].key.substr(6), "\x08\x07");
    EXPECT_EQ(out_.records[0].value.substr(6, 8), "\x12\x06\x10\x07\x0A\x02Jo");
}

TEST_F(NumberedRowsTest, AnEnvelopeWhoseOwnFieldsHaveOtherNumbersIsRefused) {
    registry_.add("t-value", "message Envelope { string op = 4; }");
    DebeziumFormat<ProtobufEncoding> format{deps()};
    for (int i = 0; i < 2; ++i) {
        const auto done = encode_all(format, changes_.batch(), out_);
        ASSERT_FALSE(done);
        EXPECT_NE(done.error().what.find("for the field \"before\""), std::string::npos)
            << done.error().what;
    }
}

TEST_F(NumberedRowsTest, WhileItWaitsNoMemoryIsNeeded) {
    registry_.pending = true;
    DebeziumFormat<ProtobufEncoding> format{deps()};
    const std::size_t before = out_.arena.capacity();
    for (int turn = 0; turn < 10'000; ++turn) {
        const auto waits = format.encode(changes_.batch(), 0, out_);
        ASSERT_TRUE(waits && waits->why == Encoded::Why::waits);
    }
    EXPECT_EQ(out_.arena.capacity(), before);
    registry_.pending = false;
    ASSERT_TRUE(encode_all(format, changes_.batch(), out_));
    EXPECT_EQ(out_.records[0].headers().size(), 4U);
}

TEST_F(NumberedRowsTest, AHeartbeatWhoseFieldsHaveOtherNumbersIsRefused) {
    registry_.add("heartbeats-value", "message Heartbeat { int64 ts_ms = 3; }");
    TableFormatDeps parts = deps();
    parts.topics.heartbeats = "heartbeats";
    DebeziumFormat<ProtobufEncoding> format{std::move(parts)};
    const auto done = format.encode_heartbeat({}, out_);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what.find("for the field \"ts_ms\""), std::string::npos)
        << done.error().what;
}

TEST_F(NumberedRowsTest, ANullInAColumnThatIsNotNullTodayIsNone) {
    registry_.add("t-value", kMoved);
    users_.columns[1].nullable = false;
    changes_.insert(users_, {changes_.text("8"), Changes::null()});
    DebeziumFormat<ProtobufEncoding> format{deps()};
    const auto done = encode_all(format, changes_.batch(), out_);
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(out_.records[1].value.substr(6, 4), "\x12\x02\x10\x08");
    EXPECT_EQ(registry_.subjects["t-value"].size(), 3U) << "with a name that is optional";
}

}  // namespace
}  // namespace pgc
