// What names of topics are made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace pgc {

inline constexpr std::size_t kTopicName_max = 249;

constexpr bool is_topic_character(char c) noexcept {
    return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
}

// `name`, which is UTF-8, as Debezium makes it one of a topic: each unit of UTF-16 that no topic
// can hold is _, and what is too long is cut. So different names may become the same.
std::string plain_topic_name(std::string_view name);

}  // namespace pgc
