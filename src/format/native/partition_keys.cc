#include "format/native/partition_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "format/fault.h"

namespace pgc {
namespace {

const PartitionColumns* columns_for(const Relation& relation,
                                    const std::vector<PartitionColumns>& all) {
    const std::array<std::string_view, 2> names{relation.schema, relation.name};
    const auto found = std::ranges::find_if(
        all, [&](const PartitionColumns& by) { return by.table.matches(names); });
    return found == all.end() ? nullptr : &*found;
}

Result<std::uint32_t> find_partition_column(const Relation& relation, std::string_view name) {
    const auto fault = [&](std::string what, std::string hint) {
        return std::unexpected(stop(Error::Category::configuration, std::move(what))
                                   .at(fmt::format("table {}", qualified_name(relation)))
                                   .with_hint(std::move(hint)));
    };
    const auto found = std::ranges::find(relation.columns, name, &Column::name);
    if (found == relation.columns.end() || !found->captured) {
        return fault(fmt::format("there is no captured column {} to partition by", name),
                     "correct kafka.partition_columns");
    }
    const bool always_sent = found->identity || relation.identity == ReplicaIdentity::full ||
                             relation.identity == ReplicaIdentity::nothing;
    if (!always_sent) {
        return fault(
            fmt::format("a DELETE does not bring the column {} to partition by", name),
            fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL, or change kafka.partition_columns",
                        qualified_name(relation)));
    }
    return static_cast<std::uint32_t>(found - relation.columns.begin());
}

}  // namespace

NativePartitionKeys::NativePartitionKeys(const FormatOptions& options,
                                         std::vector<PartitionColumns> columns)
    : options_(options), columns_(std::move(columns)), row_(options_) {}

Result<void> NativePartitionKeys::write(const Batch& batch, RecordBatch& out, std::size_t first) {
    for (std::size_t i = first; i < out.records.size(); ++i) {
        Record& record = out.records[i];
        if (record.destination == Destination::none) continue;
        const Change& change = batch.changes[record.change];
        const Cell* const newest = change.after != nullptr ? change.after : change.before;
        if (change.relation == nullptr || newest == nullptr) continue;
        const auto plan = plan_of(*change.relation);
        if (!plan) return std::unexpected(plan.error());
        if ((*plan)->table == nullptr) continue;
        row_.begin_record();
        out_.begin(out.arena);
        if (!row_.write_key(out_, *(*plan)->table, (*plan)->columns, newest, change.before)) {
            return std::unexpected(change_failure(row_.fault(), change, row_.failed_column()));
        }
        record.partition_by = out_.finish();
    }
    return {};
}

Result<const NativePartitionKeys::Plan*> NativePartitionKeys::plan_of(const Relation& relation) {
    if (const Plan* const known = plans_.find(relation)) [[likely]] {
        return known;
    }
    auto plan = compile(relation);
    if (!plan) return std::unexpected(std::move(plan.error()));
    return plans_.keep(relation, std::move(*plan));
}

Result<NativePartitionKeys::Plan> NativePartitionKeys::compile(const Relation& relation) const {
    Plan plan;
    const PartitionColumns* by = columns_for(relation, columns_);
    if (by == nullptr) return plan;
    auto table = compile_plan(relation, options_, {});
    if (!table) return std::unexpected(std::move(table.error()));
    for (const std::string& name : by->columns) {
        const auto place = find_partition_column(relation, name);
        if (!place) return std::unexpected(place.error());
        add_key_part(plan.columns, *place, relation);
    }
    plan.table = std::make_unique<TablePlan>(std::move(*table));
    return plan;
}

}  // namespace pgc
