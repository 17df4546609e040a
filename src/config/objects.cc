#include "config/objects.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/convert.h"
#include "config/entries.h"
#include "config/interpolation.h"
#include "config/nearest.h"
#include "config/section_walk.h"

namespace pgc {
namespace {

bool is_text(const Node& node) {
    return node.kind == Node::Kind::plain || node.kind == Node::Kind::text;
}

const ObjectVariant* find_variant(const ObjectType& type, const Node& node) {
    const auto chosen = std::ranges::find(node.members, type.chosen_by, &Node::Member::key);
    if (type.chosen_by.empty() || chosen == node.members.end() || !is_text(chosen->value)) {
        return nullptr;
    }
    const auto found = std::ranges::find(type.variants, chosen->value.text, &ObjectVariant::word);
    return found == type.variants.end() ? nullptr : &*found;
}

// "type: mask or type: hash"; empty if no variant has such a field.
std::string variants_with(const ObjectType& type, const std::string& path) {
    std::string all;
    for (const ObjectVariant& variant : type.variants) {
        const Declarations fields = fields_of(type, &variant);
        if (fields.find(path) != nullptr || fields.is_section(path)) {
            all += fmt::format("{}{}: {}", all.empty() ? "" : " or ", type.chosen_by, variant.word);
        }
    }
    return all;
}

std::string nearest_field(const ObjectType& type, const Declarations& declared, bool undecided,
                          const std::string& path) {
    std::vector<std::string> candidates = key_names(declared);
    for (const ObjectVariant& variant : type.variants) {
        if (undecided) {
            const auto more = key_names(fields_of(type, &variant));
            candidates.insert(candidates.end(), more.begin(), more.end());
        }
    }
    return nearest(path, candidates);
}

bool holds_reference(const Node& node, ReferenceStyle style) {
    const auto parts = split_references(node.text, style);
    return is_text(node) && parts && has_reference(*parts);
}

}  // namespace

std::nullopt_t ObjectReader::refuse(Place place, const std::string& key, std::string reason,
                                    std::string near) {
    errors_.add_problem(from_, key, {place, std::move(reason), std::move(near)});
    return std::nullopt;
}

std::optional<Settings::Value> ObjectReader::list(const Option& option, const Node& node,
                                                  const std::string& key) {
    if (node.kind == Node::Kind::nothing) {
        return refuse(node.place, key,
                      fmt::format("has no value, expected {}", expectation(option)));
    }
    if (node.kind != Node::Kind::list) {
        return refuse(node.place, key,
                      fmt::format("expected {}, got {}", expectation(option), kind_name(node)));
    }
    const ObjectType& type = *option.object;
    if (node.items.size() > type.count_max) {
        return refuse(node.items[type.count_max].place, key,
                      fmt::format("more than {} elements", type.count_max));
    }
    Settings::Objects objects;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const Node& item = node.items[i];
        std::string name = fmt::format("{}[{}]", key, i);
        if (item.kind != Node::Kind::map) {
            // The YAML reader places what is missing at the next element.
            refuse(item.kind == Node::Kind::nothing ? node.place : item.place, name,
                   fmt::format("expected a section, got {}", kind_name(item)));
        } else if (auto read = object(type, item, std::move(name))) {
            objects.push_back(std::move(*read));
        }
    }
    if (objects.size() < node.items.size()) {
        return std::nullopt;
    }
    return objects;
}

std::optional<Settings> ObjectReader::object(const ObjectType& type, const Node& node,
                                             std::string name) {
    const ObjectVariant* const variant = find_variant(type, node);
    const Declarations declared = fields_of(type, variant);
    const GivenFields given = fields_given(type, variant, declared, node, name);
    auto entries = settle(type, declared, given, name);
    require(entries, node.place, name);
    const bool broken = std::ranges::any_of(entries, &Settings::Entry::broken);
    Settings result(std::move(entries), std::move(name));
    if (type.check != nullptr && follow_) {
        type.check(result, errors_.contradictions());
    }
    return broken ? std::nullopt : std::optional(std::move(result));
}

ObjectReader::GivenFields ObjectReader::fields_given(const ObjectType& type,
                                                     const ObjectVariant* variant,
                                                     const Declarations& declared, const Node& node,
                                                     const std::string& name) {
    // While the type is unknown, a key of any variant may be right.
    const bool undecided = variant == nullptr;
    const auto unknown = [&](const std::string& path, const Node::Member& member) {
        const std::string others = variants_with(type, path);
        if (!others.empty() && undecided) {
            return;
        }
        const std::string key = joined_path(name, path);
        if (!others.empty()) {
            refuse(member.place, key,
                   fmt::format("not a key of {}: {}, but of {}", type.chosen_by, variant->word,
                               others));
            return;
        }
        const std::string near = nearest_field(type, declared, undecided, path);
        refuse(member.place, key, "unknown key", near.empty() ? near : joined_path(name, near));
    };
    return SectionWalk(declared, from_, name, errors_, unknown).walk(node);
}

std::vector<Settings::Entry> ObjectReader::settle(const ObjectType& type,
                                                  const Declarations& declared,
                                                  const GivenFields& given,
                                                  const std::string& name) {
    std::vector<Settings::Entry> entries;
    for (const Option* option : declared.options()) {
        Settings::Entry& entry = entries.emplace_back(unset(*option));
        const auto found = given.find(option);
        if (found == given.end()) {
            continue;
        }
        const std::string key = joined_path(name, std::string(option->path));
        const Node& node = *found->second.node;
        if (option->path == type.chosen_by && holds_reference(node, from_.style)) {
            entry.origin = found->second.origin();
            entry.broken = true;
            refuse(node.place, key,
                   "must be written out, because it decides which other keys there are");
        } else {
            evaluator_.read(found->second, key, follow_, entry);
        }
    }
    return entries;
}

void ObjectReader::require(std::vector<Settings::Entry>& entries, Place place,
                           const std::string& name) {
    for (Settings::Entry& entry : entries) {
        const Option& option = *entry.option;
        const bool wanted = option.required || (!option.required_with.empty() &&
                                                applies(option.required_with, entries));
        if (!wanted || entry.broken) {
            continue;
        }
        const std::string key = joined_path(name, std::string(option.path));
        if (entry.origin.source == Origin::Source::fallback) {
            entry.broken = true;
            errors_.add_problem(from_, key,
                                {place,
                                 requirement(option) + ", but not given",
                                 {},
                                 fmt::format("give {}, {}", option.path, expectation(option))});
        } else if (is_empty(entry.value)) {
            entry.broken = true;
            errors_.add(from_, place, {entry.origin.text, key, "must not be empty", {}, {}});
        }
    }
}

}  // namespace pgc
