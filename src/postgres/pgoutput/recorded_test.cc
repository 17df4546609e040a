// Messages recorded from PostgreSQL 10 to 18 by tests/fuzz/record_corpus.py: real servers
// say what we expect of the wire, not only our own reading of the documentation.
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "postgres/pgoutput/messages.h"
#include "postgres/pgoutput/row.h"
#include "support/wire.h"

namespace pgc::pgoutput {
namespace {

struct Recorded {
    std::string name;
    std::string message;
    bool in_stream_block = false;
    std::size_t columns = 0;
};

std::vector<Recorded> recorded() {
    std::vector<Recorded> found;
    const std::filesystem::path corpus{PGC_SOURCE_DIR "/tests/fuzz/corpus/pgoutput"};
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("pg")) {
            continue;
        }
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        const auto first = static_cast<unsigned char>(bytes.at(0));
        found.push_back({name, bytes.substr(1), (first & 1) != 0, std::size_t{first} >> 1});
    }
    return found;
}

template <typename T>
Decoded<void> only_result(const Decoded<T>& decoded) {
    return decoded ? Decoded<void>{} : std::unexpected(decoded.error());
}

Decoded<void> decode_recorded_row(std::string_view bytes, const Recorded& sample) {
    const auto head = peek_row(bytes, sample.in_stream_block);
    if (!head) {
        return std::unexpected(head.error());
    }
    std::vector<Cell> before(sample.columns);
    std::vector<Cell> after(sample.columns);
    return decode_row(*head, before, after);
}

Decoded<void> decode(std::string_view bytes, const Recorded& sample) {
    const auto kind = kind_of(bytes);
    if (!kind) {
        return std::unexpected(kind.error());
    }
    const bool streamed = sample.in_stream_block;
    switch (*kind) {
        case MessageKind::begin: return only_result(decode_begin(bytes));
        case MessageKind::commit: return only_result(decode_commit(bytes));
        case MessageKind::origin: return only_result(decode_origin(bytes));
        case MessageKind::relation: return only_result(decode_relation(bytes, streamed));
        case MessageKind::type: return only_result(decode_type(bytes, streamed));
        case MessageKind::insert:
        case MessageKind::update:
        case MessageKind::remove: return decode_recorded_row(bytes, sample);
        case MessageKind::truncate: return only_result(decode_truncate(bytes, streamed));
        case MessageKind::message: return only_result(decode_logical_message(bytes, streamed));
        case MessageKind::stream_start: return only_result(decode_stream_start(bytes));
        case MessageKind::stream_stop: return decode_stream_stop(bytes);
        case MessageKind::stream_commit: return only_result(decode_stream_commit(bytes));
        case MessageKind::stream_abort: return only_result(decode_stream_abort(bytes));
        case MessageKind::begin_prepare: return only_result(decode_begin_prepare(bytes));
        case MessageKind::prepare: return only_result(decode_prepare(bytes));
        case MessageKind::stream_prepare: return only_result(decode_stream_prepare(bytes));
        case MessageKind::commit_prepared: return only_result(decode_commit_prepared(bytes));
        case MessageKind::rollback_prepared: return only_result(decode_rollback_prepared(bytes));
    }
    return std::unexpected(DecodeError::unknown_message);
}

TEST(RecordedTest, EveryMessageOfEveryServerIsDecoded) {
    std::map<std::string, int> messages_of;
    for (const Recorded& sample : recorded()) {
        const testing::ExactCopy bytes{sample.message};
        const auto result = decode(bytes.view(), sample);
        EXPECT_TRUE(result) << sample.name << ": " << text(result.error());
        ++messages_of[sample.name.substr(0, 4)];
    }
    for (int version = 10; version <= 18; ++version) {
        EXPECT_GE(messages_of["pg" + std::to_string(version)], 15) << version;
    }
}

TEST(RecordedTest, NoMessageIsAcceptedWhenItIsCutOrProlonged) {
    for (const Recorded& sample : recorded()) {
        for (std::size_t n = 0; n < sample.message.size(); ++n) {
            if (sample.name.ends_with("stream_abort_parallel") && n == 9) {
                continue;  // the shorter form of protocols 2 and 3
            }
            const testing::ExactCopy bytes{std::string_view{sample.message}.substr(0, n)};
            EXPECT_FALSE(decode(bytes.view(), sample)) << sample.name << " cut to " << n;
        }
        const testing::ExactCopy longer{sample.message + '\0'};
        EXPECT_FALSE(decode(longer.view(), sample)) << sample.name;
    }
}

}  // namespace
}  // namespace pgc::pgoutput
