// The row loop: walks a row's cells and appends them, as the relation's plan says, to a
// message or its key. Allocates nothing once its memory has grown to the rows' size.
//
// Where a row comes with its older version, a value that the server did not send because
// it did not change is taken from there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/change.h"
#include "format/native/plan.h"
#include "format/native/value.h"

namespace pgc {

class RowWriter {
public:
    using Fault = ValueContext::Fault;
    // What must be known to read a column right.
    enum class Note : std::uint8_t { unchanged, reselected, invalid_utf8, as_text };
    struct Noted {
        Note note;
        std::uint32_t column;
        bool operator==(const Noted&) const = default;
    };

    explicit RowWriter(const FormatOptions& options);

    // Forgets what was noted of the record before.
    void begin_record() noexcept;

    // Appends an object of the cells that are known, or null where there are no cells.
    // False: see fault() and failed_column().
    [[nodiscard]] bool write_row(Writer& out, const TablePlan& plan, const Cell* cells,
                                 const Cell* older);
    // Appends an object of the columns `key` names, which are the plan's.
    [[nodiscard]] bool write_key(Writer& out, const TablePlan& plan,
                                 const std::vector<KeyColumn>& key, const Cell* cells,
                                 const Cell* older);
    // A text of a message's own, in the value or in the key.
    [[nodiscard]] bool write_plain(Writer& out, std::string_view text, bool in_key);

    // Appends what of the record's fields must be known to read them right:
    // `,"unchanged":["body"]` and the like; mostly nothing.
    void write_notes(Writer& out, const TablePlan& plan) const;
    // The same for whoever writes them elsewhere.
    const std::vector<Noted>& notes() const noexcept { return notes_; }

    Fault fault() const noexcept { return context_.fault; }
    std::uint32_t failed_column() const noexcept { return failed_column_; }

private:
    bool write_value(Writer& out, const ColumnPlan& column, const Cell& cell);
    bool write_unreadable(Writer& out, const Cell& cell);
    void note(Note note, std::uint32_t column);
    void note_what_was_met(std::uint32_t column);
    bool fail(Fault fault, std::uint32_t column) noexcept;
    void list(Writer& out, const TablePlan& plan, Note note, std::string_view name) const;

    const UnsentToast unsent_toast_;
    const std::string placeholder_;  // quoted
    ValueContext context_;
    Scratch scratch_;
    Value value_;
    std::vector<Noted> notes_;
    std::uint32_t failed_column_ = 0;
};

}  // namespace pgc
