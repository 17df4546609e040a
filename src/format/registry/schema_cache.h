// The ids that are known, by subject and schema; bounded: what was not asked for longest goes
// first, and is asked of the registry again when it is needed.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "format/registry/registry.h"

namespace pgc {

// Subject and schema as one text, different for different ones.
std::string schema_key(const Subject& subject, const SchemaText& schema);

class SchemaCache {
public:
    static constexpr std::size_t kBytes_max = std::size_t{16} << 20;

    explicit SchemaCache(std::size_t bytes_max = kBytes_max) noexcept : bytes_max_(bytes_max) {}

    std::optional<SchemaId> find(std::string_view key);
    void insert(std::string key, SchemaId id);
    std::size_t size() const noexcept { return places_.size(); }

private:
    struct Entry {
        std::string key;
        SchemaId id;
    };
    // What an entry takes besides its key.
    static constexpr std::size_t kEntry_bytes = 128;

    const std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::list<Entry> entries_;  // the last used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;  // by entries_' keys
};

}  // namespace pgc
