#include "format/registry/schema_cache.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "format/registry/request.h"

namespace pgc {

std::string schema_key(const Subject& subject, const SchemaText& schema) {
    // Lengths, because any text may stand in the parts.
    std::string key = fmt::format("{}:{} {} {}:{}", subject.name.size(), subject.name,
                                  name(schema.type), schema.text.size(), schema.text);
    for (const SchemaReference& one : schema.references) {
        fmt::format_to(std::back_inserter(key), " {}:{} {}:{} {}", one.name.size(), one.name,
                       one.subject.size(), one.subject, one.version);
    }
    return key;
}

std::optional<SchemaId> SchemaCache::find(std::string_view key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return std::nullopt;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->id;
}

void SchemaCache::insert(std::string key, SchemaId id) {
    if (const auto found = places_.find(key); found != places_.end()) {
        found->second->id = id;
        return;
    }
    bytes_ += key.size() + kEntry_bytes;
    entries_.push_front({std::move(key), id});
    places_.emplace(entries_.front().key, entries_.begin());
    while (bytes_ > bytes_max_ && entries_.size() > 1) {
        const Entry& oldest = entries_.back();
        bytes_ -= oldest.key.size() + kEntry_bytes;
        places_.erase(oldest.key);
        entries_.pop_back();
    }
}

}  // namespace pgc
