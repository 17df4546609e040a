// What is known of schemas, by subject and schema; bounded: what was not asked for longest goes
// first, and is asked of the registry again when it is needed.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "format/registry/registry.h"

namespace pgc {

// Subject and schema as one text, different for different ones.
std::string schema_key(const Subject& subject, const SchemaText& schema);

inline constexpr std::size_t kSchemaCacheBytes_max = std::size_t{16} << 20;

template <typename Known>
class SchemaMemory {
public:
    explicit SchemaMemory(std::size_t bytes_max = kSchemaCacheBytes_max) noexcept
        : bytes_max_(bytes_max) {}

    std::optional<Known> find(std::string_view key) {
        const auto found = places_.find(key);
        if (found == places_.end()) return std::nullopt;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->known;
    }

    // `bytes`: what `known` takes beside its own object.
    void insert(std::string key, Known known, std::size_t bytes = 0) {
        if (const auto found = places_.find(key); found != places_.end()) {
            bytes_ += bytes - std::exchange(found->second->bytes, bytes);
            found->second->known = std::move(known);
            return;
        }
        entries_.push_front({std::move(key), std::move(known), bytes});
        bytes_ += size_of(entries_.front());
        places_.emplace(entries_.front().key, entries_.begin());
        while (bytes_ > bytes_max_ && entries_.size() > 1) {
            const Entry& oldest = entries_.back();
            bytes_ -= size_of(oldest);
            places_.erase(oldest.key);
            entries_.pop_back();
        }
    }

    std::size_t size() const noexcept { return places_.size(); }

private:
    struct Entry {
        std::string key;
        Known known;
        std::size_t bytes = 0;
    };
    // What an entry takes besides its texts.
    static constexpr std::size_t kEntry_bytes = 128;
    static std::size_t size_of(const Entry& entry) noexcept {
        return entry.key.size() + entry.bytes + kEntry_bytes;
    }

    const std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::list<Entry> entries_;  // the last used first
    std::unordered_map<std::string_view, typename std::list<Entry>::iterator> places_;  // by keys
};

using SchemaCache = SchemaMemory<SchemaId>;

}  // namespace pgc
