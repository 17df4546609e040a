#include "format/csv/csv_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "core/old_key.h"
#include "format/fault.h"
#include "format/json/text.h"

namespace pgc {
namespace {

TablePlan names_of_messages() {
    TablePlan plan;
    for (const std::string_view name : kCsvMessageColumns) {
        plan.column_names.push_back(json_string(name));
    }
    return plan;
}

std::string tables_of(const TransactionMark& mark) {
    std::string text = "[";
    for (const TransactionMark::Table& table : mark.tables) {
        if (text.size() > 1) text += ',';
        fmt::format_to(std::back_inserter(text), R"({{"schema":{},"table":{},"events":{}}})",
                       json_string(table.schema), json_string(table.name), table.events);
    }
    return text + ']';
}

}  // namespace

CsvFormat::CsvFormat(CsvOptions options, FormatOptions format)
    : options_(std::move(options)),
      format_(std::move(format)),
      message_plan_(names_of_messages()),
      row_(options_, format_) {}

Result<Encoded> CsvFormat::encode(const Batch& batch, std::size_t from, RecordBatch& out) {
    for (const Transaction& transaction : batch.transactions) {
        const std::size_t end = std::size_t{transaction.first} + transaction.count;
        if (end <= from) continue;
        commit_lsn_ = transaction.commit_lsn;
        const bool snapshot = transaction.xid == Xid{};  // whose rows belong to no transaction
        row_.begin_transaction(commit_lsn_,
                               snapshot ? std::nullopt : std::optional{transaction.xid},
                               transaction.committed_at);
        for (std::size_t i = std::max<std::size_t>(transaction.first, from); i < end; ++i) {
            change_ = static_cast<std::uint32_t>(i);
            const std::size_t before = out.records.size();
            if (auto done = encode_change(batch.changes[i], out); !done) [[unlikely]] {
                if (fatal_) return std::unexpected(std::move(done.error()));
                out.records.resize(before);
                auto refused = Encoded::refused(i, std::move(done.error()));
                refused.text_would_do = row_.fault() == ValueFault::not_of_type;
                return refused;
            }
        }
    }
    return Encoded::all(batch.changes.size());
}

std::string CsvFormat::heading(const Relation* relation) const {
    return options_.header ? csv_header(relation, options_) : std::string{};
}

Result<const CsvPlan*> CsvFormat::plan_of(const Relation& relation) {
    if (const CsvPlan* const known = plans_.find(relation)) [[likely]] {
        return known;
    }
    if (auto checked = check_csv_names(relation, options_.columns); !checked) {
        fatal_ = true;  // of each of its changes, and it is the configuration that is wrong
        return std::unexpected(std::move(checked.error()));
    }
    auto plan = compile_csv_plan(relation, options_, format_);
    if (!plan) return std::unexpected(std::move(plan.error()));
    return plans_.keep(relation, std::move(*plan));
}

Result<void> CsvFormat::encode_change(const Change& change, RecordBatch& out) {
    row_.begin_line();
    const auto refused = [&] { return change_failure(row_.fault(), change, row_.failed_column()); };
    if (change.operation == Operation::message) {
        if (!append_message(change, out)) return std::unexpected(refused());
        return {};
    }
    const auto plan = plan_of(*change.relation);
    if (!plan) return std::unexpected(plan.error());
    if (lacks_old_key(change)) [[unlikely]] {
        return std::unexpected(change_failure(ValueFault::old_key_unknown, change,
                                              unsent_key_columns(change).front()));
    }
    if (!append_record(**plan, change, out)) [[unlikely]] {
        return std::unexpected(refused());
    }
    return {};
}

bool CsvFormat::append_record(const CsvPlan& plan, const Change& change, RecordBatch& out) {
    Record record;
    record.relation = change.relation;
    record.operation = change.operation;
    const bool truncates = change.operation == Operation::truncate;
    record.to_all_partitions = truncates;
    if (truncates) row_.note_truncate(change.truncate_cascade, change.truncate_restarts_identity);
    // Of a removed row what is known of it stands in its columns too, so that one statement can
    // merge all lines by their key.
    const Cell* const row = change.after != nullptr ? change.after : change.before;
    if (!plan.key.empty() && row != nullptr) {
        out_.begin(out.arena);
        if (!row_.write_key(out_, plan, row, change.before)) return false;
        record.key = out_.finish();
        record.has_key = true;
    }
    out_.begin(out.arena);
    row_.write_head(out_, name(change.operation), change.ordinal, change.lsn);
    if (!row_.write_row(out_, plan, row, change.before)) return false;
    if (!row_.write_tail(out_, plan.before, change.before)) return false;
    add(record, change.ordinal, out);
    return true;
}

bool CsvFormat::append_message(const Change& change, RecordBatch& out) {
    const Message& message = *change.message;
    Record record;
    record.operation = Operation::message;
    out_.begin(out.arena);
    if (!row_.write_key_text(out_, message.prefix)) return false;
    record.key = out_.finish();
    record.has_key = true;
    out_.begin(out.arena);
    row_.write_head(out_, name(Operation::message), change.ordinal, change.lsn);
    if (!row_.write_column(out_, 0, message.prefix)) return false;
    row_.write_bytes_column(out_, message.content);
    row_.write_boolean_column(out_, message.transactional);
    if (!row_.write_tail(out_, message_plan_, nullptr)) return false;
    add(record, change.ordinal, out);
    return true;
}

Result<bool> CsvFormat::encode_mark(const TransactionMark& mark, RecordBatch& out) {
    const bool ends = mark.kind == TransactionMark::Kind::end;
    commit_lsn_ = mark.commit_lsn;
    change_ = 0;
    row_.begin_line();
    row_.begin_transaction(mark.commit_lsn, mark.xid, mark.committed_at);
    Record record;
    record.destination = Destination::transactions;
    record.operation = Operation::message;
    record.has_key = true;
    record.key = out.arena.copy(
        fmt::format("{:016X}{}{}", mark.commit_lsn.value, options_.delimiter, mark.xid.value));
    out_.begin(out.arena);
    row_.write_head(out_, ends ? "END" : "BEGIN", mark.ordinal, mark.lsn);
    if (ends) {
        (void)row_.write_column(out_, 0, std::to_string(mark.events));
        (void)row_.write_column(out_, 1, tables_of(mark));
    } else {
        row_.write_null_column(out_);
        row_.write_null_column(out_);
    }
    (void)row_.write_tail(out_, message_plan_, nullptr);
    add(record, mark.ordinal, out);
    return true;
}

void CsvFormat::add(Record record, std::uint64_t ordinal, RecordBatch& out) {
    record.value = out_.finish();
    record.commit_lsn = commit_lsn_;
    record.ordinal = ordinal;
    record.change = change_;
    out.records.push_back(record);
}

}  // namespace pgc
