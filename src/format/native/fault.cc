#include "format/native/fault.h"

#include <fmt/format.h>

#include <utility>

namespace pgc {
namespace {

using Fault = RowWriter::Fault;

Error error_of(Fault fault) {
    constexpr auto data = Error::Category::data;
    switch (fault) {
        case Fault::none: break;
        case Fault::not_of_type:
            return stop(Error::Category::protocol,
                        "a value does not have the binary form of its column's type");
        case Fault::not_utf8:
            return stop(data, "a value is not UTF-8 text")
                .with_hint("set format.invalid_utf8 to base64 or replace");
        case Fault::not_utf8_in_key:
            return stop(data, "a value of a key is not UTF-8 text, and keys are never replaced")
                .with_hint("set format.invalid_utf8 to base64");
        case Fault::key_unknown:
            return stop(data, "the server did not send the key of a changed row")
                .with_hint("update the server to its latest minor release, or exclude the table");
    }
    return stop(Error::Category::internal, "a message can't be written");
}

}  // namespace

Error row_failure(const RowWriter& row, const Change& change) {
    Error error = error_of(row.fault());
    if (change.relation == nullptr) {
        return std::move(error).at(fmt::format("logical message, LSN {}", to_string(change.lsn)));
    }
    return std::move(error).at(
        fmt::format("table {}, column {}, LSN {}", qualified_name(*change.relation),
                    change.relation->columns[row.failed_column()].name, to_string(change.lsn)));
}

}  // namespace pgc
