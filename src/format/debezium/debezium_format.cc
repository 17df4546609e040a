#include "format/debezium/debezium_format.h"

#include <string>
#include <string_view>

#include "format/debezium/names.h"

namespace pgc {

template <typename Encoding>
DebeziumTable DebeziumFormat<Encoding>::compile(const Relation& relation,
                                                const SchemaNumbers& numbers) {
    DebeziumTable table;
    const ConnectSchema* const row =
        numbers.value != nullptr ? numbers.value->fields.front().schema.get() : nullptr;
    table.row =
        compile_columns<Encoding>(relation, captured_columns(relation), debezium_, about_, row);
    table.key = compile_columns<Encoding>(relation, record_key(relation), debezium_, about_,
                                          numbers.key.get());
    table.names = envelope_.names_of(relation.schema, relation.name);
    const std::string topic = table_topic(relation, about_);
    const auto named = [&](const char* suffix) {
        return adjusted_schema_name(topic + suffix, debezium_.schema_names);
    };
    table.value_schema =
        envelope_schema(named(".Envelope"), row_schema(table.row, named(".Value"), true));
    if (!table.key.columns.empty()) {
        table.key_schema = row_schema(table.key, named(".Key"), false);
    }
    return table;
}

template <typename Encoding>
bool DebeziumFormat<Encoding>::append_row(const DebeziumTable& table, const Batch& batch,
                                          std::uint32_t index, RecordBatch& out) {
    const Change& change = batch.changes[index];
    Record record;
    record.relation = change.relation;
    record.operation = change.operation;
    std::string_view other_key;
    if (!Base::write_keys(table, batch, index, out, record, other_key)) return false;
    out_.begin(out.arena);
    if (!write_envelope(table, change)) return false;
    record.value = out_.finish();
    envelope_.add_headers(change, other_key, record, out);
    envelope_.finish(change, index, record, out);
    return true;
}

template <typename Encoding>
bool DebeziumFormat<Encoding>::write_envelope(const DebeziumTable& table, const Change& change) {
    const auto [before, after] = rows_of(change);
    out_.text(table.value_head.before);
    const auto start = Encoding::begin_message(out_);
    out_.text(before != nullptr ? bytes_.before.present : bytes_.before.absent);
    if (before != nullptr && !row_.write_row(out_, table.row, before, nullptr)) return false;
    out_.text(after != nullptr ? bytes_.after.present : bytes_.after.absent);
    if (after != nullptr && !row_.write_row(out_, table.row, after, change.before)) return false;
    end_envelope(table, change, start);
    return true;
}

template <typename Encoding>
void DebeziumFormat<Encoding>::append_truncate(const DebeziumTable& table, const Change& change,
                                               std::uint32_t index, RecordBatch& out) {
    Record record;
    record.relation = change.relation;
    record.operation = Operation::truncate;
    record.to_all_partitions = true;
    out_.begin(out.arena);
    out_.text(table.value_head.before);
    const auto start = Encoding::begin_message(out_);
    out_.text(bytes_.before.absent);
    out_.text(bytes_.after.absent);
    end_envelope(table, change, start);
    record.value = out_.finish();
    envelope_.add_headers(change, {}, record, out);
    envelope_.finish(change, index, record, out);
}

// All after the rows.
template <typename Encoding>
void DebeziumFormat<Encoding>::end_envelope(const DebeziumTable& table, const Change& change,
                                            std::size_t start) {
    envelope_.write_source(out_, bytes_.source, table.names, change);
    envelope_.write_transaction(out_, bytes_.transaction, change);
    out_.text(bytes_.operation.present);
    Encoding::plain(out_, operation_code(change.operation));
    envelope_.write_times(out_);
    Encoding::end_message(out_, start);
    out_.text(table.value_head.after);
}

template class DebeziumFormat<JsonEncoding>;
template class DebeziumFormat<AvroEncoding>;
template class DebeziumFormat<ProtobufEncoding>;

}  // namespace pgc
