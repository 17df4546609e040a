// What core/store.h promises, asked of every store.
//
// A new store: a line in kPlaces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/position_text.h"
#include "pipeline/background_store.h"
#include "pipeline/file_store.h"
#include "sink/kafka/position_topic.h"
#include "support/fake_position_log.h"
#include "support/forwarding.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

// What stays when a process ends; and what may happen to it.
struct Rig {
    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    virtual ~Rig() = default;

    // As another process would open it.
    virtual std::unique_ptr<PositionStore> open(const std::string& pipeline) = 0;
    // What `pipeline` has stored is something else now.
    virtual void write(const std::string& pipeline, std::string_view text) = 0;
    virtual void refuse_next_save() = 0;
    // Between two questions.
    virtual void wait(const PositionStore& store) = 0;

    // Where the store as a whole can be missing.
    virtual void take_away() {}
};

class FileRig : public Rig {
public:
    std::unique_ptr<PositionStore> open(const std::string& pipeline) override {
        return std::make_unique<FileStore>(files_, pipeline, kPath);
    }
    void write(const std::string&, std::string_view text) override {
        ASSERT_TRUE(files_.replace(kPath, text));
    }
    void refuse_next_save() override { files_.fail_next_replaces(1); }
    void wait(const PositionStore&) override {}

private:
    static constexpr const char* kPath = "/state/shop.position";
    SimulatedFiles files_;
};

class BackgroundRig final : public FileRig {
public:
    std::unique_ptr<PositionStore> open(const std::string& pipeline) override {
        return std::make_unique<BackgroundStore>(FileRig::open(pipeline));
    }
    // A thread of its own stores: it says when it has.
    void wait(const PositionStore& store) override {
        Wants wants;
        store.wants(wants);
        if (!wants.interests.empty()) PollWaiter{clock_}.wait(wants);
    }

private:
    SystemClock clock_;
};

class ForwardedRig final : public FileRig {
public:
    std::unique_ptr<PositionStore> open(const std::string& pipeline) override {
        return std::make_unique<test::ForwardingStore>(FileRig::open(pipeline));
    }
};

class TopicRig final : public Rig {
public:
    TopicRig() {
        config_.name = "pg-capture.positions";
        config_.connection.brokers = {"k1:9092"};
    }

    std::unique_ptr<PositionStore> open(const std::string& pipeline) override {
        return std::make_unique<KafkaPositionTopic>(
            std::make_unique<fake::FakePositionLog>(topic_, pipeline), config_, pipeline, clock_,
            Logger{});
    }
    void write(const std::string& pipeline, std::string_view text) override {
        topic_.last[pipeline] = text;
    }
    void refuse_next_save() override {
        topic_.append_errors.push_back(stop(Error::Category::permission, "not allowed"));
    }
    void wait(const PositionStore&) override { clock_.advance(std::chrono::seconds{1}); }
    void take_away() override {
        topic_.exists = false;
        topic_.last.clear();
    }

private:
    SimulatedClock clock_;
    PositionTopicConfig config_;
    fake::PositionRecords topic_;
};

struct Place {
    std::string_view name;
    std::unique_ptr<Rig> (*make)();
    // Each pipeline has a place of its own in it.
    bool shared = false;
    // It can be missing as a whole.
    bool can_be_missing = false;
    // It sees that somebody else has stored.
    bool sees_others = true;

    friend void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }
};

template <typename Made>
std::unique_ptr<Rig> make() {
    return std::make_unique<Made>();
}

const Place kPlaces[] = {
    {.name = "file", .make = make<FileRig>},
    {.name = "file_in_background", .make = make<BackgroundRig>},
    {.name = "file_forwarded", .make = make<ForwardedRig>},
    {.name = "kafka_topic",
     .make = make<TopicRig>,
     .shared = true,
     .can_be_missing = true,
     .sees_others = false},
};

StoredPosition position(std::uint64_t lsn) {
    return {.pipeline = "shop",
            .system = "7340123456789012345",
            .timeline = 4,
            .database = "shop",
            .slot = "pg_slot",
            .resume_at = Lsn{lsn},
            .snapshot = "table \"a%\"\nwhere x",
            .memory = "two\nlines"};
}

class StoreConformanceTest : public testing::TestWithParam<Place> {
protected:
    static constexpr int kPatience = 1000;

    void SetUp() override {
        rig_ = GetParam().make();
        store_ = rig_->open("shop");
    }

    Result<PositionStore::Loaded> load(PositionStore& store) {
        for (int i = 0; i < kPatience; ++i) {
            auto loaded = store.load();
            if (!loaded) return std::unexpected(std::move(loaded.error()));
            if (*loaded) return std::move(**loaded);
            rig_->wait(store);
        }
        ADD_FAILURE() << "it is never loaded";
        return PositionStore::Loaded{};
    }
    std::optional<StoredPosition> loaded(PositionStore& store) {
        auto found = load(store);
        EXPECT_TRUE(found) << describe(found.error());
        return found ? std::move(found->position) : std::nullopt;
    }
    std::optional<StoredPosition> loaded_by_the_next() {
        const auto next = rig_->open("shop");
        return loaded(*next);
    }
    Result<void> saved(PositionStore& store) {
        for (int i = 0; i < kPatience; ++i) {
            const auto done = store.saved();
            if (!done) return std::unexpected(done.error());
            if (*done) return {};
            rig_->wait(store);
        }
        ADD_FAILURE() << "it is never saved";
        return {};
    }
    Result<void> save(PositionStore& store, const StoredPosition& at) {
        if (auto begun = store.save(at); !begun) return begun;
        return saved(store);
    }
    Result<void> forget(PositionStore& store) {
        if (auto begun = store.forget(); !begun) return begun;
        return saved(store);
    }

    std::unique_ptr<Rig> rig_;
    std::unique_ptr<PositionStore> store_;
};

TEST_P(StoreConformanceTest, HasNothingBeforeTheFirstSave) {
    EXPECT_EQ(loaded(*store_), std::nullopt);
    EXPECT_TRUE(*store_->saved()) << "there is no save that could be under way";
}

TEST_P(StoreConformanceTest, AnotherProcessFindsWhatWasSaved) {
    ASSERT_TRUE(save(*store_, position(100)));
    EXPECT_EQ(loaded_by_the_next(), position(100));
    ASSERT_TRUE(save(*store_, position(200)));
    EXPECT_EQ(loaded_by_the_next(), position(200));
    EXPECT_EQ(loaded(*store_), position(200));
}

TEST_P(StoreConformanceTest, ASaveStaysSaved) {
    ASSERT_TRUE(save(*store_, position(100)));
    EXPECT_TRUE(*store_->saved());
    EXPECT_TRUE(*store_->saved());
}

TEST_P(StoreConformanceTest, ALoadWaitsForTheSave) {
    ASSERT_TRUE(store_->save(position(100)));
    EXPECT_EQ(loaded(*store_), position(100));
}

TEST_P(StoreConformanceTest, AfterAnErrorASaveIsNeverCalledSaved) {
    ASSERT_TRUE(save(*store_, position(100)));
    rig_->refuse_next_save();
    ASSERT_FALSE(save(*store_, position(200)));
    EXPECT_EQ(loaded_by_the_next(), position(100));
}

TEST_P(StoreConformanceTest, ForgottenIsForgotten) {
    ASSERT_TRUE(forget(*store_)) << "nothing is fine";
    ASSERT_TRUE(save(*store_, position(100)));
    ASSERT_TRUE(forget(*store_));
    EXPECT_EQ(loaded(*store_), std::nullopt);
    EXPECT_EQ(loaded_by_the_next(), std::nullopt);
    ASSERT_TRUE(save(*store_, position(200)));
    EXPECT_EQ(loaded_by_the_next(), position(200));
}

TEST_P(StoreConformanceTest, WhateverIsThereCanBeForgotten) {
    rig_->write("shop", "hello\n");
    ASSERT_TRUE(forget(*store_));
    EXPECT_EQ(loaded_by_the_next(), std::nullopt);
}

TEST_P(StoreConformanceTest, UnreadableContentIsAnErrorAndNotNothing) {
    const std::string whole = write_position(position(100));
    for (const std::string& text : {std::string{"hello\n"}, whole.substr(0, whole.size() / 2),
                                    whole + "more\n", std::string(1, '\0')}) {
        rig_->write("shop", text);
        const auto next = rig_->open("shop");
        const auto found = load(*next);
        ASSERT_FALSE(found) << text;
        EXPECT_EQ(found.error().category, Error::Category::position);
        EXPECT_EQ(found.error().next, Error::Next::stop);
        EXPECT_THAT(found.error().where, testing::HasSubstr(store_->where()));
    }
}

TEST_P(StoreConformanceTest, APipelineNeitherReadsNorLosesAnothersPosition) {
    ASSERT_TRUE(save(*store_, position(100)));
    const auto other = rig_->open("bank");
    const auto found = load(*other);
    const auto forgotten = forget(*other);
    if (GetParam().shared) {
        ASSERT_TRUE(found);
        EXPECT_EQ(found->position, std::nullopt);
        EXPECT_TRUE(forgotten);
    } else {
        EXPECT_FALSE(found);
        EXPECT_FALSE(forgotten);
    }
    EXPECT_EQ(loaded_by_the_next(), position(100));
}

TEST_P(StoreConformanceTest, WhatASuccessorHasStoredIsNotOverwritten) {
    if (!GetParam().sees_others) {
        GTEST_SKIP() << "it can't see that somebody else has stored";
    }
    ASSERT_EQ(loaded(*store_), std::nullopt);
    const auto successor = rig_->open("shop");
    ASSERT_EQ(loaded(*successor), std::nullopt);
    ASSERT_TRUE(save(*successor, position(200)));
    const auto late = save(*store_, position(100));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().next, Error::Next::retry);
    EXPECT_EQ(loaded(*store_), position(200));
    EXPECT_TRUE(save(*store_, position(300))) << "whoever has looked may store again";
}

TEST_P(StoreConformanceTest, AMissingStoreIsToldAndMade) {
    if (!GetParam().can_be_missing) {
        GTEST_SKIP() << "it is never missing as a whole";
    }
    rig_->take_away();
    auto found = load(*store_);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->store_is_missing);
    EXPECT_EQ(found->position, std::nullopt);
    store_->create();
    found = load(*store_);
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->store_is_missing);
    ASSERT_TRUE(save(*store_, position(100)));
    EXPECT_EQ(loaded_by_the_next(), position(100));
}

TEST_P(StoreConformanceTest, WantsNothingWhileNothingIsUnderWay) {
    ASSERT_TRUE(save(*store_, position(100)));
    (void)loaded(*store_);
    Wants wants;
    store_->wants(wants);
    EXPECT_TRUE(wants.interests.empty());
    EXPECT_EQ(wants.deadline, kNever);
    EXPECT_EQ(store_->attempts(), 0U);
}

TEST_P(StoreConformanceTest, SaysWhereItIs) {
    EXPECT_NE(store_->where(), "");
    const std::string before = store_->where();
    ASSERT_TRUE(save(*store_, position(100)));
    EXPECT_EQ(store_->where(), before);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreConformanceTest, testing::ValuesIn(kPlaces),
                         [](const auto& place) { return std::string{place.param.name}; });

}  // namespace
}  // namespace pgc
