// Whatever the types and values: each message is one line of valid JSON, or an error
// that names where but not what.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>

#include "format/json/string.h"
#include "format/native/native_format.h"
#include "support/encode.h"
#include "support/hostile_rows.h"
#include "support/json_check.h"

namespace pgc {
namespace {

using test::Changes;
using test::HostileRows;

FormatOptions any_options(HostileRows& rows) {
    FormatOptions options;
    const auto numbers = rows.pick(6);
    options.decimal = static_cast<DecimalText>(numbers % 3);
    options.bigint = static_cast<BigintText>(numbers / 3);
    options.invalid_utf8 = static_cast<InvalidUtf8>(rows.pick(3));
    options.unsent_toast = static_cast<UnsentToast>(rows.pick(2));
    return options;
}

struct Tally {
    int messages = 0;
    int errors = 0;
};

void run(std::uint32_t seed, Tally& tally) {
    std::mt19937 random{seed};
    HostileRows rows{[&] { return static_cast<std::uint32_t>(random()); }};
    NativeFormat format{any_options(rows), {.version = "0.1.0", .database = "d\"b"}};
    const Relation relation = rows.relation();
    RecordBatch out;
    for (int i = 0; i < 10; ++i) {
        Changes changes;
        changes.begin(static_cast<std::uint32_t>(i), Lsn{seed});
        rows.change(changes, relation);
        const std::size_t before = out.records.size();
        const auto done = test::encode_all(format, changes.batch(), out);
        if (!done) {
            const auto category = done.error().category;  // protocol: binary of another type
            EXPECT_TRUE(category == Error::Category::data || category == Error::Category::protocol)
                << "seed " << seed << ": " << describe(done.error());
            EXPECT_FALSE(done.error().where.empty()) << "seed " << seed;
            out.records.resize(before);
            ++tally.errors;
            continue;
        }
        for (std::size_t r = before; r < out.records.size(); ++r) {
            const Record& record = out.records[r];
            ASSERT_EQ(test::message_problem(record.value), "")
                << "seed " << seed << ": " << record.value;
            ASSERT_TRUE(is_utf8(record.value)) << "seed " << seed;
            if (record.has_key) {
                ASSERT_EQ(test::message_problem(record.key), "")
                    << "seed " << seed << ": " << record.key;
            }
            ++tally.messages;
        }
    }
}

TEST(NativeHostileTest, EveryMessageIsOneLineOfJsonToTwoReaders) {
    Tally tally;
    for (std::uint32_t seed = 1; seed <= 3000 && !testing::Test::HasFatalFailure(); ++seed) {
        run(seed, tally);
    }
    EXPECT_GT(tally.messages, 5000);
    EXPECT_GT(tally.errors, 100);
}

// Same key column values, same key: and distinct ones stay distinct.
TEST(NativeHostileTest, DistinctTextsMakeDistinctKeys) {
    Relation relation = test::users();
    relation.columns[0] = test::column("id", Kind::text, true);
    NativeFormat format{{}, {}};
    std::set<std::string> keys;
    std::set<std::string> texts;
    std::mt19937 random{7};
    constexpr std::string_view letters = "a\"\\\n\t\x01/u0";
    for (int i = 0; i < 2000; ++i) {
        std::string text;
        for (auto n = random() % 5; n > 0; --n) {
            text += letters[random() % letters.size()];
        }
        Changes changes;
        changes.begin(1, Lsn{1});
        changes.insert(relation, {changes.text(text), Changes::null()});
        RecordBatch out;
        ASSERT_TRUE(test::encode_all(format, changes.batch(), out));
        texts.insert(text);
        keys.insert(std::string{out.records[0].key});
    }
    EXPECT_EQ(keys.size(), texts.size());
}

TEST(NativeHostileTest, AFormatGoesOnAfterAnError) {
    NativeFormat format{{}, {}};
    const Relation users = test::users();
    Changes broken;
    broken.begin(1, Lsn{1});
    broken.insert(users, {broken.text("1"), broken.text("\xFF")});
    RecordBatch out;
    ASSERT_FALSE(test::encode_all(format, broken.batch(), out));
    Changes good;
    good.begin(1, Lsn{2});
    good.insert(users, {good.text("1"), good.text("fine")});
    RecordBatch fresh;
    ASSERT_TRUE(test::encode_all(format, good.batch(), fresh));
    EXPECT_EQ(test::message_problem(fresh.records.at(0).value), "");
}

}  // namespace
}  // namespace pgc
