// Marks where transactions begin and end (kafka.transactions): one before the first record of a
// transaction, one after its last with how many events each table has of it.
//
// An event is a change that is written where it belongs, once, whether or not a tombstone follows
// it; and one that its format leaves out but counts (Destination::none). Dead letters are none. A
// transaction without events has no marks, nor have logical messages outside of transactions and
// rows of snapshots.
//
// A transaction may come in many batches; counts go on from one to the next. Records that are left
// out because they are sealed already are counted, too: so the last mark says the same whether or
// not the transaction was cut by a restart.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "core/change.h"
#include "core/format.h"
#include "core/record.h"

namespace pgc {

class TransactionMarks {
public:
    // Counts the records of `batch`, all of them, and decides which marks go between them.
    // `sealed`: records up to there are about to be left out.
    void plan(const Batch& batch, const RecordBatch& records,
              const std::optional<Position>& sealed);

    // Puts the marks where they belong, as `format` writes them; false while it waits. Requires:
    // what is sealed was left out of `records` since plan().
    [[nodiscard]] Result<bool> write(Format& format, RecordBatch& records);

    // Nothing of what was planned is to be written any more: the batch was given up.
    void give_up() noexcept { planned_.clear(); }

private:
    // Of the transaction at hand.
    struct Count {
        std::string schema;
        std::string name;
        std::uint64_t events = 0;
    };
    struct Planned {
        TransactionMark mark;
        std::size_t before = 0;  // index in the records that are left
        std::size_t first_table = 0;
        std::size_t tables = 0;  // of tables_, from there
    };

    // So many tables of one transaction leave nothing behind.
    static constexpr std::size_t kTables_kept = 1000;

    void enter(const Transaction& part);
    void count(const Record& record);
    std::size_t counted_as(const Relation& relation);
    TransactionMark mark_of(const Transaction& part, const Batch& batch) const;
    void end(const Transaction& part, const Batch& batch, std::size_t before);
    void merge(RecordBatch& records, std::size_t own);

    Lsn commit_lsn_;             // of the transaction at hand
    std::uint64_t events_ = 0;   // of it, so far
    std::uint64_t ordinal_ = 0;  // of its last record
    std::vector<Count> counts_;  // the first counted_ of them are its own
    std::size_t counted_ = 0;
    std::unordered_map<std::string, std::size_t> places_;  // in counts_, by the table's name
    const Relation* last_ = nullptr;                       // in this batch, and its place
    std::size_t last_place_ = 0;

    std::vector<Planned> planned_;
    std::vector<Count> tables_;  // of the ends that are planned; the first tables_used_
    std::size_t tables_used_ = 0;
    std::size_t next_ = 0;  // of planned_, to be written
    std::vector<TransactionMark::Table> written_tables_;
    std::vector<Record> merged_;
};

}  // namespace pgc
