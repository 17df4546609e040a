// A text that must not be seen: a password, a token.
//
// It prints as *** wherever it is formatted, in test failures too; only reveal()
// gives the text, so every place that looks at one can be found by that word.
// The memory is wiped when it is overwritten or destroyed.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace pgc {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) noexcept : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(const Secret& other) {
        if (this != &other) {
            wipe();
            text_ = other.text_;
        }
        return *this;
    }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            wipe();
            text_ = std::move(other.text_);
            other.wipe();
        }
        return *this;
    }
    ~Secret() { wipe(); }

    const std::string& reveal() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    bool operator==(const Secret&) const = default;

    // For GoogleTest, which would print the bytes of what it doesn't know.
    friend void PrintTo(const Secret&, std::ostream* out) { *out << "***"; }

private:
    void wipe() noexcept {
        text_.resize(text_.capacity());  // a moved-from short text still holds its bytes
        ::explicit_bzero(text_.data(), text_.size());
        text_.clear();
    }

    std::string text_;
};

}  // namespace pgc

template <>
struct fmt::formatter<pgc::Secret> : fmt::formatter<std::string_view> {
    template <typename Context>
    auto format(const pgc::Secret&, Context& context) const {
        return fmt::formatter<std::string_view>::format("***", context);
    }
};
