// The topic that holds positions, as much of it as KafkaPositionTopic needs: the port behind
// which librdkafka stands (rdkafka_position_log.h), or a fake in memory (tests/support).
//
// The topic has one partition and is compacted. Each pipeline has a key in it; a PositionLog
// knows its topic and its key from the start. One of read(), create() and append() is under
// way at a time; each is asked after until it gives an answer. Nothing blocks.
//
// An Error that says `retry` ends what was under way, which is then begun again; one that says
// `stop` asks for somebody to fix something, and says how.
//
// Threads: one, the pipeline's.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/wait.h"

namespace pgc {

class PositionLog {
public:
    PositionLog() = default;
    PositionLog(const PositionLog&) = delete;
    PositionLog& operator=(const PositionLog&) = delete;
    virtual ~PositionLog() = default;

    struct Tail {
        bool topic_is_missing = false;     // and the controller has said so
        std::optional<std::string> value;  // of our key's last record; none: there is none
    };
    // Begins to look for our key's last record. Every record that was acknowledged before is
    // seen.
    virtual void read() = 0;
    [[nodiscard]] virtual Result<std::optional<Tail>> tail() = 0;

    // Begins to create the topic. It may be there already.
    virtual void create() = 0;
    [[nodiscard]] virtual Result<bool> created() = 0;

    // Begins to append a record under our key; an empty value takes away what stands there.
    virtual void append(std::string value) = 0;
    // True once all replicas in sync have it: no crash of a broker loses it any more. After a
    // `retry` nobody knows whether it got there; the same may be appended again. A `stop` of
    // the category `position`: the topic is gone.
    [[nodiscard]] virtual Result<bool> appended() = 0;

    // Adds what the answer that is under way waits for.
    virtual void wants(Wants& wants) const = 0;
};

}  // namespace pgc
