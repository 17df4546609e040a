// What the rooms' checks of their options have in common: one derives from it, and says in its
// own functions what must hold.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "config/errors.h"
#include "config/settings.h"

namespace pgc {

class OptionChecker {
public:
    OptionChecker(const OptionChecker&) = delete;
    OptionChecker& operator=(const OptionChecker&) = delete;

protected:
    // Both outlive it.
    OptionChecker(const Settings& settings, Errors& errors)
        : settings_(settings), errors_(errors) {}
    ~OptionChecker() = default;

    const Settings& settings() const noexcept { return settings_; }

    // Its value is the user's, so it is worth a look.
    bool good(std::string_view path) const { return !settings_.broken(path); }

    void add(std::string_view path, std::string reason, std::string hint = {},
             std::string nearest = {});

    // As Errors::contradiction().
    void contradiction(std::initializer_list<std::string_view> paths, std::string reason,
                       std::string hint);

    // `path` is given and only makes sense together with `other`.
    void only_with(std::string_view path, std::string_view other, bool sensible,
                   std::string_view reason, std::string_view hint);

private:
    const Settings& settings_;
    Errors& errors_;
};

}  // namespace pgc
