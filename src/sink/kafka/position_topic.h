// The pipeline's position as the last record under its key in a compacted topic, so that
// nothing has to be kept beside Kafka. The value is the text of core/position_text.h.
//
//             load()                       found, or none
//   idle ───────────────▶ reading ────────────────────────────▶ idle
//    │ ▲                     ▲ └─ the topic is missing ─▶ idle ── create() ─┐
//    │ └── acknowledged ─┐   └──────────────── creating ◀───────────────────┘
//    └── save() ─▶ appending
//
// What Kafka refuses for now is begun again after a pause, for ever: PostgreSQL keeps what is
// not confirmed. It is logged at once, again when more of the cause is known, and then
// every 30 s. What somebody has to fix
// is an Error, after which saved() never says that the position is safe.
//
// With exactly-once the record is written in the sink's transaction (transaction.h), and only read
// here: committed records alone.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "core/store.h"
#include "kafka/position_config.h"
#include "kafka/position_hints.h"
#include "kafka/position_log.h"
#include "observe/log.h"

namespace pgc {

class KafkaPositionTopic final : public PositionStore {
public:
    static constexpr Duration kPause = std::chrono::milliseconds{300};
    static constexpr Duration kPatience = std::chrono::seconds{5};  // before an answer is missed
    static constexpr Duration kReport_every = std::chrono::seconds{30};

    // `log` is of state.topic and `pipeline`'s key; `clock` outlives this.
    KafkaPositionTopic(std::unique_ptr<PositionLog> log, const PositionTopicConfig& config,
                       std::string pipeline, const Clock& clock, Logger logger);

    Result<std::optional<Loaded>> load() override;
    void create() override;
    Result<void> save(const StoredPosition& position) override;
    Result<void> forget() override;
    Result<bool> saved() override;
    void wants(Wants& wants) const override;
    // Failures, and each time that there was no answer for as long as kPatience.
    std::uint64_t attempts() const noexcept override {
        return attempts_ + (state_ == State::idle
                                ? 0
                                : static_cast<std::uint64_t>((clock_.now() - since_) / kPatience));
    }
    std::string where() const override { return hints_.where(); }

private:
    enum class State : std::uint8_t { idle, reading, creating, appending };

    void enter(State state);
    void begin();
    bool paused();
    template <typename Answer>
    Result<Answer> go_on(Result<Answer> (PositionLog::*ask)());
    Result<bool> append_on();
    Result<std::optional<Loaded>> read_on();
    Result<Loaded> understood(const PositionLog::Tail& tail) const;
    Error failed(Error error);
    void answered();
    void look_at_the_time();
    void report(const Error* error);

    const std::unique_ptr<PositionLog> log_;
    const PositionHints hints_;
    const std::string pipeline_;
    const Clock& clock_;
    const Logger logger_;

    State state_ = State::idle;
    std::string value_;                // being appended
    std::uint64_t attempts_ = 0;       // in vain
    std::optional<Instant> begin_at_;  // what failed is begun again then
    Instant since_;                    // of the state
    Instant report_at_;
    bool reported_ = false;
    bool reported_why_ = false;     // not the silence only
    int reported_rank_ = 0;         // and how much of the cause
    std::optional<Error> refused_;  // for good
};

}  // namespace pgc
