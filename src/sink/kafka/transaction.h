// The transactions of a sink that commits records and position together: exactly once.
//
//   opening ─▶ idle ─▶ open ── seal() ─▶ sealing ─▶ sent ─▶ committing ─▶ idle
//        ours   first record      all handed over    all reported       done
//
// The position is a record like the others, in the same transaction, and sent right after them;
// where it goes is the topic from which it is read again. Nothing is taken while one is sealed: so
// whatever was accepted when that began is what is committed. After an error this one commits
// nothing more, and nobody knows whether a commit under way arrived: the next one finds out when it
// has opened.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/sink.h"
#include "core/store.h"
#include "sink/kafka/delivery.h"
#include "sink/kafka/producer.h"
#include "sink/lane_positions.h"

namespace pgc {

class KafkaTransaction {
public:
    struct Deps {
        KafkaProducer& producer;  // these two outlive it
        KafkaDelivery& delivery;
        const Clock& clock;
        std::string topic;                         // of positions
        std::string key;                           // the pipeline's in it
        std::unique_ptr<PositionStore> positions;  // of that topic and key
        // The same, asked until it is ours: not to wait for what only that ends, the transaction of
        // the instance before us. Null: there is but one.
        std::unique_ptr<PositionStore> first_look{};
    };
    // `sink` is whose it is, and is asked to go on where somebody waits for positions().
    KafkaTransaction(Deps deps, Sink& sink);

    // Goes on taking over what is there under our name; true when it is ours.
    bool open();
    // Where positions are read, and how a seal went.
    PositionStore& positions() noexcept { return positions_; }

    // Records may be accepted; not while one is sealed.
    bool takes() const noexcept { return state_ == State::idle || state_ == State::open; }
    // Before records are produced.
    Result<void> begin();
    Result<void> seal(const StoredPosition& position);

    void take(const KafkaReports::Transaction& report);
    // Does what became possible.
    Result<void> step();

    // It has been open for so long; 0 when none is.
    Duration open_for() const noexcept {
        return state_ < State::open ? Duration{0} : clock_.now() - begun_at_;
    }
    // The cluster has kept it from going on for a while.
    void interrupted() noexcept { interrupted_ = true; }
    bool was_interrupted() const noexcept { return interrupted_; }

    // What was committed.
    Position durable(Lane lane) const noexcept { return durable_.of(lane); }
    // It waits for the cluster.
    bool busy() const noexcept { return state_ == State::opening || sealing(); }

private:
    enum class State : std::uint8_t { made, opening, idle, open, sealing, sent, committing };

    class Positions final : public PositionStore {
    public:
        Positions(KafkaTransaction& transaction, Sink& sink, std::unique_ptr<PositionStore> topic,
                  std::unique_ptr<PositionStore> first_look)
            : transaction_(transaction),
              sink_(sink),
              topic_(std::move(topic)),
              first_look_(std::move(first_look)) {}
        Result<std::optional<Loaded>> load() override;
        void create() override { topic().create(); }
        Result<void> save(const StoredPosition& position) override;
        Result<void> forget() override { return topic().forget(); }
        Result<bool> saved() override;
        void wants(Wants& wants) const override;
        std::uint64_t attempts() const noexcept override { return topic().attempts(); }
        std::string where() const override { return topic_->where(); }

    private:
        PositionStore& topic() const noexcept {
            return transaction_.ours() || !first_look_ ? *topic_ : *first_look_;
        }

        KafkaTransaction& transaction_;
        Sink& sink_;
        const std::unique_ptr<PositionStore> topic_;
        const std::unique_ptr<PositionStore> first_look_;
    };

    Result<void> send_position();
    bool ours() const noexcept { return state_ > State::opening; }
    bool sealing() const noexcept { return state_ >= State::sealing; }

    KafkaProducer& producer_;
    KafkaDelivery& delivery_;
    const Clock& clock_;
    KafkaTopic* const topic_;
    const std::string key_;
    Positions positions_;

    State state_ = State::made;
    Instant begun_at_;
    bool interrupted_ = false;
    std::string value_;  // the position that is being sealed
    LanePositions durable_;
    std::optional<Error> error_;
};

}  // namespace pgc
