#include "format/csv/row.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "format/cells.h"
#include "format/json/number.h"
#include "format/text/server_text.h"

namespace pgc {
namespace {

using State = Cell::State;

constexpr std::size_t kLsnText = 16;

// All 16 digits, so that texts sort as LSNs do.
char* write_sortable_lsn(char* to, Lsn lsn) noexcept {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (int shift = 60; shift >= 0; shift -= 4) *to++ = digits[(lsn.value >> shift) & 0xF];
    return to;
}

void append_lsn(const CsvContext& context, Writer& out, Lsn lsn) {
    (void)append_bare(context, out, kLsnText,
                      [&](char* to) { return write_sortable_lsn(to, lsn); });
}

void append_number(const CsvContext& context, Writer& out, std::uint64_t number) {
    (void)append_bare(context, out, kMaxIntegerText,
                      [&](char* to) { return write_unsigned(to, number); });
}

void append_time(const CsvContext& context, Writer& out, WallTime time) {
    constexpr std::int64_t us_to_2000 = 946'684'800'000'000;
    (void)append_bare(context, out, kMaxServerTimeText, [&](char* to) {
        return write_server_timestamp(to, time.unix_us - us_to_2000, true);
    });
}

}  // namespace

CsvRow::CsvRow(const CsvOptions& options, const FormatOptions& format)
    : options_(options),
      unsent_toast_(format.unsent_toast),
      placeholder_(format.toast_placeholder),
      context_(options),
      write_bytes_(csv_writer_of(Type{.kind = Kind::bytes}, options)),
      write_boolean_(csv_writer_of(Type{.kind = Kind::boolean}, options)),
      before_(format) {
    context_.invalid_utf8 = format.invalid_utf8;
}

template <typename Write>
std::string CsvRow::constant(Write&& write) {
    side_.clear();
    Writer out;
    out.begin(side_);
    write(out);
    return std::string{out.finish()};
}

void CsvRow::begin_transaction(Lsn commit_lsn, std::optional<Xid> xid, WallTime committed_at) {
    const CsvColumns& columns = options_.columns;
    commit_lsn_ = constant([&](Writer& out) {
        if (columns.commit_lsn.empty()) return;
        append_lsn(context_, out, commit_lsn);
        end_field(out);
    });
    commit_ = constant([&](Writer& out) {
        if (!columns.xid.empty()) {
            if (xid) {
                append_number(context_, out, xid->value);
            } else {
                append_null(context_, out);
            }
            end_field(out);
        }
        if (columns.commit_ts.empty()) return;
        append_time(context_, out, committed_at);
        end_field(out);
    });
}

void CsvRow::begin_line() noexcept {
    notes_.clear();
    before_.begin_record();
    context_.met_invalid_utf8 = met_unreadable_ = false;
    context_.in_key = false;
    context_.fault = ValueFault::none;
    cascades_ = restarts_identity_ = false;
}

void CsvRow::write_head(Writer& out, std::string_view op, std::uint64_t seq, Lsn lsn) {
    (void)append_field(context_, out, op);
    end_field(out);
    out.text(commit_lsn_);
    if (!options_.columns.seq.empty()) {
        append_number(context_, out, seq);
        end_field(out);
    }
    if (!options_.columns.lsn.empty()) {
        append_lsn(context_, out, lsn);
        end_field(out);
    }
    out.text(commit_);
}

bool CsvRow::write_row(Writer& out, const CsvPlan& plan, const Cell* cells, const Cell* older) {
    if (cells == nullptr) {
        for (std::size_t i = 0; i < plan.fields.size(); ++i) write_null_column(out);
        return true;
    }
    for (const CsvField& field : plan.fields) {
        const Cell& cell = best_known(cells, older, field.column);
        switch (cell.state) {
            case State::null:
            case State::absent: append_null(context_, out); break;
            case State::unchanged:
                note(Note::unchanged, field.column);
                if (unsent_toast_ == UnsentToast::omit) {
                    append_null(context_, out);
                } else {
                    (void)append_field(context_, out, placeholder_);
                }
                break;
            default:
                if (!write_value(out, field, cell)) [[unlikely]] {
                    failed_column_ = field.column;
                    return false;
                }
                note_what_was_met(cell, field.column);
        }
        end_field(out);
    }
    scratch_.clear();
    return true;
}

bool CsvRow::write_column(Writer& out, std::uint32_t number, std::string_view text) {
    if (!append_field(context_, out, text)) return false;
    if (context_.met_invalid_utf8) note(Note::invalid_utf8, number);
    context_.met_invalid_utf8 = false;
    end_field(out);
    return true;
}

void CsvRow::write_bytes_column(Writer& out, std::string_view bytes) {
    Value value;
    value.text = bytes;
    (void)write_bytes_(context_, out, Type{}, value);
    end_field(out);
}

void CsvRow::write_boolean_column(Writer& out, bool boolean) {
    Value value;
    value.integer = boolean ? 1 : 0;
    (void)write_boolean_(context_, out, Type{}, value);
    end_field(out);
}

void CsvRow::write_null_column(Writer& out) const {
    append_null(context_, out);
    end_field(out);
}

bool CsvRow::write_tail(Writer& out, const TablePlan& plan, const Cell* before) {
    const CsvColumns& columns = options_.columns;
    if (!columns.before.empty()) {
        if (!write_before(out, plan, before)) return false;
        end_field(out);
    }
    if (!columns.unchanged.empty()) {
        begin_json();
        if (list(json_, plan, Note::unchanged, "[")) {
            (void)append_field(context_, out, json_.since(0));
        } else {
            append_null(context_, out);
        }
        end_field(out);
    }
    if (!columns.notes.empty()) {
        if (!write_notes(out, plan)) append_null(context_, out);
        end_field(out);
    }
    out.rewind(out.size() - 1);  // nothing ends the last one
    return true;
}

bool CsvRow::write_before(Writer& out, const TablePlan& plan, const Cell* before) {
    if (before == nullptr) {
        append_null(context_, out);
        return true;
    }
    begin_json();
    if (!before_.write_row(json_, plan, before, nullptr)) {
        context_.fault = before_.fault();
        failed_column_ = before_.failed_column();
        return false;
    }
    for (const Noted& noted : before_.notes()) {
        if (noted.note != Note::unchanged) note(noted.note, noted.column);
    }
    return append_field(context_, out, json_.since(0));
}

bool CsvRow::write_notes(Writer& out, const TablePlan& plan) {
    if (notes_.empty() && !cascades_ && !restarts_identity_) [[likely]] {
        return false;
    }
    begin_json();
    if (cascades_) json_.text(R"(,"cascade":true)");
    if (restarts_identity_) json_.text(R"(,"restart_identity":true)");
    for (const auto& [note, name] : {std::pair{Note::reselected, R"(,"reselected":[)"},
                                     std::pair{Note::invalid_utf8, R"(,"invalid_utf8":[)"},
                                     std::pair{Note::as_text, R"(,"as_text":[)"}}) {
        (void)list(json_, plan, note, name);
    }
    if (json_.size() == 0) return false;  // what is unchanged stands elsewhere
    json_.replace(0, '{');
    json_.byte('}');
    return append_field(context_, out, json_.since(0));
}

void CsvRow::note_truncate(bool cascade, bool restarts_identity) noexcept {
    cascades_ = cascade;
    restarts_identity_ = restarts_identity;
}

bool CsvRow::write_key(Writer& out, const CsvPlan& plan, const Cell* cells, const Cell* older) {
    context_.in_key = true;
    for (const CsvField& field : plan.key) {
        const Cell& cell = best_known(cells, older, field.column);
        switch (cell.state) {
            case State::null: append_null(context_, out); break;
            case State::absent:
            case State::unchanged:
                context_.fault = ValueFault::key_unknown;
                failed_column_ = field.column;
                return false;
            default:
                if (!write_value(out, field, cell)) {
                    failed_column_ = field.column;
                    return false;
                }
        }
        end_field(out);
    }
    out.rewind(out.size() - 1);
    // Whatever was met is met again in the row, and noted there.
    context_.met_invalid_utf8 = met_unreadable_ = false;
    context_.in_key = false;
    return true;
}

bool CsvRow::write_key_text(Writer& out, std::string_view text) {
    context_.in_key = true;
    const bool done = append_field(context_, out, text);
    context_.met_invalid_utf8 = context_.in_key = false;
    return done;
}

bool CsvRow::write_value(Writer& out, const CsvField& field, const Cell& cell) {
    const bool text = cell.state == State::text;
    if (text && field.read_text == nullptr) return append_field(context_, out, cell.bytes());
    if (field.compound) value_ = Value{};
    const Reader read = text ? field.read_text : field.read_binary;
    if (read == nullptr || !read(*field.type, cell.bytes(), scratch_, value_)) [[unlikely]] {
        return write_unreadable(out, cell);
    }
    const std::size_t start = out.size();
    if (field.write(context_, out, *field.type, value_)) [[likely]] {
        return true;
    }
    if (context_.fault != ValueFault::not_of_type) return false;
    out.rewind(start);
    return write_unreadable(out, cell);
}

// A value that does not have the form its type has today: the type was altered or dropped since it
// was logged. Text can be written as it came; binary says nothing.
bool CsvRow::write_unreadable(Writer& out, const Cell& cell) {
    if (cell.state != State::text) {
        context_.fault = ValueFault::not_of_type;
        return false;
    }
    context_.fault = ValueFault::none;
    met_unreadable_ = true;
    return append_field(context_, out, cell.bytes());
}

void CsvRow::note(Note note, std::uint32_t column) {
    const Noted noted{note, column};
    if (std::ranges::find(notes_, noted) == notes_.end()) notes_.push_back(noted);
}

void CsvRow::note_what_was_met(const Cell& cell, std::uint32_t column) {
    if (!cell.reselected && !context_.met_invalid_utf8 && !met_unreadable_) [[likely]] {
        return;
    }
    if (cell.reselected) note(Note::reselected, column);
    if (context_.met_invalid_utf8) note(Note::invalid_utf8, column);
    if (met_unreadable_) note(Note::as_text, column);
    context_.met_invalid_utf8 = met_unreadable_ = false;
}

// What was written there before is a field by now.
void CsvRow::begin_json() {
    side_.clear();
    json_.begin(side_);
}

// A JSON array of the columns' names, after `before`. False: there are none.
bool CsvRow::list(Writer& out, const TablePlan& plan, Note note, std::string_view before) const {
    bool any = false;
    for (const Noted& noted : notes_) {
        if (noted.note != note) continue;
        out.text(any ? "," : before);
        out.text(plan.column_names[noted.column]);
        any = true;
    }
    if (any) out.byte(']');
    return any;
}

}  // namespace pgc
