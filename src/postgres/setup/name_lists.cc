#include "postgres/setup/name_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ranges>
#include <string_view>
#include <unordered_set>

namespace pgc {
namespace {

constexpr std::size_t kNamesShown = 20;

}  // namespace

std::string listed(const std::vector<std::string>& names) {
    std::string text = fmt::format("{}", fmt::join(names | std::views::take(kNamesShown), ", "));
    if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
    return text;
}

std::vector<std::string> only_in(const std::vector<std::string>& these,
                                 const std::vector<std::string>& those) {
    const std::unordered_set<std::string_view> known(those.begin(), those.end());
    std::vector<std::string> left;
    std::ranges::copy_if(these, std::back_inserter(left),
                         [&](const std::string& name) { return !known.contains(name); });
    return left;
}

}  // namespace pgc
