// Loads any bytes as the configuration file of a small program.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/file.h"
#include "config/errors.h"
#include "config/loader.h"
#include "support/config_options.h"

namespace pgc::config_fuzz {

// Aborts when what the environment keeps secret comes out, or when one text gives
// two different answers.
inline void load_as(const std::string& name, std::string_view text) {
    constexpr std::string_view password = "Pa55-word-of-the-environment";
    static const Declarations declarations = config_fixture::declarations();
    SimulatedFiles files;
    if (!files.replace(name, text) || !files.replace("/run/secret", password)) {
        return;
    }
    const Environment environment{{"PG_DATABASE", "shop"}, {"PG_PASSWORD", std::string(password)}};
    const Sources sources{name, environment, CommandLine{}};
    const auto said = [&] {
        const auto settings = load(declarations, sources, files);
        return settings ? show(*settings) + show_json(*settings)
                        : describe(settings.error()) + to_json(settings.error());
    };
    const std::string first = said();
    if (first.find(password) != std::string::npos || first != said()) {
        std::abort();
    }
}

}  // namespace pgc::config_fuzz
