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

constexpr std::string_view kPassword = "Pa55-word-of-the-environment";

// Aborts when what the environment keeps secret comes out, or when one text gives
// two different answers.
inline void load(const Sources& sources, Files& files) {
    static const Declarations declarations = config_fixture::declarations();
    const auto said = [&] {
        const auto settings = pgc::load(declarations, sources, files);
        return settings ? show(*settings) + show_json(*settings)
                        : describe(settings.error()) + to_json(settings.error());
    };
    const std::string first = said();
    if (first.find(kPassword) != std::string::npos || first != said()) {
        std::abort();
    }
}

inline Environment required() {
    return {{"PG_DATABASE", "shop"}, {"PG_PASSWORD", std::string(kPassword)}};
}

// `text` as the configuration file.
inline void load_as(const std::string& name, std::string_view text) {
    SimulatedFiles files;
    if (files.replace(name, text) && files.replace("/run/secret", kPassword)) {
        load({name, required(), CommandLine{}}, files);
    }
}

// `text` as a list of objects: in a variable, in its file, in a flag.
inline void load_as_objects(std::string_view text) {
    SimulatedFiles files;
    if (!files.replace("/etc/transforms", text) || !files.replace("/run/secret", kPassword)) {
        return;
    }
    Environment in_variable = required();
    in_variable["PG_CAPTURE_TRANSFORMS"] = text;
    load({"", in_variable, CommandLine{}}, files);
    Environment in_file = required();
    in_file["PG_CAPTURE_TRANSFORMS_FILE"] = "/etc/transforms";
    load({"", in_file, CommandLine{}}, files);
    CommandLine flag;
    flag.options = {{"transforms", std::string(text), "--transforms"}};
    load({"", required(), flag}, files);
}

}  // namespace pgc::config_fuzz
