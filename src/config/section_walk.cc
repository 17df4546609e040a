#include "config/section_walk.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace pgc {

std::string joined_path(const std::string& name, const std::string& path) {
    return name.empty() ? path : name + "." + path;
}

std::map<const Option*, Given> SectionWalk::walk(const Node& root) && {
    section(root, {});
    return std::move(given_);
}

void SectionWalk::refuse(Place place, const std::string& path, std::string reason) {
    errors_.add_problem(from_, joined_path(name_, path), {place, std::move(reason), {}});
}

void SectionWalk::section(const Node& node, const std::string& prefix) {
    std::map<std::string_view, Place> seen;
    for (const Node::Member& each : node.members) {
        const std::string path = prefix + each.key;
        const auto [first, fresh] = seen.emplace(each.key, each.place);
        if (fresh) {
            take(path, each);
        } else {
            refuse(each.place, path,
                   fmt::format("given twice, first on line {}", first->second.line));
        }
    }
}

void SectionWalk::take(const std::string& path, const Node::Member& member) {
    if (const Option* option = declarations_.find(path)) {
        const auto [slot, fresh] = given_.try_emplace(
            option, Given{Given::Form::node, from_, member.place, &member.value, {}});
        if (!fresh) {
            refuse(member.place, path,
                   fmt::format("given twice, first at {}", slot->second.origin().text));
        }
    } else if (declarations_.is_section(path)) {
        const Node::Kind kind = member.value.kind;
        if (kind == Node::Kind::map) {
            section(member.value, path + ".");
        } else if (kind != Node::Kind::nothing) {
            refuse(member.place, path, "is a section, not a value");
        }
    } else {
        unknown_(path, member);
    }
}

}  // namespace pgc
