// What of the assembler has to do with transactions that are streamed before they are committed.
#include <algorithm>
#include <utility>

#include "base/byte_cursor.h"
#include "postgres/stream/assembler.h"

namespace pgc {

namespace {

using pgoutput::MessageKind;

std::string_view name_of(MessageKind kind) noexcept {
    using enum MessageKind;
    switch (kind) {
        case begin: return "Begin";
        case commit: return "Commit";
        case stream_start: return "Stream Start";
        case stream_stop: return "Stream Stop";
        case stream_commit: return "Stream Commit";
        case stream_abort: return "Stream Abort";
        case begin_prepare: return "Begin Prepare";
        case prepare: return "Prepare";
        case stream_prepare: return "Stream Prepare";
        case commit_prepared: return "Commit Prepared";
        case rollback_prepared: return "Rollback Prepared";
        default: return "message";
    }
}

Oid relation_of(std::string_view relation_message) noexcept {
    ByteCursor in{relation_message};
    in.take(1);
    return Oid{in.read<std::uint32_t>()};
}

}  // namespace

Result<Assembler::Taken> Assembler::take_unasked(MessageKind kind, const pgoutput::XLogData& data) {
    return std::unexpected(broken(
        "a " + std::string{name_of(kind)} + " message, which we did not ask for", data.start));
}

// Nothing of a block is decoded. Where a transaction was replicated from is not used.
Result<Assembler::Taken> Assembler::take_in_block(MessageKind kind,
                                                  const pgoutput::XLogData& data) {
    using enum MessageKind;
    switch (kind) {
        case relation:
        case type:
        case insert:
        case update:
        case remove:
        case truncate:
        case message: break;
        case origin: return Taken::done;
        case stream_stop: {
            if (auto ended = pgoutput::decode_stream_stop(data.message); !ended) {
                return std::unexpected(broken(ended.error(), data.start));
            }
            in_block_ = false;
            if (auto stopped = streamed_->stop(); !stopped) {
                return std::unexpected(std::move(stopped.error()));
            }
            return Taken::done;
        }
        default:
            return std::unexpected(
                broken("a " + std::string{name_of(kind)} + " message inside of a stream block",
                       data.start));
    }
    const std::uint64_t mark = kind == relation ? ++relations_arrived_ : data.start.value;
    const auto added = streamed_->add(data.message, mark);
    if (!added) return std::unexpected(added.error());
    if (!*added) return std::unexpected(broken(pgoutput::DecodeError::truncated, data.start));
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_stream_start(const pgoutput::XLogData& data) {
    if (streamed_ == nullptr) return take_unasked(MessageKind::stream_start, data);
    const auto start = pgoutput::decode_stream_start(data.message);
    if (!start) return std::unexpected(broken(start.error(), data.start));
    if (in_transaction_) {
        return std::unexpected(broken("a stream block inside of a transaction", data.start));
    }
    if (!start->first && !streamed_->knows(start->xid)) {
        return std::unexpected(
            broken("a stream block of a transaction that it never began", data.start));
    }
    if (auto started = streamed_->start(*start); !started) {
        return std::unexpected(std::move(started.error()));
    }
    in_block_ = true;
    return Taken::done;
}

// An 18 sends it, too, though nobody has asked it to stream any (seen where transactions interleave
// and parts of them are rolled back): nothing of it was sent.
Result<Assembler::Taken> Assembler::take_stream_abort(const pgoutput::XLogData& data) {
    const auto abort = pgoutput::decode_stream_abort(data.message);
    if (!abort) return std::unexpected(broken(abort.error(), data.start));
    if (streamed_ == nullptr) return Taken::done;
    if (auto aborted = streamed_->abort(*abort); !aborted) {
        return std::unexpected(std::move(aborted.error()));
    }
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_stream_commit(const pgoutput::XLogData& data) {
    if (streamed_ == nullptr) return take_unasked(MessageKind::stream_commit, data);
    const auto commit = pgoutput::decode_stream_commit(data.message);
    if (!commit) return std::unexpected(broken(commit.error(), data.start));
    if (!streamed_->knows(commit->xid) || commit->end_lsn <= commit->commit_lsn) {
        return std::unexpected(broken("the commit of another transaction", data.start));
    }
    auto begun = begin(commit->xid, commit->commit_lsn, commit->committed_at, data.start);
    if (!begun || *begun == Taken::held) return begun;
    replay_end_ = commit->end_lsn;
    replaying_ = true;
    streamed_->open(commit->xid);
    return Taken::replay;
}

Result<Assembler::Taken> Assembler::replay(Batch& batch) {
    if (!spilled_) {
        auto next = streamed_->next();
        if (!next) return std::unexpected(std::move(next.error()));
        if (!*next) return end_replay(batch);
        spilled_ = std::move(*next);
    }
    pgoutput::XLogData data;
    data.message = spilled_->view();
    const bool is_relation = data.message.front() == static_cast<char>(MessageKind::relation);
    if (!is_relation) data.start = Lsn{spilled_->mark};
    const auto taken = is_relation ? replay_relation(*spilled_) : take_message(data, batch);
    if (!taken || *taken == Taken::catalog || *taken == Taken::reselect) return taken;
    if (*taken == Taken::kept) {
        // As large as it was with what stood around it: so much memory is reckoned with.
        const std::size_t size = spilled_->size + pgoutput::kXLogData_head;
        batch.retain(spilled_->bytes.release(), size,
                     [](void* memory) { SpilledMessage::Free{}(static_cast<char*>(memory)); });
    }
    spilled_.reset();
    return taken;
}

// The server does not announce again what came in this transaction, nor what came after that in
// others: of both, what came last counts once it is committed.
Result<Assembler::Taken> Assembler::replay_relation(const SpilledMessage& message) {
    const Oid oid = relation_of(message.view());
    const KnownRelation* known = relations_.find(oid);
    const bool differs = known != nullptr && known->message != message.view();
    // The very one that is in force: put before the rows of a prepared transaction.
    if (known != nullptr && !differs && known->arrival == message.mark) return Taken::done;
    const auto later = later_.find(oid);
    if (later != later_.end()) {
        if (later->second.arrival < message.mark) later_.erase(later);
    } else if (differs && known->arrival > message.mark) {
        later_[oid] = {known->message, known->arrival};
    }
    const auto declared = relations_.declare(message.view());
    if (!declared) return std::unexpected(declared.error());
    if (*declared != Relations::Declared::known) return Taken::catalog;
    arrived(message.view(), message.mark);
    return Taken::done;
}

void Assembler::arrived(std::string_view relation, std::uint64_t arrival) noexcept {
    KnownRelation* known = relations_.find(relation_of(relation));
    if (known == nullptr) return;
    const bool later = later_.contains(known->oid);
    known->arrival = later ? arrival : std::max(known->arrival, arrival);
    known->put_in = 0;
}

Result<Assembler::Taken> Assembler::put_back_relations() {
    while (!later_.empty()) {
        const auto& [oid, later] = *later_.begin();
        const auto declared = relations_.declare(later.message);
        if (!declared) return std::unexpected(declared.error());
        if (*declared != Relations::Declared::known) return Taken::catalog;
        if (KnownRelation* known = relations_.find(oid)) known->arrival = later.arrival;
        later_.erase(later_.begin());
    }
    return Taken::done;
}

Result<Assembler::Taken> Assembler::end_replay(Batch& batch) {
    const auto put_back = put_back_relations();
    if (!put_back || *put_back != Taken::done) return put_back;
    streamed_->close();
    replaying_ = false;
    unwanted_ ? end_unwanted(replay_end_) : end(replay_end_, batch);
    return Taken::done;
}

}  // namespace pgc
