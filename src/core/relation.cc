#include "core/relation.h"

#include <algorithm>
#include <string_view>

namespace pgc {

std::vector<std::uint32_t> record_key(const Relation& relation) {
    std::vector<std::uint32_t> key;
    for_each_key_column(relation, [&](std::uint32_t place) { key.push_back(place); });
    return key;
}

std::string sql_name(const Relation& relation) {
    std::string text;
    for (const std::string_view part :
         {std::string_view{relation.schema}, std::string_view{relation.name}}) {
        text += text.empty() ? "\"" : ".\"";
        for (const char c : part) text.append(c == '"' ? 2 : 1, c);
        text += '"';
    }
    return text;
}

}  // namespace pgc
