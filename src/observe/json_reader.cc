#include "observe/json_reader.h"

#include <algorithm>
#include <utility>

#include "observe/json_text.h"

namespace pgc {
namespace {

using Kind = JsonFields::Kind;
using Done = std::expected<void, std::string>;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | code >> 6);
        byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | code >> 12);
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
}

// Takes one value after the other off the front of the text.
class JsonReader {
public:
    JsonReader(std::string_view text, const JsonLimits& limits) : rest_(text), limits_(limits) {}

    std::expected<JsonFields, std::string> read() {
        if (rest_.size() > limits_.bytes) return std::unexpected("it is too large");
        if (auto done = value({}, 0); !done) return std::unexpected(std::move(done.error()));
        skip_space();
        if (!rest_.empty()) return std::unexpected("something follows its end");
        return std::move(fields_);
    }

private:
    static Done wrong(const char* what) { return std::unexpected(what); }

    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    }
    bool take(std::string_view token) {
        if (!rest_.starts_with(token)) return false;
        rest_.remove_prefix(token.size());
        return true;
    }

    Done value(const std::string& path, std::size_t depth) {
        if (path.size() > limits_.path_bytes) return wrong("a name is too long");
        if (depth > limits_.depth) return wrong("it is nested too deeply");
        skip_space();
        if (rest_.empty()) return wrong("it is cut short");
        if (take("{")) return members(path, depth);
        if (take("[")) return elements(path, depth);
        if (rest_.front() == '"') {
            std::string text;
            if (auto done = string(text); !done) return done;
            return add(path, {Kind::text, std::move(text)});
        }
        for (const std::string_view word : {"true", "false", "null"}) {
            if (!take(word)) continue;
            return add(path, {word == "null" ? Kind::null : Kind::boolean, std::string{word}});
        }
        return number(path);
    }

    Done members(const std::string& path, std::size_t depth) {
        skip_space();
        if (take("}")) return add(path, {Kind::empty, {}});
        for (;;) {
            skip_space();
            std::string name;
            if (auto done = string(name); !done) return done;
            skip_space();
            if (!take(":")) return wrong("a colon is missing");
            if (auto done = value(path.empty() ? name : path + '.' + name, depth + 1); !done) {
                return done;
            }
            skip_space();
            if (take("}")) return {};
            if (!take(",")) return wrong("a comma or brace is missing");
        }
    }

    Done elements(const std::string& path, std::size_t depth) {
        skip_space();
        if (take("]")) return add(path, {Kind::empty, {}});
        for (std::size_t i = 0;; ++i) {
            const std::string at = std::to_string(i);
            if (auto done = value(path.empty() ? at : path + '.' + at, depth + 1); !done) {
                return done;
            }
            skip_space();
            if (take("]")) return {};
            if (!take(",")) return wrong("a comma or bracket is missing");
        }
    }

    // -0.5e+10: no leading zeros, no bare point.
    Done number(const std::string& path) {
        std::size_t at = 0;
        const auto digits = [&] {
            const std::size_t first = at;
            while (at < rest_.size() && is_digit(rest_[at])) ++at;
            return at - first;
        };
        const auto is = [&](char c) { return at < rest_.size() && rest_[at] == c; };
        if (is('-')) ++at;
        const bool zero = is('0');
        const std::size_t whole = digits();
        if (whole == 0 || (zero && whole > 1)) return wrong("there is no value where one must be");
        if (is('.')) {
            ++at;
            if (digits() == 0) return wrong("a number is cut short");
        }
        if (is('e') || is('E')) {
            ++at;
            if (is('+') || is('-')) ++at;
            if (digits() == 0) return wrong("a number is cut short");
        }
        std::string text{rest_.substr(0, at)};
        rest_.remove_prefix(at);
        return add(path, {Kind::number, std::move(text)});
    }

    Done string(std::string& out) {
        if (!take("\"")) return wrong("a text is missing");
        while (!rest_.empty()) {
            if (take("\"")) return {};
            if (take("\\")) {
                if (auto done = escape(out); !done) return done;
                continue;
            }
            const std::size_t length = utf8_sequence_length(rest_);
            if (length == 0) return wrong("a text is not UTF-8");
            if (static_cast<unsigned char>(rest_.front()) < 0x20) {
                return wrong("a text holds a control character");
            }
            out += rest_.substr(0, length);
            rest_.remove_prefix(length);
        }
        return wrong("a text is cut short");
    }

    Done escape(std::string& out) {
        constexpr std::string_view kNames = "\"\\/bfnrt";
        constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
        if (rest_.empty()) return wrong("a text is cut short");
        const char name = rest_.front();
        rest_.remove_prefix(1);
        if (const auto at = kNames.find(name); at != std::string_view::npos) {
            out += kMeant[at];
            return {};
        }
        auto code = name == 'u' ? hex() : std::nullopt;
        if (!code) return wrong("an escape is not valid");
        if (*code >= 0xD800 && *code < 0xE000) {  // the first half of a pair
            const auto low = *code < 0xDC00 && take("\\u") ? hex() : std::nullopt;
            if (!low || *low < 0xDC00 || *low >= 0xE000) return wrong("half a character");
            code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
        }
        append_utf8(out, *code);
        return {};
    }

    std::optional<std::uint32_t> hex() {
        if (rest_.size() < 4) return std::nullopt;
        std::uint32_t code = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
        if (error != std::errc{} || end != rest_.data() + 4) return std::nullopt;
        rest_.remove_prefix(4);
        return code;
    }

    Done add(const std::string& path, JsonFields::Field field) {
        if (fields_.size() >= limits_.fields) return wrong("it has too many members");
        fields_.add(path, std::move(field));
        return {};
    }

    std::string_view rest_;
    const JsonLimits& limits_;
    JsonFields fields_;
};

}  // namespace

std::optional<std::string> JsonFields::text(std::string_view path) const {
    const Field* field = find(path);
    if (field == nullptr || field->kind != Kind::text) return std::nullopt;
    return field->text;
}

std::optional<bool> JsonFields::boolean(std::string_view path) const {
    const Field* field = find(path);
    if (field == nullptr || field->kind != Kind::boolean) return std::nullopt;
    return field->text == "true";
}

std::expected<JsonFields, std::string> read_json(std::string_view text, const JsonLimits& limits) {
    return JsonReader(text, limits).read();
}

}  // namespace pgc
