// A change as the sink gets it: where it goes, what it is, key, value, headers. And the batch in
// which records travel, which owns their bytes for as long as the sink needs them.
//
// A format fills in the records of its changes; the pipeline adds tombstones, dead letters, marks
// of transactions, heartbeats and partition_by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "base/lsn.h"
#include "core/operation.h"
#include "core/position.h"
#include "core/relation.h"

namespace pgc {

// Where a record goes. What that is (a topic, a file, a line) the sink decides, once for each
// relation.
enum class Destination : std::uint8_t {
    own,           // that of its relation; without one, that of logical messages
    dead_letters,  // that of records that could not go where they belong
    transactions,  // that of marks of transactions
    heartbeats,
    none,  // nowhere: its transaction counts it, and no sink gets it
};

struct RecordHeader {
    std::string_view name;
    std::string_view value;
};

struct Record {
    // Whose row it is of; null for a logical message, a mark and a heartbeat. Lives as long as the
    // batch.
    const Relation* relation = nullptr;
    Destination destination = Destination::own;
    Operation operation = Operation::insert;
    bool has_key = false;
    bool has_value = true;  // false: a tombstone
    // Concerns all rows of its table (TRUNCATE): a sink with partitions writes one to each.
    bool to_all_partitions = false;
    std::uint32_t change = 0;  // index in Batch::changes of the one it was made from; not of a mark
    std::uint32_t header_count = 0;
    std::string_view key;
    std::string_view value;
    std::string_view partition_by;  // what decides its partition instead of the key; or empty
    // Headers beside pgc.lsn and pgc.seq, which the sink makes; usually none. In the batch's arena,
    // the array and the texts.
    const RecordHeader* first_header = nullptr;
    Lsn commit_lsn;             // of its transaction; header pgc.lsn
    std::uint64_t ordinal = 0;  // of its change; header pgc.seq

    std::span<const RecordHeader> headers() const noexcept { return {first_header, header_count}; }
};

// A logical message that is meant for us (core/own_messages.h), as it came.
struct OwnMessage {
    Lsn commit_lsn;
    std::uint64_t ordinal = 0;
    WallTime committed_at;
    bool transactional = false;
    std::string_view prefix;
    std::string_view content;
};

// Belongs to one holder at a time: the format fills it, the sink keeps it while it needs the bytes,
// then lets it go; the deleter hands it back to the pool it came from.
struct RecordBatch {
    Lane lane = kStreamLane;
    std::vector<Record> records;
    std::vector<OwnMessage> messages;    // in order; only where the sink acts on them
    Arena arena;                         // what the views of both point to
    std::vector<RelationPtr> relations;  // those the records point to
    Position end;                        // durable up to here once all its records are
    Lsn resume_at;  // where the stream goes on after its last whole transaction; none: it ends none
    WallTime newest_commit;
    std::size_t charged = 0;  // RecordPool::charge()

    // The memory it takes, and what a sink needs beside it for as many records.
    std::size_t footprint(std::size_t record_count, std::size_t bytes_per_record) const noexcept {
        return arena.capacity() + records.capacity() * sizeof(Record) +
               record_count * bytes_per_record;
    }

    void clear() noexcept {
        records.clear();
        messages.clear();
        arena.clear();
        relations.clear();
        end = {};
        resume_at = {};
        newest_commit = {};
    }
};

// Takes batches back, and knows how much memory those that are out take. That ends when a batch
// comes back, not when it is durable: what a sink has written elsewhere takes no memory any more.
// Outlives every batch it gave out.
//
// Threads: one, the pipeline's. Another may read a batch, but batches are given back on this one.
class RecordPool {
public:
    RecordPool() = default;
    RecordPool(const RecordPool&) = delete;
    RecordPool& operator=(const RecordPool&) = delete;

    struct Return {
        RecordPool* pool = nullptr;
        void operator()(RecordBatch* batch) const noexcept {
            if (pool != nullptr) {
                pool->take_back(batch);
            } else {
                delete batch;
            }
        }
    };
    using Ptr = std::unique_ptr<RecordBatch, Return>;

    Ptr get() {
        if (idle_.empty()) return {new RecordBatch, Return{this}};
        RecordBatch* batch = idle_.back().release();
        idle_.pop_back();
        return {batch, Return{this}};
    }

    // `batch`, which is out, takes so many bytes until it comes back.
    void charge(RecordBatch& batch, std::size_t bytes) noexcept {
        charged_ += bytes - batch.charged;
        batch.charged = bytes;
    }
    std::size_t charged() const noexcept { return charged_; }

private:
    static constexpr std::size_t kKept = 8;

    void take_back(RecordBatch* batch) noexcept {
        std::unique_ptr<RecordBatch> owned{batch};
        charge(*owned, 0);
        if (idle_.size() >= kKept) return;
        owned->clear();
        idle_.push_back(std::move(owned));
    }

    std::vector<std::unique_ptr<RecordBatch>> idle_;
    std::size_t charged_ = 0;
};

using RecordBatchPtr = RecordPool::Ptr;

}  // namespace pgc
