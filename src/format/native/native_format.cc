#include "format/native/native_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/old_key.h"
#include "format/fault.h"
#include "format/json/string.h"
#include "format/native/mark.h"

namespace pgc {
namespace {

std::int64_t milliseconds(WallTime time) noexcept {
    return time.unix_us / 1000;
}

}  // namespace

NativeFormat::NativeFormat(FormatOptions options, FormatContext context)
    : options_(std::move(options)),
      about_(std::move(context)),
      message_plan_(compile_message_plan(about_)),
      source_(fmt::format(R"(,"source":{{"version":{},"connector":{},"ts_ms":)",
                          json_string(about_.version), json_string(about_.connector))),
      row_(options_) {}

Result<Encoded> NativeFormat::encode(const Batch& batch, std::size_t from, RecordBatch& out) {
    handled_.clear();
    fmt::format_to(std::back_inserter(handled_), R"({},"before":)", milliseconds(batch.handled_at));
    for (const Transaction& transaction : batch.transactions) {
        const std::size_t end = std::size_t{transaction.first} + transaction.count;
        if (end <= from) continue;
        begin_transaction(transaction);
        for (std::size_t i = std::max<std::size_t>(transaction.first, from); i < end; ++i) {
            change_ = static_cast<std::uint32_t>(i);
            const std::size_t before = out.records.size();
            if (auto done = encode_change(batch.changes[i], out); !done) [[unlikely]] {
                out.records.resize(before);
                auto refused = Encoded::refused(i, std::move(done.error()));
                refused.text_would_do = row_.fault() == RowWriter::Fault::not_of_type;
                return refused;
            }
        }
    }
    return Encoded::all(batch.changes.size());
}

Result<bool> NativeFormat::encode_mark(const TransactionMark& mark, RecordBatch& out) {
    append_native_mark(mark, about_, out);
    return true;
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
    if (const TablePlan* const known = plans_.find(relation)) [[likely]] {
        return known;
    }
    auto plan = compile_plan(relation, options_, about_);
    if (!plan) {
        return std::unexpected(std::move(plan.error()));
    }
    return plans_.keep(relation, std::move(*plan));
}

Result<void> NativeFormat::encode_change(const Change& change, RecordBatch& out) {
    row_.begin_record();
    if (change.operation == Operation::message) {
        return append_message(change, out)
                   ? Result<void>{}
                   : std::unexpected(change_failure(row_.fault(), change, row_.failed_column()));
    }
    const auto plan = plan_of(*change.relation);
    if (!plan) {
        return std::unexpected(plan.error());
    }
    if (change.operation == Operation::truncate) {
        append_truncate(**plan, change, out);
        return {};
    }
    if (lacks_old_key(change)) [[unlikely]] {
        return std::unexpected(change_failure(ValueFault::old_key_unknown, change,
                                              unsent_key_columns(change).front()));
    }
    return append_record(**plan, change, out)
               ? Result<void>{}
               : std::unexpected(change_failure(row_.fault(), change, row_.failed_column()));
}

bool NativeFormat::append_record(const TablePlan& plan, const Change& change, RecordBatch& out) {
    const Cell* before = change.before;
    const Cell* after = change.after;
    if (plan.columns.empty()) {  // no cells need no memory: their address means nothing
        constexpr static Cell kNone;
        (change.operation == Operation::remove ? before : after) = &kNone;
    }
    Record record;
    record.relation = change.relation;
    record.operation = change.operation;
    const Cell* const newest = after != nullptr ? after : before;
    if (!plan.key.empty() && newest != nullptr) {
        out_.begin(out.arena);
        if (!row_.write_key(out_, plan, plan.key, newest, change.before)) {
            return false;
        }
        record.key = out_.finish();
        record.has_key = true;
    }
    begin_value(plan, change.operation, out);
    if (!row_.write_row(out_, plan, before, nullptr)) {
        return false;
    }
    out_.text(R"(,"after":)");
    if (!row_.write_row(out_, plan, after, change.before)) {
        return false;
    }
    end_value(plan, change, record, out);
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
    record.change = change_;
    out.records.push_back(record);
}

}  // namespace pgc
