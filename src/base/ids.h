// PostgreSQL's identifiers as types that don't mix.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace pgc {

// Of a row in a system catalog: a table, a type. Oid{0}: none.
struct Oid {
    std::uint32_t value = 0;
    constexpr auto operator<=>(const Oid&) const = default;
    constexpr explicit operator bool() const noexcept { return value != 0; }
};

// Of a transaction, 32 bits wide as the replication protocol sends it.
struct Xid {
    std::uint32_t value = 0;
    constexpr auto operator<=>(const Xid&) const = default;
};

}  // namespace pgc

template <>
struct std::hash<pgc::Oid> {
    std::size_t operator()(pgc::Oid oid) const noexcept { return oid.value; }
};
