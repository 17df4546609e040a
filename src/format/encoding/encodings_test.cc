// The same values in each encoding, put together as a plan does it: header, constant bytes, values.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/encoding/avro_encoding.h"
#include "format/encoding/json_encoding.h"
#include "format/encoding/protobuf_encoding.h"
#include "format/encoding/wire_header.h"
#include "support/connect_schemas.h"

namespace pgc {
namespace {

using namespace test;
using enum ConnectType;

// What `write` writes.
template <typename Write>
std::string written(Write&& write) {
    Arena arena;
    Writer out;
    out.begin(arena);
    write(out);
    return std::string{out.finish()};
}

std::string raw(const char* text, std::size_t size) {
    return {text, size};
}

// {id int, name text null, seen text null}: 7, Jo, null.
template <typename E>
std::string person() {
    const std::vector<ConnectField> fields{{"id", shared(required(int32))},
                                           {"name", shared(nullable(string))},
                                           {"seen", shared(nullable(string))}};
    return written([&](Writer& out) {
        TextRules rules;
        const auto start = E::begin_message(out);
        out.text(E::field(fields[0], 0).present);
        E::integer(out, 7);
        out.text(E::field(fields[1], 1).present);
        EXPECT_TRUE(E::text(rules, out, "Jo"));
        out.text(E::field(fields[2], 2).absent);
        E::end_message(out, start);
    });
}

TEST(EncodingsTest, AMessage) {
    EXPECT_EQ(person<JsonEncoding>(), R"({"id":7,"name":"Jo","seen":null})");
    EXPECT_EQ(person<AvroEncoding>(), raw("\x0E\2\4Jo\0", 6));
    EXPECT_EQ(person<ProtobufEncoding>(), "\x08\x07\x12\x02Jo");
}

// A structure within a message, of one number and as many bytes of text.
template <typename E>
std::string nested(std::size_t size) {
    const ConnectField outer{"o", shared(optional(struct_of("s", {})))};
    const ConnectField inner{"i", shared(required(string))};
    return written([&](Writer& out) {
        const auto start = E::begin_message(out);
        out.text(E::field(outer, 0).present);
        const auto structure = E::begin_structure(out);
        out.text(E::field(inner, 0).present);
        E::plain(out, std::string(size, 'x'));
        E::end_structure(out, structure);
        E::end_message(out, start);
    });
}

TEST(EncodingsTest, AStructureWithinAMessage) {
    EXPECT_EQ(nested<JsonEncoding>(1), R"({"o":{"i":"x"}})");
    EXPECT_EQ(nested<AvroEncoding>(1), "\x02\x02x");
    EXPECT_EQ(nested<ProtobufEncoding>(1), "\x0A\x03\x0A\x01x");
    EXPECT_EQ(nested<AvroEncoding>(200), "\x02\x90\x03" + std::string(200, 'x'));
    EXPECT_EQ(nested<ProtobufEncoding>(200), "\x0A\xCB\x01\x0A\xC8\x01" + std::string(200, 'x'));
}

// [3, null, -1]
template <typename E>
std::string an_array() {
    const FieldBytes element = E::element(nullable(int32));
    return written([&](Writer& out) {
        const auto start = E::begin_array(out, 3);
        for (const int value : {3, 0, -1}) {
            if (value != 3) E::next(out);
            if (value == 0) {
                E::null_element(out, element);
                continue;
            }
            const auto one = E::begin_element(out, element);
            E::integer(out, value);
            E::end_element(out, one);
        }
        E::end_array(out, start);
    });
}

TEST(EncodingsTest, AnArrayWithANull) {
    EXPECT_EQ(an_array<JsonEncoding>(), "[3,null,-1]");
    EXPECT_EQ(an_array<AvroEncoding>(), raw("\6\2\6\0\2\1\0", 7));
    EXPECT_EQ(an_array<ProtobufEncoding>(),
              raw("\x13"
                  "\x0A\x02\x08\x03"
                  "\x0A\x00"
                  "\x0A\x0B\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
                  20));
}

template <typename E>
std::string empty_array() {
    return written([](Writer& out) { E::end_array(out, E::begin_array(out, 0)); });
}

TEST(EncodingsTest, AnEmptyArray) {
    EXPECT_EQ(empty_array<JsonEncoding>(), "[]");
    EXPECT_EQ(empty_array<AvroEncoding>(), raw("\0", 1));
    EXPECT_EQ(empty_array<ProtobufEncoding>(), raw("\0", 1));
}

// a => b, c => null
template <typename E>
std::string a_map() {
    const EntryBytes entry = E::entry(map_of(required(string), nullable(string)));
    return written([&](Writer& out) {
        TextRules rules;
        const auto start = E::begin_map(out, 2);
        auto one = E::begin_entry(out, entry);
        EXPECT_TRUE(E::text(rules, out, "a"));
        out.text(entry.value.present);
        EXPECT_TRUE(E::text(rules, out, "b"));
        E::end_entry(out, entry, one);
        E::next(out);
        one = E::begin_entry(out, entry);
        EXPECT_TRUE(E::text(rules, out, "c"));
        out.text(entry.value.absent);
        E::end_entry(out, entry, one);
        E::end_map(out, start);
    });
}

TEST(EncodingsTest, AMap) {
    EXPECT_EQ(a_map<JsonEncoding>(), R"({"a":"b","c":null})");
    EXPECT_EQ(a_map<AvroEncoding>(), raw("\4\2a\2\2b\2c\0\0", 10));
    EXPECT_EQ(a_map<ProtobufEncoding>(),
              "\x0D\x0A\x06\x0A\x01"
              "a\x12\x01"
              "b\x0A\x03\x0A\x01"
              "c");
}

// 5 => 1.0
template <typename E>
std::string pair() {
    const EntryBytes entry = E::entry(map_of(required(int16), required(float64)));
    return written([&](Writer& out) {
        const auto start = E::begin_array(out, 1);
        const auto one = E::begin_entry(out, entry);
        E::integer(out, 5);
        out.text(entry.value.present);
        E::real64(out, 1.0);
        E::end_entry(out, entry, one);
        E::end_array(out, start);
    });
}

TEST(EncodingsTest, AMapWhoseKeysAreNoTexts) {
    EXPECT_EQ(pair<JsonEncoding>(), "[[5,1.0]]");
    EXPECT_EQ(pair<AvroEncoding>(), raw("\2\x0A\0\0\0\0\0\0\xF0\x3F\0", 11));
    EXPECT_EQ(pair<ProtobufEncoding>(), raw("\x0D\x0A\x0B\x08\x05\x11\0\0\0\0\0\0\xF0\x3F", 14));
}

template <typename E>
std::string scalars() {
    return written([](Writer& out) {
        E::boolean(out, true);
        E::real32(out, 1.0F);
        E::bytes(out, "\xFF");
        E::decimal(out, "\x01\xF4", 2);
    });
}

TEST(EncodingsTest, Scalars) {
    EXPECT_EQ(scalars<JsonEncoding>(), R"(true1.0"/w==""AfQ=")");
    EXPECT_EQ(scalars<AvroEncoding>(), raw("\1\0\0\x80\x3F\2\xFF\4\x01\xF4", 10));
    EXPECT_EQ(scalars<ProtobufEncoding>(), raw("\1\0\0\x80\x3F\1\xFF\6\x0A\2\x01\xF4\x18\2", 14));
}

TEST(EncodingsTest, InAvroADefaultMovesNull) {
    const FieldBytes field =
        AvroEncoding::field({"f", shared(with_default(nullable(string), R"("new")"))}, 0);
    EXPECT_EQ(field.present, raw("\0", 1));
    EXPECT_EQ(field.absent, "\2");
    EXPECT_EQ(AvroEncoding::field({"f", shared(with_default(required(int32), "1"))}, 0).present,
              "");
}

TEST(EncodingsTest, InProtobufAFieldMayHaveANumberOfItsOwn) {
    const auto tag = [](ConnectSchema schema, std::uint32_t number) {
        return ProtobufEncoding::field({"f", shared(std::move(schema)), number}, 4).present;
    };
    EXPECT_EQ(tag(required(int64), 0), "\x28");
    EXPECT_EQ(tag(required(boolean), 1), "\x08");
    EXPECT_EQ(tag(required(float64), 1), "\x09");
    EXPECT_EQ(tag(required(float32), 1), "\x0D");
    EXPECT_EQ(tag(array_of(required(int32)), 1), "\x0A");
    EXPECT_EQ(tag(required(string), 16), "\x82\x01");
}

template <typename E>
std::string broken(InvalidUtf8 how, bool in_key = false) {
    TextRules rules{.invalid_utf8 = how, .in_key = in_key};
    bool done = false;
    std::string text = written([&](Writer& out) { done = E::text(rules, out, "a\xFF"); });
    EXPECT_EQ(done, rules.fault == ValueFault::none);
    EXPECT_EQ(done, rules.met_invalid_utf8);
    return done ? text : "refused";
}

TEST(EncodingsTest, ATextThatIsNotUtf8) {
    EXPECT_EQ(broken<AvroEncoding>(InvalidUtf8::fail), "refused");
    EXPECT_EQ(broken<AvroEncoding>(InvalidUtf8::base64), "\x08Yf8=");
    EXPECT_EQ(broken<AvroEncoding>(InvalidUtf8::replace),
              "\x08"
              "a\xEF\xBF\xBD");
    EXPECT_EQ(broken<ProtobufEncoding>(InvalidUtf8::fail), "refused");
    EXPECT_EQ(broken<ProtobufEncoding>(InvalidUtf8::base64, true), "\x04Yf8=");
    EXPECT_EQ(broken<ProtobufEncoding>(InvalidUtf8::replace),
              "\x04"
              "a\xEF\xBF\xBD");
    EXPECT_EQ(broken<ProtobufEncoding>(InvalidUtf8::replace, true), "refused");
}

TEST(WireHeaderTest, IsAZeroAndTheNumberOfTheSchema) {
    EXPECT_EQ(wire_header(0xA1B2C3D4), raw("\0\xA1\xB2\xC3\xD4", 5));
}

TEST(WireHeaderTest, ProtobufSaysWhichMessageOfTheFile) {
    EXPECT_EQ(protobuf_wire_header(1, 0), raw("\0\0\0\0\1\0", 6));
    EXPECT_EQ(protobuf_wire_header(1, 2), raw("\0\0\0\0\1\2\4", 7));
}

}  // namespace
}  // namespace pgc
