#include "postgres/pgoutput/messages.h"

#include <cstddef>
#include <utility>

#include "base/byte_cursor.h"
#include "postgres/pgoutput/times.h"

namespace pgc::pgoutput {
namespace {

// PostgreSQL's MaxHeapAttributeNumber.
constexpr std::size_t kMaxColumns = 1600;
// Of a column in a Relation message: flags, an empty name's zero, type, modifier.
constexpr std::size_t kMinColumnSize = 1 + 1 + 4 + 4;

// Reads one message's fields in their order; what went wrong first is what finish() says.
class Fields {
public:
    Fields(std::string_view message, MessageKind kind) noexcept : in_(message) {
        const auto first = in_.read<std::uint8_t>();
        if (!in_.overrun() && static_cast<char>(first) != static_cast<char>(kind)) {
            fail(DecodeError::wrong_message);
        }
    }

    std::uint8_t byte() noexcept { return in_.read<std::uint8_t>(); }
    std::uint16_t uint16() noexcept { return in_.read<std::uint16_t>(); }
    std::uint32_t uint32() noexcept { return in_.read<std::uint32_t>(); }
    std::int32_t int32() noexcept { return in_.read<std::int32_t>(); }
    Lsn lsn() noexcept { return Lsn{in_.read<std::uint64_t>()}; }
    WallTime time() noexcept { return from_wire(in_.read<std::uint64_t>()); }
    Xid xid() noexcept { return Xid{uint32()}; }
    Xid xid_if(bool in_stream_block) noexcept { return in_stream_block ? xid() : Xid{}; }
    Oid oid() noexcept { return Oid{uint32()}; }
    std::string_view string() noexcept { return in_.take_string(); }
    std::string_view schema() noexcept {
        const auto name = string();
        return name.empty() ? std::string_view{"pg_catalog"} : name;
    }
    std::string_view bytes(std::size_t n) noexcept { return in_.take(n); }
    std::size_t remaining() const noexcept { return in_.remaining(); }

    void no_flags() noexcept {
        if (byte() != 0) {
            fail(DecodeError::flags);
        }
    }
    void fail(DecodeError error) noexcept {
        if (!in_.overrun() && !failed_) {
            failed_ = true;
            error_ = error;
        }
    }

    bool ok() const noexcept { return !failed_ && !in_.overrun(); }
    DecodeError error() const noexcept { return failed_ ? error_ : DecodeError::truncated; }

    template <typename T>
    Decoded<T> finish(T message) const {
        if (!ok()) {
            return std::unexpected(error());
        }
        if (remaining() > 0) {
            return std::unexpected(DecodeError::trailing_bytes);
        }
        return message;
    }

private:
    ByteCursor in_;
    bool failed_ = false;
    DecodeError error_ = DecodeError::truncated;
};

ReplicaIdentity read_identity(Fields& in) noexcept {
    const auto letter = static_cast<char>(in.byte());
    switch (letter) {
        case 'd':
        case 'n':
        case 'f':
        case 'i': return ReplicaIdentity{letter};
        default: in.fail(DecodeError::replica_identity); return ReplicaIdentity::nothing;
    }
}

Prepare read_prepare(Fields& in) noexcept {
    Prepare message;
    message.prepare_lsn = in.lsn();
    message.end_lsn = in.lsn();
    message.prepared_at = in.time();
    message.xid = in.xid();
    message.gid = in.string();
    return message;
}

}  // namespace

Result<MessageKind, DecodeError> kind_of(std::string_view message) noexcept {
    if (message.empty()) {
        return std::unexpected(DecodeError::truncated);
    }
    constexpr std::string_view kinds = "BCORYIUDTMSEcAbPpKr";
    if (kinds.find(message.front()) == std::string_view::npos) {
        return std::unexpected(DecodeError::unknown_message);
    }
    return MessageKind{message.front()};
}

Decoded<Begin> decode_begin(std::string_view message) noexcept {
    Fields in{message, MessageKind::begin};
    Begin begin;
    begin.commit_lsn = in.lsn();
    begin.committed_at = in.time();
    begin.xid = in.xid();
    return in.finish(begin);
}

Decoded<Commit> decode_commit(std::string_view message) noexcept {
    Fields in{message, MessageKind::commit};
    Commit commit;
    in.no_flags();
    commit.commit_lsn = in.lsn();
    commit.end_lsn = in.lsn();
    commit.committed_at = in.time();
    return in.finish(commit);
}

Decoded<Origin> decode_origin(std::string_view message) noexcept {
    Fields in{message, MessageKind::origin};
    Origin origin;
    origin.commit_lsn = in.lsn();
    origin.name = in.string();
    return in.finish(origin);
}

Decoded<RelationMessage> decode_relation(std::string_view message, bool in_stream_block) {
    Fields in{message, MessageKind::relation};
    RelationMessage relation;
    relation.xid = in.xid_if(in_stream_block);
    relation.oid = in.oid();
    relation.schema = in.schema();
    relation.name = in.string();
    relation.identity = read_identity(in);
    const std::size_t count = in.uint16();
    if (count > kMaxColumns) {
        in.fail(DecodeError::column_count);
    }
    // Before a count is believed, that many columns must fit into what is left.
    if (in.ok() && in.remaining() < count * kMinColumnSize) {
        return std::unexpected(DecodeError::truncated);
    }
    if (!in.ok()) {
        return std::unexpected(in.error());
    }
    relation.columns.resize(count);
    for (RelationColumn& column : relation.columns) {
        column.identity = (in.byte() & 1U) != 0;
        column.name = in.string();
        column.type = in.oid();
        column.modifier = in.int32();
    }
    return in.finish(std::move(relation));
}

Decoded<TypeMessage> decode_type(std::string_view message, bool in_stream_block) noexcept {
    Fields in{message, MessageKind::type};
    TypeMessage type;
    type.xid = in.xid_if(in_stream_block);
    type.oid = in.oid();
    type.schema = in.schema();
    type.name = in.string();
    return in.finish(type);
}

Decoded<Truncate> decode_truncate(std::string_view message, bool in_stream_block) {
    Fields in{message, MessageKind::truncate};
    Truncate truncate;
    truncate.xid = in.xid_if(in_stream_block);
    const std::size_t count = in.uint32();
    const auto options = in.byte();
    truncate.cascade = (options & 1U) != 0;
    truncate.restarts_identity = (options & 2U) != 0;
    if (!in.ok()) {
        return std::unexpected(in.error());
    }
    if (in.remaining() / sizeof(std::uint32_t) < count) {
        return std::unexpected(DecodeError::truncated);
    }
    truncate.relations.resize(count);
    for (Oid& relation : truncate.relations) {
        relation = in.oid();
    }
    return in.finish(std::move(truncate));
}

Decoded<LogicalMessage> decode_logical_message(std::string_view message,
                                               bool in_stream_block) noexcept {
    Fields in{message, MessageKind::message};
    LogicalMessage logical;
    logical.xid = in.xid_if(in_stream_block);
    logical.transactional = (in.byte() & 1U) != 0;
    logical.lsn = in.lsn();
    logical.prefix = in.string();
    logical.content = in.bytes(in.uint32());
    return in.finish(logical);
}

Decoded<StreamStart> decode_stream_start(std::string_view message) noexcept {
    Fields in{message, MessageKind::stream_start};
    StreamStart start;
    start.xid = in.xid();
    start.first = in.byte() == 1;
    return in.finish(start);
}

Decoded<void> decode_stream_stop(std::string_view message) noexcept {
    struct Nothing {};
    const auto stop = Fields{message, MessageKind::stream_stop}.finish(Nothing{});
    if (!stop) {
        return std::unexpected(stop.error());
    }
    return {};
}

Decoded<StreamCommit> decode_stream_commit(std::string_view message) noexcept {
    Fields in{message, MessageKind::stream_commit};
    StreamCommit commit;
    commit.xid = in.xid();
    in.no_flags();
    commit.commit_lsn = in.lsn();
    commit.end_lsn = in.lsn();
    commit.committed_at = in.time();
    return in.finish(commit);
}

Decoded<StreamAbort> decode_stream_abort(std::string_view message) noexcept {
    Fields in{message, MessageKind::stream_abort};
    StreamAbort abort;
    abort.xid = in.xid();
    abort.sub_xid = in.xid();
    if (in.remaining() > 0) {  // streaming=parallel
        abort.abort_lsn = in.lsn();
        abort.aborted_at = in.time();
    }
    return in.finish(abort);
}

Decoded<Prepare> decode_begin_prepare(std::string_view message) noexcept {
    Fields in{message, MessageKind::begin_prepare};
    return in.finish(read_prepare(in));
}

Decoded<Prepare> decode_prepare(std::string_view message) noexcept {
    Fields in{message, MessageKind::prepare};
    in.no_flags();
    return in.finish(read_prepare(in));
}

Decoded<Prepare> decode_stream_prepare(std::string_view message) noexcept {
    Fields in{message, MessageKind::stream_prepare};
    in.no_flags();
    return in.finish(read_prepare(in));
}

Decoded<CommitPrepared> decode_commit_prepared(std::string_view message) noexcept {
    Fields in{message, MessageKind::commit_prepared};
    CommitPrepared commit;
    in.no_flags();
    commit.commit_lsn = in.lsn();
    commit.end_lsn = in.lsn();
    commit.committed_at = in.time();
    commit.xid = in.xid();
    commit.gid = in.string();
    return in.finish(commit);
}

Decoded<RollbackPrepared> decode_rollback_prepared(std::string_view message) noexcept {
    Fields in{message, MessageKind::rollback_prepared};
    RollbackPrepared rollback;
    in.no_flags();
    rollback.prepare_end_lsn = in.lsn();
    rollback.end_lsn = in.lsn();
    rollback.prepared_at = in.time();
    rollback.rolled_back_at = in.time();
    rollback.xid = in.xid();
    rollback.gid = in.string();
    return in.finish(rollback);
}

}  // namespace pgc::pgoutput
