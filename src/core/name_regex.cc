#include "core/name_regex.h"

#include <fmt/format.h>
#include <regex.h>

#include <array>
#include <utility>

namespace pgc {
namespace {

constexpr std::string_view kMeta = ".^$|()[]{}*+?\\";
// What a backslash may stand before so that it means itself.
constexpr std::string_view kPunctuation = ".^$|()[]{}*+?\\-/_ :,;=@#%&!~<>\"'";

// What is in \d and the like; empty for another letter.
std::string_view content_of(char letter) noexcept {
    switch (letter) {
        case 'd': return "0-9";
        case 'w': return "A-Za-z0-9_";
        case 's': return " \t\n\v\f\r";
        default: return {};
    }
}

// From Java's syntax to the extended one of POSIX, where they mean the same.
class Translation {
public:
    explicit Translation(std::string_view text) : text_(text) {}

    std::expected<std::string, std::string> made() {
        while (at_ < text_.size() && fault_.empty()) step();
        if (depth_ > 0) fail("a ( is not closed");
        if (!fault_.empty()) return std::unexpected(fault_);
        return "^(" + out_ + ")$";
    }

private:
    bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }

    void step() {
        const char c = text_[at_++];
        switch (c) {
            case '\\': return escape();
            case '[': return open_class();
            case '(': return open_group();
            case ')': return close_group();
            case '*':
            case '+':
            case '?': return repeat(std::string_view{&c, 1});
            case '{': return repeat_counted();
            default: out_ += c;
        }
    }

    void escape() {
        const char c = at_ < text_.size() ? text_[at_++] : '\0';
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        if (const auto content = content_of(lower); !content.empty()) {
            out_ += c == lower ? "[" : "[^";
            out_ += content;
            out_ += ']';
        } else if (kPunctuation.contains(c)) {
            if (kMeta.contains(c)) out_ += '\\';
            out_ += c;
        } else {
            fail("a backslash stands before something that is not understood");
        }
    }

    void open_group() {
        out_ += '(';
        ++depth_;
        if (next_is("?:")) {
            at_ += 2;
        } else if (next_is("?")) {
            fail("of groups that begin with (? only (?: is understood");
        }
    }

    void close_group() {
        if (depth_ == 0) return fail("a ) closes nothing");
        --depth_;
        out_ += ')';
    }

    // The whole name has to match, so a lazy repetition matches the same.
    void repeat(std::string_view how) {
        out_ += how;
        if (next_is("?")) ++at_;
        if (next_is("+") || next_is("*") || next_is("?") || next_is("{")) {
            fail("a repetition is repeated");
        }
    }

    void repeat_counted() {
        const std::size_t end = text_.find('}', at_);
        if (end == std::string_view::npos) return fail("a { is not closed");
        const std::string_view how = text_.substr(at_ - 1, end + 1 - (at_ - 1));
        at_ = end + 1;
        repeat(how);
    }

    void open_class() {
        out_ += '[';
        if (next_is("^")) out_ += text_[at_++];
        bool dash = false;  // as itself: it stands at the end
        std::string content;
        for (; at_ < text_.size() && text_[at_] != ']'; ++at_) {
            const char c = text_[at_];
            if (c == '\\') {
                ++at_;
                if (!escape_in_class(content, dash)) return;
            } else if (c == '[' || c == '^' || c == '&') {
                return fail(fmt::format("{} in a class is not understood", c));
            } else {
                content += c;
            }
        }
        if (at_ == text_.size()) return fail("a [ is not closed");
        ++at_;
        if (content.empty() && !dash) return fail("a class is empty");
        out_ += content;
        out_ += dash ? "-]" : "]";
    }

    bool escape_in_class(std::string& content, bool& dash) {
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        if (const auto letters = content_of(c); !letters.empty()) {
            content += letters;
        } else if (c == '-') {
            dash = true;
        } else if (kPunctuation.contains(c) && c != '[' && c != ']' && c != '^' && c != '\\') {
            content += c;
        } else {
            fail("a backslash in a class stands before something that is not understood");
            return false;
        }
        return true;
    }

    void fail(std::string what) {
        if (fault_.empty()) fault_ = std::move(what);
    }

    const std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    std::string out_;
    std::string fault_;
};

}  // namespace

struct NameRegex::Compiled {
    Compiled() = default;
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;
    ~Compiled() {
        if (made) ::regfree(&regex);
    }

    ::regex_t regex{};
    bool made = false;
};

std::expected<NameRegex, std::string> NameRegex::compile(std::string_view text) {
    const auto translated = Translation{text}.made();
    if (!translated) return std::unexpected(translated.error());
    auto compiled = std::make_shared<Compiled>();
    const int code =
        ::regcomp(&compiled->regex, translated->c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (code != 0) {
        std::array<char, 256> reason{};
        ::regerror(code, &compiled->regex, reason.data(), reason.size());
        return std::unexpected(std::string{reason.data()});
    }
    compiled->made = true;
    return NameRegex{std::move(compiled)};
}

bool NameRegex::matches(const std::string& name) const noexcept {
    return ::regexec(&compiled_->regex, name.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace pgc
