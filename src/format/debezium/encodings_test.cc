// Whatever the types and values, Avro and Protobuf hold what JSON holds: messages of hostile rows,
// read back by their schemas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "format/debezium/debezium_format.h"
#include "support/decode_values.h"
#include "support/encode.h"
#include "support/format_context.h"
#include "support/hostile_rows.h"

namespace pgc {
namespace {

using test::AvroDecoder;
using test::Changes;
using test::HostileRows;
using test::Json;
using test::kContext;
using test::ProtobufDecoder;

TableFormatDeps deps(const FormatOptions& options, const DebeziumOptions& debezium) {
    return {.options = options,
            .debezium = debezium,
            .about = kContext,
            .topics = {.of_table = [](auto, auto) { return std::string{"topic"}; },
                       .messages = "messages",
                       .transactions = "transactions"},
            .heads = std::make_unique<NoHeads>()};
}

TableFormatDeps with_schemas(TableFormatDeps deps) {
    deps.debezium.nested_arrays = false;
    deps.heads = std::make_unique<EnvelopeHeads>();
    return deps;
}

// One object can't hold two members of one name.
bool has_plain_names(const Type& type) {
    std::set<std::string> names;
    for (const Field& field : type.fields) {
        if (!names.insert(field.name).second || !has_plain_names(*field.type)) return false;
    }
    return type.element == nullptr || has_plain_names(*type.element);
}

DebeziumOptions any_options(HostileRows& rows) {
    DebeziumOptions options;
    options.schemas = true;
    options.transaction_metadata = rows.pick(2) == 0;
    options.binary = static_cast<BinaryHandling>(rows.pick(4));
    options.hstore = static_cast<HstoreHandling>(rows.pick(2));
    options.decimal = static_cast<DecimalHandling>(rows.pick(3));
    options.time_precision = static_cast<TimePrecision>(rows.pick(7));
    options.interval = static_cast<IntervalHandling>(rows.pick(2));
    return options;
}

template <typename Decoder>
Json decoded(std::string_view bytes, const Json& schema) {
    try {
        return Decoder::decode(bytes, schema);
    } catch (const std::runtime_error& error) {
        return std::string{"not read: "} + error.what();
    }
}

// A null that a message's own schema has no place for.
bool is_forbidden_null(const Json& schema, const Json& value) {
    if (value.is_null()) return schema["optional"] == false;
    if (schema["type"] != "struct") return false;
    return std::ranges::any_of(schema["fields"], [&](const Json& field) {
        return is_forbidden_null(field, value[field["field"].get<std::string>()]);
    });
}

class EncodingsOfRowsTest : public testing::Test {
protected:
    void run(std::uint32_t seed) {
        std::mt19937 random{seed};
        HostileRows rows{[&] { return static_cast<std::uint32_t>(random()); }};
        Relation relation = rows.relation();
        for (std::size_t i = 0; i < relation.columns.size(); ++i) {
            Column& column = relation.columns[i];
            if (!has_plain_names(*column.type)) return;
            column.name = "c" + std::to_string(i);
            column.nullable = rows.pick(2) == 0;
        }
        const FormatOptions options{.invalid_utf8 = static_cast<InvalidUtf8>(rows.pick(3))};
        const DebeziumOptions debezium = any_options(rows);
        for (std::uint32_t i = 0; i < 6; ++i) {
            // Made for each: readers of hostile types leave members as the value before had them.
            DebeziumFormat<JsonEncoding> json{with_schemas(deps(options, debezium))};
            DebeziumFormat<AvroEncoding> avro{deps(options, debezium)};
            DebeziumFormat<ProtobufEncoding> protobuf{deps(options, debezium)};
            Changes changes;
            changes.begin(i + 1, Lsn{seed + 1});
            rows.change(changes, relation);
            compare(changes.batch(), json, avro, protobuf);
        }
    }

    void compare(const Batch& batch, Format& json, Format& avro, Format& protobuf) {
        RecordBatch texts;
        RecordBatch avros;
        RecordBatch protobufs;
        const auto written = test::encode_all(json, batch, texts);
        const bool done = written.has_value();
        const bool held = test::encode_all(avro, batch, avros).has_value();
        EXPECT_EQ(test::encode_all(protobuf, batch, protobufs).has_value(), held);
        EXPECT_EQ(held, done);
        if (!held || !done) {
            ++refused_;
            return;
        }
        ASSERT_EQ(avros.records.size(), texts.records.size());
        ASSERT_EQ(protobufs.records.size(), texts.records.size());
        for (std::size_t i = 0; i < texts.records.size(); ++i) {
            compare(texts.records[i], avros.records[i], protobufs.records[i]);
        }
    }

    void compare(const Record& json, const Record& avro, const Record& protobuf) {
        ASSERT_EQ(avro.has_key, json.has_key);
        ASSERT_EQ(avro.has_value, json.has_value);
        if (json.has_key) compare(json.key, avro.key, protobuf.key);
        if (json.has_value) compare(json.value, avro.value, protobuf.value);
    }

    void compare(std::string_view json, std::string_view avro, std::string_view protobuf) {
        const Json message = Json::parse(json);
        const Json& schema = message["schema"];
        EXPECT_FALSE(is_forbidden_null(schema, message["payload"])) << json;
        EXPECT_EQ(decoded<AvroDecoder>(avro, schema), message["payload"]) << json;
        EXPECT_EQ(decoded<ProtobufDecoder>(protobuf, schema), message["payload"]) << json;
        ++compared_;
    }

    int compared_ = 0;
    int refused_ = 0;
};

TEST_F(EncodingsOfRowsTest, HoldTheSame) {
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        run(seed);
        if (HasFailure()) break;
    }
    EXPECT_GT(compared_, 600);
    EXPECT_GT(refused_, 40);
}

TEST_F(EncodingsOfRowsTest, MarksOfTransactionsTooHoldTheSame) {
    DebeziumOptions debezium;
    debezium.schemas = true;
    debezium.transaction_metadata = true;
    const std::vector<TransactionMark::Table> tables{{"public", "users", 2}, {"s", "t", 1}};
    for (const auto kind : {TransactionMark::Kind::begin, TransactionMark::Kind::end}) {
        TransactionMark mark;
        mark.kind = kind;
        mark.xid = Xid{7};
        mark.events = 3;
        mark.tables = tables;
        RecordBatch texts;
        RecordBatch avros;
        RecordBatch protobufs;
        DebeziumFormat<JsonEncoding> json{with_schemas(deps({}, debezium))};
        DebeziumFormat<AvroEncoding> avro{deps({}, debezium)};
        DebeziumFormat<ProtobufEncoding> protobuf{deps({}, debezium)};
        ASSERT_TRUE(json.encode_mark(mark, texts));
        ASSERT_TRUE(avro.encode_mark(mark, avros));
        ASSERT_TRUE(protobuf.encode_mark(mark, protobufs));
        compare(texts.records.at(0), avros.records.at(0), protobufs.records.at(0));
    }
    EXPECT_EQ(compared_, 4);
}

TEST_F(EncodingsOfRowsTest, HeartbeatsTooHoldTheSame) {
    DebeziumOptions debezium;
    debezium.schemas = true;
    RecordBatch texts;
    RecordBatch avros;
    RecordBatch protobufs;
    DebeziumFormat<JsonEncoding> json{with_schemas(deps({}, debezium))};
    DebeziumFormat<AvroEncoding> avro{deps({}, debezium)};
    DebeziumFormat<ProtobufEncoding> protobuf{deps({}, debezium)};
    const WallTime at{.unix_us = 1'559'033'904'863'123};
    ASSERT_TRUE(json.encode_heartbeat(at, texts));
    ASSERT_TRUE(avro.encode_heartbeat(at, avros));
    ASSERT_TRUE(protobuf.encode_heartbeat(at, protobufs));
    compare(texts.records.at(0), avros.records.at(0), protobufs.records.at(0));
    EXPECT_EQ(compared_, 2);
    EXPECT_THAT(texts.records.at(0).value, testing::HasSubstr("1559033904863"));
}

}  // namespace
}  // namespace pgc
