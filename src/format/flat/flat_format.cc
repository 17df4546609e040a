#include "format/flat/flat_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/words.h"
#include "format/debezium/names.h"
#include "format/json/text.h"

namespace pgc {
namespace {

using Of = FlatField::Of;

// Of a field of the blocks; null where there is none.
ConnectSchemaPtr block_field(const FlatField& field) {
    const ConnectSchemaPtr block = field.of == Of::source        ? source_schema()
                                   : field.of == Of::transaction ? transaction_schema()
                                                                 : envelope_schema("", nullptr);
    const auto found = std::ranges::find(block->fields, field.field, &ConnectField::name);
    return found == block->fields.end() ? nullptr : found->schema;
}

// Fields of the source block that are alike in all messages of a table.
enum class Constant : std::uint8_t { version, connector, name, database, schema, table };
constexpr auto kConstants = words_for<Constant>({{"version", Constant::version},
                                                 {"connector", Constant::connector},
                                                 {"name", Constant::name},
                                                 {"db", Constant::database},
                                                 {"schema", Constant::schema},
                                                 {"table", Constant::table}});
constexpr auto kOfEnvelope = words_for<AddedValue>({{"op", AddedValue::operation},
                                                    {"ts_ms", AddedValue::handled_us},
                                                    {"ts_us", AddedValue::handled_us},
                                                    {"ts_ns", AddedValue::handled_us}});
constexpr auto kOfTransaction =
    words_for<AddedValue>({{"id", AddedValue::transaction_id},
                           {"total_order", AddedValue::total_order},
                           {"data_collection_order", AddedValue::collection_order}});
constexpr auto kOfSource = words_for<AddedValue>({{"snapshot", AddedValue::snapshot_word},
                                                  {"sequence", AddedValue::sequence},
                                                  {"ts_ms", AddedValue::committed_us},
                                                  {"ts_us", AddedValue::committed_us},
                                                  {"ts_ns", AddedValue::committed_us},
                                                  {"lsn", AddedValue::lsn},
                                                  {"txId", AddedValue::xid}});

AddedValue value_of(const FlatField& field) {
    switch (field.of) {
        case Of::envelope: return kOfEnvelope.find(field.field).value_or(AddedValue::none);
        case Of::transaction: return kOfTransaction.find(field.field).value_or(AddedValue::none);
        case Of::source: return kOfSource.find(field.field).value_or(AddedValue::none);
        case Of::before:
        case Of::after: return AddedValue::column;
    }
    return AddedValue::none;
}

ConnectSchemaPtr made_optional(const ConnectSchema& schema) {
    auto copy = std::make_shared<ConnectSchema>(schema);
    copy->optional = true;
    return copy;
}

}  // namespace

template <typename Encoding>
FlatFormat<Encoding>::FlatFormat(TableFormatDeps deps, FlatOptions flat)
    : Base(std::move(deps)), flat_(std::move(flat)), shown_(Base::options_.invalid_utf8, false) {}

template <typename Encoding>
FlatTable FlatFormat<Encoding>::compile(const Relation& relation, const SchemaNumbers& numbers) {
    FlatTable table;
    const ConnectSchema* const value = numbers.value.get();
    table.row =
        compile_columns<Encoding>(relation, captured_columns(relation), debezium_, about_, value);
    table.key = compile_columns<Encoding>(relation, record_key(relation), debezium_, about_,
                                          numbers.key.get());
    std::size_t place = table.row.columns.size();
    if (rewrites()) {
        table.deleted = Encoding::field(
            {"__deleted", schema_of(ConnectType::string, true), number_in(value, place)}, place);
        ++place;
    }
    table.fields = added(table, relation, flat_.fields, place, value);
    table.headers = added(table, relation, flat_.headers, 0, nullptr);
    for (AddedField& one : table.headers) {
        if (one.column == nullptr) continue;
        one.shown =
            compile_columns<JsonEncoding>(relation, {one.column->place}, debezium_, about_, nullptr)
                .columns.front();
    }
    const std::string topic = table_topic(relation, about_);
    const auto named = [&](const char* suffix) {
        return adjusted_schema_name(topic + suffix, debezium_.schema_names);
    };
    table.value_schema = value_schema(table, named(".Value"));
    if (!table.key.columns.empty()) {
        table.key_schema = row_schema(table.key, named(".Key"), false);
    }
    return table;
}

template <typename Encoding>
std::vector<AddedField> FlatFormat<Encoding>::added(const FlatTable& table,
                                                    const Relation& relation,
                                                    const std::vector<FlatField>& fields,
                                                    std::size_t place,
                                                    const ConnectSchema* numbered) const {
    std::vector<AddedField> found;
    for (const FlatField& field : fields) {
        AddedField one;
        one.field = field;
        say_what(one, relation);
        if (field.of == Of::before || field.of == Of::after) {
            const auto column =
                std::ranges::find(table.row.schema->fields, field.field, &ConnectField::name);
            if (column == table.row.schema->fields.end()) continue;  // not of this table
            one.column =
                &table.row
                     .columns[static_cast<std::size_t>(column - table.row.schema->fields.begin())];
        }
        one.schema =
            made_optional(one.column != nullptr ? *one.column->schema : *block_field(field));
        one.bytes = Encoding::field({field.name, one.schema, number_in(numbered, place)}, place);
        ++place;
        found.push_back(std::move(one));
    }
    return found;
}

template <typename Encoding>
void FlatFormat<Encoding>::say_what(AddedField& one, const Relation& relation) const {
    const FlatField& field = one.field;
    const auto constant =
        field.of == Of::source ? kConstants.find(field.field) : std::optional<Constant>{};
    if (!constant) {
        one.value = value_of(field);
        if (field.field == "ts_ms") one.us_per = 1000;
        if (field.field == "ts_ns") one.per_us = 1000;
        return;
    }
    one.value = AddedValue::constant;
    switch (*constant) {
        case Constant::version: one.constant = about_.version; break;
        case Constant::connector: one.constant = "postgresql"; break;
        case Constant::name: one.constant = about_.name; break;
        case Constant::database: one.constant = about_.database; break;
        case Constant::schema: one.constant = relation.schema; break;
        case Constant::table: one.constant = relation.name; break;
    }
}

template <typename Encoding>
ConnectSchemaPtr FlatFormat<Encoding>::value_schema(const FlatTable& table,
                                                    const std::string& name) const {
    auto schema = std::make_shared<ConnectSchema>(*row_schema(table.row, name, false));
    if (rewrites()) {
        schema->fields.push_back({"__deleted", schema_of(ConnectType::string, true)});
    }
    for (const AddedField& one : table.fields) {
        schema->fields.push_back({one.field.name, one.schema});
    }
    return schema;
}

template <typename Encoding>
bool FlatFormat<Encoding>::append_row(const FlatTable& table, const Batch& batch,
                                      std::uint32_t index, RecordBatch& out) {
    const Change& change = batch.changes[index];
    const bool removed = change.operation == Operation::remove;
    const bool has_value = !removed || rewrites();
    if (!has_value && (flat_.deletes == FlatDeletes::drop || table.key.columns.empty())) {
        leave_out(change, index, out);
        return true;
    }
    Record record;
    record.relation = change.relation;
    record.operation = change.operation;
    std::string_view other_key;
    if (!Base::write_keys(table, batch, index, out, record, other_key)) return false;
    record.has_value = has_value;
    envelope_.count(change);
    if (record.has_value) {
        out_.begin(out.arena);
        if (!write_value(table, change)) return uncounted(change);
        record.value = out_.finish();
    }
    if (!add_headers(table, change, other_key, record, out)) return uncounted(change);
    envelope_.finish(change, index, record, out);
    return true;
}

template <typename Encoding>
void FlatFormat<Encoding>::leave_out(const Change& change, std::uint32_t index, RecordBatch& out) {
    if (!envelope_.counts()) return;
    envelope_.count(change);
    Record record;
    record.destination = Destination::none;
    record.relation = change.relation;
    record.operation = change.operation;
    record.has_value = false;
    envelope_.finish(change, index, record, out);
}

template <typename Encoding>
bool FlatFormat<Encoding>::write_value(const FlatTable& table, const Change& change) {
    const bool removed = change.operation == Operation::remove;
    const auto [before, after] = rows_of(change);
    out_.text(table.value_head.before);
    const bool empty = table.row.columns.empty() && table.fields.empty() && !rewrites();
    if (empty) {
        out_.text(Encoding::kEmptyMessage);
        out_.text(table.value_head.after);
        return true;
    }
    const auto start = Encoding::begin_message(out_);
    if (!row_.write_fields(out_, table.row, removed ? before : after,
                           removed ? nullptr : change.before)) {
        return false;
    }
    if (rewrites()) {
        out_.text(table.deleted.present);
        Encoding::plain(out_, removed ? "true" : "false");
    }
    for (const AddedField& one : table.fields) {
        if (!write_added(out_, one, change)) return false;
    }
    Encoding::end_message(out_, start);
    out_.text(table.value_head.after);
    return true;
}

template <typename Encoding>
bool FlatFormat<Encoding>::write_added(Writer& out, const AddedField& one, const Change& change) {
    if (one.column != nullptr) {
        const auto [before, after] = rows_of(change);
        const Cell* const cells = one.field.of == Of::before ? before : after;
        return row_.write_as(out, *one.column, one.bytes, cells);
    }
    const Plain value = plain_value(one, change);
    switch (value.kind) {
        case Plain::Kind::null: out.text(one.bytes.absent); return true;
        case Plain::Kind::number:
            out.text(one.bytes.present);
            Encoding::integer(out, value.number);
            return true;
        case Plain::Kind::text: out.text(one.bytes.present); break;
    }
    return row_.write_text(out, value.text, false);
}

template <typename Encoding>
auto FlatFormat<Encoding>::plain_value(const AddedField& one, const Change& change) -> Plain {
    const auto text = [](std::string_view of) { return Plain{Plain::Kind::text, of, 0}; };
    const auto number = [](std::int64_t of) { return Plain{Plain::Kind::number, {}, of}; };
    const auto count = [&](std::uint64_t of) { return number(static_cast<std::int64_t>(of)); };
    const auto time_of = [&](std::int64_t us) { return number(us * one.per_us / one.us_per); };
    switch (one.value) {
        case AddedValue::column:
        case AddedValue::none: return {};
        case AddedValue::constant: return text(one.constant);
        case AddedValue::operation: return text(operation_code(change.operation));
        case AddedValue::snapshot_word: return text(envelope_.snapshot_word(change.mark));
        case AddedValue::sequence: return text(envelope_.sequence(change));
        case AddedValue::lsn: return count(change.lsn.value);
        case AddedValue::xid:
            return envelope_.xid() == Xid{} ? Plain{} : count(envelope_.xid().value);
        case AddedValue::committed_us: return time_of(envelope_.committed_us());
        case AddedValue::handled_us: return time_of(envelope_.handled_us());
        case AddedValue::transaction_id:
        case AddedValue::total_order:
        case AddedValue::collection_order: break;
    }
    if (!envelope_.counts()) return {};
    if (one.value == AddedValue::transaction_id) {
        return text(text_ = envelope_.transaction_id(change));
    }
    return count(one.value == AddedValue::total_order ? envelope_.total_order()
                                                      : envelope_.collection_order());
}

template <typename Encoding>
bool FlatFormat<Encoding>::add_headers(const FlatTable& table, const Change& change,
                                       std::string_view other_key, Record& record,
                                       RecordBatch& out) {
    envelope_.add_headers(change, other_key, record, out);
    if (table.headers.empty()) return true;
    const auto had = record.headers();
    RecordHeader* const headers =
        out.arena.allocate<RecordHeader>(had.size() + table.headers.size());
    std::ranges::copy(had, headers);
    std::size_t count = had.size();
    for (const AddedField& one : table.headers) {
        // A tombstone says of itself only what it was made of.
        if (!record.has_value && one.field.field != "op") continue;
        if (!write_header(one, change, out, headers[count++])) return false;
    }
    record.first_header = headers;
    record.header_count = static_cast<std::uint32_t>(count);
    return true;
}

template <typename Encoding>
bool FlatFormat<Encoding>::write_header(const AddedField& one, const Change& change,
                                        RecordBatch& out, RecordHeader& header) {
    header = {out.arena.copy(one.field.name), {}};
    if (one.shown) return column_header(one, change, out, header.value);
    header.value = plain_header(plain_value(one, change), out);
    return true;
}

template <typename Encoding>
std::string_view FlatFormat<Encoding>::plain_header(const Plain& value, RecordBatch& out) {
    switch (value.kind) {
        case Plain::Kind::null: return {};
        case Plain::Kind::text: return out.arena.copy(value.text);
        case Plain::Kind::number: break;
    }
    const fmt::format_int digits{value.number};
    return out.arena.copy({digits.data(), digits.size()});
}

// Whatever messages are encoded in, headers are read by people and tools: JSON, and texts as they
// are.
template <typename Encoding>
bool FlatFormat<Encoding>::column_header(const AddedField& one, const Change& change,
                                         RecordBatch& out, std::string_view& header) {
    const auto [before, after] = rows_of(change);
    const Cell* const cells = one.field.of == Of::before ? before : after;
    Writer writer;
    writer.begin(out.arena);
    if (!shown_.write_as(writer, *one.shown, {}, cells)) {
        return row_.fail(shown_.fault(), shown_.failed_column());
    }
    const std::string_view json = writer.finish();
    if (json.empty()) return true;  // null
    header = json.starts_with('"') ? out.arena.copy(plain_text(json)) : json;
    if (header.empty()) header = "";  // that of an empty text is not null
    return true;
}

template class FlatFormat<JsonEncoding>;
template class FlatFormat<AvroEncoding>;
template class FlatFormat<ProtobufEncoding>;

}  // namespace pgc
