// Verbs to load configurations of a small program from memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "config/loader.h"
#include "support/config_options.h"

namespace pgc::config_fixture {

class ConfigTest : public ::testing::Test {
protected:
    // What every configuration of this program must give.
    void give_required() {
        environment["PG_DATABASE"] = "shop";
        environment["PG_PASSWORD"] = "s3cret";
    }
    void write(const std::string& path, std::string_view content) {
        ASSERT_TRUE(files.replace(path, content));
    }
    // The configuration file of the program.
    void file(const std::string& path, std::string_view content) {
        write(path, content);
        file_ = path;
    }
    void arguments(std::vector<std::string> words) { arguments_ = std::move(words); }

    std::expected<Settings, Errors> load() {
        return pgc::load(options, {file_, environment, command_line()}, files);
    }
    CommandLine command_line() const { return parse_command_line(arguments_, kFlags, options); }

    Settings loaded() {
        auto settings = load();
        if (!settings) {
            ADD_FAILURE() << describe(settings.error());
            return *pgc::load(
                options, {"", {{"PG_DATABASE", "-"}, {"PG_PASSWORD", "-"}}, CommandLine{}}, files);
        }
        return *settings;
    }
    // One text an error; empty when it loads.
    std::vector<std::string> errors() {
        std::vector<std::string> lines;
        if (const auto settings = load(); !settings) {
            for (const ConfigError& error : settings.error()) {
                lines.push_back(describe(error));
            }
        }
        return lines;
    }

    const Declarations options = declarations();
    SimulatedFiles files;
    Environment environment;

private:
    std::string file_;
    std::vector<std::string> arguments_;
};

}  // namespace pgc::config_fixture
