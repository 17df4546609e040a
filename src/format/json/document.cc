#include "format/json/document.h"

#include <algorithm>
#include <cstddef>

#include "format/json/number.h"
#include "format/json/string.h"

namespace pgc {
namespace {

bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The value of four hex digits, or -1.
int hex4(const char* at, const char* end) noexcept {
    if (end - at < 4) {
        return -1;
    }
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = at[i];
        int digit = -1;
        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = c - 'A' + 10;
        }
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

// Steps over "\uXXXX" (two of them for a surrogate pair) whose 'u' is at `at`; nullptr
// for anything else.
const char* skip_unicode_escape(const char* at, const char* end) noexcept {
    const int unit = hex4(at + 1, end);
    if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) {
        return nullptr;
    }
    at += 5;
    if (unit < 0xD800 || unit > 0xDBFF) {
        return at;
    }
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return nullptr;
    }
    const int low = hex4(at + 2, end);
    return low >= 0xDC00 && low <= 0xDFFF ? at + 6 : nullptr;
}

}  // namespace

// One pass over the text. Each step moves `at` beyond a token; false: it is not there.
struct DocumentWriter::Walk {
    const char* at;
    const char* const end;
    std::vector<bool>& in_object;

    void skip_space() noexcept {
        while (at != end && is_space(*at)) {
            ++at;
        }
    }

    // From after the opening quote to after the closing one.
    bool string() noexcept {
        for (;;) {
            at = find_special(at, end);
            if (at == end) {
                return false;
            }
            const auto c = static_cast<unsigned char>(*at);
            if (c == '"') {
                ++at;
                return true;
            }
            if (c == '\\') {
                if (!escape()) {
                    return false;
                }
            } else if (c < 0x20) {
                return false;
            } else {
                const std::size_t length = utf8_sequence(at, end);
                if (length == 0) {
                    return false;
                }
                at += length;
            }
        }
    }

    bool escape() noexcept {
        if (++at == end) {
            return false;
        }
        if (*at == 'u') {
            const char* const after = skip_unicode_escape(at, end);
            if (after == nullptr) {
                return false;
            }
            at = after;
            return true;
        }
        if (std::string_view{"\"\\/bfnrt"}.find(*at) == std::string_view::npos) {
            return false;
        }
        ++at;
        return true;
    }

    bool literal(std::string_view word) noexcept {
        if (!std::string_view(at, static_cast<std::size_t>(end - at)).starts_with(word)) {
            return false;
        }
        at += word.size();
        return true;
    }

    bool number() noexcept {
        const char* const after = skip_json_number(at, end);
        at = after == nullptr ? at : after;
        return after != nullptr;
    }

    // A name and its colon, within an object.
    bool name() noexcept {
        if (at == end || *at != '"') {
            return false;
        }
        ++at;
        if (!string()) {
            return false;
        }
        skip_space();
        if (at == end || *at != ':') {
            return false;
        }
        ++at;
        return true;
    }

    // A scalar whole, or the beginning of a container. `opened`: more must come first.
    bool value(bool& opened) {
        opened = false;
        skip_space();
        if (at == end) {
            return false;
        }
        switch (*at) {
            case '"': ++at; return string();
            case 't': return literal("true");
            case 'f': return literal("false");
            case 'n': return literal("null");
            case '{':
            case '[': return open(*at == '{', opened);
            default: return number();
        }
    }

    bool open(bool object, bool& opened) {
        ++at;
        skip_space();
        if (at != end && *at == (object ? '}' : ']')) {
            ++at;  // empty
            return true;
        }
        in_object.push_back(object);
        opened = true;
        return !object || name();
    }

    // After a value: the comma to the next one, or the ends of containers. `more`: a
    // value must follow.
    bool after_value(bool& more) {
        more = false;
        while (!in_object.empty()) {
            skip_space();
            if (at == end) {
                return false;
            }
            const bool object = in_object.back();
            const char c = *at++;
            if (c == ',') {
                more = true;
                if (object) {
                    skip_space();
                    return name();
                }
                return true;
            }
            if (c != (object ? '}' : ']')) {
                return false;
            }
            in_object.pop_back();
        }
        skip_space();
        return at == end;
    }

    bool document() {
        bool more = true;
        while (more) {
            bool opened = false;
            if (!value(opened) || (!opened && !after_value(more))) {
                return false;
            }
        }
        return true;
    }
};

DocumentWriter::Fault DocumentWriter::append(Writer& out, std::string_view document) {
    in_object_.clear();
    Walk walk{
        .at = document.data(), .end = document.data() + document.size(), .in_object = in_object_};
    if (!walk.document()) {
        return is_utf8(document) ? Fault::not_json : Fault::not_utf8;
    }
    char* const to = out.room(document.size());
    // What is below 0x20 in a valid document stands between tokens.
    std::transform(document.begin(), document.end(), to,
                   [](char c) { return static_cast<unsigned char>(c) < 0x20 ? ' ' : c; });
    out.advance_to(to + document.size());
    return Fault::none;
}

}  // namespace pgc
