// The only file that knows toml++, and what version 3.3 can't bear:
//   - It builds a table per part of a dotted key and destroys tables recursively: a key
//     of a hundred thousand parts would overrun the stack. OutlineCheck walks over the
//     text first.
//   - It runs into undefined behaviour when it asks whether one of many characters from
//     U+00A1 to U+FEFE is a space. So it is shown stand-ins from above that range.
//   - Some texts break its assertions ("[[["): these throw here instead of aborting.
#include <fmt/core.h>

namespace pgc {
struct TomlConfused {};
[[noreturn]] static void confuse() {
    throw TomlConfused{};
}
}  // namespace pgc
#undef NDEBUG
#undef TOML_EXCEPTIONS
#define TOML_EXCEPTIONS 1
#define TOML_ASSERT(expression) ((expression) ? void() : ::pgc::confuse())
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

// Characters of two and three bytes (U+0080…U+FFFF) stand as U+F0000 and more: four
// bytes, F3 Bx yy zz. Their places are free, for those that stand there are refused.
constexpr char kStandIn = '\xF3';
constexpr unsigned char kStandInSecond = 0xB0;

unsigned char byte_of(char c) noexcept {
    return static_cast<unsigned char>(c);
}

bool is_stand_in(std::string_view text) noexcept {
    return text.size() >= 4 && text[0] == kStandIn && byte_of(text[1]) >= kStandInSecond;
}

std::string with_stand_ins(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const unsigned char lead = byte_of(c);
        if (lead >= 0xC0 && lead < 0xE0) {
            out += {kStandIn, static_cast<char>(kStandInSecond), static_cast<char>(lead ^ 0x40)};
        } else if (lead >= 0xE0 && lead < 0xF0) {
            out += {kStandIn, static_cast<char>(kStandInSecond | (lead & 0x0F))};
        } else {
            out += c;
        }
    }
    return out;
}

std::string without_stand_ins(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (!is_stand_in(text)) {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        const unsigned char second = byte_of(text[1]);
        const unsigned char third = byte_of(text[2]);
        if (second == kStandInSecond && third < 0xA0) {
            out += {static_cast<char>(third ^ 0x40), text[3]};
        } else {
            out += {static_cast<char>(0xE0 | (second & 0x0F)), text[2], text[3]};
        }
        text.remove_prefix(4);
    }
    return out;
}

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
    bool at(std::string_view what) const noexcept { return text_.substr(at_).starts_with(what); }

    void step() {
        const char c = text_[at_];
        if (c == '"' || c == '\'') {
            at(std::string(3, c)) ? skip_long_string(c) : skip_string(c);
        } else if (c == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
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
            if (quote == '"' && (at("\\\"") || at("\\\\"))) {
                ++at_;
            }
            advance();
        }
    }

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
    if (reason.ends_with(", saw ")) {
        reason.resize(reason.size() - std::string_view(", saw ").size());
    }
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
        to.members.push_back(
            {without_stand_ins(key.str()), place_of(key.source()), convert(value)});
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
        case toml::node_type::string:
            return scalar(Node::Kind::text, without_stand_ins(from.as_string()->get()));
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
    for (std::size_t at = 0, line = 1; at < text.size(); ++at) {
        const std::string_view rest = text.substr(at);
        line += rest.front() == '\n' ? 1 : 0;
        if (is_stand_in(rest) || rest.starts_with("\\U000F") || rest.starts_with("\\U000f")) {
            return std::unexpected(SyntaxError{{line, 1}, "a character from U+F0000 to U+FFFFF"});
        }
    }
    if (auto refused = OutlineCheck(text).find()) {
        return std::unexpected(std::move(*refused));
    }
    try {
        return convert(toml::parse(with_stand_ins(text)));
    } catch (const toml::parse_error& error) {
        return std::unexpected(
            SyntaxError{place_of(error.source()), reason_of(error.description())});
    } catch (const TomlConfused&) {
        return std::unexpected(SyntaxError{{}, "cannot be read as TOML"});
    } catch (const std::exception&) {
        return std::unexpected(SyntaxError{{}, "cannot be read as TOML"});
    }
}

}  // namespace pgc
