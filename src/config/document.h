// What a configuration file says, whichever language it is written in.
//
// The one place where YAML and TOML meet: both become this tree, in the order of the
// text, every node with its place. Types are left to the option that is meant,
// because YAML does not know that a password of digits is a text.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace pgc {

struct Place {
    std::size_t line = 0;  // from 1
    std::size_t column = 0;
};

struct Node {
    enum class Kind : std::uint8_t {
        nothing,  // YAML's null, or no value at all
        plain,    // YAML's unquoted word; `text` as written
        text,     // a quoted text
        integer,  // of TOML; `text` in decimal
        boolean,  // of TOML; `text` is true or false
        other,    // a float, a date; `text` says which
        list,
        map,
    };
    struct Member;

    Kind kind = Kind::nothing;
    Place place;
    std::string text;
    std::vector<Node> items;      // of a list
    std::vector<Member> members;  // of a map; keys may repeat
};

struct Node::Member {
    std::string key;
    Place place;  // of the key
    Node value;
};

struct SyntaxError {
    Place place;  // line 0: of the whole text
    std::string reason;
};

using Parsed = std::expected<Node, SyntaxError>;

// The root is a map. Within ConfigLimits, or an error; nothing throws. Reasons never
// quote the text, which may be a secret.
Parsed parse_toml(std::string_view text);
Parsed parse_yaml(std::string_view text);
// Likewise, but of any kind.
Parsed parse_yaml_value(std::string_view text);

// One value of any kind, as a variable or a flag holds it: JSON, or YAML. The empty text is
// nothing.
Parsed parse_value(std::string_view text);

// By the ending of the name; refuses what is not UTF-8 or too large.
Parsed parse_document(std::string_view name, std::string_view text);

}  // namespace pgc
