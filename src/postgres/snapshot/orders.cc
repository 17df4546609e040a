#include "postgres/snapshot/orders.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "observe/json_reader.h"

namespace pgc {
namespace {

using Command = SnapshotOrder::Command;

std::vector<std::string> texts(const JsonFields& fields, std::string_view path) {
    std::vector<std::string> all;
    while (auto text = fields.text(fmt::format("{}.{}", path, all.size()))) {
        all.push_back(std::move(*text));
    }
    return all;
}

std::optional<Command> command_called(std::string_view word) noexcept {
    if (word == "start" || word == "execute-snapshot") return Command::start;
    if (word == "pause" || word == "pause-snapshot") return Command::pause;
    if (word == "resume" || word == "resume-snapshot") return Command::resume;
    if (word == "cancel" || word == "stop-snapshot") return Command::cancel;
    return std::nullopt;
}

std::map<std::string, std::string> conditions(const JsonFields& fields) {
    std::map<std::string, std::string> all;
    for (std::size_t i = 0;; ++i) {
        const auto table = fields.text(fmt::format("additional-conditions.{}.data-collection", i));
        const auto filter = fields.text(fmt::format("additional-conditions.{}.filter", i));
        if (!table || !filter) return all;
        all.emplace(*table, *filter);
    }
}

SnapshotOrder start(std::string id, std::vector<std::string> tables, std::string where) {
    return {
        .command = Command::start,
        .request = {.id = std::move(id), .tables = std::move(tables), .where = std::move(where)}};
}

}  // namespace

Result<SnapshotOrder, std::string> order_of_message(std::string_view content) {
    const auto fields = read_json(content);
    if (!fields) return std::unexpected("its content is no JSON object");
    const auto command = command_called(fields->text("command").value_or("start"));
    if (!command) return std::unexpected("its command is none of start, pause, resume, cancel");
    SnapshotOrder order{.command = *command,
                        .request = {.id = fields->text("id").value_or(""),
                                    .tables = texts(*fields, "tables"),
                                    .where = {}}};
    if (!is_snapshot_id(order.request.id)) {
        return std::unexpected("its id is not one of 1 to 64 letters, digits, _, - and .");
    }
    if (*command == Command::start && order.request.tables.empty()) {
        return std::unexpected("it names no tables");
    }
    if (fields->has("where")) {
        return std::unexpected(
            "a message, which every role may emit, can't bring a condition: use "
            "the signal table or the API");
    }
    return order;
}

Result<std::vector<SnapshotOrder>, std::string> orders_of_signal(std::string_view id,
                                                                 std::string_view type,
                                                                 std::string_view data) {
    const auto command = command_called(type);
    if (!command) return std::vector<SnapshotOrder>{};  // a signal for somebody else
    if (*command == Command::start && !is_snapshot_id(id)) {
        return std::unexpected("its id is not one of 1 to 64 letters, digits, _, - and .");
    }
    if (*command != Command::start && data.empty()) {
        return std::vector<SnapshotOrder>{
            {.command = *command, .request = {.id = {}, .tables = {}}}};
    }
    const auto fields = read_json(data);
    if (!fields) return std::unexpected("its data is no JSON object");
    auto tables = texts(*fields, "data-collections");
    if (*command != Command::start) {
        return std::vector<SnapshotOrder>{
            {.command = *command, .request = {.id = {}, .tables = std::move(tables)}}};
    }
    if (tables.empty()) return std::unexpected("it names no data-collections");
    const auto filters = conditions(*fields);
    std::vector<SnapshotOrder> orders;
    std::vector<std::string> unfiltered;
    for (std::string& table : tables) {
        const auto filter = filters.find(table);
        if (filter == filters.end()) {
            unfiltered.push_back(std::move(table));
        } else if (tables.size() == 1) {
            orders.push_back(start(std::string{id}, {table}, filter->second));
        } else {
            orders.push_back(
                start(fmt::format("{}-{}", id, orders.size() + 1), {table}, filter->second));
        }
    }
    if (!unfiltered.empty()) orders.push_back(start(std::string{id}, std::move(unfiltered), ""));
    return orders;
}

}  // namespace pgc
