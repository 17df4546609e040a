#include "postgres/setup/joined_tables.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

#include "pgclient/quote.h"
#include "postgres/setup/name_lists.h"

namespace pgc {

std::vector<std::string> JoinedTables::unread(const Publication& publication) const {
    std::vector<std::string> left;
    std::ranges::copy_if(publication.unread, std::back_inserter(left),
                         [&](const std::string& name) { return !settled_.contains(name); });
    return left;
}

std::vector<std::string> JoinedTables::unread_after(const PublicationFindings& found,
                                                    const std::vector<std::string>& published) {
    const std::unordered_set<std::string_view> known(published.begin(), published.end());
    auto left = unread(*found.publication);
    const std::unordered_set<std::string> noted(left.begin(), left.end());
    const auto& left_out = found.wanted.left_out;
    const auto above = lineages(found.tables);
    for (std::size_t i = 0; i < found.tables.size(); ++i) {
        const TableInfo& table = found.tables[i];
        if (!filter_means(config_.tables, table.schema, table.name, above[i])) continue;
        std::string name = quote_name(table.schema, table.name);
        if (known.contains(name) || noted.contains(name)) continue;
        if (std::ranges::find(left_out, name) != left_out.end()) continue;
        settled_.erase(name);
        left.push_back(std::move(name));
    }
    return left;
}

std::vector<std::string> JoinedTables::joined(const Publication& publication,
                                              const std::vector<std::string>& published) const {
    std::vector<std::string> all;
    if (!config_.snapshot.new_tables || !publication.maintained) return all;
    const std::unordered_set<std::string_view> known(published.begin(), published.end());
    std::ranges::copy_if(unread(publication), std::back_inserter(all),
                         [&](const std::string& name) { return known.contains(name); });
    return all;
}

void JoinedTables::settle_others(const Publication& publication,
                                 const std::vector<std::string>& joined) {
    const auto others = only_in(publication.unread, joined);
    settled_ = {others.begin(), others.end()};
}

}  // namespace pgc
