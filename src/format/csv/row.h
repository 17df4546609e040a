// The row loop: a line's fields, as the relation's plan says. Allocates nothing once its memory has
// grown to the rows' size.
//
//   INSERT,0000000001634FF0,1,0000000001634FA0,567,2021-10-16 00:08:10.1+00,  the head
//   123,Jane Roe,                                                            the table's columns
//   ,,                                                                       the tail
//
// Where a row comes with its older version, a value that the server did not send because it did not
// change is taken from there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "core/change.h"
#include "format/csv/plan.h"
#include "format/native/row.h"

namespace pgc {

class CsvRow {
public:
    CsvRow(const CsvOptions& options, const FormatOptions& format);

    // What all lines of a transaction have. No xid: it has none.
    void begin_transaction(Lsn commit_lsn, std::optional<Xid> xid, WallTime committed_at);

    // Forgets what was noted of the line before.
    void begin_line() noexcept;

    void write_head(Writer& out, std::string_view op, std::uint64_t seq, Lsn lsn);
    // The columns of `cells`, null where they are not known; no cells: all of them null. False: see
    // fault() and failed_column().
    [[nodiscard]] bool write_row(Writer& out, const CsvPlan& plan, const Cell* cells,
                                 const Cell* older);
    // One column more; `number` is its place among those of its line.
    [[nodiscard]] bool write_column(Writer& out, std::uint32_t number, std::string_view text);
    void write_bytes_column(Writer& out, std::string_view bytes);
    void write_boolean_column(Writer& out, bool value);
    void write_null_column(Writer& out) const;
    // The old row (none: null), what is unchanged, what was noted, and the end.
    [[nodiscard]] bool write_tail(Writer& out, const TablePlan& plan, const Cell* before);

    // What is noted of a TRUNCATE.
    void note_truncate(bool cascade, bool restarts_identity) noexcept;

    // The key's fields alone, as one line.
    [[nodiscard]] bool write_key(Writer& out, const CsvPlan& plan, const Cell* cells,
                                 const Cell* older);
    [[nodiscard]] bool write_key_text(Writer& out, std::string_view text);

    ValueFault fault() const noexcept { return context_.fault; }
    std::uint32_t failed_column() const noexcept { return failed_column_; }

private:
    using Note = RowWriter::Note;
    using Noted = RowWriter::Noted;

    template <typename Write>
    std::string constant(Write&& write);
    void end_field(Writer& out) const { out.byte(context_.delimiter); }
    bool write_value(Writer& out, const CsvField& field, const Cell& cell);
    bool write_unreadable(Writer& out, const Cell& cell);
    bool write_before(Writer& out, const TablePlan& plan, const Cell* before);
    bool write_notes(Writer& out, const TablePlan& plan);
    void note(Note note, std::uint32_t column);
    void note_what_was_met(const Cell& cell, std::uint32_t column);
    void begin_json();
    bool list(Writer& out, const TablePlan& plan, Note note, std::string_view before) const;

    const CsvOptions options_;
    const UnsentToast unsent_toast_;
    const std::string placeholder_;
    CsvContext context_;
    const CsvValueWriter write_bytes_;
    const CsvValueWriter write_boolean_;
    RowWriter before_;
    Arena side_;  // of JSON, until it is a field
    Writer json_;
    Scratch scratch_;
    Value value_;
    std::vector<Noted> notes_;
    bool cascades_ = false;
    bool restarts_identity_ = false;
    bool met_unreadable_ = false;
    std::uint32_t failed_column_ = 0;

    // Of the transaction at hand.
    std::string commit_lsn_;  // "0000000001634FF0,"
    std::string commit_;      // "567,2021-10-16 00:08:10.1+00,"
};

}  // namespace pgc
