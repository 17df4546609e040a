#include "base/redact.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/ascii.h"

namespace pgc {
namespace {

constexpr std::size_t kAnywhere_min = 4;
constexpr std::string_view kHidden = "***";

bool is_word(char c) noexcept {
    return is_letter_or_digit(c) || static_cast<unsigned char>(c) >= 0x80;
}

bool stands_alone(std::string_view text, std::size_t at, std::size_t size) noexcept {
    const bool joined_before = at > 0 && is_word(text[at - 1]) && is_word(text[at]);
    const std::size_t end = at + size;
    const bool joined_after = end < text.size() && is_word(text[end]) && is_word(text[end - 1]);
    return !joined_before && !joined_after;
}

}  // namespace

std::string redacted(std::string_view text, std::span<const Secret> secrets) {
    std::vector<std::string_view> longest_first;
    for (const Secret& secret : secrets) {
        if (!secret.empty()) longest_first.push_back(secret.reveal());
    }
    std::ranges::sort(longest_first, std::ranges::greater{}, &std::string_view::size);
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        const auto found = std::ranges::find_if(longest_first, [&](std::string_view secret) {
            return text.substr(at).starts_with(secret) &&
                   (secret.size() >= kAnywhere_min || stands_alone(text, at, secret.size()));
        });
        if (found == longest_first.end()) {
            clean += text[at++];
        } else {
            clean += kHidden;
            at += found->size();
        }
    }
    return clean;
}

}  // namespace pgc
