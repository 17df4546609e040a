// CSV, RFC 4180: a line a change, without its line end, always valid UTF-8.
//
//   _op,_commit_lsn,_seq,_lsn,_xid,_commit_ts,id,name,_before,_unchanged,_notes
//   INSERT,0000000001634FF0,1,0000000001634FA0,567,2021-10-16 00:08:10.1+00,123,Jane Roe,,,
//
// The key is a line of the key's columns. docs/reference/csv.md says what each column holds and
// how each type is written.
//
// It never waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/by_slot.h"
#include "core/format.h"
#include "format/csv/options.h"
#include "format/csv/plan.h"
#include "format/csv/row.h"
#include "format/options.h"

namespace pgc {

class CsvFormat final : public Format {
public:
    CsvFormat(CsvOptions options, FormatOptions format);

    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override;
    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override;
    Result<bool> encode_heartbeat(WallTime, RecordBatch&) override { return true; }
    std::string heading(const Relation* relation) const override;
    void wants(Wants&) const override {}
    std::string waits_for() const override { return {}; }

private:
    Result<const CsvPlan*> plan_of(const Relation& relation);

    Result<void> encode_change(const Change& change, RecordBatch& out);
    // These return false with the fault in row_.
    bool append_record(const CsvPlan& plan, const Change& change, RecordBatch& out);
    bool append_message(const Change& change, RecordBatch& out);
    void add(Record record, std::uint64_t ordinal, RecordBatch& out);

    const CsvOptions options_;
    const FormatOptions format_;
    const TablePlan message_plan_;

    BySlot<CsvPlan, kPlans_max> plans_;
    CsvRow row_;
    Writer out_;
    bool fatal_ = false;  // the error at hand is of the whole format

    // Of the batch and of the transaction at hand.
    Lsn commit_lsn_;
    std::uint32_t change_ = 0;  // of the batch, at hand
};

}  // namespace pgc
