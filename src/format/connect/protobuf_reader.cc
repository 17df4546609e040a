// Tokens, and over them a parser that goes down into messages. What it does not need it passes over
// by its braces and semicolons.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "format/connect/protobuf_file.h"

namespace pgc {

namespace {

// What a registry may hold at most: far above the largest table, 1,600 columns.
constexpr std::size_t kTextMax = std::size_t{4} << 20;
constexpr int kDepthMax = 32;

bool is_word(char c) noexcept {
    return is_letter_or_digit(c) || c == '_' || c == '.';
}

// Words that begin another member of a message, so that they are no type of a field.
bool begins_member(std::string_view word) noexcept {
    constexpr std::array<std::string_view, 10> words{
        "enum",   "extend",   "extensions", "message",  "oneof",
        "option", "optional", "repeated",   "required", "reserved"};
    return std::ranges::find(words, word) != words.end();
}

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

// Words, numbers, quoted texts (with their quotes) and single characters; comments are left out.
class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) { next(); }

    // Empty at the end.
    std::string_view token() const noexcept { return token_; }
    bool is(std::string_view text) const noexcept { return token_ == text; }
    bool is_quoted() const noexcept {
        return !token_.empty() && (token_.front() == '"' || token_.front() == '\'');
    }

    void next() {
        pass_space();
        const std::size_t from = at_;
        if (at_ == text_.size()) {
            token_ = {};
            return;
        }
        if (is_word(text_[at_])) {
            while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        } else if (text_[at_] == '"' || text_[at_] == '\'') {
            pass_quoted();
        } else {
            ++at_;
        }
        token_ = text_.substr(from, at_ - from);
    }

    std::size_t line() const noexcept {
        const std::size_t end = at_ - token_.size();
        return static_cast<std::size_t>(std::ranges::count(text_.substr(0, end), '\n')) + 1;
    }

private:
    void pass_space() {
        while (at_ < text_.size()) {
            if (is_space(text_[at_])) {
                ++at_;
            } else if (text_.substr(at_, 2) == "//") {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (text_.substr(at_, 2) == "/*") {
                const std::size_t end = text_.find("*/", at_ + 2);
                at_ = end == std::string_view::npos ? text_.size() : end + 2;
            } else {
                return;
            }
        }
    }

    void pass_quoted() {
        const char quote = text_[at_++];
        while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
            at_ += text_[at_] == '\\' ? 2 : 1;
        }
        at_ = std::min(at_ + 1, text_.size());
    }

    std::string_view text_;
    std::string_view token_;
    std::size_t at_ = 0;
};

class Parser {
public:
    explicit Parser(std::string_view text) : tokens_(text) {}

    Result<ProtobufFile> file();

private:
    bool message(ProtobufMessage& into);
    bool member(ProtobufMessage& into);
    bool field(ProtobufMessage& into);
    bool type(ProtobufField& into);
    bool oneof(ProtobufMessage& into);
    bool reserved(ProtobufMessage& into);
    bool reserved_numbers(ProtobufMessage& into);
    bool reserved_text(ProtobufMessage& into);
    std::optional<std::uint32_t> number();
    // The rest of a statement: up to its semicolon or the end of its block.
    bool pass_statement(bool ends_with_block);
    bool pass_block();

    // A name of one part, or with dots between its parts.
    bool name(std::string& into) { return path(into) && !into.contains('.'); }
    bool path(std::string& into) {
        const std::string_view token = tokens_.token();
        if (token.empty() || !is_word(token.front()) || is_digit(token.front())) return false;
        into = token;
        tokens_.next();
        return true;
    }
    bool expect(std::string_view text) {
        if (!tokens_.is(text)) return false;
        tokens_.next();
        return true;
    }

    Tokens tokens_;
    int depth_ = 0;
};

Result<ProtobufFile> Parser::file() {
    ProtobufFile file;
    while (!tokens_.token().empty()) {
        bool read = true;
        if (expect("message")) {
            read = message(file.messages.emplace_back());
        } else if (expect("package")) {
            read = path(file.package) && expect(";");
        } else if (tokens_.is("enum") || tokens_.is("service") || tokens_.is("extend")) {
            read = pass_statement(true);
        } else if (!expect(";")) {
            read = pass_statement(false);
        }
        if (!read) {
            return std::unexpected(
                stop(Error::Category::protocol,
                     fmt::format("a Protobuf schema can't be read: line {} is not understood",
                                 tokens_.line())));
        }
    }
    return file;
}

bool Parser::message(ProtobufMessage& into) {
    if (!name(into.name) || !expect("{") || ++depth_ > kDepthMax) return false;
    while (!expect("}")) {
        if (!member(into)) return false;
    }
    --depth_;
    return true;
}

bool Parser::member(ProtobufMessage& into) {
    if (expect(";")) return true;
    if (expect("message")) return message(into.messages.emplace_back());
    if (expect("reserved")) return reserved(into);
    if (expect("oneof")) return oneof(into);
    if (tokens_.is("enum") || tokens_.is("extend")) return pass_statement(true);
    if (tokens_.is("option") || tokens_.is("extensions")) return pass_statement(false);
    return field(into);
}

bool Parser::oneof(ProtobufMessage& into) {
    std::string name;
    if (!this->name(name) || !expect("{")) return false;
    while (!expect("}")) {
        const bool read = tokens_.is("option") ? pass_statement(false) : field(into);
        if (!read) return false;
    }
    return true;
}

bool Parser::field(ProtobufMessage& into) {
    ProtobufField field;
    if (expect("repeated")) {
        field.repeated = true;
    } else if (expect("optional")) {
        field.optional = true;
    } else {
        expect("required");
    }
    if (!type(field) || !name(field.name) || !expect("=")) return false;
    const auto number = this->number();
    if (!number) return false;
    field.number = *number;
    into.fields.push_back(std::move(field));
    return pass_statement(false);
}

bool Parser::type(ProtobufField& into) {
    if (!path(into.type) || begins_member(into.type)) return false;
    if (into.type != "map" || !expect("<")) return true;
    std::string key;
    std::string value;
    if (!path(key) || !expect(",") || !path(value) || !expect(">")) return false;
    into.type = fmt::format("map<{}, {}>", key, value);
    return true;
}

std::optional<std::uint32_t> Parser::number() {
    std::string_view digits = tokens_.token();
    int base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
        digits.remove_prefix(2);
        base = 16;
    } else if (digits.size() > 1 && digits.front() == '0') {
        base = 8;
    }
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (value == 0 || value > kMaxFieldNumber) return std::nullopt;
    tokens_.next();
    return value;
}

bool Parser::reserved(ProtobufMessage& into) {
    do {
        const bool read = tokens_.is_quoted() ? reserved_text(into) : reserved_numbers(into);
        if (!read) return false;
    } while (expect(","));
    return expect(";");
}

bool Parser::reserved_text(ProtobufMessage& into) {
    const std::string_view quoted = tokens_.token();
    if (quoted.size() < 2 || quoted.back() != quoted.front()) return false;
    const std::string_view name = quoted.substr(1, quoted.size() - 2);
    if (name.empty() || !std::ranges::all_of(name, is_word)) return false;
    into.reserved_names.emplace_back(name);
    tokens_.next();
    return true;
}

bool Parser::reserved_numbers(ProtobufMessage& into) {
    const auto first = number();
    if (!first) return false;
    std::uint32_t last = *first;
    if (expect("to")) {
        if (expect("max")) {
            last = kMaxFieldNumber;
        } else if (const auto end = number(); end && *end >= *first) {
            last = *end;
        } else {
            return false;
        }
    }
    into.reserved.emplace_back(*first, last);
    return true;
}

bool Parser::pass_statement(bool ends_with_block) {
    while (!tokens_.token().empty()) {
        if (expect(";")) return true;
        if (tokens_.is("{")) {
            if (!pass_block()) return false;
            if (ends_with_block) return true;
        } else if (tokens_.is("}")) {
            return false;
        } else {
            tokens_.next();
        }
    }
    return false;
}

bool Parser::pass_block() {
    std::size_t open = 0;
    while (!tokens_.token().empty()) {
        if (tokens_.is("{")) ++open;
        if (tokens_.is("}")) --open;
        tokens_.next();
        if (open == 0) return true;
    }
    return false;
}

}  // namespace

Result<ProtobufFile> read_protobuf(std::string_view text) {
    if (text.size() > kTextMax) {
        return std::unexpected(stop(
            Error::Category::protocol,
            fmt::format("a Protobuf schema can't be read: {} bytes are too many", text.size())));
    }
    return Parser{text}.file();
}

}  // namespace pgc
