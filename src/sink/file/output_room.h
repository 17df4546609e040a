// Room at the end of a string that a C library writes into, without filling it with zeros first.
#pragma once

#include <cstddef>
#include <string>

namespace pgc {

// Appends what `fill(char* at, size_t room)` writes: it returns how many bytes that were.
template <typename Fill>
void append_into(std::string& out, std::size_t room, Fill fill) {
    const std::size_t before = out.size();
    if (out.capacity() < before + room) out.reserve(before + before / 2 + room);
    out.resize_and_overwrite(
        before + room, [&](char* data, std::size_t) { return before + fill(data + before, room); });
}

}  // namespace pgc
