// Any sequence of copy messages through Relations and Assembler, as a server would send it
// that has lost its mind: whatever comes, batches keep what core/change.h promises.
//
// The first byte: bit 0, reselect unsent values; bit 1, a binary stream; bit 2, transactions are
// streamed before their commit, bit 3, with little room for them. Then messages, each
// after an Int16 length.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_cursor.h"
#include "base/spill_folder.h"
#include "postgres/stream/assembler.h"

namespace {

using namespace pgc;

constexpr std::size_t kMessagesPerBatch = 5;

void require(bool holds) {
    if (!holds) std::abort();
}

void touch(std::string_view view) {
    static volatile unsigned char sink = 0;
    for (const char c : view)
        sink = static_cast<unsigned char>(sink ^ static_cast<unsigned char>(c));
}

void touch(const Cell* cells, const Relation& relation) {
    if (cells == nullptr) return;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) touch(cells[i].bytes());
}

class Run {
public:
    Run(bool reselect, bool binary, bool streams, bool two_phase, std::uint64_t spill_limit)
        : streamed_({.folder = folder_, .limit = spill_limit}),
          relations_(types_,
                     {.table = [](std::string_view,
                                  std::string_view table) { return !table.starts_with("audit"); },
                      .column = [](std::string_view, std::string_view,
                                   std::string_view column) { return column != "secret"; }},
                     binary, carry_over_, nullptr),
          assembler_(relations_, reselect, Lsn{}, streams || two_phase ? &streamed_ : nullptr,
                     two_phase ? &prepared_ : nullptr, two_phase ? Lsn{0x300} : Lsn{}) {
        assembler_.enter(batch_);
    }

    // False once it has refused a message: then the stream is over.
    bool take(std::string_view message) {
        for (int times = 0; times < 4; ++times) {
            const auto taken = assembler_.take(message, batch_);
            if (!taken) return false;
            if (*taken == Assembler::Taken::replay) return replay();
            if (!waits(*taken)) return true;
            if (!answer(*taken)) return false;
        }
        require(false);  // it asks for ever
        return false;
    }

    void end_batch() {
        check();
        batch_.clear();
        assembler_.enter(batch_);
    }

private:
    static bool waits(Assembler::Taken taken) {
        return taken == Assembler::Taken::catalog || taken == Assembler::Taken::reselect;
    }
    bool answer(Assembler::Taken taken) {
        if (taken == Assembler::Taken::catalog) {
            const auto question = relations_.question();
            require(question && question->urgent);
            return relations_.answer(*question, {}).has_value();
        }
        for (const Cell& cell : assembler_.wanted().row) touch(cell.bytes());
        assembler_.provide({.columns = {{.place = 1, .text = "now"}}});
        return true;
    }
    // A streamed transaction, in batches of some messages.
    bool replay() {
        for (std::size_t messages = 1, waited = 0; assembler_.replaying(); ++messages) {
            const auto taken = assembler_.replay(batch_);
            if (!taken) return false;
            waited = waits(*taken) ? waited + 1 : 0;
            require(waited < 4);
            if (waited > 0 && !answer(*taken)) return false;
            if (messages % kMessagesPerBatch == 0) end_batch();
        }
        return true;
    }

    void check() {
        std::size_t next = 0;
        for (const Transaction& transaction : batch_.transactions) {
            require(transaction.first == next);
            next += transaction.count;
            require(transaction.ends == (transaction.end_lsn != Lsn{}));
            require(transaction.ends || &transaction == &batch_.transactions.back());
            check(transaction);
        }
        require(next == batch_.changes.size());
        if (!batch_.empty()) {
            require(batch_.end > last_);
            last_ = batch_.end;
        }
    }

    void check(const Transaction& transaction) {
        std::uint64_t ordinal = 0;
        for (std::size_t i = 0; i < transaction.count; ++i) {
            const Change& change = batch_.changes[transaction.first + i];
            require(change.ordinal > ordinal);
            ordinal = change.ordinal;
            require((change.relation == nullptr) == (change.operation == Operation::message));
            if (change.relation != nullptr) {
                touch(change.before, *change.relation);
                touch(change.after, *change.relation);
            } else {
                touch(change.message->prefix);
                touch(change.message->content);
            }
        }
    }

    SimulatedSpillFolder folder_;
    StreamedTransactions streamed_;
    PreparedTransactions prepared_;
    TypeMap types_;
    SourceCarryOver carry_over_;
    Relations relations_;
    Assembler assembler_;
    Batch batch_;
    Position last_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteCursor in{{reinterpret_cast<const char*>(data), size}};
    const auto choice = in.read<std::uint8_t>();
    Run run{(choice & 1U) != 0, (choice & 2U) != 0, (choice & 4U) != 0, (choice & 16U) != 0,
            (choice & 8U) != 0 ? 300U : ~std::uint64_t{0}};
    // Each message an exact copy that lives as long as the run.
    std::vector<std::vector<char>> messages;
    while (in.remaining() > 0) {
        const auto length = in.read<std::uint16_t>();
        const auto bytes = in.take(std::min<std::size_t>(length, in.remaining()));
        messages.emplace_back(bytes.begin(), bytes.end());
        if (!run.take({messages.back().data(), messages.back().size()})) break;
        if (messages.size() % kMessagesPerBatch == 0) run.end_batch();
    }
    run.end_batch();
    return 0;
}
