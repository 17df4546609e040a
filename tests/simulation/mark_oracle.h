// Judges the marks of transactions (kafka.transactions): one before the first record of each, one
// after its last, which says how many they are.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/record.h"
#include "simulation/history.h"
#include "simulation/world.h"

namespace pgc::sim {

class MarkOracle {
public:
    MarkOracle(World& world, const History& history) : world_(world), history_(history) {}

    void expects_marks() noexcept { expected_ = true; }
    void comes_once() noexcept { once_ = true; }
    // What was marked may be marked again.
    void starts_over() { marked_.clear(); }

    // `records`: how many `transaction` has. `due`: the row that must come next; none: the attempt
    // has brought none yet.
    void marked(const Record& record, const Committed& transaction, std::uint64_t records,
                std::optional<std::size_t> due) {
        const std::string value{record.value};
        const bool ends = value.find("END") != std::string::npos || value.starts_with("end");
        const std::string at = to_string(transaction.commit);
        Marks& marks = marked_[transaction.commit];
        if (records == 0) world_.fail("a mark of a transaction without records: " + at);
        if (once_ && (ends ? marks.ends : marks.begins) > 0) {
            world_.fail("a mark came twice: " + at + " " + value);
        }
        ends ? ++marks.ends : ++marks.begins;
        const std::size_t behind = transaction.first_row + transaction.rows.size();
        if (due && (ends ? *due < behind : *due < transaction.first_row || *due >= behind)) {
            world_.fail(fmt::format("a mark stands before row {}: {} {}", *due, at, value));
        }
        if (ends && marks.begins == 0) world_.fail("an end without a begin: " + at);
        if (!ends) return;
        if (value != fmt::format("end {}", records) &&
            value.find(fmt::format("\"events\":{},\"tables\"", records)) == std::string::npos) {
            world_.fail(fmt::format("{} records, and the mark says {}", records, value));
        }
    }

    // All rows from the one to the other are durable, and with them the marks of whole
    // transactions.
    template <typename RecordsOf>
    void reported(std::size_t from, std::size_t to, RecordsOf&& records_of) {
        if (!expected_) return;
        while (from < to) {
            const Committed& transaction = history_.transactions[history_.transaction_of_row[from]];
            const bool whole = transaction.first_row == from;
            from = transaction.first_row + transaction.rows.size();
            if (!whole || from > to || records_of(transaction) == 0) continue;
            const auto found = marked_.find(transaction.commit);
            if (found == marked_.end() || found->second.ends == 0) {
                world_.fail("a transaction without its marks: " + to_string(transaction.commit));
            }
        }
    }

private:
    struct Marks {
        int begins = 0;
        int ends = 0;
    };

    World& world_;
    const History& history_;
    bool expected_ = false;
    bool once_ = false;
    std::map<Lsn, Marks> marked_;
};

}  // namespace pgc::sim
