// What core/format.h promises, asked of every format.
//
// A new format: a line in kFormats.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "format/csv/csv_format.h"
#include "format/debezium/debezium_format.h"
#include "format/json/string.h"
#include "format/native/native_format.h"
#include "pipeline/key_changes.h"
#include "support/csv_lines.h"
#include "support/forwarding.h"
#include "support/hostile_rows.h"
#include "support/json_check.h"
#include "support/waiting_format.h"

namespace pgc {
namespace {

using test::Changes;
using test::HostileRows;

struct Made {
    std::string_view name;
    std::unique_ptr<Format> (*make)(InvalidUtf8 invalid_utf8);
    // Says what is wrong with one key or value; empty when it is well-formed.
    std::string (*problem)(std::string_view text);
    std::string_view null_in_key = "null";
    bool has_heading = false;

    friend void PrintTo(const Made& made, std::ostream* out) { *out << made.name; }
};

std::unique_ptr<Format> native(InvalidUtf8 invalid_utf8) {
    return std::make_unique<NativeFormat>(FormatOptions{.invalid_utf8 = invalid_utf8},
                                          FormatContext{.version = "0", .database = "shop"});
}

std::unique_ptr<Format> forwarded(InvalidUtf8 invalid_utf8) {
    return std::make_unique<test::ForwardingFormat>(native(invalid_utf8));
}

// One that asks a registry waits so: here, for no time, after each change but the last.
std::unique_ptr<Format> waiting(InvalidUtf8 invalid_utf8) {
    static const SystemClock clock;
    return std::make_unique<test::WaitingFormat>(
        native(invalid_utf8), clock,
        [](std::size_t changes) -> std::optional<test::WaitingFormat::Wait> {
            if (changes < 2) return std::nullopt;
            return test::WaitingFormat::Wait{.after = 1};
        });
}

// As the pipeline calls it: with the next change after each wait.
Result<Encoded> encode_from(Format& format, const Batch& batch, std::size_t from,
                            RecordBatch& out) {
    auto encoded = format.encode(batch, from, out);
    while (encoded && encoded->why == Encoded::Why::waits && encoded->next > from) {
        from = encoded->next;
        encoded = format.encode(batch, from, out);
    }
    return encoded;
}

// A refused change is an Error here; records of those before it are in `out`.
Result<void> encode_all(Format& format, const Batch& batch, RecordBatch& out) {
    auto encoded = encode_from(format, batch, 0, out);
    if (!encoded) return std::unexpected(std::move(encoded.error()));
    if (encoded->why == Encoded::Why::refused) return std::unexpected(std::move(encoded->error));
    if (encoded->why == Encoded::Why::waits || encoded->next != batch.changes.size()) {
        return std::unexpected(stop(Error::Category::internal, "the format did not go on"));
    }
    return {};
}

template <typename Encoding>
std::unique_ptr<Format> made(InvalidUtf8 invalid_utf8, DebeziumOptions options,
                             std::unique_ptr<MessageHeads> heads) {
    return std::make_unique<DebeziumFormat<Encoding>>(
        TableFormatDeps{.options = {.invalid_utf8 = invalid_utf8},
                        .debezium = std::move(options),
                        .about = {.version = "0", .database = "shop", .name = "cdc", .run = "1"},
                        .topics = {.of_table =
                                       [](auto schema, auto table) {
                                           return std::string{schema}.append(".").append(table);
                                       },
                                   .messages = "messages",
                                   .transactions = "transactions"},
                        .heads = std::move(heads)});
}

std::unique_ptr<Format> debezium(InvalidUtf8 invalid_utf8) {
    DebeziumOptions options;
    options.skipped[static_cast<std::size_t>(Operation::truncate)] = false;
    options.decimal = DecimalHandling::string;
    return made<JsonEncoding>(invalid_utf8, std::move(options), std::make_unique<NoHeads>());
}

std::unique_ptr<Format> debezium_with_schemas(InvalidUtf8 invalid_utf8) {
    DebeziumOptions options;
    options.schemas = true;
    options.nested_arrays = false;
    options.decimal = DecimalHandling::string;
    options.hstore = HstoreHandling::map;
    return made<JsonEncoding>(invalid_utf8, std::move(options), std::make_unique<EnvelopeHeads>());
}

std::unique_ptr<Format> csv(InvalidUtf8 invalid_utf8) {
    return std::make_unique<CsvFormat>(CsvOptions{.null_text = "\\N"},
                                       FormatOptions{.invalid_utf8 = invalid_utf8});
}

std::string line_problem(std::string_view text) {
    if (!is_utf8(text)) return "not UTF-8";
    const auto lines = test::csv_lines(text);
    return lines && lines->size() == 1 ? "" : "not one line of CSV";
}

const Made kFormats[] = {
    {"native_json", native, test::message_problem},
    {"native_json_forwarded", forwarded, test::message_problem},
    {"native_json_waiting", waiting, test::message_problem},
    {"csv", csv, line_problem, "\\N", true},
    {"debezium_json", debezium, test::message_problem},
    {"debezium_json_with_schemas", debezium_with_schemas, test::message_problem},
};

class FormatConformanceTest : public testing::TestWithParam<Made> {
protected:
    void SetUp() override { format_ = make(InvalidUtf8::fail); }

    static std::unique_ptr<Format> make(InvalidUtf8 invalid_utf8) {
        return GetParam().make(invalid_utf8);
    }

    std::unique_ptr<Format> format_;
    const Relation users_ = test::users();
};

TEST_P(FormatConformanceTest, RecordsStandInTheOrderOfTheirChanges) {
    Changes changes;
    for (std::uint32_t xid = 1; xid <= 3; ++xid) {
        changes.begin(xid, Lsn{std::uint64_t{100} * xid});
        for (int row = 0; row < 4; ++row) {
            changes.insert(users_, {changes.text(std::to_string(row)), Changes::null()});
        }
    }
    RecordBatch out;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    ASSERT_EQ(out.records.size(), 12U);
    for (std::size_t i = 0; i < out.records.size(); ++i) {
        EXPECT_EQ(out.records[i].commit_lsn, Lsn{100 * (i / 4 + 1)});
        EXPECT_EQ(out.records[i].ordinal, i % 4 + 1);
        EXPECT_EQ(out.records[i].relation, &users_);
    }
}

TEST_P(FormatConformanceTest, OrdinalsWithGapsAreCarriedAsTheyAre) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(users_, {changes.text("1"), Changes::null()}).ordinal = 17;
    RecordBatch out;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    EXPECT_EQ(out.records.at(0).ordinal, 17U);
}

TEST_P(FormatConformanceTest, ARowHasOneKeyWhateverIsDoneToIt) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(users_, {changes.text("7"), changes.text("a")});
    changes.update(users_, {changes.text("7"), changes.text("b")});
    changes.update(users_, {changes.text("7"), changes.text("b")},
                   {changes.text("7"), Changes::unchanged()});
    changes.remove(users_, {changes.text("7"), Changes::absent()});
    changes.read(users_, {changes.text("7"), Changes::null()});
    RecordBatch out;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    ASSERT_EQ(out.records.size(), 5U);
    for (const Record& record : out.records) {
        EXPECT_TRUE(record.has_key);
        EXPECT_EQ(record.key, out.records[0].key);
    }
}

TEST_P(FormatConformanceTest, ADifferentRowHasADifferentKey) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(users_, {changes.text("7"), Changes::null()});
    changes.insert(users_, {changes.text("8"), Changes::null()});
    RecordBatch out;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    EXPECT_NE(out.records.at(0).key, out.records.at(1).key);
}

TEST_P(FormatConformanceTest, AChangedKeyLeavesNothingUnderTheOldOne) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(users_, {changes.text("7"), Changes::null()});
    changes.update(users_, {changes.text("7"), Changes::absent()},
                   {changes.text("8"), Changes::null()});
    changes.insert(users_, {changes.text("8"), Changes::null()});
    split_key_changes(changes.batch());
    RecordBatch out;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    ASSERT_GE(out.records.size(), 4U);
    const std::size_t last = out.records.size() - 1;
    EXPECT_EQ(out.records[1].key, out.records[0].key);
    EXPECT_EQ(out.records[last - 1].key, out.records[last].key);
    for (std::size_t i = 1; i < last; ++i) {
        EXPECT_EQ(out.records[i].ordinal, 2U);
    }
}

TEST_P(FormatConformanceTest, AConfiguredKeyIsWrittenAndNeverGuessed) {
    Relation by_name = users_;
    by_name.slot = 1;
    by_name.message_key = {1};
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(by_name, {changes.text("7"), changes.text("a")});
    changes.insert(by_name, {changes.text("8"), changes.text("a")});
    changes.insert(by_name, {changes.text("9"), Changes::null()});
    changes.remove(by_name, {changes.text("8"), changes.text("a")});
    changes.remove(by_name, {changes.text("8"), Changes::absent()});
    RecordBatch out;
    const auto encoded = encode_from(*format_, changes.batch(), 0, out);
    ASSERT_TRUE(encoded);
    ASSERT_EQ(out.records.size(), 4U);
    EXPECT_EQ(out.records[0].key, out.records[1].key);
    EXPECT_EQ(out.records[0].key, out.records[3].key);
    EXPECT_TRUE(out.records[2].has_key);
    EXPECT_NE(out.records[2].key.find(GetParam().null_in_key), std::string_view::npos);
    ASSERT_EQ(encoded->why, Encoded::Why::refused);
    EXPECT_EQ(encoded->next, 4U);
    EXPECT_NE(encoded->error.what.find("message key: name"), std::string::npos);
    EXPECT_NE(encoded->error.where.find("table public.users, column name"), std::string::npos);
    EXPECT_NE(encoded->error.hint.find("ALTER TABLE \"public\".\"users\" REPLICA IDENTITY FULL"),
              std::string::npos);
}

TEST_P(FormatConformanceTest, AKeyOfAUniqueIndexIsWrittenAndNeverGuessed) {
    Relation unique = users_;
    unique.slot = 1;
    unique.unique_key = {1};
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(unique, {changes.text("7"), changes.text("a")});
    changes.update(unique, {changes.text("8"), changes.text("a")});
    changes.remove(unique, {changes.text("8"), changes.text("a")});
    changes.remove(unique, {changes.text("8"), Changes::absent()});
    RecordBatch out;
    const auto encoded = encode_from(*format_, changes.batch(), 0, out);
    ASSERT_TRUE(encoded);
    ASSERT_EQ(out.records.size(), 3U);
    EXPECT_TRUE(out.records[0].has_key);
    EXPECT_EQ(out.records[0].key, out.records[1].key);
    EXPECT_EQ(out.records[0].key, out.records[2].key);
    ASSERT_EQ(encoded->why, Encoded::Why::refused);
    EXPECT_EQ(encoded->next, 3U);
    EXPECT_NE(encoded->error.what.find("key of a unique index: name"), std::string::npos);
    EXPECT_NE(encoded->error.hint.find("source.message_keys"), std::string::npos);
}

TEST_P(FormatConformanceTest, AnUpdateThatMayHaveChangedAConfiguredKeyIsRefused) {
    Relation by_name = users_;
    by_name.message_key = {1};
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.update(by_name, {changes.text("7"), changes.text("a")});
    split_key_changes(changes.batch());
    RecordBatch out;
    const auto encoded = encode_from(*format_, changes.batch(), 0, out);
    ASSERT_TRUE(encoded);
    EXPECT_EQ(encoded->why, Encoded::Why::refused);
    EXPECT_TRUE(out.records.empty());
}

TEST_P(FormatConformanceTest, ARecordSaysWhoseItIsAndWhatWasDone) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(users_, {changes.text("7"), Changes::null()});
    changes.remove(users_, {changes.text("7"), Changes::absent()});
    changes.truncate(users_);
    changes.message("prefix", "content", true);
    RecordBatch out;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    for (const Record& record : out.records) {
        const Change& change = changes.batch().changes.at(record.change);
        EXPECT_EQ(record.operation, change.operation);
        EXPECT_EQ(record.relation, change.relation);
        EXPECT_EQ(record.destination, Destination::own);
        EXPECT_EQ(record.to_all_partitions, change.operation == Operation::truncate);
    }
}

TEST_P(FormatConformanceTest, TheMarksOfATransactionHaveOneKey) {
    const TransactionMark::Table table{"public", "users \"\n", 3};
    TransactionMark mark{.xid = Xid{7}, .commit_lsn = Lsn{5}, .lsn = Lsn{5}, .ordinal = 1};
    RecordBatch out;
    ASSERT_EQ(format_->encode_mark(mark, out).value_or(false), true);
    mark.kind = TransactionMark::Kind::end;
    mark.ordinal = 4;
    mark.events = 3;
    mark.tables = {&table, 1};
    ASSERT_EQ(format_->encode_mark(mark, out).value_or(false), true);
    ASSERT_EQ(out.records.size(), 2U);
    for (const Record& record : out.records) {
        EXPECT_TRUE(record.has_key);
        EXPECT_EQ(GetParam().problem(record.key), "");
        EXPECT_EQ(GetParam().problem(record.value), "");
        EXPECT_EQ(record.key, out.records[0].key);
        EXPECT_EQ(record.commit_lsn, Lsn{5});
    }
    EXPECT_NE(out.records[0].value, out.records[1].value);
    EXPECT_EQ(out.records[0].ordinal, 1U);
    EXPECT_EQ(out.records[1].ordinal, 4U);
    mark.commit_lsn = mark.lsn = Lsn{6};
    ASSERT_EQ(format_->encode_mark(mark, out).value_or(false), true);
    EXPECT_NE(out.records[2].key, out.records[0].key);
}

TEST_P(FormatConformanceTest, AHeartbeatIsOneRecordOrNone) {
    RecordBatch out;
    ASSERT_EQ(format_->encode_heartbeat(WallTime{.unix_us = 5'000}, out).value_or(false), true);
    ASSERT_LE(out.records.size(), 1U);
    for (const Record& record : out.records) {
        EXPECT_EQ(record.destination, Destination::heartbeats);
        EXPECT_EQ(GetParam().problem(record.key), "");
        EXPECT_EQ(GetParam().problem(record.value), "");
    }
}

TEST_P(FormatConformanceTest, AHeadingIsOfTheColumnsAndNotOfTheVersion) {
    Relation same = users_;
    same.slot = users_.slot + 1;
    Relation other = same;
    other.columns.push_back(test::column("added"));
    const std::string heading = format_->heading(&users_);
    EXPECT_EQ(heading.empty(), !GetParam().has_heading);
    EXPECT_EQ(format_->heading(&same), heading);
    EXPECT_EQ(format_->heading(&other) != heading, GetParam().has_heading);
    EXPECT_EQ(format_->heading(nullptr) != heading, GetParam().has_heading);
    EXPECT_FALSE(heading.ends_with('\n')) << "whoever writes it ends the line";
}

TEST_P(FormatConformanceTest, AVersionIsWrittenAsByAFormatThatHasSeenNoOther) {
    std::mt19937 random{1};
    RelationSlots slots;
    std::vector<RelationPtr> tables(3);  // those that are gone are replaced, in their slots
    for (int step = 0; step < 200; ++step) {
        RelationPtr& table = tables[random() % tables.size()];
        if (table == nullptr || random() % 3 == 0) {
            table.reset();
            Relation made = users_;
            made.name = "t" + std::to_string(random() % 4);
            for (auto added = random() % 4; added > 0; --added) {
                made.columns.push_back(
                    test::column("c" + std::to_string(step) + "_" + std::to_string(added)));
            }
            table = slots.make(std::move(made));
            ASSERT_LT(table->slot, tables.size());
        }
        Changes changes;
        changes.begin(1, Lsn{100});
        std::vector<Cell> row{changes.text("1")};
        row.resize(table->columns.size(), Changes::null());
        changes.insert(*table, row);
        RecordBatch out;
        ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
        RecordBatch expected;
        ASSERT_TRUE(encode_all(*make(InvalidUtf8::fail), changes.batch(), expected));
        ASSERT_EQ(out.records[0].key, expected.records[0].key);
        ASSERT_EQ(out.records[0].value, expected.records[0].value);
    }
}

TEST_P(FormatConformanceTest, ABatchCanBeWrittenFromAnyChangeOn) {
    Changes changes;
    for (std::uint32_t xid = 1; xid <= 3; ++xid) {
        changes.begin(xid, Lsn{std::uint64_t{100} * xid});
        for (int row = 0; row < 3; ++row) {
            changes.insert(users_, {changes.text(std::to_string(row)), Changes::null()});
        }
    }
    RecordBatch whole;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), whole));
    for (std::size_t from = 0; from <= changes.batch().changes.size(); ++from) {
        RecordBatch out;
        const auto encoded = encode_from(*format_, changes.batch(), from, out);
        ASSERT_TRUE(encoded);
        EXPECT_EQ(encoded->next, changes.batch().changes.size());
        ASSERT_EQ(out.records.size(), whole.records.size() - from);
        for (std::size_t i = 0; i < out.records.size(); ++i) {
            EXPECT_EQ(out.records[i].value, whole.records[from + i].value);
            EXPECT_EQ(out.records[i].commit_lsn, whole.records[from + i].commit_lsn);
            EXPECT_EQ(out.records[i].change, from + i);
        }
    }
}

TEST_P(FormatConformanceTest, OneChangeThatIsRefusedSpoilsNoOther) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(users_, {changes.text("1"), changes.text("fine")});
    changes.insert(users_, {changes.text("2"), changes.text("broken\xFF")});
    changes.begin(2, Lsn{9});
    changes.insert(users_, {changes.text("3"), changes.text("fine")});
    RecordBatch out;
    auto encoded = encode_from(*format_, changes.batch(), 0, out);
    ASSERT_TRUE(encoded);
    ASSERT_EQ(encoded->why, Encoded::Why::refused);
    EXPECT_EQ(encoded->next, 1U);
    EXPECT_EQ(out.records.size(), 1U) << "nothing is left of it";
    encoded = encode_from(*format_, changes.batch(), encoded->next + 1, out);
    ASSERT_TRUE(encoded);
    EXPECT_EQ(encoded->why, Encoded::Why::all);
    ASSERT_EQ(out.records.size(), 2U);
    EXPECT_EQ(out.records[1].commit_lsn, Lsn{9});
}

TEST_P(FormatConformanceTest, TableChangesAndMessagesAreRecordsToo) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.truncate(users_);
    changes.message("prefix", "content", false);
    RecordBatch out;
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    ASSERT_EQ(out.records.size(), 2U);
    EXPECT_EQ(out.records[0].relation, &users_);
    EXPECT_EQ(out.records[1].relation, nullptr);
}

TEST_P(FormatConformanceTest, RecordsOutliveTheBatchTheyCameFrom) {
    RecordBatch out;
    {
        Changes changes;
        changes.begin(1, Lsn{5});
        changes.insert(users_, {changes.text("7"), changes.text("name")});
        ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    }
    EXPECT_NE(out.records.at(0).value.find("name"), std::string_view::npos);
    EXPECT_EQ(GetParam().problem(out.records.at(0).value), "");
}

TEST_P(FormatConformanceTest, AMemoryThatWasClearedIsUsedAgain) {
    RecordBatch out;
    Changes changes;
    changes.begin(1, Lsn{5});
    for (int row = 0; row < 100; ++row) {
        changes.insert(users_, {changes.text("7"), changes.text("name")});
    }
    ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    const std::size_t capacity = out.arena.capacity();
    for (int round = 0; round < 50; ++round) {
        out.clear();
        ASSERT_TRUE(encode_all(*format_, changes.batch(), out));
    }
    EXPECT_EQ(out.arena.capacity(), capacity);
}

TEST_P(FormatConformanceTest, WhateverTheRowsTheTextsAreWellFormed) {
    for (std::uint32_t seed = 1; seed <= 500; ++seed) {
        std::mt19937 random{seed};
        HostileRows rows{[&] { return static_cast<std::uint32_t>(random()); }};
        const auto format = make(static_cast<InvalidUtf8>(seed % 3));
        const Relation relation = rows.relation();
        Changes changes;
        changes.begin(1, Lsn{5});
        rows.change(changes, relation);
        RecordBatch out;
        if (!encode_all(*format, changes.batch(), out)) {
            continue;
        }
        for (const Record& record : out.records) {
            ASSERT_EQ(GetParam().problem(record.value), "") << "seed " << seed;
            if (record.has_key) {
                ASSERT_EQ(GetParam().problem(record.key), "") << "seed " << seed;
            }
        }
    }
}

TEST_P(FormatConformanceTest, AnErrorNamesThePlaceAndNotTheValue) {
    Changes changes;
    changes.begin(1, Lsn{5});
    changes.insert(users_, {changes.text("1"), changes.text("secret\xFF")});
    RecordBatch out;
    const auto done = encode_all(*format_, changes.batch(), out);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().where.find("public.users"), std::string::npos);
    EXPECT_NE(done.error().where.find("name"), std::string::npos);
    EXPECT_NE(done.error().where.find("0/1634FA0"), std::string::npos);
    EXPECT_EQ(describe(done.error()).find("secret"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Formats, FormatConformanceTest, testing::ValuesIn(kFormats),
                         [](const auto& made) { return std::string{made.param.name}; });

}  // namespace
}  // namespace pgc
