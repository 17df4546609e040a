#include "config/entries.h"

#include <algorithm>
#include <utility>

#include "config/convert.h"
#include "config/declarations.h"

namespace pgc {
namespace {

Settings::Value default_of(const Option& option) {
    ValueProblems problems;
    auto value = value_from_text(option, option.fallback, option.fallback, {}, problems);
    if (value) {
        return std::move(*value);
    }
    switch (option.kind) {
        case OptionKind::integer:
        case OptionKind::seconds:
        case OptionKind::milliseconds: return range(option).min > 0 ? range(option).min : 0;
        case OptionKind::boolean: return false;
        default: return std::string{};
    }
}

}  // namespace

Settings::Entry unset(const Option& option) {
    Settings::Entry entry;
    entry.option = &option;
    entry.value = default_of(option);
    return entry;
}

bool is_empty(const Settings::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return text->empty();
    }
    if (const auto* list = std::get_if<Settings::List>(&value)) {
        return list->empty();
    }
    if (const auto* objects = std::get_if<Settings::Objects>(&value)) {
        return objects->empty();
    }
    const auto* map = std::get_if<Settings::Map>(&value);
    return map != nullptr && map->empty();
}

bool applies(std::string_view condition, std::span<const Settings::Entry> entries) {
    const auto equals = condition.find('=');
    const auto other =
        std::ranges::find(entries, condition.substr(0, equals),
                          [](const Settings::Entry& entry) { return entry.option->path; });
    return other != entries.end() && !other->broken &&
           value_to_text(other->value) == condition.substr(equals + 1);
}

}  // namespace pgc
