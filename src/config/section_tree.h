// The options as the tree a file shows: sections within sections, in the order in
// which the tables first name them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/declarations.h"

namespace pgc {

struct Section {
    std::string_view path;  // empty for the root
    std::string_view name;  // its last part
    std::string_view about;
    std::vector<const Option*> options;
    std::vector<Section> sections;
};

Section section_tree(const Declarations& declarations);

// "host" of "postgres.host"
std::string_view leaf_name(const Option& option);

}  // namespace pgc
