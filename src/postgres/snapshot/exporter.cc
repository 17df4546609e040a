#include "postgres/snapshot/exporter.h"

#include <cstddef>
#include <utility>

#include "pgclient/answer.h"
#include "postgres/snapshot/statements.h"

namespace pgc {

namespace {

constexpr std::size_t kSlotName_max = 63;

std::string temporary_slot(std::string_view slot) {
    constexpr std::string_view suffix = "_snapshot";
    return std::string{slot.substr(0, kSlotName_max - suffix.size())} + std::string{suffix};
}

}  // namespace

SnapshotExporter::SnapshotExporter(LinkFactory& links, std::string_view slot,
                                   Duration connect_patience)
    : links_(links), slot_(temporary_slot(slot)), connect_patience_(connect_patience) {}

void SnapshotExporter::begin(Instant now) {
    state_ = State::connecting;
    deadline_ = now + connect_patience_;
}

Result<const ExportedSnapshot*> SnapshotExporter::step(Instant now) {
    Result<void> done;
    if (state_ == State::dropping) done = take_dropped();
    if (done && state_ == State::connecting) done = connect(now);
    if (done && state_ == State::creating) done = take_created();
    if (!done) return std::unexpected(lose(std::move(done.error())));
    return state_ == State::exported ? &exported_ : nullptr;
}

Result<void> SnapshotExporter::connect(Instant now) {
    if (!link_) {
        auto made = links_.make(LinkFactory::Use::replication);
        if (!made) return std::unexpected(std::move(made.error()));
        link_ = std::move(*made);
        connected_ = false;
    }
    if (!connected_) {
        const auto connecting = link_->connect();
        if (!connecting) return std::unexpected(connecting.error());
        waits_ = *connecting;
        if (waits_ != Link::Connecting::done) {
            if (now < deadline_) return {};
            return std::unexpected(
                retry(Error::Category::connection, "no connection to make a snapshot with"));
        }
        connected_ = true;
    }
    if (auto sent = link_->send(create_temporary_slot_command(link_->server_version(), slot_));
        !sent) {
        return sent;
    }
    deadline_ = kNever;
    state_ = State::creating;
    return {};
}

Result<void> SnapshotExporter::take_created() {
    const auto rows = link_->result();
    if (!rows) {
        Error error = rows.error();
        // The server still has the one of a session that has gone: it notices late.
        if (link_->sqlstate() == "42710") error.next = Error::Next::retry;
        return std::unexpected(std::move(error));
    }
    if (!*rows) return {};
    Answer row{**rows};
    exported_ = {.name = row.text("snapshot_name"), .at = row.lsn("consistent_point")};
    if (!row.sound() || exported_.name.empty()) {
        return std::unexpected(strange_answer("the temporary slot"));
    }
    state_ = State::exported;
    return {};
}

void SnapshotExporter::release() {
    // What the server is still making can't be called off but with the connection.
    if (state_ == State::exported && link_->send(drop_slot_command(slot_))) {
        state_ = State::dropping;
        return;
    }
    if (state_ == State::dropping) return;
    link_.reset();
    state_ = State::idle;
}

Result<void> SnapshotExporter::take_dropped() {
    const auto rows = link_->result();
    if (!rows) return std::unexpected(rows.error());
    if (*rows) state_ = State::idle;
    return {};
}

Error SnapshotExporter::lose(Error error) {
    link_.reset();
    deadline_ = kNever;
    const bool was_dropping = std::exchange(state_, State::idle) == State::dropping;
    if (was_dropping) error.next = Error::Next::retry;  // gone with its session anyway
    return error;
}

void SnapshotExporter::wants(Wants& wants) const {
    wants.until(deadline_);
    if (state_ == State::idle || state_ == State::exported) return;
    if (!link_) {
        wants.until(Instant{});
        return;
    }
    if (state_ == State::connecting && waits_ == Link::Connecting::wait_writable) {
        wants.writable(link_->fd());
    } else {
        wants.interests.push_back({link_->fd(), true, link_->wants_to_write()});
    }
}

}  // namespace pgc
