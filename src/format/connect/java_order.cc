#include "format/connect/java_order.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>

#include "format/json/string.h"

namespace pgc {

namespace {

// String.hashCode: over the units of UTF-16.
class JavaHash {
public:
    void add(char32_t character) noexcept {
        if (character < 0x10000) return unit(character);
        unit(0xD800 + ((character - 0x10000) >> 10));
        unit(0xDC00 + ((character - 0x10000) & 0x3FF));
    }
    // As HashMap mixes it before it takes the lowest bits.
    std::uint32_t mixed() const noexcept { return hash_ ^ (hash_ >> 16); }

private:
    void unit(char32_t unit) noexcept { hash_ = hash_ * 31 + static_cast<std::uint32_t>(unit); }

    std::uint32_t hash_ = 0;
};

char32_t decode(const char* at, std::size_t length) noexcept {
    if (length == 0) return 0xFFFD;
    if (length == 1) return static_cast<unsigned char>(*at);
    char32_t character = static_cast<unsigned char>(*at) & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        character = character << 6 | (static_cast<unsigned char>(at[i]) & 0x3F);
    }
    return character;
}

std::uint32_t mixed_hash(std::string_view key) noexcept {
    JavaHash hash;
    const char* const end = key.data() + key.size();
    for (const char* at = key.data(); at != end;) {
        const bool ascii = static_cast<unsigned char>(*at) < 0x80;
        const std::size_t length = ascii ? 1 : utf8_sequence(at, end);
        hash.add(decode(at, length));
        at += std::max<std::size_t>(length, 1);
    }
    return hash.mixed();
}

std::size_t buckets(JavaMap map, std::size_t keys) noexcept {
    std::size_t count = 16;
    if (map == JavaMap::copied) count = std::bit_ceil(keys * 4 / 3 + 1);
    if (map == JavaMap::sized) count = std::bit_ceil(keys);
    while (keys > count * 3 / 4) count *= 2;
    return count;
}

}  // namespace

std::vector<std::size_t> java_order(const std::vector<std::string_view>& keys,
                                    std::initializer_list<JavaMap> maps) {
    std::vector<std::uint32_t> hashes;
    hashes.reserve(keys.size());
    for (const std::string_view key : keys) hashes.push_back(mixed_hash(key));

    std::vector<std::size_t> order(keys.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (const JavaMap map : maps) {
        // A bucket keeps the order in which its keys came, also when the map grows.
        const std::size_t mask = buckets(map, keys.size()) - 1;
        std::ranges::stable_sort(order, {}, [&](std::size_t key) { return hashes[key] & mask; });
    }
    return order;
}

}  // namespace pgc
