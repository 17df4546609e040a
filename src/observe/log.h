// Logs: one line a happening, to be read by people (plain) or programs (JSON).
//
//   const Logger logger = log.logger("postgres").with({{"pipeline", "shop"}});
//   logger.info("streaming", {{"from", lsn}, {"attempt", 3}});
//
//   2026-11-21T02:57:05.123Z info     postgres  streaming  pipeline=shop from=0/16B3748 attempt=3
//   {"time":"2026-11-21T02:57:05.123Z","level":"info","module":"postgres",
//    "message":"streaming","pipeline":"shop","from":"0/16B3748","attempt":3}   (on one line)
//
// The message is a constant text; what varies goes into fields: so lines can be searched,
// and repeated ones counted instead of written (log_limiter.h).
//
// Secrets and row values: a log writes what it is given and can't know what that is.
// Never give it a password, a connection string, a cell or a key's value; name the
// table, the column, the LSN instead. Error keeps to the same rule.
//
// Whatever bytes come in, a line stays one line, and in JSON one valid object: line ends
// and control characters are escaped, broken UTF-8 is replaced, text is cut at kText_max.
//
// Threads: Log and Logger may be used from any thread. A Log outlives its Loggers; the
// LogLines and the Clock outlive the Log.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "observe/log_limiter.h"
#include "observe/log_lines.h"
#include "observe/log_options.h"

namespace pgc {

// One key=value of a line. A view: lives as long as what it was made from.
struct LogField {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool, Lsn>;

    LogField(std::string_view k, std::string_view v) noexcept : key(k), value(v) {}
    LogField(std::string_view k, const std::string& v) noexcept
        : key(k), value(std::string_view{v}) {}
    LogField(std::string_view k, const char* v) noexcept : key(k), value(std::string_view{v}) {}
    LogField(std::string_view k, Lsn v) noexcept : key(k), value(v) {}
    LogField(std::string_view k, double v) noexcept : key(k), value(v) {}
    LogField(std::string_view k, std::same_as<bool> auto v) noexcept : key(k), value(v) {}
    template <std::signed_integral T>
    LogField(std::string_view k, T v) noexcept : key(k), value(std::int64_t{v}) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    LogField(std::string_view k, T v) noexcept : key(k), value(std::uint64_t{v}) {}

    std::string_view key;
    Value value;
};

class Log;

// Writes lines of one module, each with the fields bound to it. Cheap to copy. One that
// was default-constructed writes nothing.
class Logger {
public:
    Logger() = default;

    // One relaxed load. Ask it first only where a field costs something to compute.
    bool enabled(LogLevel level) const noexcept {
        return module_ != nullptr && level >= module_->level.load(std::memory_order_relaxed);
    }

    // Whether fields are of use, because a program reads them.
    bool structured() const noexcept;

    // The same with more fields; one with a key already bound replaces that.
    [[nodiscard]] Logger with(std::initializer_list<LogField> fields) const;
    // The same fields for another module.
    [[nodiscard]] Logger for_module(std::string_view module) const;

    using Fields = std::initializer_list<LogField>;
    void trace(std::string_view m, Fields f = {}) const { write(LogLevel::trace, m, f); }
    void debug(std::string_view m, Fields f = {}) const { write(LogLevel::debug, m, f); }
    void info(std::string_view m, Fields f = {}) const { write(LogLevel::info, m, f); }
    void warning(std::string_view m, Fields f = {}) const { write(LogLevel::warning, m, f); }
    void error(std::string_view m, Fields f = {}) const { write(LogLevel::error, m, f); }
    void write(LogLevel level, std::string_view message, Fields fields = {}) const {
        if (enabled(level)) {
            write_enabled(level, message, fields);
        }
    }
    // A line with what an Error knows, as the fields category, what, where and hint.
    void failure(LogLevel level, std::string_view message, const Error& error,
                 Fields fields = {}) const;

private:
    friend class Log;

    struct Module {
        std::string name;
        std::atomic<LogLevel> level;
    };
    struct Bound {
        std::string key;
        std::string text;  // of a text value, which then views it no more
        LogField::Value value;
        LogField field() const noexcept;
    };
    using BoundFields = std::vector<Bound>;

    void write_enabled(LogLevel level, std::string_view message, Fields fields) const;

    Log* log_ = nullptr;
    const Module* module_ = nullptr;
    std::shared_ptr<const BoundFields> bound_;
};

class Log {
public:
    static constexpr std::size_t kText_max = 4096;  // bytes of a message or of a text field

    Log(LogOptions options, LogLines& lines, const Clock& clock);
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // `module` as in LogLevels: the room's name, or room.part.
    Logger logger(std::string_view module);

    // Takes effect at once, for Loggers that exist as well.
    void set_levels(LogLevels levels);

    LogFormat format() const noexcept { return format_; }

private:
    friend class Logger;

    void write(const Logger& from, LogLevel level, std::string_view message, Logger::Fields fields);
    const Logger::Module& module(std::string_view name);

    // Constant after construction.
    const LogFormat format_;
    LogLines& lines_;
    const Clock& clock_;

    std::mutex mutex_;
    // Protected by mutex_; modules never move and live as long as the Log.
    LogLevels levels_;
    std::deque<Logger::Module> modules_;
    LogLimiter limiter_;
};

}  // namespace pgc
