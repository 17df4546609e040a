// What a reader has written into reserved scratch memory becomes the value's text.
#pragma once

#include <cstddef>

#include "core/value.h"

namespace pgc::types {

// `begin` is what Scratch::reserve() returned last; `end` is past the last byte written there.
inline void commit_text(const char* begin, const char* end, Scratch& scratch, Value& out) {
    const auto length = static_cast<std::size_t>(end - begin);
    scratch.commit(length);
    out.text = {begin, length};
}

}  // namespace pgc::types
