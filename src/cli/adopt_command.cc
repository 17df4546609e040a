#include "cli/adopt_command.h"

#include <fmt/format.h>

#include <expected>
#include <optional>
#include <utility>

#include "cli/error_output.h"
#include "cli/position_access.h"
#include "cli/program.h"
#include "observe/json_text.h"
#include "pipeline/start_guard.h"

namespace pgc {
namespace {

// What is wanted, or what the mode says of a start without a position.
std::expected<bool, ExitCode> wants_snapshot(Invocation& invocation, SnapshotMode mode) {
    const bool yes = invocation.line.has("snapshot");
    const bool no = invocation.line.has("no-snapshot");
    if (yes && no) {
        return std::unexpected(report_usage_error(
            invocation.deps, "adopt takes --snapshot or --no-snapshot, not both"));
    }
    return yes || (!no && mode != SnapshotMode::never);
}

struct Adopted {
    std::string pipeline;
    std::string where;
    std::string slot;
    Lsn at;  // none: there is no slot yet
    bool snapshot = false;
    bool made_store = false;
};

std::string as_json(const Adopted& done) {
    std::string text = "{";
    const auto field = [&](std::string_view name, std::string_view value) {
        append_json_field(text, name, value);
        text += ',';
    };
    field("pipeline", done.pipeline);
    field("stored_in", done.where);
    field("slot", done.slot);
    field("at", done.at ? to_string(done.at) : "");
    return text + fmt::format("\"adopted\":{},\"snapshot\":{},\"store_made\":{}}}\n",
                              static_cast<bool>(done.at), done.snapshot, done.made_store);
}

std::string as_text(const Adopted& done) {
    if (!done.at) {
        return fmt::format(
            "There is no slot {} yet, so nothing is stored; {} {}. The next start makes the slot, "
            "and source.snapshot.mode says whether it reads the rows that are there.\n",
            done.slot, done.where, done.made_store ? "is made" : "is there");
    }
    return fmt::format(
        "Stored in {}: pipeline {} continues from {}, the position of slot {}.\nThe next start "
        "streams from there {}.\n",
        done.where, done.pipeline, to_string(done.at), done.slot,
        done.snapshot ? "and reads all captured tables, as READ"
                      : "only: rows that are in the tables already are not sent");
}

Error stored_already(const StoredPosition& position, const std::string& where) {
    return stop(Error::Category::position,
                "a position is stored already: " + to_string(position.resume_at) +
                    "; there is nothing to adopt")
        .at(where)
        .with_hint(
            "start pg-capture, which continues from it; pg-capture position show compares it with "
            "the slot");
}

Result<Adopted> adopt(PositionAccess& access, bool snapshot) {
    auto standing = access.look();
    if (!standing) return std::unexpected(standing.error());
    if (auto sound = standing->sound(); !sound) return std::unexpected(sound.error());
    if (auto nobody = access.require_nobody(*standing); !nobody) {
        return std::unexpected(nobody.error());
    }
    if (auto held = access.hold(*standing); !held) return std::unexpected(held.error());
    // Whoever followed it until it was held may have moved it on.
    standing = access.look();
    if (!standing) return std::unexpected(standing.error());
    auto loaded = access.load();
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    if (loaded->position) return std::unexpected(stored_already(*loaded->position, access.where()));
    Adopted done{.pipeline = access.pipeline(),
                 .where = access.where(),
                 .slot = access.slot(),
                 .at = standing->identity.slot_confirmed,
                 .snapshot = snapshot && standing->slot,
                 .made_store = loaded->store_is_missing};
    if (loaded->store_is_missing) {
        if (auto made = access.create(); !made) return std::unexpected(std::move(made.error()));
    }
    if (!standing->slot) return done;
    const auto plan =
        plan_start(access.pipeline(), {}, standing->identity, {.where = access.where()});
    if (!plan) return std::unexpected(plan.error());
    StoredPosition position = *plan->store_first;
    if (snapshot) position.snapshot = kWholeSnapshot;
    if (auto saved = access.save(position); !saved)
        return std::unexpected(std::move(saved.error()));
    if (auto free = access.release(); !free) return std::unexpected(std::move(free.error()));
    return done;
}

}  // namespace

ExitCode run_adopt(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    PositionAccess access(invocation.deps, *program, "pg-capture adopt",
                          SqlSession::Access::read_only);
    const auto snapshot = wants_snapshot(invocation, access.mode());
    if (!snapshot) return snapshot.error();
    const auto done = adopt(access, *snapshot);
    if (!done) return report_error(invocation, done.error());
    invocation.deps.console.out(invocation.json() ? as_json(*done) : as_text(*done));
    return ExitCode::done;
}

}  // namespace pgc
