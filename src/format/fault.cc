#include "format/fault.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "core/old_key.h"

namespace pgc {
namespace {

Error error_of(ValueFault fault) {
    constexpr auto data = Error::Category::data;
    switch (fault) {
        case ValueFault::none:
        case ValueFault::old_key_unknown: break;
        case ValueFault::not_of_type:
            return stop(Error::Category::protocol,
                        "a value does not have the binary form of its column's type");
        case ValueFault::altered:
            return stop(data, "a value does not have the form that its column's type has today")
                .with_hint(
                    "the type was altered since: as JSON without schemas the value can be "
                    "written as PostgreSQL printed it (format.encoding json, "
                    "format.schemas_enable false); or exclude the column until the stream "
                    "is past this change");
        case ValueFault::not_utf8:
            return stop(data, "a value is not UTF-8 text")
                .with_hint("set format.invalid_utf8 to base64 or replace");
        case ValueFault::not_utf8_in_key:
            return stop(data, "a value of a key is not UTF-8 text, and keys are never replaced")
                .with_hint("set format.invalid_utf8 to base64");
        case ValueFault::key_unknown:
            return stop(data, "the server did not send the key of a changed row")
                .with_hint("update the server to its latest minor release, or exclude the table");
        case ValueFault::no_number:
            return stop(data,
                        "a numeric value is NaN or an infinity, which the messages can't hold")
                .with_hint("set format.debezium.decimal_handling_mode to string or double");
        case ValueFault::out_of_range:
            return stop(data, "a time is too far away to be written in the chosen unit")
                .with_hint("choose another format.debezium.time_precision_mode");
        case ValueFault::null_required:
            return stop(data, "a value is null, and its column is NOT NULL today")
                .with_hint("drop NOT NULL until the stream is past this change");
    }
    return stop(Error::Category::internal, "a message can't be written");
}

Error old_key_unknown(const Change& change) {
    std::string columns;
    for (const std::uint32_t place : unsent_key_columns(change)) {
        if (!columns.empty()) columns += ", ";
        columns += change.relation->columns[place].name;
    }
    if (change.relation->message_key.empty()) {
        return stop(Error::Category::data,
                    fmt::format("the server did not send what an UPDATE or DELETE needs of the "
                                "old row to have the key of a unique index: {}",
                                columns))
            .with_hint(
                "the replica identity of a partition was another one then: until such changes are "
                "through, name columns that all partitions send in source.message_keys, or exclude "
                "the table");
    }
    return stop(Error::Category::data,
                fmt::format("the server did not send what an UPDATE or DELETE needs of the old row "
                            "to have the configured message key: {}",
                            columns))
        .with_hint(
            fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL, for changes from then on; for "
                        "those logged before, take the table out of the configured message "
                        "keys until they are through",
                        sql_name(*change.relation)));
}

}  // namespace

Error change_failure(ValueFault fault, const Change& change, std::uint32_t column) {
    Error error = fault == ValueFault::old_key_unknown ? old_key_unknown(change) : error_of(fault);
    if (change.relation == nullptr) {
        return std::move(error).at(fmt::format("logical message, LSN {}", to_string(change.lsn)));
    }
    return std::move(error).at(
        fmt::format("table {}, column {}, LSN {}", qualified_name(*change.relation),
                    change.relation->columns[column].name, to_string(change.lsn)));
}

}  // namespace pgc
