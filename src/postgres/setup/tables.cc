#include "postgres/setup/tables.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "pgclient/answer.h"
#include "pgclient/quote.h"

namespace pgc {

namespace {

constexpr int kTakesPartitionedTables = 130000;

class Choice {
public:
    Choice(const std::vector<TableInfo>& tables, const TableFilter& filter, int version,
           bool via_root, bool apart = true)
        : tables_(tables),
          filter_(filter),
          roots_(version >= kTakesPartitionedTables),
          via_root_(via_root),
          apart_(apart) {
        for (const TableInfo& table : tables_) by_oid_.emplace(table.oid, &table);
        see_leaves();
        if (roots_ && !via_root_) spoil_ancestors_of_excluded();
    }

    std::vector<ChosenTable> made() const {
        std::vector<ChosenTable> chosen;
        for (const TableInfo& table : tables_) {
            if (named(table) && !below_named(table)) {
                chosen.push_back({&table, !may_be_updated(table)});
            }
        }
        return chosen;
    }

    std::vector<const TableInfo*> uncovered(
        const std::unordered_set<std::string>& published) const {
        std::vector<const TableInfo*> left;
        for (const TableInfo& table : tables_) {
            if (table.partitioned || !selected(table)) continue;
            const TableInfo* t = &table;
            while (t != nullptr && !published.contains(quote_name(t->schema, t->name))) {
                t = parent(*t);
            }
            if (t == nullptr || !selected(*t)) left.push_back(&table);
        }
        return left;
    }

    CoveredTables covered(const Publishing& publishing) const {
        const std::unordered_set<std::string> published(publishing.published.begin(),
                                                        publishing.published.end());
        CoveredTables found{.all = publishing.all && filter_.everything(), .tables = {}};
        for (const TableInfo& table : tables_) {
            if (table.partitioned || !table.permanent) continue;
            const TableInfo* shown = &table;
            while (shown != nullptr &&
                   !published.contains(quote_name(shown->schema, shown->name))) {
                shown = parent(*shown);
            }
            if (shown == nullptr || !selected(*shown)) continue;
            // Attached, its rows are shown under another name than before.
            const bool renamed = via_root_ && table.partition;
            found.tables.push_back({.oid = table.oid,
                                    .name = quote_name(table.schema, table.name),
                                    .pristine = !table.rewritten && !renamed,
                                    .attached_by = attached_by(table, publishing)});
        }
        std::ranges::sort(found.tables, {}, &CoveredTable::oid);
        return found;
    }

    Lineage above(const TableInfo& table) const {
        Lineage names;
        for (const TableInfo* t = parent(table); t != nullptr; t = parent(*t)) {
            names.push_back({t->schema, t->name});
        }
        return names;
    }

private:
    // Of all that stand between it and the root, in one number.
    std::uint32_t attached_by(const TableInfo& table, const Publishing& publishing) const {
        const bool by_itself =
            publishing.all || (publishing.by_itself && publishing.by_itself(table));
        if (by_itself && !via_root_ && filter_.included(table.schema, table.name)) return 0;
        std::uint32_t by = 0;
        for (const TableInfo* t = &table; t != nullptr && t->partition; t = parent(*t)) {
            by = by * 31 + t->attached_by;
        }
        return by;
    }

    bool excluded(const TableInfo& t) const { return filter_.excluded(t.schema, t.name); }

    const TableInfo* parent(const TableInfo& table) const {
        if (!table.partition) return nullptr;
        const auto found = by_oid_.find(table.parent);
        return found == by_oid_.end() ? nullptr : found->second;
    }

    bool selected(const TableInfo& table) const {
        return table.permanent && filter_means(filter_, table.schema, table.name, above(table));
    }

    bool named(const TableInfo& table) const {
        if (!selected(table)) return false;
        if (!table.partitioned) return true;
        const Leaves leaves = leaves_of(table);
        const bool mixed = leaves.identifiable && leaves.others;
        return roots_ && !spoilt_.contains(table.oid) && !(apart_ && mixed && !via_root_);
    }

    // What is known of the partitions of a partitioned table, however deep.
    struct Leaves {
        bool identifiable = false;  // some are
        bool others = false;
    };

    void see_leaves() {
        for (const TableInfo& table : tables_) {
            if (table.partitioned || !table.permanent) continue;
            for (const TableInfo* t = parent(table); t != nullptr; t = parent(*t)) {
                Leaves& leaves = leaves_[t->oid];
                (table.identifiable() ? leaves.identifiable : leaves.others) = true;
            }
        }
    }

    Leaves leaves_of(const TableInfo& table) const {
        const auto found = leaves_.find(table.oid);
        return found == leaves_.end() ? Leaves{} : found->second;
    }

    // Partitions to come inherit the primary key, and nothing else that would identify a row.
    bool may_be_updated(const TableInfo& table) const {
        if (!table.partitioned) return table.identifiable();
        const Leaves leaves = leaves_of(table);
        if (leaves.identifiable || leaves.others) return !leaves.others;
        return table.keyed && table.identity != ReplicaIdentity::index;
    }

    bool below_named(const TableInfo& table) const {
        for (const TableInfo* t = parent(table); t != nullptr; t = parent(*t)) {
            if (named(*t)) return true;
        }
        return false;
    }

    void spoil_ancestors_of_excluded() {
        for (const TableInfo& table : tables_) {
            if (!excluded(table)) continue;
            for (const TableInfo* t = parent(table); t != nullptr; t = parent(*t)) {
                spoilt_.insert(t->oid);
            }
        }
    }

    const std::vector<TableInfo>& tables_;
    const TableFilter& filter_;
    const bool roots_;
    const bool via_root_;
    const bool apart_;
    std::unordered_map<Oid, const TableInfo*> by_oid_;
    std::unordered_set<Oid> spoilt_;
    std::unordered_map<Oid, Leaves> leaves_;
};

ReplicaIdentity identity_of(char letter) noexcept {
    switch (letter) {
        case 'n': return ReplicaIdentity::nothing;
        case 'f': return ReplicaIdentity::full;
        case 'i': return ReplicaIdentity::index;
        default: return ReplicaIdentity::key;
    }
}

}  // namespace

Result<std::vector<TableInfo>> read_tables(const Rows& rows) {
    std::vector<TableInfo> tables;
    tables.reserve(rows.rows.size());
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        TableInfo& t = tables.emplace_back();
        t.oid = row.oid("oid");
        t.schema = row.text("schema");
        t.name = row.text("name");
        t.partitioned = row.letter("kind") == 'p';
        t.permanent = row.letter("persistence") == 'p';
        t.partition = row.flag("partition");
        t.parent = row.oid("parent");
        t.has_children = row.flag("has_children");
        t.identity = identity_of(row.letter("identity"));
        t.keyed = row.flag("keyed");
        t.readable = row.flag("readable");
        t.owned = row.flag("owned");
        t.rewritten = row.flag("rewritten");
        t.attached_by = row.oid("attached_by").value;
        if (!row.sound()) return std::unexpected(strange_answer("tables"));
    }
    return tables;
}

std::vector<Lineage> lineages(const std::vector<TableInfo>& tables) {
    const TableFilter none;
    const Choice choice{tables, none, kTakesPartitionedTables, true};
    std::vector<Lineage> all;
    all.reserve(tables.size());
    for (const TableInfo& table : tables) all.push_back(choice.above(table));
    return all;
}

std::vector<ChosenTable> chosen_tables(const std::vector<TableInfo>& tables,
                                       const TableFilter& filter, int server_version, bool via_root,
                                       bool apart) {
    return Choice{tables, filter, server_version, via_root, apart}.made();
}

std::vector<const TableInfo*> uncovered_tables(const std::vector<TableInfo>& tables,
                                               const TableFilter& filter,
                                               const std::vector<std::string>& published) {
    return Choice{tables, filter, kTakesPartitionedTables, true}.uncovered(
        {published.begin(), published.end()});
}

CoveredTables covered_tables(const std::vector<TableInfo>& tables, const TableFilter& filter,
                             const Publishing& publishing) {
    return Choice{tables, filter, kTakesPartitionedTables, publishing.via_root}.covered(publishing);
}

}  // namespace pgc
