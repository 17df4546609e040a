// A format that now and then waits in the middle of a batch, as one that asks a registry does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "support/forwarding.h"

namespace pgc::test {

class WaitingFormat final : public ForwardingFormat {
public:
    // `waits`: how long before change number so and so of the batch; asked for each encode() with
    // how many changes it would have written. None: not at all.
    struct Wait {
        std::size_t after = 0;  // changes
        Duration time{0};
    };
    using Waits = std::function<std::optional<Wait>(std::size_t changes)>;
    WaitingFormat(std::unique_ptr<Format> inner, const Clock& clock, Waits waits)
        : ForwardingFormat(std::move(inner)), clock_(clock), waits_(std::move(waits)) {}

    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override {
        if (clock_.now() < until_) return Encoded::waits(from);
        const std::size_t before = out.records.size();
        auto encoded = inner().encode(batch, from, out);
        if (!encoded || encoded->next == from) return encoded;
        const auto wait = waits_(encoded->next - from);
        if (!wait) return encoded;
        until_ = clock_.now() + wait->time;
        const std::size_t next = from + wait->after;
        const auto rest = std::find_if(
            out.records.begin() + static_cast<std::ptrdiff_t>(before), out.records.end(),
            [next](const Record& record) { return record.change >= next; });
        out.records.erase(rest, out.records.end());
        return Encoded::waits(next + (loses_a_change ? 1 : 0));
    }
    void wants(Wants& wants) const override {
        inner().wants(wants);
        if (clock_.now() < until_) wants.until(until_);
    }

    bool loses_a_change = false;  // a law broken on purpose

private:
    const Clock& clock_;
    const Waits waits_;
    Instant until_{};
};

}  // namespace pgc::test
