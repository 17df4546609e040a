// Appends one text (a key, a value) at the end of an arena.
//
//   Writer out;
//   out.begin(arena);
//   char* to = out.room(24);             // worst case first, …
//   out.advance_to(write_integer(to, 7));  // … then unchecked
//   std::string_view text = out.finish();
//
// Between begin() and finish() nothing else may be allocated from the arena. What was
// written may move when room() needs more, so keep offsets (size()), not pointers.
// A text that is begun and not finished leaves nothing behind.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/arena.h"

namespace pgc {

class Writer {
public:
    void begin(Arena& arena) {
        arena_ = &arena;
        start_ = next_ = arena.reserve(kFirstRoom);
        end_ = start_ + arena.reserved();
    }

    std::string_view finish() noexcept {
        const std::string_view text{start_, size()};
        arena_->commit(text.size());
        return text;
    }

    // At least n bytes that may be written, up to where advance_to() then says.
    char* room(std::size_t n) {
        if (static_cast<std::size_t>(end_ - next_) < n) [[unlikely]] {
            grow(n);
        }
        return next_;
    }
    void advance_to(char* end) noexcept { next_ = end; }

    void text(std::string_view bytes) {
        char* to = room(bytes.size());
        next_ = std::copy_n(bytes.data(), bytes.size(), to);
    }
    void byte(char c) {
        *room(1) = c;
        ++next_;
    }

    // Puts `c` over what was written at `at`.
    void replace(std::size_t at, char c) noexcept { start_[at] = c; }
    // Opens a gap of n bytes at `at`: what was written from there on moves back.
    void open_gap(std::size_t at, std::size_t n) {
        (void)room(n);
        std::memmove(start_ + at + n, start_ + at, size() - at);
        next_ += n;
    }

    std::size_t size() const noexcept { return static_cast<std::size_t>(next_ - start_); }
    // What was written from `from` on.
    std::string_view since(std::size_t from) const noexcept {
        return {start_ + from, size() - from};
    }
    // Forgets what was written beyond `size`.
    void rewind(std::size_t size) noexcept { next_ = start_ + size; }

private:
    static constexpr std::size_t kFirstRoom = 512;

    [[gnu::noinline]] void grow(std::size_t n) {
        const std::size_t used = size();
        start_ = arena_->grow(used, used + n);
        next_ = start_ + used;
        end_ = start_ + arena_->reserved();
    }

    Arena* arena_ = nullptr;
    char* start_ = nullptr;
    char* next_ = nullptr;
    char* end_ = nullptr;
};

}  // namespace pgc
