// A format that now and then waits in the middle of a batch, as one that asks a registry does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "support/copied_record.h"
#include "support/forwarding.h"

namespace pgc::test {

class WaitingFormat final : public ForwardingFormat {
public:
    // `waits`: how long before change number so and so of those that are still to be written; asked
    // for each encode() with how many these are. None: not at all.
    struct Wait {
        std::size_t after = 0;  // changes
        Duration time{0};
    };
    using Waits = std::function<std::optional<Wait>(std::size_t changes)>;
    WaitingFormat(std::unique_ptr<Format> inner, const Clock& clock, Waits waits)
        : ForwardingFormat(std::move(inner)), clock_(clock), waits_(std::move(waits)) {}

    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override {
        if (clock_.now() < until_) return Encoded::waits(from);
        if (from == batch.changes.size()) return inner().encode(batch, from, out);
        const auto wait = waits_(batch.changes.size() - from);
        if (!wait) return inner().encode(batch, from, out);
        whole_.clear();
        auto encoded = inner().encode(batch, from, whole_);
        if (!encoded) return encoded;
        const std::size_t next = from + wait->after;
        const std::size_t upto = std::min(next, encoded->next);
        // One that waits has not written what comes after: not even the memory for it is used.
        for (const Record& record : whole_.records) {
            if (record.change < upto) out.records.push_back(copied(record, out.arena));
        }
        if (encoded->next < next) return encoded;  // it refuses one before
        until_ = clock_.now() + wait->time;
        return Encoded::waits(next + (loses_a_change ? 1 : 0));
    }
    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override {
        if (clock_.now() < until_) return false;
        if (const auto wait = waited_with_mark_ ? std::nullopt : waits_(1)) {
            waited_with_mark_ = true;
            until_ = clock_.now() + wait->time;
            return false;
        }
        waited_with_mark_ = false;
        return inner().encode_mark(mark, out);
    }
    Result<bool> encode_heartbeat(WallTime at, RecordBatch& out) override {
        if (clock_.now() < until_) return false;
        return inner().encode_heartbeat(at, out);
    }
    void wants(Wants& wants) const override {
        inner().wants(wants);
        if (clock_.now() < until_) wants.until(until_);
    }

    bool loses_a_change = false;  // a law broken on purpose

private:
    const Clock& clock_;
    const Waits waits_;
    RecordBatch whole_;
    Instant until_{};
    bool waited_with_mark_ = false;
};

}  // namespace pgc::test
