#include "format/registry/subject.h"

#include <fmt/format.h>

#include <cstdlib>

namespace pgc {

Subject subject_of(SubjectStrategy strategy, SchemaOf of, std::string_view topic,
                   std::string_view record) {
    switch (strategy) {
        case SubjectStrategy::topic_name:
            return {fmt::format("{}-{}", topic, of == SchemaOf::key ? "key" : "value"), of};
        case SubjectStrategy::record_name: return {std::string{record}, of};
        case SubjectStrategy::topic_record_name: return {fmt::format("{}-{}", topic, record), of};
    }
    std::abort();  // no such strategy
}

}  // namespace pgc
