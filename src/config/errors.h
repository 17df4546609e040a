// What is wrong with a configuration: everything at once, each with its place.
//
// No text here ever holds a secret, nor what a ${…} reference gave: values are
// quoted as the user wrote them, those of secret options not at all.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pgc {

class Settings;

struct ConfigError {
    std::string where;    // "shop.yaml:3", "environment PG_PORT", "flag --sink"; may be empty
    std::string key;      // the option's path, or the unknown name; may be empty
    std::string reason;   // one clause, no full stop
    std::string nearest;  // the valid name closest to a wrong one; may be empty
    std::string hint;     // what to do; may be empty

    bool operator==(const ConfigError&) const = default;
};

// "shop.yaml:3: postgres.hots: unknown key; did you mean postgres.host?"
std::string describe(const ConfigError& error);

class Errors {
public:
    void add(ConfigError error) { all_.push_back(std::move(error)); }

    // For the rooms' checks: `paths` don't go together. The place names the origin of
    // each. Left out if one of them is already in error: its value is not the user's.
    void contradiction(const Settings& settings, std::initializer_list<std::string_view> paths,
                       std::string reason, std::string hint = {});

    void append(const Errors& others) {
        all_.insert(all_.end(), others.all_.begin(), others.all_.end());
    }

    bool empty() const noexcept { return all_.empty(); }
    std::size_t size() const noexcept { return all_.size(); }
    std::span<const ConfigError> all() const noexcept { return all_; }
    auto begin() const noexcept { return all_.begin(); }
    auto end() const noexcept { return all_.end(); }

private:
    std::vector<ConfigError> all_;
};

// One line each, with a line feed.
std::string describe(const Errors& errors);

// {"errors":[{"where":…,"key":…,"reason":…,"nearest":…,"hint":…}]}, absent parts left out.
std::string to_json(const Errors& errors);

// All of them in one Error, for callers that can only carry one.
Error to_error(const Errors& errors);

}  // namespace pgc
