// What was done to a row, or to its table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgc {

enum class Operation : std::uint8_t { insert, update, remove, truncate, read, message };
inline constexpr std::size_t kOperations = 6;

constexpr std::string_view name(Operation operation) noexcept {
    constexpr std::string_view names[kOperations] = {"INSERT",   "UPDATE", "DELETE",
                                                     "TRUNCATE", "READ",   "MESSAGE"};
    return names[static_cast<std::size_t>(operation)];
}

}  // namespace pgc
