// What of the assembler has to do with prepared transactions, and with what commits before the
// place from which on transactions are wanted, since the stream begins early for their sake.
#include <algorithm>
#include <utility>

#include "base/byte_cursor.h"
#include "postgres/stream/assembler.h"

namespace pgc {

using pgoutput::MessageKind;

Result<Assembler::Taken> Assembler::take_two_phase(MessageKind kind,
                                                   const pgoutput::XLogData& data) {
    if (prepared_ == nullptr) return take_unasked(kind, data);
    switch (kind) {
        case MessageKind::begin_prepare: return take_begin_prepare(data);
        case MessageKind::stream_prepare: return take_stream_prepare(data);
        case MessageKind::commit_prepared: return take_commit_prepared(data);
        case MessageKind::rollback_prepared: return take_rollback_prepared(data);
        default: return take_unasked(kind, data);
    }
}

Result<Assembler::Taken> Assembler::take_begin_prepare(const pgoutput::XLogData& data) {
    const auto begin = pgoutput::decode_begin_prepare(data.message);
    if (!begin) return std::unexpected(broken(begin.error(), data.start));
    if (in_transaction_) {
        return std::unexpected(broken("a prepared transaction inside another one", data.start));
    }
    if (prepared_->knows(begin->xid)) {
        return std::unexpected(broken("a prepared transaction twice", data.start));
    }
    if (auto started = streamed_->start_prepared(begin->xid); !started) {
        return std::unexpected(std::move(started.error()));
    }
    in_prepared_ = true;
    preparing_ = begin->xid;
    ++prepared_blocks_;
    return Taken::done;
}

// Rows are not decoded, as in a stream block; what announces tables and types is in force.
Result<Assembler::Taken> Assembler::take_in_prepared(MessageKind kind,
                                                     const pgoutput::XLogData& data) {
    using enum MessageKind;
    switch (kind) {
        case relation: return take_relation(data);
        case type: return take_type(data);
        case origin: return Taken::done;
        case prepare: return take_prepare(data);
        case message: break;
        case insert:
        case update:
        case remove: {
            ByteCursor in{data.message};
            in.take(1);
            const Oid table{in.read<std::uint32_t>()};
            if (in.overrun()) {
                return std::unexpected(broken(pgoutput::DecodeError::truncated, data.start));
            }
            if (auto put = put_relation_before(table, data.start); !put) {
                return std::unexpected(std::move(put.error()));
            }
            break;
        }
        case truncate: {
            const auto decoded = pgoutput::decode_truncate(data.message, false);
            if (!decoded) return std::unexpected(broken(decoded.error(), data.start));
            for (const Oid table : decoded->relations) {
                if (auto put = put_relation_before(table, data.start); !put) {
                    return std::unexpected(std::move(put.error()));
                }
            }
            break;
        }
        default:
            return std::unexpected(
                broken("another transaction's message inside of a prepared one", data.start));
    }
    if (auto added = streamed_->add_plain(data.message, data.start.value); !added) {
        return std::unexpected(std::move(added.error()));
    }
    return Taken::done;
}

// As it is now, unless this transaction has it already.
Result<void> Assembler::put_relation_before(Oid oid, Lsn place) {
    KnownRelation* known = relations_.find(oid);
    if (known == nullptr) {
        return std::unexpected(unannounced("a row of a table it never announced", place));
    }
    if (std::exchange(known->put_in, prepared_blocks_) == prepared_blocks_) [[likely]]
        return {};
    return streamed_->add_plain(known->message, known->arrival);
}

Result<Assembler::Taken> Assembler::take_prepare(const pgoutput::XLogData& data) {
    const auto prepare = pgoutput::decode_prepare(data.message);
    if (!prepare) return std::unexpected(broken(prepare.error(), data.start));
    if (prepare->xid != preparing_ || prepare->end_lsn <= prepare->prepare_lsn) {
        return std::unexpected(broken("the end of another prepared transaction", data.start));
    }
    in_prepared_ = false;
    if (auto stopped = streamed_->stop(); !stopped) {
        return std::unexpected(std::move(stopped.error()));
    }
    prepared_->add(*prepare);
    received_up_to(prepare->end_lsn);
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_stream_prepare(const pgoutput::XLogData& data) {
    const auto prepare = pgoutput::decode_stream_prepare(data.message);
    if (!prepare) return std::unexpected(broken(prepare.error(), data.start));
    if (!streamed_->knows(prepare->xid) || prepared_->knows(prepare->xid) ||
        prepare->end_lsn <= prepare->prepare_lsn) {
        return std::unexpected(broken("the end of another prepared transaction", data.start));
    }
    prepared_->add(*prepare);
    received_up_to(prepare->end_lsn);
    return Taken::done;
}

// The server sends something at each PREPARE whose decision it sends, also where no row of it is
// published.
Result<Assembler::Taken> Assembler::take_commit_prepared(const pgoutput::XLogData& data) {
    const auto commit = pgoutput::decode_commit_prepared(data.message);
    if (!commit) return std::unexpected(broken(commit.error(), data.start));
    if (commit->end_lsn <= commit->commit_lsn) {
        return std::unexpected(broken("the commit of another transaction", data.start));
    }
    const bool known = prepared_->knows(commit->xid) && streamed_->knows(commit->xid);
    if (!known && commit->commit_lsn >= wanted_from_) {
        return std::unexpected(
            stop(Error::Category::position,
                 "a prepared transaction was committed whose changes the server has sent to "
                 "somebody else: another reader has moved the slot")
                .at("transaction " + std::to_string(commit->xid.value) + " at " +
                    to_string(commit->commit_lsn)));
    }
    auto begun = begin(commit->xid, commit->commit_lsn, commit->committed_at, data.start);
    if (!begun || *begun == Taken::held) return begun;
    if (!known) {
        end_unwanted(commit->end_lsn);
        return Taken::done;
    }
    prepared_->committed(commit->xid, commit->commit_lsn);
    replay_end_ = commit->end_lsn;
    replaying_ = true;
    streamed_->open(commit->xid);
    return Taken::replay;
}

// Of one that it never sent, too: it was prepared before the server was asked for such.
Result<Assembler::Taken> Assembler::take_rollback_prepared(const pgoutput::XLogData& data) {
    const auto rollback = pgoutput::decode_rollback_prepared(data.message);
    if (!rollback) return std::unexpected(broken(rollback.error(), data.start));
    if (prepared_->knows(rollback->xid)) {
        streamed_->drop(rollback->xid);
        prepared_->rolled_back(rollback->xid);
    }
    received_up_to(rollback->end_lsn);
    return Taken::done;
}

// Only what is in force afterwards counts: of one that was streamed, too, whose file is read for
// it.
Result<Assembler::Taken> Assembler::take_unwanted(MessageKind kind,
                                                  const pgoutput::XLogData& data) {
    using enum MessageKind;
    switch (kind) {
        case relation: return take_relation(data);
        case type: return take_type(data);
        case origin:
        case insert:
        case update:
        case remove:
        case truncate:
        case message: return Taken::done;
        case commit: {
            const auto decoded = pgoutput::decode_commit(data.message);
            if (!decoded) return std::unexpected(broken(decoded.error(), data.start));
            if (decoded->commit_lsn != commit_lsn_ || decoded->end_lsn <= decoded->commit_lsn) {
                return std::unexpected(broken("the commit of another transaction", data.start));
            }
            end_unwanted(decoded->end_lsn);
            return Taken::done;
        }
        default:
            return std::unexpected(
                broken("another transaction's message inside of one", data.start));
    }
}

void Assembler::end_unwanted(Lsn end) noexcept {
    in_transaction_ = unwanted_ = false;
    last_commit_ = commit_lsn_;
    received_up_to(end);
}

}  // namespace pgc
