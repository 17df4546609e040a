// What the user can say about messages in Debezium's form: format.debezium.*, under Debezium's
// names and values, dots turned into underscores.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "config/option.h"
#include "config/settings.h"
#include "core/named_columns.h"
#include "core/operation.h"

namespace pgc {

enum class TimePrecision : std::uint8_t {
    adaptive,
    adaptive_time_microseconds,
    connect,
    isostring,
    microseconds,
    nanoseconds,
    structured,
};
enum class DecimalHandling : std::uint8_t { precise, string, nearest };
enum class BinaryHandling : std::uint8_t { bytes, base64, base64_url_safe, hex };
enum class IntervalHandling : std::uint8_t { numeric, string };
enum class HstoreHandling : std::uint8_t { json, map };
enum class NameAdjustment : std::uint8_t { none, avro, avro_unicode };

struct DebeziumOptions {
    TimePrecision time_precision = TimePrecision::adaptive;
    DecimalHandling decimal = DecimalHandling::precise;
    BinaryHandling binary = BinaryHandling::bytes;
    IntervalHandling interval = IntervalHandling::numeric;
    HstoreHandling hstore = HstoreHandling::json;
    NameAdjustment field_names = NameAdjustment::none;
    NameAdjustment schema_names = NameAdjustment::none;
    std::string unavailable_value = "__debezium_unavailable_value";  // as in placeholder.h
    bool tombstones = true;
    bool transaction_metadata = false;
    Duration heartbeat_interval{0};  // 0: none are sent
    bool extended_headers = true;
    bool schemas = false;  // each message with its schema
    // Arrays of several dimensions are arrays of arrays. Where messages have schemas, whose arrays
    // have one, their elements follow one another.
    bool nested_arrays = true;
    bool docs = false;  // comments of tables and columns go into their schemas
    bool skipped[kOperations] = {};
};

extern const OptionTable kDebeziumOptions;

// Of settings without faults.
DebeziumOptions debezium_options(const Settings& settings);

// message_key_columns: for the source, which names a record's key. Empty where it is not given.
NamedColumns debezium_message_keys(const Settings& settings);

}  // namespace pgc
