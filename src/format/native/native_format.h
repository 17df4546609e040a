// The native message: one JSON object a change, on one line, always valid UTF-8.
//
//   {"schema":"public","table":"users","op":"UPDATE","ts_ms":1634567890123,
//    "before":null,"after":{"id":123,"name":"Jane Roe"},
//    "source":{"version":"0.1.0","connector":"pg-capture","ts_ms":1634567890100,
//              "db":"mydb","schema":"public","table":"users","lsn":"0/1634FA0","xid":567}}
//
// The key is an object of the key's columns: {"id":123}. docs/reference/messages.md says
// what each field holds and how each type is written.
//
// It never waits.
#pragma once

#include <cstddef>
#include <string>

#include "core/by_slot.h"
#include "core/format.h"
#include "format/native/plan.h"
#include "format/native/row.h"
#include "format/options.h"

namespace pgc {

class NativeFormat final : public Format {
public:
    NativeFormat(FormatOptions options, FormatContext context);

    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override;
    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override;
    Result<bool> encode_heartbeat(WallTime, RecordBatch&) override { return true; }
    std::string heading(const Relation*) const override { return {}; }
    void wants(Wants&) const override {}
    std::string waits_for() const override { return {}; }

private:
    Result<const TablePlan*> plan_of(const Relation& relation);
    void begin_transaction(const Transaction& transaction);

    Result<void> encode_change(const Change& change, RecordBatch& out);
    // These return false with the fault in row_.
    bool append_record(const TablePlan& plan, const Change& change, RecordBatch& out);
    bool append_message(const Change& change, RecordBatch& out);
    void append_truncate(const TablePlan& plan, const Change& change, RecordBatch& out);

    void begin_value(const TablePlan& plan, Operation operation, RecordBatch& out);
    void end_value(const TablePlan& plan, const Change& change, Record& record, RecordBatch& out);

    const FormatOptions options_;
    const FormatContext about_;
    const TablePlan message_plan_;
    const std::string source_;  // `,"source":{"version":"0.1.0",…,"ts_ms":`

    BySlot<TablePlan, kPlans_max> plans_;
    RowWriter row_;
    Writer out_;

    // Of the batch and of the transaction at hand.
    std::string handled_;    // `1634567890123,"before":`
    std::string committed_;  // source_ and `1634567890100`
    std::string xid_;        // `","xid":567`
    Lsn commit_lsn_;
    std::uint32_t change_ = 0;  // of the batch, at hand
};

}  // namespace pgc
