// The only file that knows toml++.
//
// toml++ builds a table per part of a dotted key and destroys tables recursively, so
// a key of a hundred thousand parts would overrun the stack: depth is measured on the
// text before the library sees it.
#include <fmt/core.h>

// Parse errors as values.
#ifndef TOML_EXCEPTIONS
#define TOML_EXCEPTIONS 0
#endif
#include <toml++/toml.h>

#include <algorithm>

#include "config/document.h"
#include "config/loader.h"

namespace pgc {
namespace {

// Walks over the text, skipping comments and strings.
class DepthCheck {
public:
    explicit DepthCheck(std::string_view text) noexcept : text_(text) {}

    // Where the nesting is deeper than allowed; line 0 if nowhere.
    Place too_deep() {
        while (at_ < text_.size()) {
            step();
            if (brackets_ > ConfigLimits::depth || dots_ > ConfigLimits::depth) {
                return {line_, at_ - line_start_};
            }
        }
        return {};
    }

private:
    void step() {
        const char c = text_[at_];
        if (c == '"' || c == '\'') {
            skip_string(c);
            return;
        }
        if (c == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
            return;
        }
        ++at_;
        switch (c) {
            case '\n':
                new_line();
                dots_ = 0;
                break;
            case '.': ++dots_; break;
            case '[':
            case '{':
                ++brackets_;
                dots_ = 0;
                break;
            case ']':
            case '}':
                brackets_ -= brackets_ > 0 ? 1 : 0;
                dots_ = 0;
                break;
            case '=':
            case ',': dots_ = 0; break;
            default: break;
        }
    }

    void skip_string(char quote) {
        const std::string triple(3, quote);
        const bool long_string = text_.substr(at_).starts_with(triple);
        at_ += long_string ? 3 : 1;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\n') {
                ++at_;
                new_line();
                if (!long_string) {
                    return;  // unfinished; the library will say so
                }
            } else if (c == '\\' && quote == '"') {
                at_ += text_.substr(at_ + 1).starts_with('\n') ? 1U : 2U;
            } else if (c == quote && (!long_string || text_.substr(at_).starts_with(triple))) {
                at_ += long_string ? 3 : 1;
                return;
            } else {
                ++at_;
            }
        }
    }

    void new_line() {
        ++line_;
        line_start_ = at_;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t line_start_ = 0;
    std::size_t brackets_ = 0;
    std::size_t dots_ = 0;
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
    if (const Place deep = DepthCheck(text).too_deep(); deep.line > 0) {
        return std::unexpected(
            SyntaxError{deep, fmt::format("nested deeper than {} levels", ConfigLimits::depth)});
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
