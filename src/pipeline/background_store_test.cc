#include "pipeline/background_store.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "support/fake_parts.h"

namespace pgc {
namespace {

// A disk that is as slow as a test wants.
class HeldStore final : public PositionStore {
public:
    HeldStore() = default;
    ~HeldStore() override {
        if (on_end && content) on_end(*content);
    }
    Result<std::optional<Loaded>> load() override { return Loaded{.position = content}; }
    void create() override {}
    Result<void> save(const StoredPosition& position) override {
        std::unique_lock lock(mutex);
        moved.wait(lock, [this] { return !held; });
        if (auto error = fake::take(errors)) return std::unexpected(std::move(*error));
        content = position;
        return {};
    }
    Result<void> forget() override {
        content.reset();
        return {};
    }
    Result<bool> saved() override { return true; }
    void wants(Wants&) const override {}
    std::uint64_t attempts() const noexcept override { return 0; }
    std::string where() const override { return "/state/p.position"; }

    void let_go() {
        const std::lock_guard lock(mutex);
        held = false;
        moved.notify_all();
    }

    std::mutex mutex;
    std::condition_variable moved;
    bool held = false;
    std::deque<Error> errors;
    std::function<void(const StoredPosition&)> on_end;
    std::optional<StoredPosition> content;
};

class BackgroundStoreTest : public testing::Test {
protected:
    BackgroundStoreTest() {
        auto made = std::make_unique<HeldStore>();
        inner = made.get();
        store = std::make_unique<BackgroundStore>(std::move(made));
    }
    // As the pipeline does: asleep until it is woken.
    Result<bool> wait_until_saved() {
        for (;;) {
            auto saved = store->saved();
            if (!saved || *saved) return saved;
            Wants wants;
            store->wants(wants);
            EXPECT_EQ(wants.interests.size(), 1U);
            waiter.wait(wants);
        }
    }
    StoredPosition at(std::uint64_t lsn) const { return {.pipeline = "p", .resume_at = Lsn{lsn}}; }

    SystemClock clock;
    PollWaiter waiter{clock};
    HeldStore* inner = nullptr;
    std::unique_ptr<BackgroundStore> store;
};

TEST_F(BackgroundStoreTest, ASlowDiskIsNotWaitedFor) {
    inner->held = true;
    ASSERT_TRUE(store->save(at(100)));
    EXPECT_FALSE(*store->saved());
    const auto loaded = store->load();
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(*loaded) << "nor read while it is being written";
    inner->let_go();
    EXPECT_TRUE(*wait_until_saved());
    EXPECT_EQ((*store->load())->position, at(100));
}

TEST_F(BackgroundStoreTest, StoresOneAfterTheOther) {
    for (std::uint64_t lsn = 1; lsn <= 200; ++lsn) {
        ASSERT_TRUE(store->save(at(lsn)));
        ASSERT_TRUE(*wait_until_saved());
        ASSERT_EQ((*store->load())->position, at(lsn));
    }
}

TEST_F(BackgroundStoreTest, AFailedSaveIsNeverTakenForSavedAndTheNextMayGoWell) {
    inner->errors.push_back(stop(Error::Category::storage, "disk full"));
    ASSERT_TRUE(store->save(at(100)));
    const auto failed = wait_until_saved();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().what, "disk full");
    for (int again = 0; again < 3; ++again) {
        const auto reported = store->saved();
        ASSERT_FALSE(reported) << "the position is not stored, however often that is asked";
        EXPECT_EQ(reported.error().what, "disk full");
    }
    Wants wants;
    store->wants(wants);
    EXPECT_TRUE(wants.interests.empty()) << "nothing is under way any more";
    ASSERT_TRUE(store->save(at(200)));
    EXPECT_TRUE(*wait_until_saved());
    EXPECT_EQ(inner->content, at(200));
}

TEST_F(BackgroundStoreTest, WhoAsksWhatIsStoredBeginsAnewAfterAFailure) {
    inner->errors.push_back(stop(Error::Category::storage, "disk full"));
    ASSERT_TRUE(store->save(at(100)));
    ASSERT_FALSE(wait_until_saved());
    const auto loaded = store->load();
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_FALSE((*loaded)->position);
    EXPECT_TRUE(*store->saved()) << "what was loaded is";
}

TEST_F(BackgroundStoreTest, WhatWasBegunIsStoredBeforeItEnds) {
    StoredPosition kept;
    inner->on_end = [&kept](const StoredPosition& last) { kept = last; };
    ASSERT_TRUE(store->save(at(300)));
    store.reset();
    EXPECT_EQ(kept, at(300));
}

TEST_F(BackgroundStoreTest, ItWantsNothingWhileItIsIdle) {
    Wants wants;
    store->wants(wants);
    EXPECT_TRUE(wants.interests.empty());
    EXPECT_EQ(wants.deadline, kNever);
    EXPECT_EQ(store->where(), "/state/p.position");
}

}  // namespace
}  // namespace pgc
