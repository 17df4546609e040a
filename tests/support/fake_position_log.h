// The topic of positions in memory, and logs on it that do as a test says.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kafka/position_log.h"

namespace pgc::fake {

// What stays when a process ends.
struct PositionRecords {
    bool exists = true;
    std::map<std::string, std::string> last;  // of each key
    // Of a key, what a sink has committed there; or null.
    std::function<std::optional<std::string>(const std::string&)> committed;
    bool silent = false;  // nothing is answered
    std::deque<Error> read_errors, create_errors, append_errors;
    int reads = 0, creates = 0, appends = 0;
};

class FakePositionLog final : public PositionLog {
public:
    FakePositionLog(PositionRecords& topic, std::string key)
        : topic_(topic), key_(std::move(key)) {}

    void read() override { ++topic_.reads; }
    Result<std::optional<Tail>> tail() override {
        if (topic_.silent) return std::nullopt;
        if (auto error = take(topic_.read_errors)) return std::unexpected(std::move(*error));
        if (!topic_.exists) return Tail{.topic_is_missing = true, .value = {}};
        if (topic_.committed) {
            if (auto value = topic_.committed(key_)) topic_.last[key_] = std::move(*value);
        }
        const auto found = topic_.last.find(key_);
        if (found == topic_.last.end()) return Tail{};
        return Tail{.topic_is_missing = false, .value = found->second};
    }
    void create() override { ++topic_.creates; }
    Result<bool> created() override {
        if (topic_.silent) return false;
        if (auto error = take(topic_.create_errors)) return std::unexpected(std::move(*error));
        topic_.exists = true;
        return true;
    }
    void append(std::string value) override {
        ++topic_.appends;
        value_ = std::move(value);
    }
    Result<bool> appended() override {
        if (topic_.silent) return false;
        if (auto error = take(topic_.append_errors)) return std::unexpected(std::move(*error));
        if (!topic_.exists) {
            return std::unexpected(stop(Error::Category::position, "the topic is gone"));
        }
        if (value_.empty()) {
            topic_.last.erase(key_);
        } else {
            topic_.last[key_] = value_;
        }
        return true;
    }
    void wants(Wants& wants) const override { wants.readable(kFd); }

    static constexpr int kFd = 77;

private:
    static std::optional<Error> take(std::deque<Error>& errors) {
        if (errors.empty()) return std::nullopt;
        Error error = std::move(errors.front());
        errors.pop_front();
        return error;
    }

    PositionRecords& topic_;
    const std::string key_;
    std::string value_;
};

}  // namespace pgc::fake
