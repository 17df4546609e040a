// What a source that can read the rows before the stream (core/snapshot.h) promises the pipeline.
//
// Its rows come from Source::read(), in batches of kSnapshotLane; here is what is asked of it and
// how far it got. It belongs to the source: alive from Source::start() to the source's end.
//
// What is left is a text in the source's own form, which changes when revision() does:
//
//   durable(position) ─▶ progress(), revision() ─▶ stored with the stream's position ─▶
//   stored(revision)
//
// Threads: owned and called by the pipeline thread alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/position.h"
#include "core/snapshot.h"

namespace pgc {

class SnapshotSource {
public:
    SnapshotSource() = default;
    SnapshotSource(const SnapshotSource&) = delete;
    SnapshotSource& operator=(const SnapshotSource&) = delete;
    virtual ~SnapshotSource() = default;

    // Begins or changes a snapshot. What can't be done shows in report().
    virtual void request(const SnapshotCommand& command) = 0;

    // Progress is stored together with the rows: what was read and is not stored reached nobody, so
    // it may be much. Called once, before the first read.
    virtual void is_stored_with_rows() = 0;

    // Everything of kSnapshotLane up to `position` is durable. Never moves back.
    virtual void durable(Position position) = 0;

    // Whether one of the next two would return anything. Asked at each read, so it is cheap.
    virtual bool has_news() const noexcept = 0;

    // The tables that ended since it was asked last: every row of them is durable, or they were
    // given up. In a group of tables that are shown as one, with the last of them.
    virtual std::vector<SnapshotTableEnd> take_ended() = 0;

    // What has become of tables that are reloaded, and whose rows are void, since it was asked
    // last, in its order. Of one that was ordered before start() it is said again.
    virtual std::vector<ReloadChange> take_reload_changes() = 0;

    // Something is left to be read, or was read and is not durable yet.
    virtual bool left() const noexcept = 0;
    // What is left, counting as read what is durable; empty: nothing. To be stored with the
    // position, and to be given to the next Source::start(). It has changed when its revision has;
    // that of what start() was given is 0.
    virtual std::string progress() const = 0;
    virtual std::uint64_t revision() const noexcept = 0;
    // So much of it became durable that it should be stored now.
    virtual bool is_due() const = 0;
    // progress() of this revision is stored: what it counts as read is not read again after a
    // crash.
    virtual void stored(std::uint64_t revision) = 0;

    virtual SnapshotReport report() const = 0;
};

}  // namespace pgc
