#include "pipeline/background_store.h"

#include <cassert>
#include <system_error>
#include <utility>

namespace pgc {

BackgroundStore::BackgroundStore(std::unique_ptr<PositionStore> inner) : inner_(std::move(inner)) {}

BackgroundStore::~BackgroundStore() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    asked_.notify_one();
    thread_.join();
}

Result<std::optional<PositionStore::Loaded>> BackgroundStore::load() {
    if (saving_) {
        const auto idle = saved();
        if (!idle) return std::unexpected(idle.error());
        if (!*idle) return std::nullopt;
    }
    failed_.reset();
    return inner_->load();
}

Result<void> BackgroundStore::save(const StoredPosition& position) {
    assert(!saving_ && "one at a time");
    failed_.reset();
    if (!thread_.joinable()) {
        try {
            thread_ = std::thread{[this] { work(); }};
        } catch (const std::system_error&) {
            // No thread to be had: slow is better than not at all.
            auto stored = inner_->save(position);
            if (!stored) failed_ = stored.error();
            return stored;
        }
    }
    saving_ = true;
    {
        const std::lock_guard lock(mutex_);
        to_save_ = position;
    }
    asked_.notify_one();
    return {};
}

// Nobody's loop waits for it: only commands forget.
Result<void> BackgroundStore::forget() {
    assert(!saving_ && "one at a time");
    failed_.reset();
    auto forgotten = inner_->forget();
    if (!forgotten) failed_ = forgotten.error();
    return forgotten;
}

Result<bool> BackgroundStore::saved() {
    if (failed_) return std::unexpected(*failed_);
    if (!saving_) return inner_->saved();
    done_.clear();
    std::optional<Result<void>> answer;
    {
        const std::lock_guard lock(mutex_);
        answer = std::exchange(answer_, std::nullopt);
    }
    if (!answer) return false;
    saving_ = false;
    if (*answer) return true;
    failed_ = std::move(answer->error());
    return std::unexpected(*failed_);
}

void BackgroundStore::wants(Wants& wants) const {
    if (saving_) wants.readable(done_.fd());
}

void BackgroundStore::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        asked_.wait(lock, [this] { return to_save_ || ending_; });
        if (!to_save_) return;
        const StoredPosition position = *std::exchange(to_save_, std::nullopt);
        lock.unlock();
        auto answer = inner_->save(position);
        lock.lock();
        answer_ = std::move(answer);
        done_.notify();
    }
}

}  // namespace pgc
