// Any bytes as a message of the copy-both stream, with and without its envelope.
//
// The first byte chooses: bit 0, inside a stream block; bits 1 to 7, the number of columns
// the relation is said to have. The rest is the message.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "postgres/pgoutput/envelope.h"
#include "postgres/pgoutput/messages.h"
#include "postgres/pgoutput/row.h"

namespace {

using namespace pgc;

// Reads every byte a view covers, so that a view beyond the message is seen.
void touch(std::string_view view) {
    static volatile unsigned char sink = 0;
    for (const char c : view) {
        sink = static_cast<unsigned char>(sink ^ static_cast<unsigned char>(c));
    }
}

void decode_rows(std::string_view message, bool in_stream_block, std::size_t columns) {
    const auto head = pgoutput::peek_row(message, in_stream_block);
    if (!head) {
        return;
    }
    std::vector<Cell> before(columns);
    std::vector<Cell> after(columns);
    if (pgoutput::decode_row(*head, before, after)) {
        for (const auto* cells : {&before, &after}) {
            for (const Cell& cell : *cells) {
                touch(cell.bytes());
            }
        }
    }
}

void decode_streamable(std::string_view message, bool in_stream_block) {
    if (const auto relation = pgoutput::decode_relation(message, in_stream_block)) {
        touch(relation->schema);
        touch(relation->name);
        for (const auto& column : relation->columns) {
            touch(column.name);
        }
    }
    if (const auto type = pgoutput::decode_type(message, in_stream_block)) {
        touch(type->schema);
        touch(type->name);
    }
    if (const auto logical = pgoutput::decode_logical_message(message, in_stream_block)) {
        touch(logical->prefix);
        touch(logical->content);
    }
    static_cast<void>(pgoutput::decode_truncate(message, in_stream_block));
}

void decode_others(std::string_view message) {
    static_cast<void>(pgoutput::kind_of(message));
    static_cast<void>(pgoutput::decode_begin(message));
    static_cast<void>(pgoutput::decode_commit(message));
    static_cast<void>(pgoutput::decode_stream_start(message));
    static_cast<void>(pgoutput::decode_stream_stop(message));
    static_cast<void>(pgoutput::decode_stream_commit(message));
    static_cast<void>(pgoutput::decode_stream_abort(message));
    if (const auto origin = pgoutput::decode_origin(message)) {
        touch(origin->name);
    }
    for (const auto decode : {pgoutput::decode_begin_prepare, pgoutput::decode_prepare,
                              pgoutput::decode_stream_prepare}) {
        if (const auto prepare = decode(message)) {
            touch(prepare->gid);
        }
    }
    if (const auto commit = pgoutput::decode_commit_prepared(message)) {
        touch(commit->gid);
    }
    if (const auto rollback = pgoutput::decode_rollback_prepared(message)) {
        touch(rollback->gid);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (bytes.empty()) {
        return 0;
    }
    const auto choice = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);

    static_cast<void>(pgoutput::decode_keepalive(bytes));
    if (const auto enveloped = pgoutput::decode_xlog_data(bytes)) {
        bytes = enveloped->message;
    }
    decode_rows(bytes, (choice & 1U) != 0, choice >> 1U);
    decode_streamable(bytes, (choice & 1U) != 0);
    decode_others(bytes);
    return 0;
}
