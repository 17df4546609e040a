#include "pipeline/transaction_marks.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgc {
namespace {

bool counts(const Record& record) noexcept {
    return record.destination == Destination::own || record.destination == Destination::none;
}

}  // namespace

void TransactionMarks::plan(const Batch& batch, const RecordBatch& records,
                            const std::optional<Position>& sealed) {
    planned_.clear();
    if (tables_used_ > kTables_kept) tables_ = {};
    next_ = tables_used_ = 0;
    last_ = nullptr;
    std::size_t left = 0;  // records before the one at hand that are not left out
    auto record = records.records.begin();
    for (const Transaction& part : batch.transactions) {
        if (part.commit_lsn != commit_lsn_) enter(part);
        const std::size_t end_of_part = std::size_t{part.first} + part.count;
        const bool marked = part.xid != Xid{};
        for (; record != records.records.end() && record->change < end_of_part; ++record) {
            const bool is_sealed =
                sealed && Position{record->commit_lsn, record->ordinal} <= *sealed;
            const bool first_of_change =
                record == records.records.begin() || std::prev(record)->change != record->change;
            if (marked && first_of_change && counts(*record)) {
                if (events_ == 0 && !is_sealed) {
                    TransactionMark mark = mark_of(part, batch);
                    mark.ordinal = record->ordinal;
                    mark.lsn = batch.changes[record->change].lsn;
                    planned_.push_back({.mark = mark, .before = left});
                }
                count(*record);
            }
            if (!is_sealed && record->destination != Destination::none) ++left;
        }
        if (part.ends && events_ > 0) end(part, batch, left);
    }
}

void TransactionMarks::enter(const Transaction& part) {
    commit_lsn_ = part.commit_lsn;
    events_ = ordinal_ = 0;
    if (counted_ > kTables_kept) {
        counts_ = {};
        places_ = {};
    }
    counted_ = 0;
    places_.clear();
    last_ = nullptr;
}

void TransactionMarks::count(const Record& record) {
    ++events_;
    ordinal_ = record.ordinal;
    if (record.relation == nullptr) return;
    if (record.relation != last_) {
        last_ = record.relation;
        last_place_ = counted_as(*last_);
    }
    ++counts_[last_place_].events;
}

std::size_t TransactionMarks::counted_as(const Relation& relation) {
    const auto [found, is_new] =
        places_.try_emplace(relation.schema + '\0' + relation.name, counted_);
    if (!is_new) return found->second;
    if (counted_ == counts_.size()) counts_.emplace_back();
    Count& count = counts_[counted_];
    count.schema = relation.schema;
    count.name = relation.name;
    count.events = 0;
    return counted_++;
}

TransactionMark TransactionMarks::mark_of(const Transaction& part, const Batch& batch) const {
    return {.kind = TransactionMark::Kind::begin,
            .xid = part.xid,
            .commit_lsn = part.commit_lsn,
            .committed_at = part.committed_at,
            .handled_at = batch.handled_at};
}

void TransactionMarks::end(const Transaction& part, const Batch& batch, std::size_t before) {
    TransactionMark mark = mark_of(part, batch);
    mark.kind = TransactionMark::Kind::end;
    mark.ordinal = ordinal_ + 1;
    mark.lsn = part.end_lsn;
    mark.events = events_;
    const std::size_t first = tables_used_;
    if (tables_.size() < first + counted_) tables_.resize(first + counted_);
    std::copy_n(counts_.begin(), counted_, tables_.begin() + static_cast<std::ptrdiff_t>(first));
    tables_used_ += counted_;
    planned_.push_back({.mark = mark, .before = before, .first_table = first, .tables = counted_});
}

Result<bool> TransactionMarks::write(Format& format, RecordBatch& records) {
    if (planned_.empty()) return true;
    for (; next_ < planned_.size(); ++next_) {
        Planned& planned = planned_[next_];
        written_tables_.clear();
        for (std::size_t i = 0; i < planned.tables; ++i) {
            const Count& count = tables_[planned.first_table + i];
            written_tables_.push_back({count.schema, count.name, count.events});
        }
        planned.mark.tables = written_tables_;
        const auto written = format.encode_mark(planned.mark, records);
        if (!written || !*written) return written;
        records.records.back().destination = Destination::transactions;
    }
    merge(records, records.records.size() - planned_.size());
    planned_.clear();
    return true;
}

// The first `own` records are the batch's, after them stand the marks.
void TransactionMarks::merge(RecordBatch& batch, std::size_t own) {
    auto& records = batch.records;
    merged_.clear();
    merged_.reserve(records.size());
    std::size_t from = 0;
    for (std::size_t i = 0; i < planned_.size(); ++i) {
        for (; from < planned_[i].before; ++from) merged_.push_back(records[from]);
        merged_.push_back(records[own + i]);
    }
    for (; from < own; ++from) merged_.push_back(records[from]);
    std::swap(records, merged_);
}

}  // namespace pgc
