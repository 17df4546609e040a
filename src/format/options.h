// What the user can say about formats: format.*.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/option.h"
#include "config/settings.h"
#include "core/name_pattern.h"

namespace pgc {

// What messages look like.
enum class FormatType : std::uint8_t { native, debezium, flat, csv };

// Its messages are Debezium's, or made of them: format.debezium is about them.
constexpr bool is_debezium_like(FormatType type) noexcept {
    return type == FormatType::debezium || type == FormatType::flat;
}

// How messages are written.
enum class FormatEncoding : std::uint8_t { json, avro, protobuf, json_schema };

enum class DecimalText : std::uint8_t {
    string,   // "12.50": exact, whatever reads it
    number,   // 12.50: exact only for a reader that keeps the digits
    nearest,  // 12.5: the nearest double; `double` in the configuration
};

// bigint and what is made of it; everywhere, keys included.
enum class BigintText : std::uint8_t {
    number,  // exact only for a reader that doesn't make a double of it
    string,
};

// What becomes of text that is not UTF-8 (a SQL_ASCII database hands out any bytes).
enum class InvalidUtf8 : std::uint8_t { fail, base64, replace };

// What becomes of a TOASTed value that did not change, so that the server did not send it.
enum class UnsentToast : std::uint8_t { omit, placeholder };

struct FormatOptions {
    DecimalText decimal = DecimalText::string;
    BigintText bigint = BigintText::number;
    InvalidUtf8 invalid_utf8 = InvalidUtf8::fail;
    // Not of format.*: follows source.toast, set by whoever builds the pipeline.
    UnsentToast unsent_toast = UnsentToast::omit;
    std::string toast_placeholder = "__pg_capture_unavailable_value";
};

extern const OptionTable kFormatOptions;

FormatOptions format_options(const Settings& settings);

FormatType format_type(const Settings& settings);
FormatEncoding format_encoding(const Settings& settings);

// The topics that messages go to, by which their schemas are known to a registry.
struct MessageTopics {
    // An Error, of a table that has none, ends the attempt.
    std::function<Result<std::string>(std::string_view schema, std::string_view table)> of_table;
    std::string messages;
    std::string transactions;
    std::string heartbeats{};
};

// What a format says of the program and of the source in each message.
struct FormatContext {
    std::string version;
    std::string connector = "pg-capture";
    std::string database;
    std::string name;  // what topics and schemas begin with
    std::string run;   // which start of the program this is
};

}  // namespace pgc
