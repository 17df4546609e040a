#include "postgres/setup/publication_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "pgclient/quote.h"
#include "postgres/setup/name_lists.h"

namespace pgc {

void PublicationWarnings::warn(const Look& look) {
    if (look.gaps) warn_of_gaps(look);
    warn_of_unidentifiable(look);
    warn_of_left_out(look);
    if (look.published.empty()) {
        logger_.warning("no table is published: nothing will be captured until one is",
                        {{"publication", config_.publication}});
    }
}

void PublicationWarnings::warn_of_gaps(const Look& look) {
    if (!asks_for_tables()) return;
    std::vector<std::string> names;
    const auto gaps = uncovered_tables(look.found.tables, config_.tables, look.published);
    for (const TableInfo* table : gaps) names.push_back(quote_name(table->schema, table->name));
    const auto fresh = only_in(names, gaps_);
    gaps_ = names;
    if (!fresh.empty()) {
        logger_.warning(
            "tables match the filters but are not in the publication, which is not "
            "ours to alter: their changes are not captured",
            {{"publication", config_.publication},
             {"tables", listed(names)},
             {"hint", add_tables_sql(config_, *look.found.publication, look.found.apart, gaps)}});
    }
    if (config_.publish_via_partition_root && !look.found.publication->via_root &&
        version_ >= 130000 && !std::exchange(reported_leaves_, true)) {
        logger_.warning("the publication publishes partitions under their own names",
                        {{"publication", config_.publication},
                         {"hint", fmt::format("ALTER PUBLICATION {} SET "
                                              "(publish_via_partition_root = true);",
                                              quote_name(config_.publication))}});
    }
}

void PublicationWarnings::warn_of_unidentifiable(const Look& look) {
    if (!look.found.publication->updates && !look.found.publication->deletes) return;
    const std::unordered_set<std::string_view> published(look.published.begin(),
                                                         look.published.end());
    std::vector<std::string> names;
    for (const TableInfo& table : look.found.tables) {
        if (table.partitioned || table.identifiable()) continue;
        std::string name = quote_name(table.schema, table.name);
        if (published.contains(name)) names.push_back(std::move(name));
    }
    if (look.found.publication->via_root) {
        for (const auto& table : look.found.wanted.inserts) {
            std::string name = quote_name(table.schema, table.name);
            if (published.contains(name)) names.push_back(std::move(name));
        }
        std::ranges::sort(names);
        names.erase(std::ranges::unique(names).begin(), names.end());
    }
    const auto fresh = only_in(names, unidentifiable_);
    unidentifiable_ = std::move(names);
    if (fresh.empty()) return;
    logger_.warning(
        look.taken_care_of
            ? "tables have no replica identity: their inserts and truncates are captured, "
              "updates and deletes are not"
            : "published tables have no replica identity: the server refuses UPDATE and "
              "DELETE on them",
        {{"tables", listed(fresh)},
         {"hint", fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL; or give it a "
                              "primary key",
                              fresh.front())}});
}

// There is one publication only, of a version that made no second one.
void PublicationWarnings::warn_of_left_out(const Look& look) {
    const auto fresh = only_in(look.found.wanted.left_out, left_out_);
    left_out_ = look.found.wanted.left_out;
    if (fresh.empty()) return;
    logger_.warning(
        "tables without a replica identity are not captured: the publication publishes "
        "updates, "
        "so the server would refuse UPDATE and DELETE on them, and the slot is older than the "
        "publication for inserts only would be",
        {{"tables", listed(fresh)},
         {"hint", fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL; or give it a primary key; "
                              "or, for inserts only, begin with a new slot",
                              fresh.front())}});
}

}  // namespace pgc
