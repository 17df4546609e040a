// A change as the destination gets it: destination, key, value. And the batch in which
// records travel, which owns their bytes until the sink has made them durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "base/lsn.h"
#include "core/position.h"
#include "core/relation.h"

namespace pgc {

struct Record {
    const Relation* relation = nullptr;  // null for a logical message
    bool has_key = false;
    bool has_value = true;  // false: a tombstone
    // Concerns all rows of its table (TRUNCATE): a sink with partitions writes one to each.
    bool to_all_partitions = false;
    std::string_view key;
    std::string_view value;
    std::string_view partition_by;  // what decides its partition instead of the key; or empty
    Lsn commit_lsn;                 // header pgc.lsn
    std::uint64_t ordinal = 0;      // header pgc.seq
};

// Belongs to one holder at a time: the format fills it, the sink keeps it until it is
// durable, then lets it go; the deleter hands it back to the pool it came from.
struct RecordBatch {
    Lane lane = kStreamLane;
    std::vector<Record> records;
    Arena arena;                         // keys and values
    std::vector<RelationPtr> relations;  // those the records point to
    Position end;                        // durable up to here once all its records are
    WallTime newest_commit;

    void clear() noexcept {
        records.clear();
        arena.clear();
        relations.clear();
        end = {};
        newest_commit = {};
    }
};

// Takes batches back. Outlives every batch it gave out.
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

private:
    static constexpr std::size_t kKept = 8;

    void take_back(RecordBatch* batch) noexcept {
        std::unique_ptr<RecordBatch> owned{batch};
        if (idle_.size() >= kKept) return;
        owned->clear();
        idle_.push_back(std::move(owned));
    }

    std::vector<std::unique_ptr<RecordBatch>> idle_;
};

using RecordBatchPtr = RecordPool::Ptr;

}  // namespace pgc
