// A room's options over an environment and files in memory, and what is wrong with them.
#pragma once

#include <gtest/gtest.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "config/loader.h"

namespace pgc::test {

class OptionsFixture : public ::testing::Test {
protected:
    OptionsFixture(std::vector<OptionTable> tables, Environment given)
        : declarations(std::move(tables)), environment(std::move(given)) {}

    // By the variable that every option has.
    void give(std::string_view path, std::string value) {
        std::string name = "PG_CAPTURE_";
        for (const char c : path) {
            name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
        }
        environment[name] = std::move(value);
    }

    std::expected<Settings, Errors> load() {
        return pgc::load(declarations, {"", environment, {}}, files);
    }
    // What the room makes of them.
    template <typename Make>
    auto made(Make make) -> decltype(make(std::declval<const Settings&>())) {
        const auto settings = load();
        if (!settings) {
            ADD_FAILURE() << describe(settings.error());
            return {};
        }
        return make(*settings);
    }
    // One text an error; empty when they load.
    std::vector<std::string> errors() {
        std::vector<std::string> texts;
        if (const auto settings = load(); !settings) {
            for (const auto& error : settings.error()) texts.push_back(describe(error));
        }
        return texts;
    }

    const Declarations declarations;
    Environment environment;
    SimulatedFiles files;
};

}  // namespace pgc::test
