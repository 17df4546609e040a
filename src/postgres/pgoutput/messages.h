// pgoutput's messages but for rows (row.h), protocol versions 1 to 4.
//
//   Begin              'B' Int64 commit-lsn  Int64 time  Int32 xid
//   Commit             'C' Int8 0  Int64 commit-lsn  Int64 end-lsn  Int64 time
//   Origin             'O' Int64 lsn  String name
//   Relation           'R' [Int32 xid] Int32 oid  String schema  String name  Int8 identity
//                          Int16 n, n × (Int8 flags  String name  Int32 type  Int32 modifier)
//   Type               'Y' [Int32 xid] Int32 oid  String schema  String name
//   Truncate           'T' [Int32 xid] Int32 n  Int8 options  n × Int32 oid
//   Message            'M' [Int32 xid] Int8 flags  Int64 lsn  String prefix  Int32 n  n bytes
//  since 2:
//   Stream Start       'S' Int32 xid  Int8 first
//   Stream Stop        'E'
//   Stream Commit      'c' Int32 xid  Int8 0  Int64 commit-lsn  Int64 end-lsn  Int64 time
//   Stream Abort       'A' Int32 xid  Int32 subxid [Int64 abort-lsn  Int64 time]
//  since 3:
//   Begin Prepare      'b' Prepared
//   Prepare            'P' Int8 0  Prepared
//   Stream Prepare     'p' Int8 0  Prepared
//   Commit Prepared    'K' Int8 0  Prepared, of the commit
//   Rollback Prepared  'r' Int8 0  Int64 prepare-end-lsn  Int64 end-lsn  Int64 prepare-time
//                          Int64 time  Int32 xid  String gid
//   where Prepared is  Int64 lsn  Int64 end-lsn  Int64 time  Int32 xid  String gid
//
// [Int32 xid] is there only inside a stream block, between Stream Start and Stream Stop.
// [Int64 abort-lsn, Int64 time] only with streaming=parallel (protocol 4). Strings end with
// a zero. Times are microseconds since 2000-01-01 UTC, given out as WallTime. An empty
// schema means pg_catalog.
//
// Pure functions: views point into the message, nothing else is kept. Each refuses a message
// of another kind, a message that is too short, and one that is too long.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "core/relation.h"
#include "postgres/pgoutput/decode_error.h"

namespace pgc::pgoutput {

enum class MessageKind : char {
    begin = 'B',
    commit = 'C',
    origin = 'O',
    relation = 'R',
    type = 'Y',
    insert = 'I',
    update = 'U',
    remove = 'D',
    truncate = 'T',
    message = 'M',
    stream_start = 'S',
    stream_stop = 'E',
    stream_commit = 'c',
    stream_abort = 'A',
    begin_prepare = 'b',
    prepare = 'P',
    stream_prepare = 'p',
    commit_prepared = 'K',
    rollback_prepared = 'r',
};

// Looks at the first byte only.
[[nodiscard]] Result<MessageKind, DecodeError> kind_of(std::string_view message) noexcept;

struct Begin {
    Lsn commit_lsn;
    WallTime committed_at;
    Xid xid;
};

struct Commit {
    Lsn commit_lsn;
    Lsn end_lsn;
    WallTime committed_at;
};

// The transaction came here by replication from another server.
struct Origin {
    Lsn commit_lsn;  // on that server
    std::string_view name;
};

struct RelationColumn {
    std::string_view name;
    Oid type;
    std::int32_t modifier = -1;
    bool identity = false;
};

struct RelationMessage {
    Xid xid;
    Oid oid;
    std::string_view schema;
    std::string_view name;
    ReplicaIdentity identity = ReplicaIdentity::key;
    std::vector<RelationColumn> columns;
};

// Announces a type that is not built in, before the Relation that uses it.
struct TypeMessage {
    Xid xid;
    Oid oid;
    std::string_view schema;
    std::string_view name;
};

struct Truncate {
    Xid xid;
    bool cascade = false;
    bool restarts_identity = false;
    std::vector<Oid> relations;
};

struct LogicalMessage {
    Xid xid;
    bool transactional = false;
    Lsn lsn;
    std::string_view prefix;
    std::string_view content;
};

struct StreamStart {
    Xid xid;
    bool first = false;  // block of this transaction
};

struct StreamCommit {
    Xid xid;
    Lsn commit_lsn;
    Lsn end_lsn;
    WallTime committed_at;
};

struct StreamAbort {
    Xid xid;
    Xid sub_xid;    // equal to xid: the whole transaction
    Lsn abort_lsn;  // none unless streaming=parallel
    WallTime aborted_at;
};

// Of Begin Prepare, Prepare and Stream Prepare.
struct Prepare {
    Lsn prepare_lsn;
    Lsn end_lsn;
    WallTime prepared_at;
    Xid xid;
    std::string_view gid;
};

struct CommitPrepared {
    Lsn commit_lsn;
    Lsn end_lsn;
    WallTime committed_at;
    Xid xid;
    std::string_view gid;
};

struct RollbackPrepared {
    Lsn prepare_end_lsn;
    Lsn end_lsn;
    WallTime prepared_at;
    WallTime rolled_back_at;
    Xid xid;
    std::string_view gid;
};

template <typename T>
using Decoded = Result<T, DecodeError>;

[[nodiscard]] Decoded<Begin> decode_begin(std::string_view message) noexcept;
[[nodiscard]] Decoded<Commit> decode_commit(std::string_view message) noexcept;
[[nodiscard]] Decoded<Origin> decode_origin(std::string_view message) noexcept;
[[nodiscard]] Decoded<RelationMessage> decode_relation(std::string_view message,
                                                       bool in_stream_block);
[[nodiscard]] Decoded<TypeMessage> decode_type(std::string_view message,
                                               bool in_stream_block) noexcept;
[[nodiscard]] Decoded<Truncate> decode_truncate(std::string_view message, bool in_stream_block);
[[nodiscard]] Decoded<LogicalMessage> decode_logical_message(std::string_view message,
                                                             bool in_stream_block) noexcept;
[[nodiscard]] Decoded<StreamStart> decode_stream_start(std::string_view message) noexcept;
[[nodiscard]] Decoded<void> decode_stream_stop(std::string_view message) noexcept;
[[nodiscard]] Decoded<StreamCommit> decode_stream_commit(std::string_view message) noexcept;
[[nodiscard]] Decoded<StreamAbort> decode_stream_abort(std::string_view message) noexcept;
[[nodiscard]] Decoded<Prepare> decode_begin_prepare(std::string_view message) noexcept;
[[nodiscard]] Decoded<Prepare> decode_prepare(std::string_view message) noexcept;
[[nodiscard]] Decoded<Prepare> decode_stream_prepare(std::string_view message) noexcept;
[[nodiscard]] Decoded<CommitPrepared> decode_commit_prepared(std::string_view message) noexcept;
[[nodiscard]] Decoded<RollbackPrepared> decode_rollback_prepared(std::string_view message) noexcept;

}  // namespace pgc::pgoutput
