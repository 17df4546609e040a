// What decides a row's partition where kafka.partition_columns names columns: an object of them, as
// in a native key: {"customer":7}. The bytes stay what they are, whatever the format of the
// messages, or rows would move to other partitions.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/by_slot.h"
#include "core/format.h"
#include "format/native/plan.h"
#include "format/native/row.h"
#include "format/options.h"

namespace pgc {

// Whose values stand in Record::partition_by, for the tables that match.
struct PartitionColumns {
    NamePattern table;
    std::vector<std::string> columns;
};

class NativePartitionKeys final : public PartitionKeys {
public:
    // Of `columns` the first that matches a table counts.
    NativePartitionKeys(const FormatOptions& options, std::vector<PartitionColumns> columns);

    // Fails when a column to partition by is not there or would not come with a DELETE.
    Result<void> write(const Batch& batch, RecordBatch& out, std::size_t first) override;

private:
    struct Plan {
        std::unique_ptr<TablePlan> table;  // null: no columns are named for it
        std::vector<KeyColumn> columns;
    };
    Result<const Plan*> plan_of(const Relation& relation);
    Result<Plan> compile(const Relation& relation) const;

    const FormatOptions options_;
    const std::vector<PartitionColumns> columns_;
    BySlot<Plan, kPlans_max> plans_;
    RowWriter row_;
    Writer out_;
};

}  // namespace pgc
