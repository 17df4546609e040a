#include "config/section_tree.h"

#include <algorithm>

namespace pgc {
namespace {

Section& child(Section& parent, std::string_view path, std::string_view about) {
    const auto found = std::ranges::find(parent.sections, path, &Section::path);
    if (found != parent.sections.end()) {
        return *found;
    }
    const auto dot = path.rfind('.');
    Section fresh;
    fresh.path = path;
    fresh.name = dot == std::string_view::npos ? path : path.substr(dot + 1);
    fresh.about = about;
    parent.sections.push_back(std::move(fresh));
    return parent.sections.back();
}

}  // namespace

Section section_tree(const Declarations& declarations) {
    Section root;
    for (const OptionTable& table : declarations.tables()) {
        if (table.section.empty() && root.about.empty()) {
            root.about = table.about;
        }
    }
    for (const Option* option : declarations.options()) {
        Section* section = &root;
        for (auto dot = option->path.find('.'); dot != std::string_view::npos;
             dot = option->path.find('.', dot + 1)) {
            const std::string_view path = option->path.substr(0, dot);
            section = &child(*section, path, declarations.about(path));
        }
        section->options.push_back(option);
    }
    return root;
}

std::string_view leaf_name(const Option& option) {
    const auto dot = option.path.rfind('.');
    return dot == std::string_view::npos ? option.path : option.path.substr(dot + 1);
}

}  // namespace pgc
