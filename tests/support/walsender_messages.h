// What a walsender sends in copy mode, one function a message: for tests that play server.
// The layouts are those of postgres/pgoutput/envelope.h, messages.h and row.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/lsn.h"
#include "support/wire.h"

namespace pgc::testing {

// The OID of the table users in tests that have one.
inline constexpr std::uint32_t kUsers = 16384;

// A column of a row on the wire.
struct Sent {
    char kind = 't';  // t(ext) b(inary) n(ull) u(nchanged)
    std::string bytes;

    Sent(const char* text) : bytes(text) {}             // NOLINT: reads as a value
    Sent(std::string text) : bytes(std::move(text)) {}  // NOLINT: reads as a value
    Sent(char k, std::string b) : kind(k), bytes(std::move(b)) {}
};
inline const Sent kNull{'n', {}};
inline const Sent kUnchanged{'u', {}};
using SentRow = std::vector<Sent>;

struct SentColumn {
    std::string name;
    std::uint32_t type = 25;  // text
    bool identity = false;
    std::int32_t modifier = -1;
};

inline std::string keepalive(Lsn end, bool reply = false) {
    return Wire{'k'}.put(end.value).int64(7).int8(reply ? 1 : 0).bytes();
}

inline std::string xlog_data(Lsn at, std::string_view message) {
    return Wire{'w'}.put(at.value).put(at.value).int64(0).raw(message).bytes();
}

inline std::string begin(Lsn commit, std::uint32_t xid, Lsn at = {}) {
    return xlog_data(at, Wire{'B'}.put(commit.value).int64(1000).uint32(xid));
}

inline std::string commit(Lsn commit, Lsn end) {
    return xlog_data(end, Wire{'C'}.int8(0).put(commit.value).put(end.value).int64(1000));
}

inline std::string relation(std::uint32_t oid, std::string_view schema, std::string_view name,
                            char identity, const std::vector<SentColumn>& columns) {
    Wire wire{'R'};
    wire.uint32(oid).string(schema).string(name).letter(identity);
    wire.int16(static_cast<std::int16_t>(columns.size()));
    for (const SentColumn& column : columns) {
        wire.int8(column.identity ? 1 : 0).string(column.name);
        wire.uint32(column.type).int32(column.modifier);
    }
    return xlog_data({}, wire);
}

inline std::string type(std::uint32_t oid, std::string_view schema, std::string_view name) {
    return xlog_data({}, Wire{'Y'}.uint32(oid).string(schema).string(name));
}

inline void put_row(Wire& wire, char tag, const SentRow& row) {
    wire.letter(tag).int16(static_cast<std::int16_t>(row.size()));
    for (const Sent& column : row) {
        wire.letter(column.kind);
        if (column.kind == 't' || column.kind == 'b') wire.sized(column.bytes);
    }
}

inline std::string insert(Lsn at, std::uint32_t oid, const SentRow& row) {
    Wire wire{'I'};
    wire.uint32(oid);
    put_row(wire, 'N', row);
    return xlog_data(at, wire);
}

// `tag` of the old row: K(ey only) or O(ld, whole).
inline std::string update(Lsn at, std::uint32_t oid, const SentRow& row) {
    Wire wire{'U'};
    wire.uint32(oid);
    put_row(wire, 'N', row);
    return xlog_data(at, wire);
}
inline std::string update(Lsn at, std::uint32_t oid, char tag, const SentRow& old,
                          const SentRow& row) {
    Wire wire{'U'};
    wire.uint32(oid);
    put_row(wire, tag, old);
    put_row(wire, 'N', row);
    return xlog_data(at, wire);
}

inline std::string remove(Lsn at, std::uint32_t oid, char tag, const SentRow& old) {
    Wire wire{'D'};
    wire.uint32(oid);
    put_row(wire, tag, old);
    return xlog_data(at, wire);
}

inline std::string truncate(Lsn at, const std::vector<std::uint32_t>& oids, int options = 0) {
    Wire wire{'T'};
    wire.int32(static_cast<std::int32_t>(oids.size())).int8(static_cast<std::int8_t>(options));
    for (const std::uint32_t oid : oids) wire.uint32(oid);
    return xlog_data(at, wire);
}

inline std::string logical_message(Lsn lsn, bool transactional, std::string_view prefix,
                                   std::string_view content) {
    return xlog_data(
        lsn, Wire{'M'}.int8(transactional ? 1 : 0).put(lsn.value).string(prefix).sized(content));
}

inline std::string stream_start(std::uint32_t xid, bool first) {
    return xlog_data({}, Wire{'S'}.uint32(xid).int8(first ? 1 : 0));
}
inline std::string stream_stop() {
    return xlog_data({}, Wire{'E'});
}
inline std::string stream_commit(std::uint32_t xid, Lsn commit, Lsn end) {
    return xlog_data(end,
                     Wire{'c'}.uint32(xid).int8(0).put(commit.value).put(end.value).int64(1000));
}
inline std::string stream_abort(std::uint32_t xid, std::uint32_t sub_xid) {
    return xlog_data({}, Wire{'A'}.uint32(xid).uint32(sub_xid));
}

// Begin Prepare ('b'), Prepare ('P'), Stream Prepare ('p') or Commit Prepared ('K').
inline std::string prepared(char kind, std::uint32_t xid, Lsn at, Lsn end,
                            std::string_view gid = "gid") {
    Wire wire{kind};
    if (kind != 'b') wire.int8(0);
    return xlog_data(kind == 'b' ? Lsn{} : end,
                     wire.put(at.value).put(end.value).int64(1000).uint32(xid).string(gid));
}
inline std::string rollback_prepared(std::uint32_t xid, Lsn prepare_end, Lsn end,
                                     std::string_view gid = "gid") {
    return xlog_data(end, Wire{'r'}
                              .int8(0)
                              .put(prepare_end.value)
                              .put(end.value)
                              .int64(1000)
                              .int64(2000)
                              .uint32(xid)
                              .string(gid));
}
// The message as it is inside a stream block, of this (sub)transaction.
inline std::string in_block(std::uint32_t xid, const std::string& message) {
    constexpr std::size_t kind = 1 + 3 * 8;
    return message.substr(0, kind + 1) + Wire{}.uint32(xid).bytes() + message.substr(kind + 1);
}

inline std::string origin(Lsn lsn, std::string_view name) {
    return xlog_data({}, Wire{'O'}.put(lsn.value).string(name));
}

}  // namespace pgc::testing
