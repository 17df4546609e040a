// From copy-mode messages to batches: transactions, ordinals, cells.
//
//   XLogData  Begin … rows … Commit     a Transaction of the batch, or a part of one
//   XLogData  Message outside of these  a Transaction of its own, see below
//   Keepalive                           nothing for the batch; says where we are idle
//
// A transaction enters the batch with its first row message, or with its Commit when it
// had none there: so one that is empty, or whose rows are all filtered out, enters too,
// with count 0, and the ledger can complete it in its order. Batches may end and begin
// anywhere inside it.
//
// Ordinals count what the server sent, before filters: each row, each relation of a
// TRUNCATE, each logical message inside the transaction.
//
// A logical message that is not transactional arrives when the server decodes its record,
// between transactions. The LSN it carries is its record's end, where the next record
// begins; that may be a commit, whose LSN then is the same. So its own transaction
// "commits" one byte before and ends at it: positions keep rising, and resuming there
// brings neither the message again nor loses the commit. Should one arrive between Begin
// and Commit (no server does so today), it is a change of that transaction.
//
// Transactions that the server streams before they are committed go into their files undecoded
// (streamed_transactions.h). Stream Commit is such a one's Begin: from there on replay() takes what
// is in its file, one message a call, until it has ended like any other, with the same ordinals.
// A Relation in it is in force from there on, as if it came only now; unless one that came later
// was in force already, which then is again when the transaction has ended.
//
// Prepared transactions, where they are asked for, come whole at their PREPARE, between Begin
// Prepare and Prepare, or were streamed and end with Stream Prepare; their rows wait in such a
// file. Commit Prepared is such a one's Begin, its LSN the transaction's commit. What is between
// Begin Prepare and Prepare belongs to the stream: a Relation in it is in force for what comes
// after, and the server takes those that came before for known. So each that its rows need is put
// before them into the file, with its number.
//
// To bring the rows of a transaction that is not decided yet, the stream may have to begin before
// the place from which on transactions are wanted: what commits before that is left out.
//
// Origins (where a transaction was replicated from) are read and not used.
//
// Values: a TOASTed value that did not change is not sent; where the old row was sent and
// has it, it is taken from there. Otherwise the cell stays `unchanged`, or, if wanted, the
// assembler stops at the row (Taken::reselect) until provide() was called.
//
// Pure: no socket, no clock. Cells view into the given messages: keep those for which
// take() says so as long as the batch. Nothing is allocated per row but the batch's own
// growing. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/lsn.h"
#include "core/change.h"
#include "postgres/pgoutput/envelope.h"
#include "postgres/pgoutput/messages.h"
#include "postgres/pgoutput/row.h"
#include "postgres/relations/relations.h"
#include "postgres/stream/prepared_transactions.h"
#include "postgres/stream/streamed_transactions.h"

namespace pgc {

// Values of one row that were fetched because the stream lacks them.
struct Reselected {
    struct Column {
        std::uint32_t place = 0;
        std::optional<std::string> text;  // none: null
    };
    std::vector<Column> columns;  // none at all: the row is gone, or has no key to find it by
};

class Assembler {
public:
    // `from`: where the stream was asked to begin. `streamed`: if the server was asked to stream
    // transactions, or for prepared ones. `prepared`: if it was asked for these. Both outlive it.
    // `wanted_from`: what commits before is left out.
    Assembler(Relations& relations, bool reselect, Lsn from = {},
              StreamedTransactions* streamed = nullptr, PreparedTransactions* prepared = nullptr,
              Lsn wanted_from = {})
        : relations_(relations),
          reselect_(reselect),
          streamed_(streamed),
          prepared_(prepared),
          wanted_from_(wanted_from),
          received_(from) {}

    enum class Taken : std::uint8_t {
        done,      // the message may be released
        kept,      // the batch views into it
        catalog,   // not taken: give it again once relations.question() is answered
        reselect,  // not taken: give it again after provide()
        held,      // not taken: it begins after the place of hold_at(); give it again later
        replay,    // may be released; nothing more is taken until replay() has been called until
                   // replaying() is false
    };

    // Says that messages now go into `batch`, which may hold changes already.
    void enter(Batch& batch) noexcept;
    // One message of copy mode, in the server's order, into the batch entered.
    // After an Error nothing more may be taken.
    [[nodiscard]] Result<Taken> take(std::string_view bytes, Batch& batch);

    bool replaying() const noexcept { return replaying_; }
    // Requires replaying(). The next message of the transaction, or its end: done, kept (by the
    // batch, already), catalog or reselect, as take() says.
    [[nodiscard]] Result<Taken> replay(Batch& batch);

    // The row at which take() stopped for its unchanged values; views into the message.
    struct Wanted {
        const Relation* relation = nullptr;
        std::span<const Cell> row;
    };
    const Wanted& wanted() const noexcept { return wanted_; }
    void provide(Reselected values) { provided_ = std::move(values); }

    // From now on nothing is taken that commits at `place` or after it; none: everything is. A
    // transaction that has begun is finished.
    void hold_at(std::optional<Lsn> place) noexcept { hold_at_ = place; }
    // The commit of the transaction that began last: nothing after it was taken.
    Lsn begun() const noexcept { return begun_; }
    // Logical messages were taken; asked once.
    bool took_messages() noexcept { return std::exchange(took_messages_, false); }

    bool in_transaction() const noexcept { return in_transaction_; }
    // In one whose rows come by the thousand: the server has the rest of it at hand.
    bool in_large_transaction() const noexcept {
        return in_block_ || in_prepared_ || (in_transaction_ && ordinal_ >= kLargeTransaction);
    }
    // The server has sent everything before, and no transaction is open.
    std::optional<Lsn> idle_at() const noexcept;
    // The end of the last thing received, for feedback's write position.
    Lsn received() const noexcept { return received_; }
    // All that committed before was taken.
    Lsn passed() const noexcept { return in_transaction_ ? begun_ : received_; }
    // The furthest end of the log the server reported.
    Lsn server_end() const noexcept { return server_end_; }
    // Keepalives that named the same place as the one before: of a server that has sent nothing and
    // gone no further in its log.
    std::uint64_t stale_keepalives() const noexcept { return stale_keepalives_; }
    // The server wants an answer; asked once.
    bool reply_requested() noexcept { return std::exchange(reply_requested_, false); }

private:
    static constexpr std::uint64_t kLargeTransaction = 1000;

    [[nodiscard]] Result<Taken> take_keepalive(std::string_view bytes);
    [[nodiscard]] Result<Taken> take_message(const pgoutput::XLogData& data, Batch& batch);
    [[nodiscard]] Result<Taken> take_row(const pgoutput::XLogData& data, Batch& batch);
    [[nodiscard]] Result<Taken> take_begin(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_commit(const pgoutput::XLogData& data, Batch& batch);
    [[nodiscard]] Result<Taken> take_relation(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_type(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_origin(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_truncate(const pgoutput::XLogData& data, Batch& batch);
    [[nodiscard]] Result<Taken> take_logical(const pgoutput::XLogData& data, Batch& batch);
    [[nodiscard]] Result<Taken> take_unasked(pgoutput::MessageKind kind,
                                             const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_in_block(pgoutput::MessageKind kind,
                                              const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_stream_start(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_stream_abort(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_stream_commit(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_two_phase(pgoutput::MessageKind kind,
                                               const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_begin_prepare(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_in_prepared(pgoutput::MessageKind kind,
                                                 const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_prepare(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_stream_prepare(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_commit_prepared(const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> take_rollback_prepared(const pgoutput::XLogData& data);
    [[nodiscard]] Result<void> put_relation_before(Oid oid, Lsn place);
    [[nodiscard]] Result<Taken> take_unwanted(pgoutput::MessageKind kind,
                                              const pgoutput::XLogData& data);
    [[nodiscard]] Result<Taken> replay_relation(const SpilledMessage& message);
    [[nodiscard]] Result<Taken> end_replay(Batch& batch);
    [[nodiscard]] Result<Taken> put_back_relations();

    [[nodiscard]] Result<Taken> begin(Xid xid, Lsn commit, WallTime at, Lsn place);
    void end(Lsn end, Batch& batch);
    void end_unwanted(Lsn end) noexcept;
    void received_up_to(Lsn end) noexcept;
    // A Relation message was the so-many-th to come, and is in force.
    void arrived(std::string_view relation, std::uint64_t arrival) noexcept;
    Transaction& transaction(Batch& batch);
    void count(Batch& batch) noexcept;
    void append(Batch& batch, const Change& change);
    void hold(Batch& batch, KnownRelation& known);
    void append_lone_message(const pgoutput::XLogData& data,
                             const pgoutput::LogicalMessage& logical, Batch& batch);
    bool wants_reselect(const Relation& relation, std::span<const Cell> row) const noexcept;
    void fill_reselected(Batch& batch, std::span<Cell> row);
    Error broken(std::string_view what, Lsn lsn, const KnownRelation* known = nullptr) const;
    Error unannounced(std::string_view what, Lsn lsn) const;
    Error broken(pgoutput::DecodeError error, Lsn lsn, const KnownRelation* known = nullptr) const;

    // A Relation message that is in force again when the transaction that is replayed has ended.
    struct Later {
        std::string message;
        std::uint64_t arrival = 0;
    };

    Relations& relations_;
    const bool reselect_;
    StreamedTransactions* const streamed_;
    PreparedTransactions* const prepared_;
    const Lsn wanted_from_;

    bool in_block_ = false;     // between Stream Start and Stream Stop
    bool in_prepared_ = false;  // between Begin Prepare and Prepare
    bool unwanted_ = false;     // in a transaction that is left out
    bool replaying_ = false;
    bool in_transaction_ = false;
    bool extent_open_ = false;  // the batch's last Transaction is the one we are in
    Xid xid_;
    Lsn commit_lsn_;
    WallTime committed_at_;
    std::uint64_t ordinal_ = 0;

    std::optional<SpilledMessage> spilled_;  // was read, and is not taken yet
    Lsn replay_end_;                         // of the transaction that is replayed
    std::uint64_t relations_arrived_ = 0;    // Relation messages so far, if streamed_
    std::map<Oid, Later> later_;

    std::uint64_t prepared_blocks_ = 0;  // Begin Prepare messages so far
    Xid preparing_;                      // if in_prepared_

    std::uint64_t batch_number_ = 0;
    Lsn idle_;
    Lsn received_;
    Lsn server_end_;
    Lsn keepalive_;  // the last one's place
    std::uint64_t stale_keepalives_ = 0;
    Lsn last_commit_;
    Lsn begun_;
    std::optional<Lsn> hold_at_;
    bool took_messages_ = false;
    bool reply_requested_ = false;
    Wanted wanted_;
    std::optional<Reselected> provided_;
};

}  // namespace pgc
