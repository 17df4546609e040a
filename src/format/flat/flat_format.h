// The row alone, as Debezium's ExtractNewRecordState makes it of Debezium's messages:
//
//   {"id":1,"name":"a","__deleted":"false","__op":"c","__lsn":24023128}
//
// A TRUNCATE is left out; logical messages and marks of transactions are those of Debezium's form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/debezium/table_format.h"
#include "format/debezium/table_plan.h"
#include "format/flat/options.h"

namespace pgc {

// What a field beside the row holds: decided when the table's plan is compiled.
enum class AddedValue : std::uint8_t {
    column,    // AddedField::column, of the row before or after
    constant,  // AddedField::constant
    none,      // null, always
    operation,
    snapshot_word,
    sequence,
    lsn,
    xid,
    committed_us,  // the time of the commit, and its other units
    handled_us,    // when pg-capture had it, likewise
    transaction_id,
    total_order,
    collection_order,
};

// A field that is written beside the row.
struct AddedField {
    FlatField field;
    AddedValue value = AddedValue::none;
    std::string constant;
    std::int64_t per_us = 1, us_per = 1;  // the unit of a time
    ConnectSchemaPtr schema;
    FieldBytes bytes;
    const DebeziumColumn* column = nullptr;  // in DebeziumTable::row
    std::optional<DebeziumColumn> shown;     // of a header: the column as JSON
};

struct FlatTable : DebeziumTable {
    FieldBytes deleted;  // __deleted
    std::vector<AddedField> fields;
    std::vector<AddedField> headers;
};

template <typename Encoding>
class FlatFormat final : public TableFormat<Encoding, FlatTable, FlatFormat<Encoding>> {
    using Base = TableFormat<Encoding, FlatTable, FlatFormat>;
    friend Base;

public:
    FlatFormat(TableFormatDeps deps, FlatOptions flat);

private:
    FlatTable compile(const Relation& relation, const SchemaNumbers& numbers);
    static Result<void> check_numbers(const SchemaNumbers&) { return {}; }
    ConnectSchemaPtr value_schema(const FlatTable& table, const std::string& name) const;
    // `numbered`: the value's schema, or null.
    std::vector<AddedField> added(const FlatTable& table, const Relation& relation,
                                  const std::vector<FlatField>& fields, std::size_t place,
                                  const ConnectSchema* numbered) const;
    void say_what(AddedField& added, const Relation& relation) const;

    bool append_row(const FlatTable& table, const Batch& batch, std::uint32_t index,
                    RecordBatch& out);
    void append_truncate(const FlatTable&, const Change& change, std::uint32_t index,
                         RecordBatch& out) {
        leave_out(change, index, out);
    }
    // Of a change that no message is made of: only its transaction counts it.
    void leave_out(const Change& change, std::uint32_t index, RecordBatch& out);

    bool rewrites() const noexcept {
        return flat_.deletes == FlatDeletes::rewrite ||
               flat_.deletes == FlatDeletes::rewrite_with_tombstone;
    }
    bool write_value(const FlatTable& table, const Change& change);
    // Of one that was counted and has no record. False.
    bool uncounted(const Change& change) {
        envelope_.uncount(change);
        return false;
    }
    bool write_added(Writer& out, const AddedField& added, const Change& change);
    // The field's text or number; nothing for null.
    struct Plain {
        enum class Kind : std::uint8_t { null, text, number } kind = Kind::null;
        std::string_view text;
        std::int64_t number = 0;
    };
    Plain plain_value(const AddedField& added, const Change& change);
    bool add_headers(const FlatTable& table, const Change& change, std::string_view other_key,
                     Record& record, RecordBatch& out);
    bool write_header(const AddedField& added, const Change& change, RecordBatch& out,
                      RecordHeader& header);
    std::string_view plain_header(const Plain& value, RecordBatch& out);
    bool column_header(const AddedField& added, const Change& change, RecordBatch& out,
                       std::string_view& header);

    using Base::about_;
    using Base::debezium_;
    using Base::envelope_;
    using Base::out_;
    using Base::row_;

    const FlatOptions flat_;
    RowEncoder<JsonEncoding> shown_;  // of columns in headers
    std::string text_;                // of the field at hand
};

extern template class FlatFormat<JsonEncoding>;
extern template class FlatFormat<AvroEncoding>;
extern template class FlatFormat<ProtobufEncoding>;

}  // namespace pgc
