#include "config/convert.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "config/declarations.h"
#include "config/loader.h"
#include "config/nearest.h"
#include "config/text.h"

namespace pgc {
namespace {

using Value = Settings::Value;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t";
    const auto begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
    std::vector<std::string_view> pieces;
    if (trimmed(text).empty()) {
        return pieces;
    }
    for (;;) {
        const auto comma = text.find(',');
        pieces.push_back(trimmed(text.substr(0, comma)));
        if (comma == std::string_view::npos) {
            return pieces;
        }
        text.remove_prefix(comma + 1);
    }
}

bool is_scalar(Node::Kind kind) {
    return kind != Node::Kind::nothing && kind != Node::Kind::other && kind != Node::Kind::list &&
           kind != Node::Kind::map;
}

// Reads one value of one option; collects what is wrong.
class Reader {
public:
    Reader(const Option& option, ValueProblems& problems) : option_(option), problems_(problems) {}

    std::optional<Value> from_text(std::string_view text, std::string_view shown, Place place);
    std::optional<Value> from_node(const Node& node, const Expander& expand);

private:
    std::nullopt_t refuse(Place place, std::string reason, std::string near = {}) {
        problems_.push_back({place, std::move(reason), std::move(near)});
        return std::nullopt;
    }
    // Secrets are not quoted.
    std::string show(std::string_view text) const {
        return option_.kind == OptionKind::secret ? "this value" : in_quotes(text);
    }
    std::nullopt_t unexpected(Place place, std::string_view got) {
        return refuse(place, fmt::format("expected {}, got {}", expectation(option_), got));
    }

    bool fits(std::string_view text, Place place);
    std::optional<Value> integer(std::string_view text, std::string_view shown, Place place);
    std::optional<Value> boolean(std::string_view text, std::string_view shown, Place place);
    // `shown` stands in the reason: what a reference brought must not.
    bool allowed_word(std::string_view text, std::string_view shown, Place place);
    std::optional<Value> list(std::string_view text, std::string_view shown, Place place);
    std::optional<Value> map(std::string_view text, std::string_view shown, Place place);

    std::optional<Value> from_scalar(const Node& node, const Expander& expand);
    std::optional<Value> from_list(const Node& node, const Expander& expand);
    std::optional<Value> from_map(const Node& node, const Expander& expand);
    bool gather(const Node& node, const std::string& prefix, const Expander& expand,
                Settings::Map& into);

    const Option& option_;
    ValueProblems& problems_;
};

bool Reader::fits(std::string_view text, Place place) {
    if (text.size() > ConfigLimits::value_bytes) {
        refuse(place, fmt::format("longer than {} bytes", ConfigLimits::value_bytes));
        return false;
    }
    if (text.find('\0') != std::string_view::npos) {
        refuse(place, "holds a zero byte");
        return false;
    }
    return true;
}

std::optional<Value> Reader::integer(std::string_view text, std::string_view shown, Place place) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    const bool too_large = error == std::errc::result_out_of_range && stopped == end;
    if (!too_large && (error != std::errc{} || stopped != end)) {
        return unexpected(place, show(shown));
    }
    const auto [min, max] = range(option_);
    if (too_large || number < min || number > max) {
        return refuse(place, fmt::format("{} is out of range, expected {}", shown.substr(0, 30),
                                         expectation(option_)));
    }
    return Value{number};
}

std::optional<Value> Reader::boolean(std::string_view text, std::string_view shown, Place place) {
    if (text == "true" || text == "True" || text == "TRUE") {
        return Value{true};
    }
    if (text == "false" || text == "False" || text == "FALSE") {
        return Value{false};
    }
    return unexpected(place, show(shown));
}

bool Reader::allowed_word(std::string_view text, std::string_view shown, Place place) {
    const auto allowed = words(option_);
    if (allowed.empty() || std::ranges::find(allowed, text) != allowed.end()) {
        return true;
    }
    const std::vector<std::string> candidates(allowed.begin(), allowed.end());
    refuse(place, fmt::format("expected {}, got {}", expectation(option_), show(shown)),
           nearest(text, candidates));
    return false;
}

std::optional<Value> Reader::list(std::string_view text, std::string_view shown, Place place) {
    Settings::List items;
    for (const std::string_view piece : split_at_commas(text)) {
        if (piece.empty()) {
            return refuse(place, fmt::format("an empty item in {}", show(shown)));
        }
        if (!allowed_word(piece, text == shown ? piece : shown, place)) {
            return std::nullopt;
        }
        items.emplace_back(piece);
    }
    return Value{std::move(items)};
}

std::optional<Value> Reader::map(std::string_view text, std::string_view shown, Place place) {
    Settings::Map pairs;
    for (const std::string_view piece : split_at_commas(text)) {
        const auto equals = piece.find('=');
        const std::string key{trimmed(piece.substr(0, equals))};
        if (equals == std::string_view::npos || key.empty()) {
            return unexpected(place, show(shown));
        }
        const std::string_view value = trimmed(piece.substr(equals + 1));
        if (!allowed_word(value, text == shown ? value : shown, place)) {
            return std::nullopt;
        }
        if (!pairs.emplace(key, value).second) {
            return refuse(place,
                          fmt::format("{} is given twice", in_quotes(text == shown ? key : shown)));
        }
    }
    return Value{std::move(pairs)};
}

std::optional<Value> Reader::from_text(std::string_view text, std::string_view shown, Place place) {
    if (!fits(text, place)) {
        return std::nullopt;
    }
    switch (option_.kind) {
        case OptionKind::text: return Value{std::string(text)};
        case OptionKind::secret: return Value{Secret(std::string(text))};
        case OptionKind::integer:
        case OptionKind::seconds:
        case OptionKind::milliseconds: return integer(text, shown, place);
        case OptionKind::boolean: return boolean(text, shown, place);
        case OptionKind::choice:
            if (!allowed_word(text, shown, place)) {
                return std::nullopt;
            }
            return Value{std::string(text)};
        case OptionKind::list: return list(text, shown, place);
        case OptionKind::map: return map(text, shown, place);
        case OptionKind::objects:
            if (!trimmed(text).empty() && trimmed(text) != "[]") {
                return unexpected(place, show(shown));
            }
            return Value{Settings::Objects{}};
    }
    return std::nullopt;
}

std::optional<Value> Reader::from_scalar(const Node& node, const Expander& expand) {
    using enum OptionKind;
    if (node.kind == Node::Kind::integer || node.kind == Node::Kind::boolean) {
        const bool number =
            option_.kind == integer || option_.kind == seconds || option_.kind == milliseconds;
        const bool right = node.kind == Node::Kind::integer ? number : option_.kind == boolean;
        return right ? from_text(node.text, node.text, node.place)
                     : unexpected(node.place, kind_name(node));
    }
    const auto expanded = expand(node.text, node.place);
    if (!expanded) {
        return std::nullopt;
    }
    // What a reference gives has no type of its own, like a variable.
    const bool untyped = expanded->referenced || node.kind == Node::Kind::plain;
    const bool of_text = option_.kind == text || option_.kind == secret || option_.kind == choice;
    const bool of_many = option_.kind == list || option_.kind == map;
    if ((of_many && !expanded->referenced) || (!of_many && !of_text && !untyped)) {
        return option_.kind == secret
                   ? unexpected(node.place, kind_name(node))
                   : unexpected(node.place, fmt::format("the text {}", in_quotes(node.text)));
    }
    return from_text(expanded->text, node.text, node.place);
}

std::optional<Value> Reader::from_list(const Node& node, const Expander& expand) {
    Settings::List items;
    bool good = true;
    for (const Node& item : node.items) {
        if (item.kind != Node::Kind::plain && item.kind != Node::Kind::text) {
            refuse(item.place, fmt::format("expected a text as item, got {}", kind_name(item)));
            good = false;
            continue;
        }
        auto expanded = expand(item.text, item.place);
        if (!expanded || !fits(expanded->text, item.place) ||
            !allowed_word(expanded->text, item.text, item.place)) {
            good = false;
            continue;
        }
        items.push_back(std::move(expanded->text));
    }
    return good ? std::optional<Value>(std::move(items)) : std::nullopt;
}

// Keys with dots come as nested tables from TOML: they are joined again.
bool Reader::gather(const Node& node, const std::string& prefix, const Expander& expand,
                    Settings::Map& into) {
    bool good = true;
    for (const Node::Member& member : node.members) {
        const std::string key = prefix + member.key;
        const Node& value = member.value;
        if (value.kind == Node::Kind::map) {
            good = gather(value, key + ".", expand, into) && good;
            continue;
        }
        if (!is_scalar(value.kind)) {
            refuse(member.place,
                   fmt::format("expected a text for {}, got {}", in_quotes(key), kind_name(value)));
            good = false;
            continue;
        }
        auto expanded = expand(value.text, value.place);
        if (!expanded || !fits(expanded->text, value.place) ||
            !allowed_word(expanded->text, value.text, value.place)) {
            good = false;
        } else if (!into.emplace(key, std::move(expanded->text)).second) {
            refuse(member.place, fmt::format("{} is given twice", in_quotes(key)));
            good = false;
        }
    }
    return good;
}

std::optional<Value> Reader::from_map(const Node& node, const Expander& expand) {
    Settings::Map pairs;
    return gather(node, {}, expand, pairs) ? std::optional<Value>(std::move(pairs)) : std::nullopt;
}

std::optional<Value> Reader::from_node(const Node& node, const Expander& expand) {
    switch (node.kind) {
        case Node::Kind::nothing:
            return refuse(node.place,
                          fmt::format("has no value, expected {}", expectation(option_)));
        case Node::Kind::other: return unexpected(node.place, node.text);
        case Node::Kind::list:
            return option_.kind == OptionKind::list ? from_list(node, expand)
                                                    : unexpected(node.place, kind_name(node));
        case Node::Kind::map:
            return option_.kind == OptionKind::map ? from_map(node, expand)
                                                   : unexpected(node.place, kind_name(node));
        case Node::Kind::plain:
        case Node::Kind::text:
        case Node::Kind::integer:
        case Node::Kind::boolean: return from_scalar(node, expand);
    }
    return std::nullopt;
}

std::string joined(const Settings::List& items) {
    std::string text;
    for (const std::string& item : items) {
        text += (text.empty() ? "" : ",") + item;
    }
    return text;
}

std::string joined(const Settings::Map& pairs) {
    std::string text;
    for (const auto& [key, value] : pairs) {
        text += (text.empty() ? "" : ",") + key + "=" + value;
    }
    return text;
}

}  // namespace

std::optional<Value> value_from_text(const Option& option, std::string_view text,
                                     std::string_view shown, Place place, ValueProblems& problems) {
    return Reader(option, problems).from_text(text, shown, place);
}

std::optional<Value> value_from_node(const Option& option, const Node& node, const Expander& expand,
                                     ValueProblems& problems) {
    return Reader(option, problems).from_node(node, expand);
}

std::string value_to_text(const Value& value) {
    struct ToText {
        std::string operator()(const std::string& text) const { return text; }
        std::string operator()(const Secret& secret) const { return fmt::format("{}", secret); }
        std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
        std::string operator()(bool truth) const { return truth ? "true" : "false"; }
        std::string operator()(const Settings::List& items) const { return joined(items); }
        std::string operator()(const Settings::Map& pairs) const { return joined(pairs); }
        std::string operator()(const Settings::Objects& objects) const {
            return objects.empty() ? "" : fmt::format("{} objects", objects.size());
        }
    };
    return std::visit(ToText{}, value);
}

std::string_view kind_name(const Node& node) {
    switch (node.kind) {
        case Node::Kind::nothing: return "nothing";
        case Node::Kind::plain:
        case Node::Kind::text: return "a text";
        case Node::Kind::integer: return "an integer";
        case Node::Kind::boolean: return "a boolean";
        case Node::Kind::other: return node.text;
        case Node::Kind::list: return "a list";
        case Node::Kind::map: return "a section";
    }
    return "something else";
}

std::string written_form(const Node& node) {
    std::string text = node.text;
    for (const Node& item : node.items) {
        text += (text.empty() ? "" : ",") + written_form(item);
    }
    for (const Node::Member& member : node.members) {
        text += (text.empty() ? "" : ",") + member.key + "=" + written_form(member.value);
    }
    return text;
}

void each_text(const Node& node, const std::function<void(const Node&)>& visit) {
    if (node.kind == Node::Kind::plain || node.kind == Node::Kind::text) {
        visit(node);
    }
    for (const Node& item : node.items) {
        each_text(item, visit);
    }
    for (const Node::Member& member : node.members) {
        each_text(member.value, visit);
    }
}

}  // namespace pgc
