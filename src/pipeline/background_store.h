// A store that blocks (a file: its disk syncs) on a thread of its own, so that the pipeline
// goes on meanwhile.
//
// The thread only ever runs a save() of the inner store; load() and the rest run on the
// caller's, and never while a save does. What the inner store says of a save, its Error too, is
// what saved() says, until the next save() or load(). The destructor waits for the save that has
// begun.
//
// Threads: the pipeline's, and the one of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/wake.h"
#include "core/store.h"

namespace pgc {

class BackgroundStore final : public PositionStore {
public:
    // Requires: a save() of `inner` has stored when it returns.
    explicit BackgroundStore(std::unique_ptr<PositionStore> inner);
    ~BackgroundStore() override;

    Result<std::optional<Loaded>> load() override;
    void create() override { inner_->create(); }
    Result<void> save(const StoredPosition& position) override;
    Result<void> forget() override;
    Result<bool> saved() override;
    void wants(Wants& wants) const override;
    std::uint64_t attempts() const noexcept override { return inner_->attempts(); }
    std::string where() const override { return inner_->where(); }

private:
    void work();

    const std::unique_ptr<PositionStore> inner_;
    // Of the pipeline's thread.
    bool saving_ = false;          // no answer was taken yet
    std::optional<Error> failed_;  // the last save, which nothing has followed
    Wake done_;
    std::thread thread_;  // begun with the first save

    std::mutex mutex_;
    std::condition_variable asked_;
    // Protected by mutex_.
    std::optional<StoredPosition> to_save_;
    std::optional<Result<void>> answer_;
    bool ending_ = false;
};

}  // namespace pgc
