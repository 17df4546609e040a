#include "postgres/source/streaming.h"

#include <cassert>
#include <utility>

namespace pgc {

namespace {

constexpr int kFirstVersion = 140000;

}  // namespace

Result<bool> prepare_streaming(const StreamingTerms& terms, SourceCarryOver& carry_over,
                               const Logger& logger) {
    assert(terms.folder != nullptr || !terms.two_phase);
    if (terms.folder == nullptr || (terms.look_only && !terms.two_phase)) return false;
    const bool wanted = terms.limit > 0 && terms.server_version >= kFirstVersion &&
                        !terms.look_only && terms.from >= carry_over.unstreamed_until;
    if (!wanted && !terms.two_phase) {
        terms.folder->sweep();
        return false;
    }
    auto usable = terms.folder->prepare();
    if (usable) return wanted;
    if (terms.two_phase) {
        return std::unexpected(
            retry(Error::Category::storage,
                  usable.error().what + ": prepared transactions have to be kept there")
                .at(terms.folder->path())
                .with_hint(std::move(usable.error().hint)));
    }
    if (!std::exchange(carry_over.reported_unusable_spill, true)) {
        logger.info(
            "there is no place for transactions that are not committed yet: the server keeps them "
            "until they are",
            {{"why", usable.error().what}, {"hint", usable.error().hint}});
    }
    return false;
}

}  // namespace pgc
