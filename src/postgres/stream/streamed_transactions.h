// Transactions that the server sends before they are committed, kept in files until they are.
//
//   Stream Start ─▶ start()   its block: no other message comes before Stream Stop
//   R Y I U D T M ─▶ add()    undecoded, but without the xid that stands in them only there
//   Stream Stop  ─▶ stop()
//   Stream Abort ─▶ abort()   all of it, or a subtransaction's part
//   Stream Commit ─▶ open(), then next() until there is no more, close(): what was added and not
//                             aborted, in the order in which it came
//
// A file holds one transaction: for each message an Int32 size, an Int64 (its LSN, or that of a
// Relation: its number in order of arrival) and its bytes. It is written and read through one
// buffer, which all share: blocks don't nest, and none is open while a file is read.
//
// Subtransactions. When one is aborted, what it and its own subtransactions sent is cut off: all
// that came since its first message, because while it lasts nobody else of its transaction does
// anything. One that sends its first message after one of its own subtransactions is put before it,
// with that one's offset. So offsets rise with xids (a subtransaction is given its xid after its
// parent), and both are found by bisection.
//
// The exception is a logical message: it bears the xid of the whole transaction. It may be of a
// subtransaction that has sent nothing else before it; if it stands right before what that one sent
// first. Then nobody knows, and it is given up when that one is aborted.
//
// Prepared ones are kept here as well, until they are decided (assembler.h): what comes between
// Begin Prepare and Prepare is a block of its own, with add_plain(); one that was streamed stays
// as it is. Commit Prepared is what Stream Commit is, Rollback Prepared is drop().
//
// Giving up: the error says `restart`, and gave_up() is true. The server has everything still, and
// keeps such transactions itself if it is not asked to stream them. That happens, too, when
// all files together would pass the limit, and when the folder fails. What is prepared the server
// sends in any case: while such a one is written, the error says `retry`.
//
// Memory: the buffer, some 100 bytes a transaction, 16 a subtransaction up to kSubtransactions_max.
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "base/spill_folder.h"
#include "observe/instruments.h"
#include "postgres/pgoutput/messages.h"

namespace pgc {

// One message, whose memory is freed with it, unless somebody else sees to that.
struct SpilledMessage {
    struct Free {
        void operator()(char* memory) const noexcept { std::free(memory); }
    };
    std::uint64_t mark = 0;  // of a Relation: its number; else its LSN
    std::size_t size = 0;
    std::unique_ptr<char, Free> bytes;

    std::string_view view() const noexcept { return {bytes.get(), size}; }
};

class StreamedTransactions {
public:
    static constexpr std::size_t kBuffer = std::size_t{256} << 10;
    static constexpr std::size_t kSubtransactions_max = 1'000'000;

    struct Deps {
        SpillFolder& folder;            // prepared
        std::uint64_t limit = 0;        // bytes of all files together
        Gauge* bytes = nullptr;         // in files now; may be null
        Gauge* transactions = nullptr;  // open now; likewise
    };
    explicit StreamedTransactions(Deps deps) : deps_(deps) {}
    StreamedTransactions(const StreamedTransactions&) = delete;
    StreamedTransactions& operator=(const StreamedTransactions&) = delete;
    ~StreamedTransactions();

    [[nodiscard]] Result<void> start(const pgoutput::StreamStart& start);
    // Requires a block. `message`: as it came, one of R Y I U D T M; false: it is not.
    [[nodiscard]] Result<bool> add(std::string_view message, std::uint64_t mark);
    // Begins a transaction that comes as one block, since it is prepared.
    [[nodiscard]] Result<void> start_prepared(Xid xid);
    // Requires a block. The same of a message without an xid, which is not cut off again.
    [[nodiscard]] Result<void> add_plain(std::string_view message, std::uint64_t mark);
    // Requires a block.
    [[nodiscard]] Result<void> stop();
    // Of one that is not known: nothing is done.
    [[nodiscard]] Result<void> abort(const pgoutput::StreamAbort& abort);
    // The same of a whole transaction. Requires that it has no block now.
    void drop(Xid xid) noexcept { forget(xid.value); }

    bool knows(Xid xid) const noexcept { return open_.contains(xid.value); }
    // Requires that it is known, and that no block is open.
    void open(Xid xid) noexcept;
    // None: there is no more.
    [[nodiscard]] Result<std::optional<SpilledMessage>> next();
    void close() noexcept;

    bool gave_up() const noexcept { return gave_up_; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    std::size_t size() const noexcept { return open_.size(); }

private:
    struct Subtransaction {
        std::uint32_t xid = 0;
        bool after_message = false;  // what is before it is a logical message
        std::uint64_t from = 0;
    };
    struct Streamed {
        std::optional<SpillFolder::File> file;  // none: nothing was written yet
        std::uint64_t size = 0;                 // with what is in the buffer
        std::uint32_t last_xid = 0;             // that was added
        bool after_message = false;             // the last thing in it is a logical message
        std::vector<Subtransaction> subtransactions;
    };

    static std::vector<Subtransaction>::iterator find(Streamed& streamed,
                                                      std::uint32_t xid) noexcept;
    [[nodiscard]] Result<void> remember(Streamed& streamed, std::uint32_t xid);
    [[nodiscard]] Result<void> append(std::string_view kind, std::string_view rest,
                                      std::uint64_t mark);
    [[nodiscard]] Result<void> put(std::string_view bytes);
    [[nodiscard]] Result<void> flush();
    [[nodiscard]] Result<void> cut(Streamed& streamed, std::uint64_t size);
    [[nodiscard]] Result<bool> fill(char* to, std::size_t size);
    void forget(std::uint32_t xid) noexcept;
    void report() noexcept;
    Error give_up(std::string why, std::string hint = {});
    Error fail(Error error);

    const Deps deps_;
    std::unordered_map<std::uint32_t, Streamed> open_;  // by xid; its elements never move
    std::uint64_t bytes_ = 0;                           // in all of them
    std::size_t subtransactions_ = 0;                   // likewise
    bool gave_up_ = false;
    bool prepared_ = false;  // the block is a prepared transaction

    std::uint32_t current_xid_ = 0;  // of the block, or of the file that is read
    Streamed* current_ = nullptr;
    std::unique_ptr<char[]> buffer_;
    std::size_t begin_ = 0;    // of what is in the buffer, when reading
    std::size_t end_ = 0;      // likewise; when writing, it begins at 0
    std::uint64_t place_ = 0;  // in the file: where the buffer is to be written, or was read up to
};

}  // namespace pgc
