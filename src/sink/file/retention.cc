#include "sink/file/retention.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace pgc {
namespace {

std::int64_t microseconds(Duration time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

void append(std::string& text, const std::string& part) {
    text += text.empty() ? part : "; " + part;
}

}  // namespace

RetentionRule FileRetentionConfig::rule(WallTime now) const {
    RetentionRule rule{.only_loaded = only_loaded, .tables = {}};
    if (age > Duration{0}) rule.closed_before = WallTime{now.unix_us - microseconds(age)};
    if (batches > 0) rule.keep = batches;
    return rule;
}

std::string FileRetentionConfig::text() const {
    std::string text;
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(age).count();
    if (hours > 0) append(text, fmt::format("older than {} h", hours));
    if (batches > 0) append(text, fmt::format("all but {} batches of a table", batches));
    if (only_loaded) append(text, "loaded");
    return text;
}

FileRetention::FileRetention(Deps deps) : deps_(std::move(deps)) {
    try {
        thread_ = std::thread{[this] { run(); }};
    } catch (const std::system_error&) {
        deps_.logger.warning("old files are not removed: there is no thread to be had");
    }
}

FileRetention::~FileRetention() {
    ending_ = true;
    wake_.notify();
    if (thread_.joinable()) thread_.join();
}

void FileRetention::run() {
    PollWaiter waiter(deps_.clock);
    const auto index = deps_.make_index(waiter, ending_, wake_.fd());
    Duration pause = deps_.pauses.first;
    while (wait(waiter, pause)) {
        const auto more = remove_a_piece(*index);
        pause = more && *more ? deps_.pauses.between : deps_.pauses.every;
        if (ending_) return;
        if (more) last_error_.clear();
        if (!more) report(more.error());
    }
}

Result<bool> FileRetention::remove_a_piece(FileIndex& index) {
    FileCleaner cleaner{deps_.root, index, *deps_.disk};
    const auto locked = cleaner.lock();
    if (!locked || !*locked) return locked;
    auto more = remove_with(cleaner, index);
    if (auto unlocked = cleaner.unlock(); !unlocked && more) {
        return std::unexpected(std::move(unlocked.error()));
    }
    return more;
}

Result<bool> FileRetention::remove_with(FileCleaner& cleaner, FileIndex& index) {
    if (auto finished = cleaner.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    const FileRetentionConfig& config = deps_.config;
    const auto batches = index.removable(config.rule(deps_.clock.wall()), FileCleaner::kPiece);
    if (!batches) return std::unexpected(batches.error());
    if (batches->empty()) return false;
    const auto removed = cleaner.remove(*batches, config.only_loaded, config.text());
    if (!removed) return std::unexpected(removed.error());
    deps_.metrics.counter(Metric::files_removed_total).add(removed->files);
    deps_.metrics.counter(Metric::files_removed_bytes_total).add(removed->bytes);
    deps_.logger.info(
        "old files are removed",
        {{"batches", removed->batches}, {"files", removed->files}, {"bytes", removed->bytes}});
    return batches->size() == FileCleaner::kPiece && removed->batches > 0;
}

// Once for each thing that goes wrong, until it goes well again.
void FileRetention::report(const Error& error) {
    deps_.metrics.counter(Metric::errors_total, {name(error.category)}).add(1);
    std::string text = describe(error);
    if (text == last_error_) return;
    last_error_ = std::move(text);
    deps_.logger.failure(LogLevel::warning, "old files could not be removed; trying again", error);
}

bool FileRetention::wait(Waiter& waiter, Duration pause) {
    const Instant until = deps_.clock.now() + pause;
    while (!ending_ && deps_.clock.now() < until) {
        Wants wants;
        wants.until(until);
        wants.readable(wake_.fd());
        waiter.wait(wants);
    }
    return !ending_;
}

}  // namespace pgc
