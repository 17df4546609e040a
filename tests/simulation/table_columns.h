// What the catalog in memory says of the tables' columns, and a watch that rows come with it.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/transform.h"
#include "simulation/history.h"
#include "simulation/world.h"

namespace pgc::sim {

struct ColumnWords {
    bool nullable = true;
    std::string_view default_expression{};
    std::string_view comment{};
};

// Of a column by its name, whenever it was added.
constexpr ColumnWords words_of(std::uint32_t table, std::string_view column) noexcept {
    if (column == "id") return {.nullable = !is_keyed(table), .comment = "who it is"};
    if (column == "note") return {.nullable = false, .default_expression = "'none'::text"};
    if (column == "v") return {};
    return {.default_expression = "'new'::text"};
}

// A label of the enumeration.
inline std::string mood(std::size_t place) {
    return "mood " + std::to_string(place);
}

class ColumnsWatch final : public Transform {
public:
    explicit ColumnsWatch(World& world) : world_(world) {}

    Result<void> apply(Batch& batch) override {
        const Relation* last = nullptr;
        for (const Change& change : batch.changes) {
            if (change.relation == nullptr || change.relation == last) continue;
            last = change.relation;
            look_at(*last);
        }
        return {};
    }

private:
    void look_at(const Relation& relation) {
        for (const Column& column : relation.columns) {
            const ColumnWords words = words_of(relation.oid.value - kFirstOid, column.name);
            if (!is_as_catalog_says(*column.type, column.name)) {
                world_.fail(fmt::format("the type of {} is not as the catalog says", column.name));
            }
            if (column.nullable == words.nullable && column.comment == words.comment &&
                column.default_expression == words.default_expression && !column.generated) {
                continue;
            }
            world_.fail(fmt::format("column {} of {} is not as the catalog says", column.name,
                                    qualified_name(relation)));
        }
    }

    static bool is_as_catalog_says(const Type& type, std::string_view column) {
        const std::uint32_t oid = type_of(column);
        if (type.oid.value != oid) return false;
        if (type.modifier != (oid == kShort ? kShortModifier : -1)) return false;
        if (oid != kMood) return type.labels.empty();
        for (std::size_t i = 0; i < type.labels.size(); ++i) {
            if (type.labels[i] != mood(i)) return false;
        }
        return type.kind == Kind::enumeration && !type.labels.empty();
    }

    World& world_;
};

}  // namespace pgc::sim
