#include "format/debezium/row_encoder.h"

#include <cstddef>
#include <memory>

#include "format/cells.h"

namespace pgc {
namespace {

using State = Cell::State;

}  // namespace

template <typename Encoding>
bool RowEncoder<Encoding>::write_row(Writer& out, const ColumnsPlan& plan, const Cell* cells,
                                     const Cell* older) {
    if (plan.columns.empty()) {
        out.text(Encoding::kEmptyStructure);
        return true;
    }
    const auto start = Encoding::begin_structure(out);
    if (!write_fields(out, plan, cells, older)) return false;
    Encoding::end_structure(out, start);
    return true;
}

template <typename Encoding>
bool RowEncoder<Encoding>::write_fields(Writer& out, const ColumnsPlan& plan, const Cell* cells,
                                        const Cell* older) {
    context_.in_key = false;
    for (const DebeziumColumn& column : plan.columns) {
        if (!write_cell(out, column, best_known(cells, older, column.place))) {
            failed_column_ = column.place;
            return false;
        }
    }
    scratch_.clear();
    return true;
}

template <typename Encoding>
bool RowEncoder<Encoding>::write_key(Writer& out, const ColumnsPlan& plan, const Cell* cells,
                                     const Cell* older) {
    context_.in_key = true;
    const auto start = Encoding::begin_message(out);
    for (const DebeziumColumn& column : plan.columns) {
        const Cell& cell = best_known(cells, older, column.place);
        const bool known = cell.state != State::absent && cell.state != State::unchanged;
        if (!known) context_.fault = ValueFault::key_unknown;
        if (!known || !write_cell(out, column, cell)) {
            failed_column_ = column.place;
            return false;
        }
    }
    Encoding::end_message(out, start);
    return true;
}

template <typename Encoding>
bool RowEncoder<Encoding>::write_as(Writer& out, const DebeziumColumn& column,
                                    const FieldBytes& field, const Cell* cells) {
    context_.in_key = false;
    const State state = cells == nullptr ? State::null : cells[column.place].state;
    if (state != State::text && state != State::binary) {
        out.text(field.absent);
        return true;
    }
    out.text(field.present);
    failed_column_ = column.place;
    const bool done = write_value(out, column, cells[column.place]);
    scratch_.clear();
    return done;
}

template <typename Encoding>
void RowEncoder<Encoding>::write_content(Writer& out, BinaryHandling binary,
                                         std::string_view bytes) {
    static const TypePtr bytea = std::make_shared<const Type>(Type{.kind = Kind::bytes});
    DebeziumOptions options;
    options.binary = binary;
    const ColumnForm form = column_form({.name = {}, .type = bytea}, options, {});
    const FormPlan plan = compile_form<Encoding>(form, bytea, true);
    Value value{};
    value.text = bytes;
    static_cast<void>(plan.write(context_, out, plan, value));
}

template <typename Encoding>
bool RowEncoder<Encoding>::write_cell(Writer& out, const DebeziumColumn& column, const Cell& cell) {
    switch (cell.state) {
        case State::absent: out.text(column.absent); return true;
        case State::null: return write_null(out, column);
        case State::unchanged: out.text(column.unsent); return true;
        case State::text:
        case State::binary: break;
    }
    out.text(column.present);
    return write_value(out, column, cell);
}

// The catalog is today's: a column may have been given its NOT NULL after the change. Who compiled
// the plan does so again, with room for it.
template <typename Encoding>
bool RowEncoder<Encoding>::write_null(Writer& out, const DebeziumColumn& column) {
    if (by_schema_ && !column.schema->optional) [[unlikely]] {
        context_.fault = ValueFault::null_required;
        return false;
    }
    out.text(column.null);
    return true;
}

template <typename Encoding>
bool RowEncoder<Encoding>::write_value(Writer& out, const DebeziumColumn& column,
                                       const Cell& cell) {
    if (column.compound) {
        value_ = Value{};
    }
    const Reader read = cell.state == State::text ? column.read_text : column.read_binary;
    if (read == nullptr || !read(*column.type, cell.bytes(), scratch_, value_)) [[unlikely]] {
        return write_unreadable(out, column, cell);
    }
    const std::size_t start = out.size();
    if (column.form.write(context_, out, column.form, value_)) [[likely]] {
        return true;
    }
    if (context_.fault != ValueFault::not_of_type) return false;
    out.rewind(start);
    return write_unreadable(out, column, cell);
}

// A value that does not have the form its type has today: the type was altered or dropped since it
// was logged. Text can be shown as it came, where a text may stand; binary says nothing.
template <typename Encoding>
bool RowEncoder<Encoding>::write_unreadable(Writer& out, const DebeziumColumn& column,
                                            const Cell& cell) {
    if (cell.state != State::text || !column.takes_text) {
        context_.fault = cell.state == State::text ? ValueFault::altered : ValueFault::not_of_type;
        return false;
    }
    context_.fault = ValueFault::none;
    return Encoding::text(context_, out, cell.bytes());
}

template class RowEncoder<JsonEncoding>;
template class RowEncoder<AvroEncoding>;
template class RowEncoder<ProtobufEncoding>;

}  // namespace pgc
