#include "postgres/source/streaming.h"

#include <utility>

namespace pgc {

namespace {

constexpr int kFirstVersion = 140000;

}  // namespace

bool prepare_streaming(const StreamingTerms& terms, SourceCarryOver& carry_over,
                       const Logger& logger) {
    if (terms.folder == nullptr) return false;
    if (terms.limit == 0 || terms.server_version < kFirstVersion ||
        terms.from < carry_over.unstreamed_until) {
        terms.folder->sweep();
        return false;
    }
    const auto usable = terms.folder->prepare();
    if (!usable && !std::exchange(carry_over.reported_unusable_spill, true)) {
        logger.info(
            "there is no place for transactions that are not committed yet: the server keeps them "
            "until they are",
            {{"why", usable.error().what}, {"hint", usable.error().hint}});
    }
    return usable.has_value();
}

}  // namespace pgc
