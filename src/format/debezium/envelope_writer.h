// What all messages of Debezium's form have beside their rows: source and transaction blocks,
// times, headers; and the messages that are about no table: logical messages, marks of
// transactions, heartbeats.
//
// Holds what is known of the batch and of the transaction at hand, as bytes that are ready to be
// copied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/change.h"
#include "core/format.h"
#include "core/record.h"
#include "format/debezium/envelope.h"
#include "format/debezium/options.h"
#include "format/debezium/row_encoder.h"
#include "format/heads/message_heads.h"
#include "format/options.h"

namespace pgc {

// What `write` writes.
template <typename Write>
std::string written(Write&& write) {
    Arena arena;
    Writer out;
    out.begin(arena);
    write(out);
    return std::string{out.finish()};
}

template <typename Encoding>
class EnvelopeWriter {
public:
    // All outlive it.
    EnvelopeWriter(const DebeziumOptions& options, const FormatContext& about,
                   RowEncoder<Encoding>& row);

    void begin_batch(const Batch& batch);
    void begin_transaction(const Batch& batch, const Transaction& transaction);

    // The blocks of the change, each with the bytes of its field before it.
    void write_source(Writer& out, const FieldBytes& field, std::string_view names,
                      const Change& change);
    void write_transaction(Writer& out, const FieldBytes& field, const Change& change);
    // ts_ms, ts_us and ts_ns of the envelope.
    void write_times(Writer& out) const { out.text(handled_); }

    // False: the fault is the row encoder's.
    bool append_message(const Change& change, std::uint32_t index, RecordBatch& out);
    void append_mark(const TransactionMark& mark, RecordBatch& out);
    void append_heartbeat(WallTime at, RecordBatch& out);

    // `other_key`: of a change that is a part of another one, the other part's.
    void add_headers(const Change& change, std::string_view other_key, Record& record,
                     RecordBatch& out);
    // Appends the record, whose key, value and headers are there.
    void finish(const Change& change, std::uint32_t index, Record& record, RecordBatch& out) const;

    // The fields schema and table of the source block.
    std::string names_of(std::string_view schema, std::string_view table);
    // To be ready before one of them is appended.
    HeadedMessages& messages() noexcept { return messages_; }
    HeadedMessages& marks() noexcept { return marks_; }
    HeadedMessages& heartbeats() noexcept { return heartbeats_; }

    // Of the change at hand, for whoever writes single fields of the blocks.
    // The word for which row of a snapshot it is, or that it is none.
    std::string_view snapshot_word(SnapshotMark mark) const noexcept;
    std::int64_t handled_us() const noexcept { return handled_us_; }
    std::int64_t committed_us() const noexcept { return committed_us_; }
    Xid xid() const noexcept { return xid_; }
    std::string_view sequence(const Change& change);
    // The transaction block is there: its id, and the places that the change at hand has.
    bool counts() const noexcept {
        return options_.transaction_metadata && !is_snapshot_ && xid_ != Xid{};
    }
    std::string transaction_id(const Change& change) const;
    std::uint64_t total_order() const noexcept { return total_; }
    std::uint64_t collection_order() const noexcept { return collection_order_; }
    // Takes the change into account; write_transaction() does it by itself.
    void count(const Change& change);
    // It has no record after all.
    void uncount(const Change& change);

private:
    // Constant bytes of messages that are about no table.
    struct Plain : HeadedMessages {
        std::vector<FieldBytes> key, value, block;
        FieldBytes element;  // of the array of blocks
        std::string names;   // of the source block
    };

    const RecordHeader* shared_headers(RecordBatch& out);
    void begin_source(SnapshotMark mark);
    static Plain with_schemas(ConnectSchemaPtr key, ConnectSchemaPtr value);
    void prepare_messages();
    void prepare_marks();
    void begin_counting(const Transaction& transaction);
    std::string last_commit(const Batch& batch, const Transaction& transaction);
    bool write_message(const Change& change);
    void write_counts(const TransactionMark& mark);

    const DebeziumOptions& options_;
    const FormatContext& about_;
    RowEncoder<Encoding>& row_;

    const SourceBytes source_ = source_bytes<Encoding>();
    const TransactionBytes transaction_ = transaction_bytes<Encoding>();
    const EnvelopeBytes envelope_ = envelope_bytes<Encoding>();
    std::string source_head_;  // version, connector, name
    Plain messages_;
    Plain marks_;
    Plain heartbeats_;
    Writer out_;
    std::string sequence_;

    // Of the batch at hand.
    bool is_snapshot_ = false;
    std::int64_t handled_us_ = 0;
    std::string handled_;
    const RecordHeader* headers_ = nullptr;  // those that all its rows have, once one needs them
    // Of the transaction at hand.
    Lsn commit_lsn_;
    Xid xid_;
    std::int64_t committed_us_ = 0;
    SnapshotMark mark_ = SnapshotMark::within;  // as in source_begin_
    std::string source_begin_;                  // up to the value of sequence
    std::string source_times_;                  // ts_us, ts_ns
    std::string source_xid_;                    // txId, up to the value of lsn
    std::string last_commit_;  // in the sequence: where the transaction before it ended
    // Of the stream: the transaction at hand, and where it and the one before it end.
    Lsn stream_commit_;
    Lsn ended_;
    Lsn ended_before_;
    // Of that of the stream, whose records are counted: it may come in many batches, and rows of a
    // snapshot between them.
    Lsn counted_lsn_;
    Xid counted_xid_;
    std::uint64_t total_ = 0;
    std::uint64_t collection_order_ = 0;
    std::unordered_map<std::uint32_t, std::uint64_t> by_table_;
};

extern template class EnvelopeWriter<JsonEncoding>;
extern template class EnvelopeWriter<AvroEncoding>;
extern template class EnvelopeWriter<ProtobufEncoding>;

}  // namespace pgc
