#include "format/registry/schema_cache.h"

#include <fmt/format.h>

#include <iterator>

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

}  // namespace pgc
