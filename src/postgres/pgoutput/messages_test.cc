#include "postgres/pgoutput/messages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "support/wire.h"

namespace pgc::pgoutput {
namespace {

using testing::ExactCopy;
using testing::Wire;

constexpr WallTime wall(std::int64_t us_since_2000) {
    return {946'684'800'000'000 + us_since_2000};
}

// Every kind of message once, with how it is decoded.
struct Sample {
    std::string name;
    std::string message;
    std::function<Decoded<void>(std::string_view)> decode;
    std::size_t also_valid_prefix = 0;  // a shorter form that is a message, too
};

template <typename Decode, typename... More>
auto only_result(Decode decode, More... more) {
    return [=](std::string_view message) -> Decoded<void> {
        const auto result = decode(message, more...);
        if (!result) {
            return std::unexpected(result.error());
        }
        return {};
    };
}

Wire& prepared(Wire& to) {
    return to.int64(0x10).int64(0x20).int64(5).int32(7).string("my gid");
}
std::string prepared_message(char kind) {
    Wire wire{kind};
    if (kind != 'b') {
        wire.int8(0);
    }
    return prepared(wire).bytes();
}

std::string relation_message(bool streamed) {
    Wire wire{'R'};
    if (streamed) {
        wire.int32(7);
    }
    return wire.int32(16385)
        .string("public")
        .string("users")
        .letter('d')
        .int16(2)
        .int8(1)
        .string("id")
        .int32(23)
        .int32(-1)
        .int8(0)
        .string("price")
        .int32(1700)
        .int32(655366)
        .bytes();
}
std::string type_message(bool streamed) {
    Wire wire{'Y'};
    if (streamed) {
        wire.int32(7);
    }
    return wire.int32(16390).string("public").string("mood").bytes();
}
std::string truncate_message(bool streamed) {
    Wire wire{'T'};
    if (streamed) {
        wire.int32(7);
    }
    return wire.int32(2).int8(3).int32(16385).int32(16386).bytes();
}
std::string logical_message(bool streamed) {
    Wire wire{'M'};
    if (streamed) {
        wire.int32(7);
    }
    return wire.int8(1).int64(0x30).string("prefix").sized("content").bytes();
}

std::vector<Sample> samples() {
    return {
        {"Begin", Wire{'B'}.int64(0x10).int64(5).int32(7).bytes(), only_result(decode_begin)},
        {"Commit", Wire{'C'}.int8(0).int64(0x10).int64(0x20).int64(5).bytes(),
         only_result(decode_commit)},
        {"Origin", Wire{'O'}.int64(0x10).string("elsewhere").bytes(), only_result(decode_origin)},
        {"Relation", relation_message(false), only_result(decode_relation, false)},
        {"streamed Relation", relation_message(true), only_result(decode_relation, true)},
        {"Type", type_message(false), only_result(decode_type, false)},
        {"streamed Type", type_message(true), only_result(decode_type, true)},
        {"Truncate", truncate_message(false), only_result(decode_truncate, false)},
        {"streamed Truncate", truncate_message(true), only_result(decode_truncate, true)},
        {"Message", logical_message(false), only_result(decode_logical_message, false)},
        {"streamed Message", logical_message(true), only_result(decode_logical_message, true)},
        {"Stream Start", Wire{'S'}.int32(7).int8(1).bytes(), only_result(decode_stream_start)},
        {"Stream Stop", "E", [](std::string_view bytes) { return decode_stream_stop(bytes); }},
        {"Stream Commit", Wire{'c'}.int32(7).int8(0).int64(0x10).int64(0x20).int64(5).bytes(),
         only_result(decode_stream_commit)},
        {"Stream Abort", Wire{'A'}.int32(7).int32(8).bytes(), only_result(decode_stream_abort)},
        {"parallel Stream Abort", Wire{'A'}.int32(7).int32(8).int64(0x10).int64(5).bytes(),
         only_result(decode_stream_abort), 9},
        {"Begin Prepare", prepared_message('b'), only_result(decode_begin_prepare)},
        {"Prepare", prepared_message('P'), only_result(decode_prepare)},
        {"Stream Prepare", prepared_message('p'), only_result(decode_stream_prepare)},
        {"Commit Prepared", prepared_message('K'), only_result(decode_commit_prepared)},
        {"Rollback Prepared",
         Wire{'r'}.int8(0).int64(1).int64(2).int64(3).int64(4).int32(7).string("my gid").bytes(),
         only_result(decode_rollback_prepared)},
    };
}

TEST(MessagesTest, AcceptsEverySample) {
    for (const Sample& sample : samples()) {
        const ExactCopy bytes{sample.message};
        EXPECT_TRUE(sample.decode(bytes.view())) << sample.name;
        EXPECT_EQ(static_cast<char>(*kind_of(bytes.view())), sample.message[0]) << sample.name;
    }
}

TEST(MessagesTest, RefusesEveryProperPrefix) {
    for (const Sample& sample : samples()) {
        for (std::size_t n = 0; n < sample.message.size(); ++n) {
            if (n > 0 && n == sample.also_valid_prefix) {
                continue;
            }
            const ExactCopy bytes{std::string_view{sample.message}.substr(0, n)};
            const auto result = sample.decode(bytes.view());
            ASSERT_FALSE(result) << sample.name << " accepted a prefix of " << n << " bytes";
            EXPECT_EQ(result.error(), DecodeError::truncated) << sample.name << ' ' << n;
        }
    }
}

TEST(MessagesTest, RefusesTrailingBytes) {
    for (const Sample& sample : samples()) {
        if (sample.name == "Stream Abort") {
            continue;  // taken for the beginning of the parallel form: truncated
        }
        const ExactCopy bytes{sample.message + '\0'};
        const auto result = sample.decode(bytes.view());
        ASSERT_FALSE(result) << sample.name;
        EXPECT_EQ(result.error(), DecodeError::trailing_bytes) << sample.name;
    }
}

TEST(MessagesTest, RefusesEveryOtherKind) {
    for (const Sample& sample : samples()) {
        for (const Sample& other : samples()) {
            if (other.message[0] == sample.message[0]) {
                continue;
            }
            const auto result = sample.decode(other.message);
            ASSERT_FALSE(result) << sample.name << " accepted " << other.name;
            EXPECT_EQ(result.error(), DecodeError::wrong_message) << sample.name;
        }
    }
}

TEST(MessagesTest, SurvivesEveryByteReplaced) {
    for (const Sample& sample : samples()) {
        for (std::size_t i = 0; i < sample.message.size(); ++i) {
            for (const int byte : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
                std::string message = sample.message;
                message[i] = static_cast<char>(byte);
                const ExactCopy bytes{message};
                if (const auto result = sample.decode(bytes.view()); !result) {
                    EXPECT_FALSE(text(result.error()).empty());
                }
            }
        }
    }
}

TEST(MessagesTest, KnowsNoOtherKinds) {
    EXPECT_EQ(kind_of("Z").error(), DecodeError::unknown_message);
    EXPECT_EQ(kind_of(std::string_view{"\0", 1}).error(), DecodeError::unknown_message);
    EXPECT_EQ(kind_of("").error(), DecodeError::truncated);
}

TEST(MessagesTest, ReadsBegin) {
    const auto begin = decode_begin(Wire{'B'}.int64(0x10).int64(5).int32(7));
    ASSERT_TRUE(begin);
    EXPECT_EQ(begin->commit_lsn, Lsn{0x10});
    EXPECT_EQ(begin->committed_at, wall(5));
    EXPECT_EQ(begin->xid, Xid{7});
}

TEST(MessagesTest, ReadsCommit) {
    const auto commit = decode_commit(Wire{'C'}.int8(0).int64(0x10).int64(0x20).int64(-5));
    ASSERT_TRUE(commit);
    EXPECT_EQ(commit->commit_lsn, Lsn{0x10});
    EXPECT_EQ(commit->end_lsn, Lsn{0x20});
    EXPECT_EQ(commit->committed_at, wall(-5));
}

TEST(MessagesTest, RefusesFlagsNoVersionDefines) {
    EXPECT_EQ(decode_commit(Wire{'C'}.int8(1).int64(0).int64(0).int64(0)).error(),
              DecodeError::flags);
    for (const char kind : {'P', 'p', 'K'}) {
        Wire wire{kind};
        prepared(wire.int8(2));
        EXPECT_EQ((kind == 'P'   ? decode_prepare(wire).error()
                   : kind == 'p' ? decode_stream_prepare(wire).error()
                                 : decode_commit_prepared(wire).error()),
                  DecodeError::flags);
    }
}

TEST(MessagesTest, ReadsOrigin) {
    const std::string message = Wire{'O'}.int64(0x10).string("elsewhere").bytes();
    const auto origin = decode_origin(message);
    ASSERT_TRUE(origin);
    EXPECT_EQ(origin->commit_lsn, Lsn{0x10});
    EXPECT_EQ(origin->name, "elsewhere");
}

TEST(MessagesTest, ReadsRelation) {
    const std::string message = relation_message(false);
    const auto relation = decode_relation(message, false);
    ASSERT_TRUE(relation);
    EXPECT_EQ(relation->oid, Oid{16385});
    EXPECT_EQ(relation->schema, "public");
    EXPECT_EQ(relation->name, "users");
    EXPECT_EQ(relation->identity, ReplicaIdentity::key);
    ASSERT_EQ(relation->columns.size(), 2U);
    EXPECT_EQ(relation->columns[0].name, "id");
    EXPECT_TRUE(relation->columns[0].identity);
    EXPECT_EQ(relation->columns[0].type, Oid{23});
    EXPECT_EQ(relation->columns[1].name, "price");
    EXPECT_FALSE(relation->columns[1].identity);
    EXPECT_EQ(relation->columns[1].modifier, 655366);
}

TEST(MessagesTest, ReadsTheXidOfStreamedMessages) {
    EXPECT_EQ(decode_relation(relation_message(true), true)->xid, Xid{7});
    EXPECT_EQ(decode_type(type_message(true), true)->xid, Xid{7});
    EXPECT_EQ(decode_truncate(truncate_message(true), true)->xid, Xid{7});
    EXPECT_EQ(decode_logical_message(logical_message(true), true)->xid, Xid{7});
}

TEST(MessagesTest, AnEmptySchemaIsTheSystemCatalog) {
    const auto relation = decode_relation(
        Wire{'R'}.int32(1255).string("").string("pg_proc").letter('n').int16(0), false);
    ASSERT_TRUE(relation);
    EXPECT_EQ(relation->schema, "pg_catalog");
    EXPECT_EQ(decode_type(Wire{'Y'}.int32(25).string("").string("text"), false)->schema,
              "pg_catalog");
}

TEST(MessagesTest, KnowsTheFourReplicaIdentities) {
    for (const char identity : {'d', 'n', 'f', 'i'}) {
        const auto relation = decode_relation(
            Wire{'R'}.int32(1).string("s").string("t").letter(identity).int16(0), false);
        ASSERT_TRUE(relation) << identity;
        EXPECT_EQ(static_cast<char>(relation->identity), identity);
    }
    EXPECT_EQ(
        decode_relation(Wire{'R'}.int32(1).string("s").string("t").letter('x').int16(0), false)
            .error(),
        DecodeError::replica_identity);
}

TEST(MessagesTest, ReadsARelationOf1600Columns) {
    Wire wire{'R'};
    wire.int32(1).string("s").string("t").letter('d').int16(1600);
    for (int i = 0; i < 1600; ++i) {
        wire.int8(0).string("c").int32(25).int32(-1);
    }
    const auto relation = decode_relation(wire, false);
    ASSERT_TRUE(relation);
    EXPECT_EQ(relation->columns.size(), 1600U);
}

TEST(MessagesTest, RefusesColumnCountsThatLie) {
    const auto count = [](std::int16_t n) {
        return decode_relation(
                   Wire{'R'}.int32(1).string("s").string("t").letter('d').int16(n).raw("......"),
                   false)
            .error();
    };
    EXPECT_EQ(count(1), DecodeError::truncated);
    EXPECT_EQ(count(1600), DecodeError::truncated);
    EXPECT_EQ(count(1601), DecodeError::column_count);
    EXPECT_EQ(count(-1), DecodeError::column_count);
}

TEST(MessagesTest, ReadsType) {
    const std::string message = type_message(false);
    const auto type = decode_type(message, false);
    ASSERT_TRUE(type);
    EXPECT_EQ(type->oid, Oid{16390});
    EXPECT_EQ(type->schema, "public");
    EXPECT_EQ(type->name, "mood");
}

TEST(MessagesTest, ReadsTruncate) {
    const auto truncate = decode_truncate(truncate_message(false), false);
    ASSERT_TRUE(truncate);
    EXPECT_EQ(truncate->relations, (std::vector{Oid{16385}, Oid{16386}}));
    EXPECT_TRUE(truncate->cascade);
    EXPECT_TRUE(truncate->restarts_identity);
}

TEST(MessagesTest, TellsTheOptionsOfTruncateApart) {
    EXPECT_TRUE(decode_truncate(Wire{'T'}.int32(0).int8(1), false)->cascade);
    EXPECT_FALSE(decode_truncate(Wire{'T'}.int32(0).int8(1), false)->restarts_identity);
    EXPECT_TRUE(decode_truncate(Wire{'T'}.int32(0).int8(2), false)->restarts_identity);
    EXPECT_FALSE(decode_truncate(Wire{'T'}.int32(0).int8(2), false)->cascade);
}

TEST(MessagesTest, RefusesRelationCountsThatLie) {
    for (const std::uint32_t lie : {2U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        EXPECT_EQ(decode_truncate(Wire{'T'}.uint32(lie).int8(0).int32(1), false).error(),
                  DecodeError::truncated)
            << lie;
    }
}

TEST(MessagesTest, ReadsALogicalMessage) {
    const std::string bytes = logical_message(false);
    const auto message = decode_logical_message(bytes, false);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->transactional);
    EXPECT_EQ(message->lsn, Lsn{0x30});
    EXPECT_EQ(message->prefix, "prefix");
    EXPECT_EQ(message->content, "content");
}

TEST(MessagesTest, ReadsALogicalMessageOutsideATransaction) {
    const auto message =
        decode_logical_message(Wire{'M'}.int8(0).int64(0x30).string("").sized(""), false);
    ASSERT_TRUE(message);
    EXPECT_FALSE(message->transactional);
    EXPECT_TRUE(message->prefix.empty());
    EXPECT_TRUE(message->content.empty());
}

TEST(MessagesTest, RefusesContentLengthsThatLie) {
    for (const std::uint32_t lie : {3U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        const ExactCopy bytes{Wire{'M'}.int8(0).int64(0).string("p").uint32(lie).raw("ab")};
        EXPECT_EQ(decode_logical_message(bytes.view(), false).error(), DecodeError::truncated);
    }
}

TEST(MessagesTest, RefusesAStringWithoutEnd) {
    const ExactCopy bytes{Wire{'O'}.int64(0x10).raw("elsewhere")};
    EXPECT_EQ(decode_origin(bytes.view()).error(), DecodeError::truncated);
}

TEST(MessagesTest, ReadsStreamBlocks) {
    const auto start = decode_stream_start(Wire{'S'}.int32(7).int8(1));
    ASSERT_TRUE(start);
    EXPECT_EQ(start->xid, Xid{7});
    EXPECT_TRUE(start->first);
    EXPECT_FALSE(decode_stream_start(Wire{'S'}.int32(7).int8(0))->first);
    EXPECT_TRUE(decode_stream_stop("E"));
}

TEST(MessagesTest, ReadsStreamCommit) {
    const auto commit =
        decode_stream_commit(Wire{'c'}.int32(7).int8(0).int64(0x10).int64(0x20).int64(5));
    ASSERT_TRUE(commit);
    EXPECT_EQ(commit->xid, Xid{7});
    EXPECT_EQ(commit->commit_lsn, Lsn{0x10});
    EXPECT_EQ(commit->end_lsn, Lsn{0x20});
    EXPECT_EQ(commit->committed_at, wall(5));
}

TEST(MessagesTest, ReadsStreamAbort) {
    const auto abort = decode_stream_abort(Wire{'A'}.int32(7).int32(8));
    ASSERT_TRUE(abort);
    EXPECT_EQ(abort->xid, Xid{7});
    EXPECT_EQ(abort->sub_xid, Xid{8});
    EXPECT_FALSE(abort->abort_lsn);
}

TEST(MessagesTest, ReadsTheLongerStreamAbortOfParallelStreaming) {
    const auto abort = decode_stream_abort(Wire{'A'}.int32(7).int32(8).int64(0x10).int64(5));
    ASSERT_TRUE(abort);
    EXPECT_EQ(abort->abort_lsn, Lsn{0x10});
    EXPECT_EQ(abort->aborted_at, wall(5));
}

TEST(MessagesTest, ReadsTheThreePrepares) {
    for (const char kind : {'b', 'P', 'p'}) {
        const std::string message = prepared_message(kind);
        const auto prepare = kind == 'b'   ? decode_begin_prepare(message)
                             : kind == 'P' ? decode_prepare(message)
                                           : decode_stream_prepare(message);
        ASSERT_TRUE(prepare) << kind;
        EXPECT_EQ(prepare->prepare_lsn, Lsn{0x10});
        EXPECT_EQ(prepare->end_lsn, Lsn{0x20});
        EXPECT_EQ(prepare->prepared_at, wall(5));
        EXPECT_EQ(prepare->xid, Xid{7});
        EXPECT_EQ(prepare->gid, "my gid");
    }
}

TEST(MessagesTest, ReadsCommitPrepared) {
    const std::string message = prepared_message('K');
    const auto commit = decode_commit_prepared(message);
    ASSERT_TRUE(commit);
    EXPECT_EQ(commit->commit_lsn, Lsn{0x10});
    EXPECT_EQ(commit->end_lsn, Lsn{0x20});
    EXPECT_EQ(commit->committed_at, wall(5));
    EXPECT_EQ(commit->xid, Xid{7});
    EXPECT_EQ(commit->gid, "my gid");
}

TEST(MessagesTest, ReadsRollbackPrepared) {
    const std::string message =
        Wire{'r'}.int8(0).int64(1).int64(2).int64(3).int64(4).int32(7).string("my gid").bytes();
    const auto rollback = decode_rollback_prepared(message);
    ASSERT_TRUE(rollback);
    EXPECT_EQ(rollback->prepare_end_lsn, Lsn{1});
    EXPECT_EQ(rollback->end_lsn, Lsn{2});
    EXPECT_EQ(rollback->prepared_at, wall(3));
    EXPECT_EQ(rollback->rolled_back_at, wall(4));
    EXPECT_EQ(rollback->xid, Xid{7});
    EXPECT_EQ(rollback->gid, "my gid");
}

TEST(MessagesTest, SurvivesTimesNoServerSends) {
    EXPECT_TRUE(decode_begin(Wire{'B'}.int64(0x10).int64(0x7FFFFFFFFFFFFFFF).int32(7)));
}

TEST(DecodeErrorTest, EveryErrorHasAText) {
    using enum DecodeError;
    std::vector<std::string_view> texts;
    for (const auto error : {truncated, trailing_bytes, unknown_message, wrong_message, flags,
                             column_count, column_kind, tuple_tag, replica_identity}) {
        texts.push_back(text(error));
    }
    std::ranges::sort(texts);
    EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end());
}

}  // namespace
}  // namespace pgc::pgoutput
