#include "observe/log.h"

#include <algorithm>
#include <utility>

#include "observe/log_format.h"

namespace pgc {

LogField Logger::Bound::field() const noexcept {
    LogField field{key, std::string_view{text}};
    if (!std::holds_alternative<std::string_view>(value)) {
        field.value = value;
    }
    return field;
}

bool Logger::structured() const noexcept {
    return log_ != nullptr && log_->format() == LogFormat::json;
}

Logger Logger::with(std::initializer_list<LogField> fields) const {
    auto bound = bound_ ? std::make_shared<BoundFields>(*bound_) : std::make_shared<BoundFields>();
    for (const LogField& field : fields) {
        std::erase_if(*bound, [&](const Bound& old) { return old.key == field.key; });
        Bound copy{std::string{field.key}, {}, field.value};
        if (const auto* text = std::get_if<std::string_view>(&field.value)) {
            copy.text = *text;
            copy.value = std::string_view{};
        }
        bound->push_back(std::move(copy));
    }
    Logger derived = *this;
    derived.bound_ = std::move(bound);
    return derived;
}

Logger Logger::for_module(std::string_view module) const {
    if (log_ == nullptr) {
        return {};
    }
    Logger other = log_->logger(module);
    other.bound_ = bound_;
    return other;
}

void Logger::failure(LogLevel level, std::string_view message, const Error& error,
                     Fields fields) const {
    if (!enabled(level)) {
        return;
    }
    Logger logger = with({{"category", name(error.category)}, {"what", error.what}});
    if (!error.where.empty()) {
        logger = logger.with({{"where", error.where}});
    }
    if (!error.hint.empty()) {
        logger = logger.with({{"hint", error.hint}});
    }
    logger.write_enabled(level, message, fields);
}

void Logger::write_enabled(LogLevel level, std::string_view message, Fields fields) const {
    log_->write(*this, level, message, fields);
}

Log::Log(LogOptions options, LogLines& lines, const Clock& clock)
    : format_(options.format),
      lines_(lines),
      clock_(clock),
      levels_(std::move(options.levels)),
      limiter_(options.same_lines_per_second_max) {}

const Logger::Module& Log::module(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(modules_, [&](const auto& known) { return known.name == name; });
    if (found != modules_.end()) {
        return *found;
    }
    return modules_.emplace_back(std::string{name}, levels_.of(name));
}

Logger Log::logger(std::string_view name) {
    Logger logger;
    logger.log_ = this;
    logger.module_ = &module(name);
    return logger;
}

void Log::set_levels(LogLevels levels) {
    const std::lock_guard lock(mutex_);
    levels_ = std::move(levels);
    for (auto& known : modules_) {
        known.level.store(levels_.of(known.name), std::memory_order_relaxed);
    }
}

void Log::write(const Logger& from, LogLevel level, std::string_view message,
                Logger::Fields fields) {
    const Instant now = clock_.now();
    std::vector<LogLimiter::LeftOut> left_out;
    bool admitted = false;
    {
        const std::lock_guard lock(mutex_);
        left_out = limiter_.collect(now);
        admitted = limiter_.admit(level, from.module_->name, message, now);
    }
    const WallTime at = clock_.wall();
    const auto put = [&](const LogLine& line) {
        lines_.write(format_ == LogFormat::json ? format_json(line) : format_plain(line));
    };
    for (const auto& same : left_out) {
        const LogField not_written{"not_written", same.count};
        put({at, same.level, same.module, same.message, {&not_written, 1}});
    }
    if (!admitted) {
        return;
    }
    std::vector<LogField> all;
    if (from.bound_) {
        for (const auto& bound : *from.bound_) {
            all.push_back(bound.field());
        }
    }
    all.insert(all.end(), fields.begin(), fields.end());
    put({at, level, from.module_->name, message, all});
}

}  // namespace pgc
