// The only file that knows toml++.
//
// The text is walked over before the library sees it, because toml++ 3.3
//   - builds a table per part of a dotted key and destroys tables recursively: a key of
//     a hundred thousand parts would overrun the stack;
//   - runs into undefined behaviour when it asks whether a character from U+00A1 to
//     U+0499 is a space. It asks that outside of quotes, where TOML allows no such
//     character, and behind a backslash in a """ string, where we allow none either.
#include <fmt/core.h>

// Parse errors as values.
#ifndef TOML_EXCEPTIONS
#define TOML_EXCEPTIONS 0
#endif
#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/document.h"
#include "config/loader.h"

namespace pgc {
namespace {

// Walks over the text, skipping comments and strings.
class OutlineCheck {
public:
    explicit OutlineCheck(std::string_view text) noexcept : text_(text) {}

    // What the library must not be given; nothing if all is well.
    std::optional<SyntaxError> find() {
        while (at_ < text_.size() && !found_) {
            step();
            if (!found_ && std::max(brackets_, dots_) > ConfigLimits::depth) {
                refuse(fmt::format("nested deeper than {} levels", ConfigLimits::depth));
            }
        }
        return std::move(found_);
    }

private:
    void refuse(std::string reason) {
        found_ = SyntaxError{{line_, at_ - line_start_ + 1}, std::move(reason)};
    }
    bool beyond_ascii() const noexcept {
        return at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x80;
    }
    bool at(std::string_view what) const noexcept { return text_.substr(at_).starts_with(what); }

    void step() {
        const char c = text_[at_];
        if (c == '"' || c == '\'') {
            at(std::string(3, c)) ? skip_long_string(c) : skip_string(c);
        } else if (c == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else if (beyond_ascii()) {
            refuse("a character that belongs within quotes");
        } else {
            advance();
            measure(c);
        }
    }

    void measure(char c) {
        switch (c) {
            case '.': ++dots_; return;
            case '[':
            case '{': ++brackets_; break;
            case ']':
            case '}': brackets_ -= brackets_ > 0 ? 1 : 0; break;
            case '\n':
            case '=':
            case ',': break;
            default: return;
        }
        dots_ = 0;  // another key begins
    }

    // Ends at the quote, or unfinished at the line's end: the library will say so.
    void skip_string(char quote) {
        for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
            if (text_[at_] == quote) {
                ++at_;
                return;
            }
            if (quote == '"' && (at("\\\"") || at("\\\\"))) {
                ++at_;
            }
        }
    }

    void skip_long_string(char quote) {
        const std::string end(3, quote);
        at_ += end.size();
        while (at_ < text_.size() && !found_) {
            if (at(end)) {
                at_ += end.size();
                // Up to two quotes more are its own last characters.
                for (int more = 0; more < 2 && at({&quote, 1}); ++more) {
                    ++at_;
                }
                return;
            }
            const bool backslash = quote == '"' && text_[at_] == '\\';
            advance();
            if (backslash) {
                skip_escaped();
            }
        }
    }

    // What follows a backslash: one character, or all space up to the next word.
    void skip_escaped() {
        const bool space = at_ < text_.size() && is_space(text_[at_]);
        while (at_ < text_.size() && is_space(text_[at_])) {
            advance();
        }
        if (beyond_ascii()) {
            refuse("a character beyond ASCII behind a backslash");
        } else if (!space && at_ < text_.size()) {
            advance();
        }
    }

    static bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

    void advance() {
        if (text_[at_++] == '\n') {
            ++line_;
            line_start_ = at_;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t line_start_ = 0;
    std::size_t brackets_ = 0;
    std::size_t dots_ = 0;
    std::optional<SyntaxError> found_;
};

Place place_of(const toml::source_region& source) {
    return {source.begin.line, source.begin.column};
}

// The library quotes what it met, which may be half a password: its words are kept
// up to the first such quotation.
std::string reason_of(std::string_view description) {
    const auto end = description.find_first_of("'\"`");
    std::string reason(description.substr(0, end));
    while (!reason.empty() && std::string_view(" ,;:(").find(reason.back()) != std::string::npos) {
        reason.pop_back();
    }
    return reason;
}

Node convert(const toml::node& from);

Node convert_table(const toml::table& from) {
    Node to;
    to.kind = Node::Kind::map;
    for (const auto& [key, value] : from) {
        to.members.push_back({std::string(key.str()), place_of(key.source()), convert(value)});
    }
    std::ranges::stable_sort(
        to.members,
        [](const Place& a, const Place& b) {
            return a.line != b.line ? a.line < b.line : a.column < b.column;
        },
        &Node::Member::place);
    return to;
}

Node convert_array(const toml::array& from) {
    Node to;
    to.kind = Node::Kind::list;
    for (const auto& item : from) {
        to.items.push_back(convert(item));
    }
    return to;
}

Node scalar(Node::Kind kind, std::string text) {
    Node node;
    node.kind = kind;
    node.text = std::move(text);
    return node;
}

Node convert_value(const toml::node& from) {
    switch (from.type()) {
        case toml::node_type::table: return convert_table(*from.as_table());
        case toml::node_type::array: return convert_array(*from.as_array());
        case toml::node_type::string: return scalar(Node::Kind::text, from.as_string()->get());
        case toml::node_type::integer:
            return scalar(Node::Kind::integer, fmt::format("{}", from.as_integer()->get()));
        case toml::node_type::boolean:
            return scalar(Node::Kind::boolean, from.as_boolean()->get() ? "true" : "false");
        case toml::node_type::floating_point: return scalar(Node::Kind::other, "a float");
        case toml::node_type::date: return scalar(Node::Kind::other, "a date");
        case toml::node_type::time: return scalar(Node::Kind::other, "a time");
        case toml::node_type::date_time: return scalar(Node::Kind::other, "a date and time");
        case toml::node_type::none: break;
    }
    return {};
}

Node convert(const toml::node& from) {
    Node to = convert_value(from);
    to.place = place_of(from.source());
    return to;
}

}  // namespace

Parsed parse_toml(std::string_view text) {
    if (auto refused = OutlineCheck(text).find()) {
        return std::unexpected(std::move(*refused));
    }
    try {
        const toml::parse_result result = toml::parse(text);
        if (!result) {
            const toml::parse_error& error = result.error();
            return std::unexpected(
                SyntaxError{place_of(error.source()), reason_of(error.description())});
        }
        return convert(result.table());
    } catch (const std::exception&) {
        return std::unexpected(SyntaxError{{}, "cannot be read as TOML"});
    }
}

}  // namespace pgc
