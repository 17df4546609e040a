#include "postgres/snapshot/markers.h"

#include <algorithm>
#include <utility>

#include "observe/json_reader.h"
#include "pgclient/quote.h"

namespace pgc {
namespace {

using FoundMarker = Result<std::optional<ExportMarker>, std::string>;

constexpr std::string_view kExportStart = "EXPORT_START";
constexpr std::string_view kExportEnd = "EXPORT_END";

std::string_view first_word(std::string_view text) {
    constexpr std::string_view kSpaces = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    return text.substr(0, text.find_first_of(kSpaces));
}

// A comment like any other says nothing.
FoundMarker marker_called(const Json& message, std::string_view word) {
    if (word != kExportStart && word != kExportEnd) return std::nullopt;
    auto schema = message.member("schema").text();
    auto table = message.member("name").text();
    if (!schema || !table || schema->empty() || table->empty()) {
        return std::unexpected("it does not name a schema and a table");
    }
    return ExportMarker{
        .starts = word == kExportStart, .schema = std::move(*schema), .table = std::move(*table)};
}

FoundMarker marker_of_ddl(std::string_view content) {
    // Most DDL is no marker, and may be long.
    if (!content.contains("EXPORT_")) return std::nullopt;
    const auto message = read_json(content);
    if (!message || message->member("command").text() != "COMMENT" ||
        message->member("object_type").text() != "table") {
        return std::nullopt;
    }
    return marker_called(*message, first_word(message->member("comment").text().value_or("")));
}

}  // namespace

FoundMarker marker_of_message(std::string_view prefix, std::string_view content) {
    if (prefix == kDdlPrefix) return marker_of_ddl(content);
    if (prefix != kMarkerPrefix) return std::nullopt;
    const auto message = read_json(content);
    if (!message) return std::unexpected("its content is not a JSON object");
    auto marker = marker_called(*message, message->member("marker").text().value_or(""));
    if (marker && !*marker) {
        return std::unexpected("its marker is neither EXPORT_START nor EXPORT_END");
    }
    return marker;
}

SnapshotCommand command_of_marker(const ExportMarker& marker, Lsn at, Lsn commit) {
    SnapshotCommand command{
        .verb = marker.starts ? SnapshotCommand::Verb::start : SnapshotCommand::Verb::cancel,
        .request = {.id = {}, .tables = {quote_name(marker.schema, marker.table)}}};
    command.request.reload = {.by = std::string{kOrderedByMarker}, .at = commit};
    if (!marker.starts) return command;
    command.request.id = "reload-" + to_string(at);
    std::ranges::replace(command.request.id, '/', '-');
    return command;
}

}  // namespace pgc
