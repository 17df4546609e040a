#include "config/errors.h"

#include <algorithm>

#include "config/settings.h"
#include "config/text.h"

namespace pgc {
namespace {

void add_member(std::string& json, std::string_view name, std::string_view value) {
    if (value.empty()) {
        return;
    }
    if (json.back() != '{') {
        json += ',';
    }
    json += json_quoted(name) + ":" + json_quoted(value);
}

std::string without_place(const ConfigError& error) {
    std::string text = error.key.empty() ? error.reason : error.key + ": " + error.reason;
    if (!error.nearest.empty()) {
        text += "; did you mean " + error.nearest + "?";
    }
    return text;
}

}  // namespace

std::string describe(const ConfigError& error) {
    std::string text = error.where.empty() ? "" : error.where + ": ";
    text += without_place(error);
    if (!error.hint.empty()) {
        text += "; hint: " + error.hint;
    }
    return text;
}

std::string describe(const Errors& errors) {
    std::string text;
    for (const ConfigError& error : errors) {
        text += describe(error) + "\n";
    }
    return text;
}

std::string to_json(const Errors& errors) {
    std::string json = "{\"errors\":[";
    for (const ConfigError& error : errors) {
        if (json.back() != '[') {
            json += ',';
        }
        json += '{';
        add_member(json, "where", error.where);
        add_member(json, "key", error.key);
        add_member(json, "reason", error.reason);
        add_member(json, "nearest", error.nearest);
        add_member(json, "hint", error.hint);
        json += '}';
    }
    return json + "]}";
}

Error to_error(const Errors& errors) {
    if (errors.size() == 1) {
        const ConfigError& only = errors.all().front();
        return {Error::Category::configuration, Error::Next::stop, without_place(only), only.where,
                only.hint};
    }
    std::string what;
    for (const ConfigError& error : errors) {
        what += (what.empty() ? "" : "\n") + describe(error);
    }
    return stop(Error::Category::configuration, std::move(what));
}

void Errors::contradiction(const Settings& settings, std::initializer_list<std::string_view> paths,
                           std::string reason, std::string hint) {
    ConfigError error{.where = {},
                      .key = {},
                      .reason = std::move(reason),
                      .nearest = {},
                      .hint = std::move(hint)};
    for (const std::string_view path : paths) {
        if (settings.broken(path)) {
            return;
        }
        error.key += (error.key.empty() ? "" : ", ") + settings.full_path(path);
        if (settings.given(path)) {
            error.where += (error.where.empty() ? "" : ", ") + settings.origin(path).text;
        }
    }
    add(std::move(error));
}

}  // namespace pgc
