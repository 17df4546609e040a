// Reads what was given for an option: follows references, converts the text or node to the option's
// kind, keeps what a secret was made of, and reports what is wrong with its place.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/file.h"
#include "config/environment.h"
#include "config/given.h"
#include "config/interpolation.h"
#include "config/load_errors.h"
#include "config/settings.h"

namespace pgc {

class Evaluator {
public:
    // All outlive it.
    Evaluator(const Environment& environment, Files& files, LoadErrors& errors)
        : environment_(environment), files_(files), errors_(errors) {}

    // Reads `given` into `entry`, and marks it as broken if there is an error; `key` names the
    // option in errors. `follow` is false for a value that a stronger one overrules: it is checked,
    // but its references are not followed, and without its value the entry is broken.
    void read(const Given& given, const std::string& key, bool follow, Settings::Entry& entry);

    // To be called for every text that may hold references, whether it is read or not.
    void note_references(std::string_view text, ReferenceStyle style);
    // The variables that those references name.
    const std::set<std::string, std::less<>>& referenced() const noexcept { return referenced_; }

private:
    // One call of read().
    struct Reading {
        const Given& given;
        const std::string& key;
        bool follow;
        Settings::Entry& entry;
    };

    std::optional<Settings::Value> read_text(const Reading& reading);
    std::optional<Settings::Value> read_file(const Reading& reading);
    std::optional<Settings::Value> read_node(const Reading& reading);
    std::optional<Settings::Value> read_objects(const Reading& reading);
    std::optional<Settings::Value> parse_objects(const Reading& reading, const Provenance& from,
                                                 std::string_view text);
    std::optional<std::string> follow_references(const Reading& reading,
                                                 const std::vector<TextPart>& parts, Place place);
    // What the part stands for; nothing, with an error, if that can't be read.
    std::optional<std::string> content_of(const Reading& reading, const TextPart& part,
                                          Place place);
    std::nullopt_t refuse(const Reading& reading, ValueProblem problem);
    void refuse_all(const Reading& reading, ValueProblems problems);

    const Environment& environment_;
    Files& files_;
    LoadErrors& errors_;
    std::set<std::string, std::less<>> referenced_;
};

}  // namespace pgc
