#include "sink/discard/sink.h"

namespace pgc {

Result<Sink::Offer> DiscardSink::offer(RecordBatchPtr& batch) {
    durable_.raise(batch->lane, batch->end);
    batch.reset();
    return Offer::accepted;
}

}  // namespace pgc
