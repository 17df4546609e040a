// An array as PostgreSQL reads it from a text: {"a","b\"c",NULL,7}.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace pgc {

class ArrayText {
public:
    void add(std::string_view element) {
        separate();
        text_ += '"';
        for (const char c : element) {
            if (c == '"' || c == '\\') text_ += '\\';
            text_ += c;
        }
        text_ += '"';
    }
    void add(std::integral auto number) {
        separate();
        fmt::format_to(std::back_inserter(text_), "{}", number);
    }
    void add_null() {
        separate();
        text_ += "NULL";
    }
    std::string take() && { return std::move(text_ += '}'); }

private:
    void separate() {
        if (text_.size() > 1) text_ += ',';
    }

    std::string text_ = "{";
};

}  // namespace pgc
