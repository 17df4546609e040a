// The row loop: walks a row's cells and appends them, as the plan says. Allocates nothing once its
// memory has grown to the rows' size.
//
// Where a row comes with its older version, a value that the server did not send because it did not
// change is taken from there.
#pragma once

#include <cstdint>

#include "core/change.h"
#include "format/debezium/form_writers.h"
#include "format/debezium/table_plan.h"
#include "format/fault.h"
#include "format/options.h"

namespace pgc {

template <typename Encoding>
class RowEncoder {
public:
    // `by_schema`: readers go by the schemas, so that a null has no place where these have none.
    RowEncoder(InvalidUtf8 invalid_utf8, bool by_schema)
        : by_schema_(by_schema || Encoding::kNeedsSchema) {
        context_.invalid_utf8 = invalid_utf8;
    }

    // Forgets the record before: its fault, and what its values were read into.
    void begin_record() noexcept {
        context_.fault = ValueFault::none;
        scratch_.clear();
    }

    // Appends the columns of `plan`. False: see fault() and failed_column().
    [[nodiscard]] bool write_row(Writer& out, const ColumnsPlan& plan, const Cell* cells,
                                 const Cell* older);
    // Appends the fields of write_row() alone; more fields may follow.
    [[nodiscard]] bool write_fields(Writer& out, const ColumnsPlan& plan, const Cell* cells,
                                    const Cell* older);
    // The same for a key, all of whose columns have to be known.
    [[nodiscard]] bool write_key(Writer& out, const ColumnsPlan& plan, const Cell* cells,
                                 const Cell* older);
    // One column of a row as another field; `cells` may be null.
    [[nodiscard]] bool write_as(Writer& out, const DebeziumColumn& column, const FieldBytes& field,
                                const Cell* cells);
    [[nodiscard]] bool write_text(Writer& out, std::string_view text, bool in_key) {
        context_.in_key = in_key;
        return Encoding::text(context_, out, text);
    }

    // As columns of bytea are written.
    void write_content(Writer& out, BinaryHandling binary, std::string_view bytes);

    // What nothing was written for. False.
    bool fail(ValueFault fault, std::uint32_t column) noexcept {
        context_.fault = fault;
        failed_column_ = column;
        return false;
    }
    ValueFault fault() const noexcept { return context_.fault; }
    std::uint32_t failed_column() const noexcept { return failed_column_; }

private:
    bool write_cell(Writer& out, const DebeziumColumn& column, const Cell& cell);
    bool write_null(Writer& out, const DebeziumColumn& column);
    bool write_value(Writer& out, const DebeziumColumn& column, const Cell& cell);
    bool write_unreadable(Writer& out, const DebeziumColumn& column, const Cell& cell);

    const bool by_schema_;
    FormContext context_;
    Scratch scratch_;
    Value value_;
    std::uint32_t failed_column_ = 0;
};

extern template class RowEncoder<JsonEncoding>;
extern template class RowEncoder<AvroEncoding>;
extern template class RowEncoder<ProtobufEncoding>;

}  // namespace pgc
