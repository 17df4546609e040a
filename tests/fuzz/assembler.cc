// Any sequence of copy messages through Relations and Assembler, as a server would send it
// that has lost its mind: whatever comes, batches keep what core/change.h promises.
//
// The first byte: bit 0, reselect unsent values; bit 1, a binary stream. Then messages, each
// after an Int16 length.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_cursor.h"
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
    Run(bool reselect, bool binary)
        : relations_(types_,
                     {.table = [](std::string_view,
                                  std::string_view table) { return !table.starts_with("audit"); },
                      .column = [](std::string_view, std::string_view,
                                   std::string_view column) { return column != "secret"; }},
                     binary, carry_over_, nullptr),
          assembler_(relations_, reselect) {
        assembler_.enter(batch_);
    }

    // False once it has refused a message: then the stream is over.
    bool take(std::string_view message) {
        for (int times = 0; times < 4; ++times) {
            const auto taken = assembler_.take(message, batch_);
            if (!taken) return false;
            if (*taken == Assembler::Taken::catalog) {
                const auto question = relations_.question();
                require(question && question->urgent);
                if (!relations_.answer(*question, {})) return false;
            } else if (*taken == Assembler::Taken::reselect) {
                for (const Cell& cell : assembler_.wanted().row) touch(cell.bytes());
                assembler_.provide({.columns = {{.place = 1, .text = "now"}}});
            } else {
                return true;
            }
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
    Run run{(choice & 1U) != 0, (choice & 2U) != 0};
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
