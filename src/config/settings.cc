#include "config/settings.h"

#include <fmt/core.h>

#include <cassert>
#include <chrono>
#include <utility>

#include "config/convert.h"
#include "config/interpolation.h"
#include "config/text.h"

namespace pgc {
namespace {

Result<Secret> put_together(const std::vector<Settings::SecretPart>& parts, Files& files) {
    std::string whole;
    for (const Settings::SecretPart& part : parts) {
        if (part.file.empty()) {
            whole += part.text.reveal();
            continue;
        }
        auto content = read_value_file(part.file, files);
        if (!content) {
            return std::unexpected(std::move(content.error()));
        }
        whole += *content;
    }
    return Secret(std::move(whole));
}

// What a person may see.
std::string shown(const Settings::Entry& entry) {
    if (entry.option->kind == OptionKind::secret) {
        return std::get<Secret>(entry.value).empty() ? "" : "***";
    }
    return entry.written.empty() ? value_to_text(entry.value) : entry.written;
}

std::string json_value(const Settings::Entry& entry) {
    const bool plain = entry.written.empty();
    if (plain && std::holds_alternative<Settings::List>(entry.value)) {
        std::string json;
        for (const std::string& item : std::get<Settings::List>(entry.value)) {
            json += (json.empty() ? "" : ",") + json_quoted(item);
        }
        return "[" + json + "]";
    }
    if (plain && std::holds_alternative<Settings::Map>(entry.value)) {
        std::string json;
        for (const auto& [key, value] : std::get<Settings::Map>(entry.value)) {
            json += (json.empty() ? "" : ",") + json_quoted(key) + ":" + json_quoted(value);
        }
        return "{" + json + "}";
    }
    if (const auto* objects = std::get_if<Settings::Objects>(&entry.value)) {
        std::string json;
        for (const Settings& object : *objects) {
            json += (json.empty() ? "" : ",") + show_json(object);
        }
        return "[" + json + "]";
    }
    const bool bare = std::holds_alternative<std::int64_t>(entry.value) ||
                      std::holds_alternative<bool>(entry.value);
    return plain && bare ? value_to_text(entry.value) : json_quoted(shown(entry));
}

}  // namespace

Settings::Settings(std::vector<Entry> entries, std::string name)
    : name_(std::move(name)), entries_(std::move(entries)) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        by_path_.emplace(entries_[i].option->path, i);
    }
}

const Settings::Entry& Settings::entry(std::string_view path) const {
    const auto found = by_path_.find(path);
    assert(found != by_path_.end() && "the path of no declared option");
    return entries_[found->second];
}

const std::string& Settings::text(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::text);
    return std::get<std::string>(found.value);
}

const std::string& Settings::word(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::choice);
    return std::get<std::string>(found.value);
}

const std::string& Settings::word(std::string_view path,
                                  [[maybe_unused]] std::string_view all) const {
    assert(entry(path).option->words == all && "the words of another option");
    return word(path);
}

const Secret& Settings::secret(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::secret);
    return std::get<Secret>(found.value);
}

std::int64_t Settings::integer(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::integer);
    return std::get<std::int64_t>(found.value);
}

bool Settings::boolean(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::boolean);
    return std::get<bool>(found.value);
}

Duration Settings::duration(std::string_view path) const {
    const Entry& found = entry(path);
    const bool seconds = found.option->kind == OptionKind::seconds;
    assert(seconds || found.option->kind == OptionKind::milliseconds);
    const std::int64_t number = std::get<std::int64_t>(found.value);
    return seconds ? Duration{std::chrono::seconds{number}}
                   : Duration{std::chrono::milliseconds{number}};
}

const Settings::List& Settings::list(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::list);
    return std::get<List>(found.value);
}

const Settings::Map& Settings::map(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::map);
    return std::get<Map>(found.value);
}

const Settings::Objects& Settings::objects(std::string_view path) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::objects);
    return std::get<Objects>(found.value);
}

SecretSource Settings::secret_source(std::string_view path, Files& files) const {
    const Entry& found = entry(path);
    assert(found.option->kind == OptionKind::secret);
    return [parts = found.secret_parts, where = found.origin.text + ": " + full_path(path),
            &files]() -> Result<Secret> {
        auto secret = put_together(parts, files);
        if (!secret) {
            return std::unexpected(std::move(secret.error()).at(where));
        }
        return secret;
    };
}

const Origin& Settings::origin(std::string_view path) const {
    return entry(path).origin;
}

bool Settings::given(std::string_view path) const {
    return entry(path).origin.source != Origin::Source::fallback;
}

bool Settings::broken(std::string_view path) const {
    return entry(path).broken;
}

bool Settings::declared(std::string_view path) const {
    return by_path_.contains(path);
}

std::string Settings::full_path(std::string_view path) const {
    return name_.empty() ? std::string(path) : fmt::format("{}.{}", name_, path);
}

std::string show(const Settings& settings) {
    std::string text;
    for (const Settings::Entry& entry : settings.entries()) {
        const auto* objects = std::get_if<Settings::Objects>(&entry.value);
        if (objects != nullptr && !objects->empty()) {
            for (const Settings& object : *objects) {
                text += show(object);
            }
            continue;
        }
        const std::string value = shown(entry);
        text += fmt::format("{} ={}{}  # {}\n", settings.full_path(entry.option->path),
                            value.empty() ? "" : " ", value, entry.origin.text);
    }
    return text;
}

std::string show_json(const Settings& settings) {
    std::string json;
    for (const Settings::Entry& entry : settings.entries()) {
        json += (json.empty() ? "" : ",") + json_quoted(entry.option->path) +
                ":{\"value\":" + json_value(entry) +
                ",\"origin\":" + json_quoted(entry.origin.text) + "}";
    }
    return "{" + json + "}";
}

}  // namespace pgc
