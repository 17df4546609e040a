#include "postgres/snapshot/commands.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "observe/json_reader.h"

namespace pgc {
namespace {

using Verb = SnapshotCommand::Verb;

// The texts of a list up to the first element that is something else.
std::vector<std::string> texts(const Json& list) {
    std::vector<std::string> all;
    for (const Json& element : list.elements()) {
        auto text = element.text();
        if (!text) break;
        all.push_back(std::move(*text));
    }
    return all;
}

std::optional<Verb> verb_called(std::string_view word) noexcept {
    if (word == "start" || word == "reload" || word == "execute-snapshot") return Verb::start;
    if (word == "pause" || word == "pause-snapshot") return Verb::pause;
    if (word == "resume" || word == "resume-snapshot") return Verb::resume;
    if (word == "cancel" || word == "stop-snapshot") return Verb::cancel;
    return std::nullopt;
}

std::map<std::string, std::string> conditions(const Json& list) {
    std::map<std::string, std::string> all;
    for (const Json& condition : list.elements()) {
        const auto table = condition.member("data-collection").text();
        const auto filter = condition.member("filter").text();
        if (!table || !filter) break;
        all.emplace(*table, *filter);
    }
    return all;
}

SnapshotCommand start(std::string id, std::vector<std::string> tables, std::string where) {
    return {
        .verb = Verb::start,
        .request = {.id = std::move(id), .tables = std::move(tables), .where = std::move(where)}};
}

}  // namespace

Result<SnapshotCommand, std::string> command_of_message(std::string_view content) {
    const auto message = read_json(content);
    if (!message) return std::unexpected("its content is not a JSON object");
    const std::string word = message->member("command").text().value_or("start");
    const auto verb = verb_called(word);
    if (!verb) {
        return std::unexpected("its command is not one of start, reload, pause, resume, cancel");
    }
    SnapshotCommand command{.verb = *verb,
                            .request = {.id = message->member("id").text().value_or(""),
                                        .tables = texts(message->member("tables")),
                                        .where = {}}};
    if (word == "reload") command.request.reload = {.by = std::string{kOrderedByMessage}};
    if (!is_snapshot_id(command.request.id)) {
        return std::unexpected("its id may have 1 to 64 letters, digits, _, - and . only");
    }
    if (*verb == Verb::start && command.request.tables.empty()) {
        return std::unexpected("it names no tables");
    }
    if (message->member("where").exists()) {
        return std::unexpected(
            "a message, which every role may emit, can't bring a condition: use "
            "the signal table or the API");
    }
    return command;
}

Result<std::vector<SnapshotCommand>, std::string> commands_of_signal(std::string_view id,
                                                                     std::string_view type,
                                                                     std::string_view data) {
    const auto verb = verb_called(type);
    if (!verb) return std::vector<SnapshotCommand>{};  // a signal for somebody else
    if (*verb == Verb::start && !is_snapshot_id(id)) {
        return std::unexpected("its id may have 1 to 64 letters, digits, _, - and . only");
    }
    if (*verb != Verb::start && data.empty()) {
        return std::vector<SnapshotCommand>{{.verb = *verb, .request = {.id = {}, .tables = {}}}};
    }
    const auto json = read_json(data);
    if (!json) return std::unexpected("its data is not a JSON object");
    auto tables = texts(json->member("data-collections"));
    if (*verb != Verb::start) {
        return std::vector<SnapshotCommand>{
            {.verb = *verb, .request = {.id = {}, .tables = std::move(tables)}}};
    }
    if (tables.empty()) return std::unexpected("it names no data-collections");
    const auto filters = conditions(json->member("additional-conditions"));
    std::vector<SnapshotCommand> commands;
    std::vector<std::string> unfiltered;
    for (std::string& table : tables) {
        const auto filter = filters.find(table);
        if (filter == filters.end()) {
            unfiltered.push_back(std::move(table));
        } else if (tables.size() == 1) {
            commands.push_back(start(std::string{id}, {table}, filter->second));
        } else {
            commands.push_back(
                start(fmt::format("{}-{}", id, commands.size() + 1), {table}, filter->second));
        }
    }
    if (!unfiltered.empty()) commands.push_back(start(std::string{id}, std::move(unfiltered), ""));
    return commands;
}

}  // namespace pgc
