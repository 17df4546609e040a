// Floating-point numbers as the server prints them, where they stand within a text: the shortest
// digits that read back the same, plain between 1e-4 and 1e15 (1e6 for 32 bits), else "1.5e+300".
#pragma once

#include <cstddef>

namespace pgc::types {

inline constexpr std::size_t kRealText_max = 32;

// Returns the end; `to` has room for kRealText_max.
char* write_server_real(char* to, double value) noexcept;
char* write_server_real(char* to, float value) noexcept;

}  // namespace pgc::types
