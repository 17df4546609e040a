#include "format/native/value.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/changes.h"

namespace pgc {
namespace {

using test::integer_value;
using test::null_value;
using test::real_value;
using test::text_value;
using test::type;
using Fault = ValueContext::Fault;

class NativeValueTest : public testing::Test {
protected:
    // What is written, or nothing when the writer refuses; then context_.fault says why.
    std::optional<std::string> write(const Type& of, const Value& value) {
        Arena arena;
        Writer out;
        out.begin(arena);
        const ValuePlan plan = compile_value(of, options_);
        if (!plan.write(context_, out, plan, value)) {
            return std::nullopt;
        }
        return std::string{out.finish()};
    }
    std::string text(const TypePtr& of, const Value& value) {
        return write(*of, value).value_or("refused");
    }
    std::string text(Kind kind, const Value& value) { return text(type(kind), value); }

    static Value list(std::span<const Value> values) {
        Value value;
        value.list = values;
        return value;
    }
    static Value range(std::span<const Value> bounds, bool lower, bool upper) {
        Value value = list(bounds);
        value.range_flags = {.lower_inclusive = lower, .upper_inclusive = upper};
        return value;
    }

    FormatOptions options_;
    ValueContext context_;
};

TEST_F(NativeValueTest, BigintsMayBeStringsWhereverTheyStand) {
    options_.bigint = BigintText::string;
    const TypePtr big = type(Kind::integer);
    Type small = *big;
    small.width = 4;
    EXPECT_EQ(text(big, integer_value(9007199254740993)), R"("9007199254740993")");
    EXPECT_EQ(write(small, integer_value(7)), "7") << "an integer is no bigint";
    const std::array<Value, 2> both{integer_value(INT64_MIN), integer_value(1)};
    Value array = list(both);
    const Dimension dimension{.length = 2};
    array.dimensions = {&dimension, 1};
    EXPECT_EQ(text(type(Kind::array, big), array), R"(["-9223372036854775808","1"])");
    EXPECT_EQ(text(type(Kind::composite, nullptr, {{"a", big}, {"b", type(Kind::text)}}),
                   list(std::array<Value, 2>{integer_value(5), text_value("x")})),
              R"({"a":"5","b":"x"})");
    EXPECT_EQ(text(type(Kind::range, big), range(both, true, false)),
              "\"[-9223372036854775808,1)\"")
        << "a bound is the same text as ever";
}

TEST_F(NativeValueTest, BooleansAndIntegersAreJsonsOwn) {
    EXPECT_EQ(text(Kind::boolean, integer_value(1)), "true");
    EXPECT_EQ(text(Kind::boolean, integer_value(0)), "false");
    EXPECT_EQ(text(Kind::integer, integer_value(-42)), "-42");
    EXPECT_EQ(text(Kind::integer, integer_value(4'294'967'295)), "4294967295");
}

TEST_F(NativeValueTest, RealsOfFourBytesHaveTheDigitsOfFourBytes) {
    EXPECT_EQ(text(Kind::real32, real_value(static_cast<double>(0.1F))), "0.1");
    EXPECT_EQ(text(Kind::real64, real_value(static_cast<double>(0.1F))), "0.10000000149011612");
}

TEST_F(NativeValueTest, RealsThatAreNoNumbersAreStrings) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(text(Kind::real64, real_value(std::nan(""))), R"("NaN")");
    EXPECT_EQ(text(Kind::real64, real_value(infinity)), R"("Infinity")");
    EXPECT_EQ(text(Kind::real32, real_value(-infinity)), R"("-Infinity")");
    EXPECT_EQ(text(Kind::real32, real_value(1e300)), R"("Infinity")");
}

TEST_F(NativeValueTest, DecimalsAreStringsOfTheirDigits) {
    EXPECT_EQ(text(Kind::decimal, text_value("12.500")), R"("12.500")");
    EXPECT_EQ(text(Kind::decimal, text_value("NaN")), R"("NaN")");
}

TEST_F(NativeValueTest, DecimalsAsNumbersKeepTheirDigits) {
    options_.decimal = DecimalText::number;
    EXPECT_EQ(text(Kind::decimal, text_value("123456789012345678901234567890.500")),
              "123456789012345678901234567890.500");
    EXPECT_EQ(text(Kind::decimal, text_value("-Infinity")), R"("-Infinity")");
    EXPECT_EQ(text(Kind::decimal, text_value("NaN")), R"("NaN")");
}

TEST_F(NativeValueTest, DecimalsAsDoublesAreTheNearestOrAString) {
    options_.decimal = DecimalText::nearest;
    EXPECT_EQ(text(Kind::decimal, text_value("12.500")), "12.5");
    EXPECT_EQ(text(Kind::decimal, text_value("0.1000000000000000055")), "0.1");
    EXPECT_EQ(text(Kind::decimal, text_value("NaN")), R"("NaN")");
    EXPECT_EQ(text(Kind::decimal, text_value("Infinity")), R"("Infinity")");
    const std::string huge = "1" + std::string(400, '0');
    EXPECT_EQ(text(Kind::decimal, text_value(huge)), '"' + huge + '"');
}

TEST_F(NativeValueTest, TextsAreEscaped) {
    EXPECT_EQ(text(Kind::text, text_value("a \"b\"\n")), R"("a \"b\"\n")");
    EXPECT_EQ(text(Kind::text, text_value("")), R"("")");
    EXPECT_EQ(text(Kind::enumeration, text_value("sad")), R"("sad")");
    EXPECT_EQ(text(Kind::bits, text_value("0101")), R"("0101")");
    EXPECT_EQ(text(Kind::uuid, text_value("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
              R"("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")");
}

TEST_F(NativeValueTest, BytesAreBase64) {
    EXPECT_EQ(text(Kind::bytes, text_value(std::string_view{"\0\xFF\x10", 3})), R"("AP8Q")");
    EXPECT_EQ(text(Kind::bytes, text_value("")), R"("")");
}

TEST_F(NativeValueTest, BrokenTextFailsUnlessToldOtherwise) {
    EXPECT_EQ(text(Kind::text, text_value("caf\xE9")), "refused");
    EXPECT_EQ(context_.fault, Fault::not_utf8);
}

TEST_F(NativeValueTest, BrokenTextCanBeBase64) {
    context_.invalid_utf8 = InvalidUtf8::base64;
    EXPECT_EQ(text(Kind::text, text_value("caf\xE9")), R"("Y2Fm6Q==")");
    EXPECT_TRUE(context_.met_invalid_utf8);
}

TEST_F(NativeValueTest, BrokenTextCanBeReplaced) {
    context_.invalid_utf8 = InvalidUtf8::replace;
    EXPECT_EQ(text(Kind::text, text_value("caf\xE9")), "\"caf\uFFFD\"");
    EXPECT_TRUE(context_.met_invalid_utf8);
}

TEST_F(NativeValueTest, NothingIsReplacedInAKey) {
    context_.in_key = true;
    context_.invalid_utf8 = InvalidUtf8::replace;
    EXPECT_EQ(text(Kind::text, text_value("caf\xE9")), "refused");
    EXPECT_EQ(context_.fault, Fault::not_utf8_in_key);
    context_.invalid_utf8 = InvalidUtf8::base64;
    EXPECT_EQ(text(Kind::text, text_value("caf\xE9")), R"("Y2Fm6Q==")");
}

TEST_F(NativeValueTest, DocumentsAreEmbeddedOnOneLine) {
    EXPECT_EQ(text(Kind::json, text_value("{\"a\":\n [1, 2.50]}")), "{\"a\":  [1, 2.50]}");
    EXPECT_FALSE(context_.met_unreadable);
}

TEST_F(NativeValueTest, WhatIsNoDocumentIsShownAsTextAndSaidSo) {
    EXPECT_EQ(text(Kind::json, text_value(R"({"a":)")), R"("{\"a\":")");
    EXPECT_TRUE(context_.met_unreadable);
    context_.met_unreadable = false;
    EXPECT_EQ(text(Kind::json, text_value(R"("\ud800")")), R"("\"\\ud800\"")");
    EXPECT_TRUE(context_.met_unreadable);
}

TEST_F(NativeValueTest, DocumentsWithBrokenBytesFollowTheRuleForText) {
    EXPECT_EQ(text(Kind::json, text_value("\"\xFF\"")), "refused");
    EXPECT_EQ(context_.fault, Fault::not_utf8);
    context_.invalid_utf8 = InvalidUtf8::base64;
    EXPECT_EQ(text(Kind::json, text_value("\"\xFF\"")), R"("Iv8i")");
}

TEST_F(NativeValueTest, TimesAreStrings) {
    EXPECT_EQ(text(Kind::date, integer_value(8688)), R"("2023-10-15")");
    EXPECT_EQ(text(Kind::time, integer_value(37'800'000'000)), R"("10:30:00")");
    EXPECT_EQ(text(Kind::timestamp, integer_value(0)), R"("2000-01-01T00:00:00")");
    EXPECT_EQ(text(Kind::timestamp_tz, integer_value(0)), R"("2000-01-01T00:00:00Z")");
    EXPECT_EQ(text(Kind::timestamp_tz, integer_value(kInfinity)), R"("infinity")");
    Value zoned = integer_value(37'800'000'000);
    zoned.zone_seconds = 7200;
    EXPECT_EQ(text(Kind::time_tz, zoned), R"("10:30:00+02:00")");
    Value interval;
    interval.interval = {.months = 1, .days = 2, .microseconds = 3'000'000};
    EXPECT_EQ(text(Kind::interval, interval), R"("P1M2DT3S")");
}

TEST_F(NativeValueTest, ATimeThatIsNoneIsRefused) {
    EXPECT_EQ(text(Kind::time, integer_value(-1)), "refused");
    EXPECT_EQ(context_.fault, Fault::not_of_type);
}

TEST_F(NativeValueTest, ArraysNestByTheirDimensions) {
    const TypePtr integers = type(Kind::array, type(Kind::integer));
    const std::array<Value, 6> elements{integer_value(1), integer_value(2), null_value(),
                                        integer_value(4), integer_value(5), integer_value(6)};
    const std::array<Dimension, 1> flat{{{6, 1}}};
    const std::array<Dimension, 2> table{{{2, 1}, {3, -5}}};
    const std::array<Dimension, 3> cube{{{3, 1}, {1, 1}, {2, 1}}};
    Value value = list(elements);
    value.dimensions = flat;
    EXPECT_EQ(text(integers, value), "[1,2,null,4,5,6]");
    value.dimensions = table;
    EXPECT_EQ(text(integers, value), "[[1,2,null],[4,5,6]]");
    value.dimensions = cube;
    EXPECT_EQ(text(integers, value), "[[[1,2]],[[null,4]],[[5,6]]]");
}

TEST_F(NativeValueTest, AnEmptyArrayHasNoDimensions) {
    EXPECT_EQ(text(type(Kind::array, type(Kind::text)), Value{}), "[]");
}

TEST_F(NativeValueTest, ArraysWhoseDimensionsLieAreRefused) {
    const TypePtr integers = type(Kind::array, type(Kind::integer));
    const std::array<Value, 2> elements{integer_value(1), integer_value(2)};
    Value value = list(elements);
    EXPECT_EQ(text(integers, value), "refused");
    const std::array<std::vector<Dimension>, 6> lies{{
        {{3, 1}},
        {{1, 1}},
        {{0, 1}},
        {{-2, 1}, {-1, 1}},
        {{2'147'483'647, 1}, {2'147'483'647, 1}, {2'147'483'647, 1}},
        {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {2, 1}},
    }};
    for (const auto& dimensions : lies) {
        value.dimensions = dimensions;
        EXPECT_EQ(text(integers, value), "refused");
        EXPECT_EQ(context_.fault, Fault::not_of_type);
    }
}

TEST_F(NativeValueTest, CompositesAreObjects) {
    const TypePtr address = type(Kind::composite, nullptr,
                                 {{"street \"x\"", type(Kind::text)},
                                  {"number", type(Kind::integer)},
                                  {"zip", type(Kind::text)}});
    const std::array<Value, 3> fields{text_value("Main"), integer_value(5), null_value()};
    EXPECT_EQ(text(address, list(fields)), R"({"street \"x\"":"Main","number":5,"zip":null})");
    EXPECT_EQ(text(address, list(std::span{fields}.first(2))), "refused");
}

TEST_F(NativeValueTest, ACompositeWithoutFieldsIsAnEmptyObject) {
    EXPECT_EQ(text(type(Kind::composite), Value{}), "{}");
}

TEST_F(NativeValueTest, RangesAreWrittenAsPostgresDoes) {
    const TypePtr integers = type(Kind::range, type(Kind::integer));
    const std::array<Value, 2> both{integer_value(1), integer_value(10)};
    const std::array<Value, 2> open{null_value(), integer_value(5)};
    const std::array<Value, 2> endless{null_value(), null_value()};
    Value empty;
    empty.range_flags.empty = true;
    EXPECT_EQ(text(integers, range(both, true, false)), R"~("[1,10)")~");
    EXPECT_EQ(text(integers, range(open, false, true)), R"~("(,5]")~");
    EXPECT_EQ(text(integers, range(endless, false, false)), R"~("(,)")~");
    EXPECT_EQ(text(integers, empty), R"~("empty")~");
    EXPECT_EQ(text(integers, Value{}), "refused");
}

TEST_F(NativeValueTest, BoundsLookAsTheirValuesDoElsewhere) {
    const std::array<Value, 2> moments{integer_value(0), integer_value(kInfinity)};
    EXPECT_EQ(text(type(Kind::range, type(Kind::timestamp_tz)), range(moments, true, false)),
              R"~("[2000-01-01T00:00:00Z,infinity)")~");
    const std::array<Value, 2> dates{integer_value(-746'117), integer_value(0)};
    EXPECT_EQ(text(type(Kind::range, type(Kind::date)), range(dates, true, false)),
              R"~("[\"0044-03-15 BC\",2000-01-01)")~");
    const std::array<Value, 2> decimals{text_value("1.50"), text_value("2.00")};
    EXPECT_EQ(text(type(Kind::range, type(Kind::decimal)), range(decimals, true, true)),
              R"~("[1.50,2.00]")~");
}

TEST_F(NativeValueTest, BoundsThatNeedQuotesHaveThem) {
    const TypePtr texts = type(Kind::range, type(Kind::text));
    const std::array<Value, 2> awkward{text_value(R"~(a"b\c)~"), text_value("")};
    EXPECT_EQ(text(texts, range(awkward, true, false)), R"~("[\"a\"\"b\\\\c\",\"\")")~");
    const std::array<Value, 2> spaced{text_value("a\nb"), text_value("x,y")};
    EXPECT_EQ(text(texts, range(spaced, true, false)), R"~("[\"a\nb\",\"x,y\")")~");
    const std::array<Value, 2> plain{text_value("é"), text_value("z")};
    EXPECT_EQ(text(texts, range(plain, true, false)), R"~("[é,z)")~");
}

TEST_F(NativeValueTest, BoundsThatAreDocumentsAreQuoted) {
    const std::array<Value, 2> documents{text_value(R"~({"a":"b\n"})~"), null_value()};
    EXPECT_EQ(text(type(Kind::range, type(Kind::json)), range(documents, true, false)),
              R"~("[\"{\"\"a\"\":\"\"b\\\\n\"\"}\",)")~");
}

TEST_F(NativeValueTest, MultirangesListTheirRanges) {
    const TypePtr integers = type(Kind::multirange, type(Kind::range, type(Kind::integer)));
    const std::array<Value, 2> low{integer_value(1), integer_value(3)};
    const std::array<Value, 2> high{integer_value(5), integer_value(8)};
    const std::array<Value, 2> ranges{range(low, true, false), range(high, true, false)};
    EXPECT_EQ(text(integers, list(ranges)), R"~("{[1,3),[5,8)}")~");
    EXPECT_EQ(text(integers, Value{}), R"~("{}")~");
}

TEST_F(NativeValueTest, MapsAreObjectsOfTexts) {
    const std::array<Value, 4> entries{text_value("a\""), text_value("1"), text_value("b"),
                                       null_value()};
    EXPECT_EQ(text(Kind::map, list(entries)), R"({"a\"":"1","b":null})");
    EXPECT_EQ(text(Kind::map, Value{}), "{}");
    EXPECT_EQ(text(Kind::map, list(std::span{entries}.first(3))), "refused");
}

TEST_F(NativeValueTest, NamesInAMapAreNeverReplaced) {
    const std::array<Value, 2> entries{text_value("\xE9"), text_value("\xE9")};
    EXPECT_EQ(text(Kind::map, list(entries)), "refused");
    context_.invalid_utf8 = InvalidUtf8::replace;
    EXPECT_EQ(text(Kind::map, list(entries)), "{\"6Q==\":\"\uFFFD\"}");
}

TEST_F(NativeValueTest, CompoundValuesNest) {
    const TypePtr point = type(Kind::composite, nullptr, {{"x", type(Kind::integer)}});
    const std::array<Value, 1> one{integer_value(1)};
    const std::array<Value, 2> points{list(one), null_value()};
    const std::array<Dimension, 1> dimensions{{{2, 1}}};
    Value value = list(points);
    value.dimensions = dimensions;
    EXPECT_EQ(text(type(Kind::array, point), value), R"([{"x":1},null])");
}

TEST_F(NativeValueTest, BrokenTextDeepInsideIsTold) {
    const std::array<Value, 1> elements{text_value("\xFF")};
    const std::array<Dimension, 1> dimensions{{{1, 1}}};
    Value value = list(elements);
    value.dimensions = dimensions;
    EXPECT_EQ(text(type(Kind::array, type(Kind::text)), value), "refused");
    context_.invalid_utf8 = InvalidUtf8::base64;
    EXPECT_EQ(text(type(Kind::array, type(Kind::text)), value), R"(["/w=="])");
    EXPECT_TRUE(context_.met_invalid_utf8);
}

TEST_F(NativeValueTest, NamesThatAreNotUtf8AreBase64) {
    EXPECT_EQ(json_name("caf\xE9"), R"("Y2Fm6Q==":)");
    EXPECT_EQ(json_name("a\"b"), R"("a\"b":)");
}

}  // namespace
}  // namespace pgc
