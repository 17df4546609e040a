// Regular expressions over dotted names, as users of Debezium write them: Java's syntax, matched as
// a whole and whatever the case, over bytes.
//
//   (.*).orders    public\.(a|b)    shop.order_\d+    (?:x|y)\..*
//
// Taken are literals, `.`, classes, groups, alternatives, repetition, anchors, \d \w \s and their
// opposites. What Java has besides (look-around, back references, \Q, \p, flags, possessive
// repetition, classes within classes) is refused and never read as something else.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace pgc {

class NameRegex {
public:
    // Otherwise says what is wrong with it.
    static std::expected<NameRegex, std::string> compile(std::string_view text);

    bool matches(const std::string& name) const noexcept;

private:
    struct Compiled;
    explicit NameRegex(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace pgc
