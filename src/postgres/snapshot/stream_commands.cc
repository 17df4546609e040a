#include "postgres/snapshot/stream_commands.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/value.h"
#include "postgres/snapshot/commands.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/markers.h"

namespace pgc {
namespace {

struct Signal {
    std::string id;
    std::string type;
    std::string data;
};

// Text, also of a value that came in binary.
std::string signal_text(const Type& type, const Cell& cell) {
    Scratch scratch;
    if (auto text = key_text(type, cell, scratch)) return std::move(*text);
    Value value;
    const bool is_json = cell.state == Cell::State::binary && type.kind == Kind::json &&
                         type.read_binary != nullptr &&
                         type.read_binary(type, cell.bytes(), scratch, value);
    return std::string{is_json ? value.text : std::string_view{}};
}

// New rows of the signal table, if it has one in the batch.
std::vector<Signal> signals_in(const Batch& batch, const SnapshotConfig& config) {
    std::vector<Signal> signals;
    if (config.signal_table.empty()) return signals;
    const auto is_signals = [&](const RelationPtr& relation) {
        return relation->name == config.signal_table && relation->schema == config.signal_schema;
    };
    if (std::ranges::none_of(batch.relations(), is_signals)) return signals;
    for (const Change& change : batch.changes) {
        if (change.operation != Operation::insert || change.relation->name != config.signal_table ||
            change.relation->schema != config.signal_schema) {
            continue;
        }
        Signal signal;
        for (std::size_t i = 0; i < change.relation->columns.size(); ++i) {
            const std::string& column = change.relation->columns[i].name;
            const auto value = [&] {
                return signal_text(*change.relation->columns[i].type, change.after[i]);
            };
            if (column == "id") signal.id = value();
            if (column == "type") signal.type = value();
            if (column == "data") signal.data = value();
        }
        signals.push_back(std::move(signal));
    }
    return signals;
}

void add_request(std::string_view content, Lsn commit, StreamCommands& to) {
    auto command = command_of_message(content);
    if (!command) return to.faults.push_back(std::move(command.error()));
    if (command->request.reload) command->request.reload->at = commit;
    to.commands.push_back({std::move(*command), RequestedBy::message});
}

void add_marker(const Change& change, Lsn commit, StreamCommands& to) {
    const auto marker = marker_of_message(change.message->prefix, change.message->content);
    if (!marker) return to.faults.push_back(marker.error());
    if (!*marker) return;
    to.commands.push_back({command_of_marker(**marker, change.lsn, commit), RequestedBy::message});
}

void add_messages(const Batch& batch, StreamCommands& to) {
    for (const Transaction& transaction : batch.transactions) {
        for (std::uint32_t i = 0; i < transaction.count; ++i) {
            const Change& change = batch.changes[transaction.first + i];
            if (change.message == nullptr) continue;
            if (change.message->prefix == kSnapshotPrefix) {
                add_request(change.message->content, transaction.commit_lsn, to);
            } else {
                add_marker(change, transaction.commit_lsn, to);
            }
        }
    }
}

}  // namespace

StreamCommands commands_in(const Batch& batch, const SnapshotConfig& config, bool has_messages) {
    StreamCommands all;
    if (has_messages && config.messages) add_messages(batch, all);
    for (const auto& [id, type, data] : signals_in(batch, config)) {
        auto found = commands_of_signal(id, type, data);
        if (!found) {
            all.faults.push_back(std::move(found.error()));
            continue;
        }
        for (SnapshotCommand& command : *found) all.commands.push_back({std::move(command)});
    }
    return all;
}

}  // namespace pgc
