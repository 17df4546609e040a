// Texts and nodes into the values their options want.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/option.h"
#include "config/settings.h"

namespace pgc {

// What is wrong with one value, or one item of it.
struct ValueProblem {
    Place place;  // within a file; line 0 elsewhere
    std::string reason;
    std::string nearest;
    std::string hint{};
};
using ValueProblems = std::vector<ValueProblem>;

// Reads a value written on one line, as in a variable, a flag or a default. Of lists of objects
// only the empty one (objects.h reads the others). `shown` is how a reason quotes it (as the user
// wrote it, before references were followed).
std::optional<Settings::Value> value_from_text(const Option& option, std::string_view text,
                                               std::string_view shown, Place place,
                                               ValueProblems& problems);

// A text whose references were followed.
struct Expanded {
    std::string text;
    bool referenced = false;
};
// Nothing when the references can't be followed; the expander has reported why.
using Expander = std::function<std::optional<Expanded>(const std::string& text, Place place)>;

// Reads a file's node, of any kind of option but a list of objects (objects.h). `expand` is asked
// for every quoted or plain text in it.
std::optional<Settings::Value> value_from_node(const Option& option, const Node& node,
                                               const Expander& expand, ValueProblems& problems);

// The opposite of value_from_text; secrets as ***.
std::string value_to_text(const Settings::Value& value);

// "a list", "a section": what a node is, for a reason.
std::string_view kind_name(const Node& node);

// A node as value_from_text would want it, references not followed: for showing.
std::string written_form(const Node& node);

// Every text in a node that may hold references.
void each_text(const Node& node, const std::function<void(const Node&)>& visit);

}  // namespace pgc
