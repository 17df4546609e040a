#include "format/debezium/envelope_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgc {
namespace {

constexpr std::uint32_t kContextHeaders = 4;

// Debezium's is of the operation at hand: two of one transaction have the first part in common.
std::string id_of(Xid xid, Lsn lsn) {
    return fmt::format("{}:{}", xid.value, lsn.value);
}

template <typename Encoding>
std::vector<FieldBytes> fields_of(const ConnectSchema& structure) {
    std::vector<FieldBytes> fields;
    for (std::size_t i = 0; i < structure.fields.size(); ++i) {
        fields.push_back(Encoding::field(structure.fields[i], i));
    }
    return fields;
}

// Places of the fields in the schemas of envelope.cc.
enum MessageField : std::size_t { kOperation, kTime, kSource, kTransaction, kMessage };
enum BlockField : std::size_t { kPrefix, kContent };
enum MarkField : std::size_t { kStatus, kId, kCount, kCollections, kMarkTime };
enum CountField : std::size_t { kCollection, kCollectionCount };

}  // namespace

template <typename Encoding>
EnvelopeWriter<Encoding>::EnvelopeWriter(const DebeziumOptions& options, const FormatContext& about,
                                         RowEncoder<Encoding>& row)
    : options_(options), about_(about), row_(row) {
    source_head_ = written([&](Writer& out) {
        out.text(source_.version.present);
        static_cast<void>(row_.write_text(out, about_.version, false));
        out.text(source_.connector.present);
        Encoding::plain(out, "postgresql");
        out.text(source_.name.present);
        static_cast<void>(row_.write_text(out, about_.name, false));
    });
    prepare_messages();
    prepare_marks();
    heartbeats_ = with_schemas(heartbeat_key_schema(options_), heartbeat_value_schema(options_));
}

template <typename Encoding>
std::string EnvelopeWriter<Encoding>::names_of(std::string_view schema, std::string_view table) {
    return written([&](Writer& out) {
        out.text(source_.schema.present);
        static_cast<void>(row_.write_text(out, schema, false));
        out.text(source_.table.present);
        static_cast<void>(row_.write_text(out, table, false));
    });
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::begin_batch(const Batch& batch) {
    is_snapshot_ = batch.lane != kStreamLane;
    handled_us_ = batch.handled_at.unix_us;
    handled_ = written([&](Writer& to) {
        to.text(envelope_.ts_ms.present);
        Encoding::integer(to, handled_us_ / 1000);
        to.text(envelope_.ts_us.present);
        Encoding::integer(to, handled_us_);
        to.text(envelope_.ts_ns.present);
        Encoding::integer(to, handled_us_ * 1000);
    });
    headers_ = nullptr;
}

// Not before a record needs them: of a batch that waits many turns pass without any.
template <typename Encoding>
const RecordHeader* EnvelopeWriter<Encoding>::shared_headers(RecordBatch& out) {
    if (headers_ != nullptr || !options_.extended_headers) [[likely]] {
        return headers_;
    }
    RecordHeader* const headers = out.arena.allocate<RecordHeader>(kContextHeaders);
    headers[0] = {"__debezium.context.connectorLogicalName", out.arena.copy(about_.name)};
    headers[1] = {"__debezium.context.taskId", "0"};
    headers[2] = {"__debezium.context.connectorName", "postgresql"};
    headers[3] = {"__debezium.context.runId", out.arena.copy(about_.run)};
    return headers_ = headers;
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::begin_transaction(const Batch& batch,
                                                 const Transaction& transaction) {
    commit_lsn_ = transaction.commit_lsn;
    xid_ = transaction.xid;
    committed_us_ = transaction.committed_at.unix_us;
    const bool has_changes = transaction.count > 0;
    begin_source(has_changes ? batch.changes[transaction.first].mark : SnapshotMark::within);
    source_times_ = written([&](Writer& out) {
        out.text(source_.ts_us.present);
        Encoding::integer(out, committed_us_);
        out.text(source_.ts_ns.present);
        Encoding::integer(out, committed_us_ * 1000);
    });
    const bool has_xid = xid_ != Xid{};
    source_xid_ = written([&](Writer& out) {
        out.text(has_xid ? source_.xid.present : source_.xid.absent);
        if (has_xid) Encoding::integer(out, xid_.value);
        out.text(source_.lsn.present);
    });
    last_commit_ = last_commit(batch, transaction);
    if (counts()) begin_counting(transaction);
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::begin_source(SnapshotMark mark) {
    mark_ = mark;
    source_begin_ = source_head_ + written([&](Writer& out) {
                        out.text(source_.ts_ms.present);
                        Encoding::integer(out, committed_us_ / 1000);
                        out.text(source_.snapshot.present);
                        Encoding::plain(out, snapshot_word(mark));
                        out.text(source_.database.present);
                        static_cast<void>(row_.write_text(out, about_.database, false));
                        out.text(source_.sequence.present);
                    });
}

template <typename Encoding>
std::string_view EnvelopeWriter<Encoding>::snapshot_word(SnapshotMark mark) const noexcept {
    if (!is_snapshot_) return "false";
    switch (mark) {
        case SnapshotMark::within: return "true";
        case SnapshotMark::first: return "first";
        case SnapshotMark::first_of_table: return "first_in_data_collection";
        case SnapshotMark::last_of_table: return "last_in_data_collection";
        case SnapshotMark::last: return "last";
        case SnapshotMark::requested: return "incremental";
    }
    return "true";
}

// After a start it is not known: what comes first of the transaction itself stands for it, which is
// the same after every start and in the order of the others.
template <typename Encoding>
std::string EnvelopeWriter<Encoding>::last_commit(const Batch& batch,
                                                  const Transaction& transaction) {
    if (is_snapshot_) return "null";
    if (transaction.commit_lsn != stream_commit_) {
        ended_before_ = ended_;
        stream_commit_ = transaction.commit_lsn;
        if (!ended_before_ && transaction.count > 0) {
            ended_before_ = batch.changes[transaction.first].lsn;
        }
    }
    if (transaction.ends) ended_ = transaction.end_lsn;
    // Nothing is waited for before a message of no transaction counts as complete.
    return fmt::format("\"{}\"",
                       (transaction.xid == Xid{} ? transaction.end_lsn : ended_before_).value);
}

template <typename Encoding>
std::string EnvelopeWriter<Encoding>::transaction_id(const Change& change) const {
    return id_of(xid_, change.lsn);
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::begin_counting(const Transaction& transaction) {
    if (transaction.commit_lsn == counted_lsn_ && transaction.xid == counted_xid_) return;
    counted_lsn_ = transaction.commit_lsn;
    counted_xid_ = transaction.xid;
    total_ = 0;
    by_table_.clear();
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::count(const Change& change) {
    if (!counts()) return;
    ++total_;
    const std::uint32_t table = change.relation == nullptr ? 0 : change.relation->oid.value;
    collection_order_ = ++by_table_[table];
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::uncount(const Change& change) {
    if (!counts()) return;
    --total_;
    --by_table_[change.relation == nullptr ? 0 : change.relation->oid.value];
}

template <typename Encoding>
std::string_view EnvelopeWriter<Encoding>::sequence(const Change& change) {
    const fmt::format_int lsn{change.lsn.value};
    sequence_.assign("[").append(last_commit_).append(",\"");
    sequence_.append(lsn.data(), lsn.size()).append("\"]");
    return sequence_;
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::write_source(Writer& out, const FieldBytes& field,
                                            std::string_view names, const Change& change) {
    if (change.mark != mark_) [[unlikely]]
        begin_source(change.mark);
    out.text(field.present);
    const auto start = Encoding::begin_structure(out);
    out.text(source_begin_);
    static_cast<void>(row_.write_text(out, sequence(change), false));
    out.text(source_times_);
    out.text(names);
    out.text(source_xid_);
    Encoding::integer(out, static_cast<std::int64_t>(change.lsn.value));
    out.text(source_.xmin.absent);
    out.text(source_.origin.absent);
    out.text(source_.origin_lsn.absent);
    Encoding::end_structure(out, start);
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::write_transaction(Writer& out, const FieldBytes& field,
                                                 const Change& change) {
    if (!counts()) {
        out.text(field.absent);
        return;
    }
    count(change);
    out.text(field.present);
    const auto start = Encoding::begin_structure(out);
    out.text(transaction_.id.present);
    Encoding::plain(out, transaction_id(change));
    out.text(transaction_.total_order.present);
    Encoding::integer(out, static_cast<std::int64_t>(total_));
    out.text(transaction_.collection_order.present);
    Encoding::integer(out, static_cast<std::int64_t>(collection_order_));
    Encoding::end_structure(out, start);
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::add_headers(const Change& change, std::string_view other_key,
                                           Record& record, RecordBatch& out) {
    const std::uint32_t shared = options_.extended_headers ? kContextHeaders : 0;
    record.first_header = shared_headers(out);
    record.header_count = shared;
    if (change.part == Change::Part::whole) return;
    RecordHeader* const headers = out.arena.allocate<RecordHeader>(shared + 1);
    const bool removed = change.part == Change::Part::old_key;
    headers[0] = {removed ? "__debezium.newkey" : "__debezium.oldkey", other_key};
    std::copy_n(headers_, shared, headers + 1);
    record.first_header = headers;
    record.header_count = shared + 1;
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::finish(const Change& change, std::uint32_t index, Record& record,
                                      RecordBatch& out) const {
    record.commit_lsn = commit_lsn_;
    record.ordinal = change.ordinal;
    record.change = index;
    out.records.push_back(record);
}

template <typename Encoding>
auto EnvelopeWriter<Encoding>::with_schemas(ConnectSchemaPtr key, ConnectSchemaPtr value) -> Plain {
    Plain made;
    made.key = fields_of<Encoding>(*key);
    made.value = fields_of<Encoding>(*value);
    made.key_schema = std::move(key);
    made.value_schema = std::move(value);
    return made;
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::prepare_messages() {
    messages_ = with_schemas(message_key_schema(options_), message_value_schema(options_));
    messages_.block = fields_of<Encoding>(*messages_.value_schema->fields[kMessage].schema);
    messages_.names = names_of("", "");
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::prepare_marks() {
    marks_ = with_schemas(mark_key_schema(options_), mark_value_schema(options_));
    const ConnectSchema& count = *marks_.value_schema->fields[kCollections].schema->element;
    marks_.block = fields_of<Encoding>(count);
    marks_.element = Encoding::element(count);
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::append_heartbeat(WallTime at, RecordBatch& out) {
    Record record;
    record.destination = Destination::heartbeats;
    record.operation = Operation::message;
    record.has_key = true;
    out_.begin(out.arena);
    out_.text(heartbeats_.key_head.before);
    const auto key = Encoding::begin_message(out_);
    out_.text(heartbeats_.key.front().present);
    static_cast<void>(row_.write_text(out_, about_.name, false));
    Encoding::end_message(out_, key);
    out_.text(heartbeats_.key_head.after);
    record.key = out_.finish();

    out_.begin(out.arena);
    out_.text(heartbeats_.value_head.before);
    const auto value = Encoding::begin_message(out_);
    out_.text(heartbeats_.value.front().present);
    Encoding::integer(out_, at.unix_us / 1000);
    Encoding::end_message(out_, value);
    out_.text(heartbeats_.value_head.after);
    record.value = out_.finish();
    out.records.push_back(record);
}

template <typename Encoding>
bool EnvelopeWriter<Encoding>::append_message(const Change& change, std::uint32_t index,
                                              RecordBatch& out) {
    Record record;
    record.operation = Operation::message;
    out_.begin(out.arena);
    out_.text(messages_.key_head.before);
    const auto key = Encoding::begin_message(out_);
    out_.text(messages_.key[kPrefix].present);
    if (!row_.write_text(out_, change.message->prefix, true)) return false;
    Encoding::end_message(out_, key);
    out_.text(messages_.key_head.after);
    record.key = out_.finish();
    record.has_key = true;

    out_.begin(out.arena);
    if (!write_message(change)) return false;
    record.value = out_.finish();
    finish(change, index, record, out);
    return true;
}

template <typename Encoding>
bool EnvelopeWriter<Encoding>::write_message(const Change& change) {
    const Message& message = *change.message;
    // Seen before anything is counted: the prefix may be no text.
    if (!row_.write_text(out_, message.prefix, false)) return false;
    out_.rewind(0);
    out_.text(messages_.value_head.before);
    const auto value = Encoding::begin_message(out_);
    out_.text(messages_.value[kOperation].present);
    Encoding::plain(out_, operation_code(Operation::message));
    out_.text(messages_.value[kTime].present);
    Encoding::integer(out_, handled_us_ / 1000);
    write_source(out_, messages_.value[kSource], messages_.names, change);
    write_transaction(out_, messages_.value[kTransaction], change);
    out_.text(messages_.value[kMessage].present);
    const auto block = Encoding::begin_structure(out_);
    out_.text(messages_.block[kPrefix].present);
    static_cast<void>(row_.write_text(out_, message.prefix, false));
    out_.text(messages_.block[kContent].present);
    row_.write_content(out_, options_.binary, message.content);
    Encoding::end_structure(out_, block);
    Encoding::end_message(out_, value);
    out_.text(messages_.value_head.after);
    return true;
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::append_mark(const TransactionMark& mark, RecordBatch& out) {
    const bool ends = mark.kind == TransactionMark::Kind::end;
    const std::string id = id_of(mark.xid, mark.lsn);
    Record record;
    record.destination = Destination::transactions;
    record.operation = Operation::message;
    record.has_key = true;
    out_.begin(out.arena);
    out_.text(marks_.key_head.before);
    const auto key = Encoding::begin_message(out_);
    out_.text(marks_.key.front().present);
    Encoding::plain(out_, id);
    Encoding::end_message(out_, key);
    out_.text(marks_.key_head.after);
    record.key = out_.finish();

    out_.begin(out.arena);
    out_.text(marks_.value_head.before);
    const auto value = Encoding::begin_message(out_);
    out_.text(marks_.value[kStatus].present);
    Encoding::plain(out_, ends ? "END" : "BEGIN");
    out_.text(marks_.value[kId].present);
    Encoding::plain(out_, id);
    if (ends) {
        write_counts(mark);
    } else {
        out_.text(marks_.value[kCount].absent);
        out_.text(marks_.value[kCollections].absent);
    }
    out_.text(marks_.value[kMarkTime].present);
    Encoding::integer(out_, mark.committed_at.unix_us / 1000);
    Encoding::end_message(out_, value);
    out_.text(marks_.value_head.after);
    record.value = out_.finish();
    record.commit_lsn = mark.commit_lsn;
    record.ordinal = mark.ordinal;
    out.records.push_back(record);
}

template <typename Encoding>
void EnvelopeWriter<Encoding>::write_counts(const TransactionMark& mark) {
    out_.text(marks_.value[kCount].present);
    Encoding::integer(out_, static_cast<std::int64_t>(mark.events));
    out_.text(marks_.value[kCollections].present);
    const auto counts = Encoding::begin_array(out_, mark.tables.size());
    for (std::size_t i = 0; i < mark.tables.size(); ++i) {
        if (i > 0) Encoding::next(out_);
        const auto element = Encoding::begin_element(out_, marks_.element);
        const TransactionMark::Table& table = mark.tables[i];
        const auto entry = Encoding::begin_structure(out_);
        out_.text(marks_.block[kCollection].present);
        std::string name{table.schema};
        name.append(".").append(table.name);
        static_cast<void>(row_.write_text(out_, name, false));
        out_.text(marks_.block[kCollectionCount].present);
        Encoding::integer(out_, static_cast<std::int64_t>(table.events));
        Encoding::end_structure(out_, entry);
        Encoding::end_element(out_, element);
    }
    Encoding::end_array(out_, counts);
}

template class EnvelopeWriter<JsonEncoding>;
template class EnvelopeWriter<AvroEncoding>;
template class EnvelopeWriter<ProtobufEncoding>;

}  // namespace pgc
