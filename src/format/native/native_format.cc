#include "format/native/native_format.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>

#include "format/json/string.h"

namespace pgc {
namespace {

using Fault = RowWriter::Fault;

std::int64_t milliseconds(WallTime time) noexcept {
    return time.unix_us / 1000;
}

bool same_bytes(const Cell& a, const Cell& b) noexcept {
    return a.state == b.state && a.bytes() == b.bytes();
}

Error error_of(Fault fault) {
    constexpr auto data = Error::Category::data;
    switch (fault) {
        case Fault::none: break;
        case Fault::not_of_type:
            return stop(Error::Category::protocol,
                        "a value has not the binary form of its column's type");
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

NativeFormat::NativeFormat(FormatOptions options, FormatContext context)
    : options_(std::move(options)),
      about_(std::move(context)),
      message_plan_(compile_message_plan(about_)),
      source_(fmt::format(R"(,"source":{{"version":{},"connector":{},"ts_ms":)",
                          json_string(about_.version), json_string(about_.connector))),
      row_(options_) {}

Result<void> NativeFormat::encode(const Batch& batch, RecordBatch& out) {
    handled_.clear();
    fmt::format_to(std::back_inserter(handled_), R"({},"before":)", milliseconds(batch.handled_at));
    for (const Transaction& transaction : batch.transactions) {
        begin_transaction(transaction);
        const std::size_t end = std::size_t{transaction.first} + transaction.count;
        for (std::size_t i = transaction.first; i < end; ++i) {
            if (auto done = encode_change(batch.changes[i], out); !done) {
                return done;
            }
        }
        out.newest_commit = std::max(out.newest_commit, transaction.committed_at);
    }
    out.lane = batch.lane;
    out.end = batch.end;
    out.relations = batch.relations();
    return {};
}

void NativeFormat::begin_transaction(const Transaction& transaction) {
    commit_lsn_ = transaction.commit_lsn;
    committed_ = source_;
    fmt::format_to(std::back_inserter(committed_), "{}", milliseconds(transaction.committed_at));
    xid_ = R"(","xid":)";
    if (transaction.xid == Xid{}) {
        xid_ += "null";  // rows of a snapshot belong to no transaction
    } else {
        fmt::format_to(std::back_inserter(xid_), "{}", transaction.xid.value);
    }
}

Result<const TablePlan*> NativeFormat::plan_of(const Relation& relation) {
    const std::size_t slot = relation.slot;
    if (slot < plans_.size() && plans_[slot] != nullptr) [[likely]] {
        return plans_[slot].get();
    }
    auto plan = compile_plan(relation, options_, about_);
    if (!plan) {
        return std::unexpected(std::move(plan.error()));
    }
    keep_plan(relation, std::move(*plan));
    return plans_[slot].get();
}

void NativeFormat::keep_plan(const Relation& relation, TablePlan plan) {
    if (kept_.size() == kPlans_max && !kept_.contains(relation.oid)) {
        plans_.clear();
        kept_.clear();
    }
    if (const auto older = kept_.find(relation.oid); older != kept_.end()) {
        plans_[older->second].reset();
    }
    kept_[relation.oid] = relation.slot;
    if (relation.slot >= plans_.size()) {
        plans_.resize(relation.slot + 1);
    }
    plans_[relation.slot] = std::make_unique<TablePlan>(std::move(plan));
}

Result<void> NativeFormat::encode_change(const Change& change, RecordBatch& out) {
    row_.begin_record();
    if (change.operation == Operation::message) {
        return append_message(change, out) ? Result<void>{} : std::unexpected(failure(change));
    }
    const auto plan = plan_of(*change.relation);
    if (!plan) {
        return std::unexpected(plan.error());
    }
    if (change.operation == Operation::truncate) {
        append_truncate(**plan, change, out);
        return {};
    }
    return append_row(**plan, change, out) ? Result<void>{} : std::unexpected(failure(change));
}

bool NativeFormat::append_row(const TablePlan& plan, const Change& change, RecordBatch& out) {
    if (change.operation == Operation::update && change.before != nullptr &&
        key_differs(plan, change)) [[unlikely]] {
        if (!append_record(plan, change, Operation::remove, change.before, nullptr, out)) {
            return false;
        }
        row_.begin_record();
        return append_record(plan, change, Operation::insert, nullptr, change.after, out);
    }
    return append_record(plan, change, change.operation, change.before, change.after, out);
}

bool NativeFormat::append_record(const TablePlan& plan, const Change& change, Operation operation,
                                 const Cell* before, const Cell* after, RecordBatch& out) {
    if (plan.columns.empty()) {  // no cells need no memory: their address means nothing
        constexpr static Cell kNone;
        (operation == Operation::remove ? before : after) = &kNone;
    }
    Record record;
    record.relation = change.relation;
    record.operation = operation;
    const Cell* const newest = after != nullptr ? after : before;
    if (!plan.key.empty() && newest != nullptr) {
        out_.begin(out.arena);
        if (!row_.write_key(out_, plan, plan.key, newest, change.before)) {
            return false;
        }
        record.key = out_.finish();
        record.has_key = true;
    }
    if (!plan.partition.empty() && newest != nullptr) {
        out_.begin(out.arena);
        if (!row_.write_key(out_, plan, plan.partition, newest, change.before)) {
            return false;
        }
        record.partition_by = out_.finish();
    }
    begin_value(plan, operation, out);
    if (!row_.write_row(out_, plan, before, nullptr)) {
        return false;
    }
    out_.text(R"(,"after":)");
    if (!row_.write_row(out_, plan, after, change.before)) {
        return false;
    }
    end_value(plan, change, record, out);
    if (options_.tombstones && operation == Operation::remove && record.has_key) {
        record.has_value = false;
        record.value = {};
        out.records.push_back(record);
    }
    return true;
}

void NativeFormat::append_truncate(const TablePlan& plan, const Change& change, RecordBatch& out) {
    Record record;
    record.relation = change.relation;
    record.operation = Operation::truncate;
    record.to_all_partitions = true;
    begin_value(plan, Operation::truncate, out);
    out_.text(R"(null,"after":null,"truncate":{"cascade":)");
    out_.text(change.truncate_cascade ? "true" : "false");
    out_.text(R"(,"restart_identity":)");
    out_.text(change.truncate_restarts_identity ? "true}" : "false}");
    end_value(plan, change, record, out);
}

bool NativeFormat::append_message(const Change& change, RecordBatch& out) {
    const Message& message = *change.message;
    Record record;
    record.operation = Operation::message;
    out_.begin(out.arena);
    out_.text(R"({"prefix":)");
    if (!row_.write_plain(out_, message.prefix, true)) {
        return false;
    }
    out_.byte('}');
    record.key = out_.finish();
    record.has_key = true;

    begin_value(message_plan_, Operation::message, out);
    out_.text(R"(null,"after":null,"message":{"prefix":)");
    if (!row_.write_plain(out_, message.prefix, false)) {
        return false;
    }
    out_.text(R"(,"content":")");
    append_base64(out_, message.content);
    out_.text(R"(","transactional":)");
    out_.text(message.transactional ? "true}" : "false}");
    end_value(message_plan_, change, record, out);
    return true;
}

// Cells that differ as bytes may still be the same key once written, as numbers read as
// doubles may. What can't be written counts as different: writing it will say why.
bool NativeFormat::key_differs(const TablePlan& plan, const Change& change) {
    bool same = true;
    for (const KeyColumn& part : plan.key) {
        const Cell& before = change.before[part.column];
        const Cell& after = change.after[part.column];
        same = same && (before.state == Cell::State::absent ||
                        after.state == Cell::State::unchanged || same_bytes(before, after));
    }
    if (same) [[likely]] {
        return false;
    }
    keys_.clear();
    Writer older;
    older.begin(keys_);
    bool written = row_.write_key(older, plan, plan.key, change.before, nullptr);
    const std::string_view old_key = older.finish();
    Writer newer;
    newer.begin(keys_);
    written = row_.write_key(newer, plan, plan.key, change.after, change.before) && written;
    return !written || newer.finish() != old_key;
}

void NativeFormat::begin_value(const TablePlan& plan, Operation operation, RecordBatch& out) {
    out_.begin(out.arena);
    out_.text(plan.heads[static_cast<std::size_t>(operation)]);
    out_.text(handled_);
}

void NativeFormat::end_value(const TablePlan& plan, const Change& change, Record& record,
                             RecordBatch& out) {
    out_.text(committed_);
    out_.text(plan.source);
    out_.advance_to(write_lsn(out_.room(kMaxLsnText), change.lsn));
    out_.text(xid_);
    row_.write_notes(out_, plan);
    out_.text("}}");
    record.value = out_.finish();
    record.commit_lsn = commit_lsn_;
    record.ordinal = change.ordinal;
    out.records.push_back(record);
}

Error NativeFormat::failure(const Change& change) const {
    Error error = error_of(row_.fault());
    if (change.relation == nullptr) {
        return std::move(error).at(fmt::format("logical message, LSN {}", to_string(change.lsn)));
    }
    return std::move(error).at(
        fmt::format("table {}, column {}, LSN {}", qualified_name(*change.relation),
                    change.relation->columns[row_.failed_column()].name, to_string(change.lsn)));
}

}  // namespace pgc
