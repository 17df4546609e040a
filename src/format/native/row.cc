#include "format/native/row.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "format/cells.h"

namespace pgc {
namespace {

using State = Cell::State;

}  // namespace

RowWriter::RowWriter(const FormatOptions& options)
    : unsent_toast_(options.unsent_toast), placeholder_(json_string(options.toast_placeholder)) {
    context_.invalid_utf8 = options.invalid_utf8;
}

void RowWriter::begin_record() noexcept {
    notes_.clear();
    context_.met_invalid_utf8 = context_.met_unreadable = false;
    context_.fault = Fault::none;
}

bool RowWriter::write_row(Writer& out, const TablePlan& plan, const Cell* cells,
                          const Cell* older) {
    if (cells == nullptr) {
        out.text("null");
        return true;
    }
    context_.in_key = false;
    out.byte('{');
    std::size_t skip = 1;  // the first name goes without its comma
    for (std::uint32_t i = 0; i < plan.columns.size(); ++i) {
        const ColumnPlan& column = plan.columns[i];
        const Cell& cell = best_known(cells, older, i);
        if (!column.captured || cell.state == State::absent) {
            continue;
        }
        if (cell.state == State::unchanged) {
            note(Note::unchanged, i);
            if (unsent_toast_ == UnsentToast::omit) {
                continue;
            }
        }
        out.text(std::string_view{column.name}.substr(skip));
        skip = 0;
        switch (cell.state) {
            case State::null: out.text("null"); break;
            case State::unchanged: out.text(placeholder_); break;
            default:
                if (!write_value(out, column, cell)) {
                    failed_column_ = i;
                    return false;
                }
        }
        if (cell.reselected || context_.met_invalid_utf8 || context_.met_unreadable) [[unlikely]] {
            if (cell.reselected) {
                note(Note::reselected, i);
            }
            note_what_was_met(i);
        }
    }
    out.byte('}');
    scratch_.clear();
    return true;
}

bool RowWriter::write_key(Writer& out, const TablePlan& plan, const std::vector<KeyColumn>& key,
                          const Cell* cells, const Cell* older) {
    context_.in_key = true;
    for (const KeyColumn& part : key) {
        const Cell& cell = best_known(cells, older, part.column);
        out.text(part.name);
        switch (cell.state) {
            case State::null: out.text("null"); break;
            case State::absent:
            case State::unchanged: return fail(Fault::key_unknown, part.column);
            default:
                if (!write_value(out, plan.columns[part.column], cell)) {
                    failed_column_ = part.column;
                    return false;
                }
        }
    }
    out.byte('}');
    // Whatever was met is met again in the row, and noted there.
    context_.met_invalid_utf8 = context_.met_unreadable = false;
    return true;
}

bool RowWriter::write_plain(Writer& out, std::string_view text, bool in_key) {
    context_.in_key = in_key;
    return write_text(context_, out, text);
}

bool RowWriter::write_value(Writer& out, const ColumnPlan& column, const Cell& cell) {
    if (column.compound) {
        value_ = Value{};
    }
    const Reader read = cell.state == State::text ? column.read_text : column.read_binary;
    if (read == nullptr || !read(*column.type, cell.bytes(), scratch_, value_)) [[unlikely]] {
        return write_unreadable(out, cell);
    }
    const std::size_t start = out.size();
    if (column.value.write(context_, out, column.value, value_)) [[likely]] {
        return true;
    }
    if (context_.fault != Fault::not_of_type) {
        return false;
    }
    out.rewind(start);
    return write_unreadable(out, cell);
}

// A value that does not have the form its type has today: the type was altered or dropped
// since it was logged. Text can be shown as it came; binary says nothing.
bool RowWriter::write_unreadable(Writer& out, const Cell& cell) {
    if (cell.state != State::text) {
        context_.fault = Fault::not_of_type;
        return false;
    }
    context_.fault = Fault::none;
    context_.met_unreadable = true;
    return write_text(context_, out, cell.bytes());
}

void RowWriter::note(Note note, std::uint32_t column) {
    const Noted noted{note, column};
    if (std::ranges::find(notes_, noted) == notes_.end()) {
        notes_.push_back(noted);
    }
}

void RowWriter::note_what_was_met(std::uint32_t column) {
    if (context_.met_invalid_utf8) {
        note(Note::invalid_utf8, column);
    }
    if (context_.met_unreadable) {
        note(Note::as_text, column);
    }
    context_.met_invalid_utf8 = context_.met_unreadable = false;
}

bool RowWriter::fail(Fault fault, std::uint32_t column) noexcept {
    context_.fault = fault;
    failed_column_ = column;
    return false;
}

void RowWriter::write_notes(Writer& out, const TablePlan& plan) const {
    if (notes_.empty()) [[likely]] {
        return;
    }
    list(out, plan, Note::unchanged, R"(,"unchanged":)");
    list(out, plan, Note::reselected, R"(,"reselected":)");
    list(out, plan, Note::invalid_utf8, R"(,"invalid_utf8":)");
    list(out, plan, Note::as_text, R"(,"as_text":)");
}

void RowWriter::list(Writer& out, const TablePlan& plan, Note note, std::string_view name) const {
    bool any = false;
    for (const Noted& noted : notes_) {
        if (noted.note == note) {
            out.text(any ? "," : name);
            out.text(any ? "" : "[");
            out.text(plan.column_names[noted.column]);
            any = true;
        }
    }
    if (any) {
        out.byte(']');
    }
}

}  // namespace pgc
