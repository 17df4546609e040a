// What must outlive a KafkaSink: kept by whoever makes sinks, handed to each in turn.
//
// After an Error a sink is destroyed and another one built, which would do the same again:
// offer batches a topic does not take, or a record no broker takes.
//
// Threads: one, the pipeline's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>

#include "core/record.h"

namespace pgc {

class KafkaCarryOver {
public:
    // The largest batch that every topic seen so far takes.
    std::size_t batch_bytes_max() const noexcept { return batch_bytes_max_; }
    void batch_bytes_at_most(std::size_t bytes) noexcept {
        batch_bytes_max_ = std::min(batch_bytes_max_, bytes);
    }

    // A transaction took too long. True: so did the one before, and none was committed since.
    bool late() noexcept { return std::exchange(late_, true); }
    void committed() noexcept { late_ = false; }

    // A broker has refused this record because of its size.
    void refused(const Record& record) {
        if (was_refused(record)) return;
        if (refused_.size() == kRefused_max) refused_.pop_front();
        refused_.push_back(identity(record));
    }
    bool refused_any() const noexcept { return !refused_.empty(); }
    bool was_refused(const Record& record) const noexcept {
        return !refused_.empty() && std::ranges::find(refused_, identity(record)) != refused_.end();
    }

private:
    // Records that may still be sent again lie within the budget: large ones are few.
    static constexpr std::size_t kRefused_max = 4096;

    // A change of the key makes two records with one ordinal; they differ in size. A row of a
    // snapshot is read again at another place, so it is known by its key.
    struct Identity {
        Lsn commit;
        std::uint64_t ordinal = 0;
        std::size_t bytes = 0;
        bool operator==(const Identity&) const = default;
    };
    static Identity identity(const Record& record) noexcept {
        if (record.operation == Operation::read) {
            return {Lsn{}, std::hash<std::string_view>{}(record.key), record.value.size()};
        }
        return {record.commit_lsn, record.ordinal, record.value.size()};
    }

    bool late_ = false;
    std::size_t batch_bytes_max_ = std::numeric_limits<std::size_t>::max();
    std::deque<Identity> refused_;
};

}  // namespace pgc
