// Bump memory for things that live and die together: a batch's cells, its records.
//
// Pointers stay valid until clear() or destruction; nothing is freed alone and no
// destructor runs, so only trivially destructible things go in. clear() keeps the
// chunks up to `kept_bytes` for the next round, so a steady state allocates nothing.
// Not thread-safe: belongs to whoever holds the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pgc {

class Arena {
public:
    static constexpr std::size_t kChunk = std::size_t{64} << 10;

    explicit Arena(std::size_t kept_bytes = std::size_t{1} << 20) noexcept
        : kept_bytes_(kept_bytes) {}
    Arena(Arena&&) = default;
    Arena& operator=(Arena&&) = default;

    // Uninitialised memory for n objects of T.
    template <typename T>
        requires std::is_trivially_destructible_v<T>
    T* allocate(std::size_t n) {
        return reinterpret_cast<T*>(allocate_bytes(n * sizeof(T), alignof(T)));
    }

    std::string_view copy(std::string_view bytes) {
        if (bytes.empty()) return {};
        char* to = allocate<char>(bytes.size());
        std::memcpy(to, bytes.data(), bytes.size());
        return {to, bytes.size()};
    }

    // Appending without knowing the length: reserve(n) gives at least n contiguous
    // bytes at the end, commit(used) keeps the first `used` of them. Nothing else may
    // be allocated between the two. grow() moves what was written so far.
    char* reserve(std::size_t n) {
        if (static_cast<std::size_t>(end_ - next_) < n) add_chunk(n);
        return next_;
    }
    std::size_t reserved() const noexcept { return static_cast<std::size_t>(end_ - next_); }
    char* grow(std::size_t used, std::size_t n) {
        const char* from = next_;
        add_chunk(n > 2 * used ? n : 2 * used);
        std::memcpy(next_, from, used);
        return next_;
    }
    void commit(std::size_t used) noexcept { next_ += used; }

    // Forgets everything handed out.
    void clear() noexcept {
        std::size_t kept = 0;
        std::size_t count = 0;
        while (count < chunks_.size() && kept + chunks_[count].size <= kept_bytes_) {
            kept += chunks_[count++].size;
        }
        chunks_.resize(count);
        bytes_ = kept;
        current_ = 0;
        next_ = end_ = nullptr;
        if (count > 0) enter(0);
    }

    // What it holds of the process's memory, used or not.
    std::size_t capacity() const noexcept { return bytes_; }

private:
    struct Chunk {
        std::unique_ptr<char[]> memory;
        std::size_t size = 0;
    };

    char* allocate_bytes(std::size_t size, std::size_t alignment) {
        const auto misfit = reinterpret_cast<std::uintptr_t>(next_) & (alignment - 1);
        const std::size_t skip = misfit == 0 ? 0 : alignment - misfit;
        if (static_cast<std::size_t>(end_ - next_) < size + skip) [[unlikely]] {
            add_chunk(size);  // a fresh chunk is aligned for anything
            char* start = next_;
            next_ += size;
            return start;
        }
        char* start = next_ + skip;
        next_ = start + size;
        return start;
    }

    void enter(std::size_t chunk) noexcept {
        current_ = chunk;
        next_ = chunks_[chunk].memory.get();
        end_ = next_ + chunks_[chunk].size;
    }

    void add_chunk(std::size_t at_least) {
        while (next_ != nullptr && current_ + 1 < chunks_.size()) {
            enter(current_ + 1);
            if (chunks_[current_].size >= at_least) return;
        }
        const std::size_t size = at_least > kChunk ? at_least : kChunk;
        chunks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
        bytes_ += size;
        enter(chunks_.size() - 1);
    }

    std::vector<Chunk> chunks_;
    std::size_t kept_bytes_;
    std::size_t bytes_ = 0;
    std::size_t current_ = 0;
    char* next_ = nullptr;
    char* end_ = nullptr;
};

}  // namespace pgc
