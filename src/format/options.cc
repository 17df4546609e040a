#include "format/options.h"

#include <string_view>

#include "base/words.h"
#include "config/option_checker.h"

namespace pgc {
namespace {

constexpr auto kTypes = words_for<FormatType>({{"native", FormatType::native},
                                               {"debezium", FormatType::debezium},
                                               {"flat", FormatType::flat},
                                               {"csv", FormatType::csv}});
constexpr auto kEncodings =
    words_for<FormatEncoding>({{"json", FormatEncoding::json},
                               {"avro", FormatEncoding::avro},
                               {"protobuf", FormatEncoding::protobuf},
                               {"json_schema", FormatEncoding::json_schema}});
constexpr auto kDecimals = words_for<DecimalText>({{"string", DecimalText::string},
                                                   {"number", DecimalText::number},
                                                   {"double", DecimalText::nearest}});
constexpr auto kBigints =
    words_for<BigintText>({{"number", BigintText::number}, {"string", BigintText::string}});
constexpr auto kInvalid = words_for<InvalidUtf8>({{"fail", InvalidUtf8::fail},
                                                  {"base64", InvalidUtf8::base64},
                                                  {"replace", InvalidUtf8::replace}});

constexpr Option kOptions[] = {
    {.path = "format.type",
     .kind = OptionKind::choice,
     .fallback = "native",
     .help = "what messages look like",
     .doc = "`native`: as docs/reference/messages.md shows them. `debezium`: as the Debezium "
            "connector for PostgreSQL writes them, field for field, so that its consumers work "
            "unchanged; docs/reference/debezium.md has the details, and `format.debezium` its "
            "options under Debezium's names. `flat`: the row alone, as Debezium's "
            "ExtractNewRecordState makes it. `csv`: a line of a CSV file, for loaders; "
            "docs/reference/csv.md. With `sink: file` it is csv unless another one is named.",
     .words = kTypes.all()},
    {.path = "format.encoding",
     .kind = OptionKind::choice,
     .fallback = "json",
     .help = "how messages are written",
     .doc = "`avro`, `protobuf` and `json_schema` register each table's schemas with the registry "
            "at `format.registry.url` and write their number before each message, as Confluent's "
            "converters do. Not with `native`, whose messages are JSON, nor with `csv`.",
     .words = kEncodings.all()},
    {.path = "format.schemas_enable",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "each message with its schema",
     .doc = "As `key.converter.schemas.enable` and `value.converter.schemas.enable` of Kafka "
            "Connect's JsonConverter: `{\"schema\":…,\"payload\":…}`. Not with `native` and `csv`, "
            "which have none."},
    {.path = "format.decimal",
     .kind = OptionKind::choice,
     .fallback = "string",
     .help = "how numeric and money are written",
     .doc = "`string` keeps every digit whatever reads it. `number` writes the same digits as a "
            "JSON number: exact only for readers that don't turn numbers into doubles. `double` "
            "writes the nearest double. NaN, Infinity and, with `double`, what no double can "
            "hold are strings always. In `csv`: within `_before`.",
     .words = kDecimals.all()},
    {.path = "format.bigint",
     .kind = OptionKind::choice,
     .fallback = "number",
     .help = "how 64-bit integers are written",
     .doc = "`number` is exact for readers that keep 64-bit integers; those that turn JSON numbers "
            "into doubles (JavaScript, jq before 1.7) change what is beyond 2^53. `string` writes "
            "the digits between quotes, everywhere: in keys, arrays and composites too. Choose "
            "before the first message: a key written otherwise is another key. In `csv`: within "
            "`_before`.",
     .words = kBigints.all()},
    {.path = "format.invalid_utf8",
     .kind = OptionKind::choice,
     .fallback = "fail",
     .help = "what to do with text that is not UTF-8",
     .doc = "Databases with encoding SQL_ASCII hold such text, and UTF-8 ones where a C function "
            "wrote it. `fail` stops with an error "
            "that names table, column and LSN. `base64` writes the value's bytes in base64, "
            "`replace` puts U+FFFD for each broken part; both name the field in "
            "`source.invalid_utf8`. Keys are never replaced, because distinct keys would become "
            "one: with `replace` a broken key stops like `fail`.",
     .words = kInvalid.all()},
    {.path = "format.toast_placeholder",
     .kind = OptionKind::text,
     .fallback = "__pg_capture_unavailable_value",
     .help = "the text in place of an unchanged TOASTed value with source.toast: placeholder"},
    {.path = "format.tombstones",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "after a DELETE a second message with its key and no value",
     .doc = "In a compacted topic it removes the key's older messages in the end. Tables without "
            "a key have none. In `debezium` `format.debezium.tombstones_on_delete` decides it. Not "
            "with `csv`, whose lines have values."},
    {.path = "format.headers",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "with each message its position, in Kafka as the headers pgc.lsn and pgc.seq",
     .doc = "The LSN at which the transaction committed and the number of the change in it: "
            "together they rise with each change and distinguish a repeated message from a new "
            "one. Sinks that have no place for headers leave them out. In `debezium` they are only "
            "written where this is set to true."},
};

// Options that mean nothing in the other type of messages.
class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        const FormatType type = format_type(settings());
        for (const std::string_view path :
             {"format.decimal", "format.bigint", "format.toast_placeholder", "format.tombstones"}) {
            only_with(path, "format.type", !is_debezium_like(type),
                      "messages of Debezium's form have options of their own",
                      "leave it out, and set what format.debezium has for it");
        }
        if (type == FormatType::csv && settings().boolean("format.tombstones")) {
            contradiction({"format.tombstones", "format.type"}, "a line of CSV has a value",
                          "leave format.tombstones out, or set format.type to native");
        }
        const bool json = format_encoding(settings()) == FormatEncoding::json;
        if (!json && !is_debezium_like(type)) {
            contradiction(
                {"format.encoding", "format.type"},
                type == FormatType::csv ? "CSV has no other encoding" : "native messages are JSON",
                "set format.type to debezium or flat, or format.encoding to json");
        }
        if (!json && settings().boolean("format.schemas_enable")) {
            contradiction({"format.encoding", "format.schemas_enable"},
                          "the schemas are in the registry", "leave format.schemas_enable out");
        }
        registry(json);
        only_with("format.schemas_enable", "format.type", is_debezium_like(type),
                  "native messages and lines of CSV have no schema",
                  "set format.type to debezium, or leave it out");
    }

private:
    void registry(bool json) {
        constexpr std::string_view url = "format.registry.url";
        if (!settings().declared(url)) return;
        only_with(url, "format.encoding", !json, "JSON messages need no schema registry",
                  "set format.encoding to avro, protobuf or json_schema, or leave it out");
        if (!json && good(url) && settings().list(url).empty()) {
            add(url, "is not given, and format.encoding needs a schema registry",
                "set it to the registry's address: http://registry:8081");
        }
    }
};

void check_format(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

}  // namespace

const OptionTable kFormatOptions{
    .section = "format",
    .about = "The format of messages.",
    .options = kOptions,
    .check = check_format,
};

FormatOptions format_options(const Settings& settings) {
    FormatOptions options;
    options.decimal = settings.choice("format.decimal", kDecimals);
    options.bigint = settings.choice("format.bigint", kBigints);
    options.invalid_utf8 = settings.choice("format.invalid_utf8", kInvalid);
    options.toast_placeholder = settings.text("format.toast_placeholder");
    return options;
}

FormatEncoding format_encoding(const Settings& settings) {
    return settings.choice("format.encoding", kEncodings);
}

FormatType format_type(const Settings& settings) {
    return settings.choice("format.type", kTypes);
}

}  // namespace pgc
