#include "cli/position_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "cli/error_output.h"
#include "cli/position_access.h"
#include "cli/program.h"
#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/status_line.h"
#include "pipeline/snapshot_choice.h"
#include "pipeline/start_guard.h"
#include "postgres/slots/slots.h"
#include "postgres/snapshot/progress.h"

namespace pgc {
namespace {

using Because = StartPlan::Because;

// What a start would do now.
struct Outlook {
    bool continues = true;
    std::string what{};
    std::string hint{};
};

std::string_view reading(SnapshotMode mode, Because because, const std::string& left) {
    const std::string reads =
        snapshot_to_read(mode, {.because = because, .left = left, .first_start = true});
    if (reads.empty()) return "; no table is read";
    return reads == kWholeSnapshot ? "; all captured tables are read"
                                   : "; what is left of the snapshot is read";
}

Outlook refusal(const Error& error) {
    return {.continues = false, .what = "stops: " + error.what, .hint = error.hint};
}

Outlook outlook(const PositionAccess& access, const PositionStore::Loaded& loaded,
                const Standing& standing) {
    if (!standing.slot && !loaded.position) {
        return {.what = fmt::format("makes the slot{}{}",
                                    loaded.store_is_missing ? " and the store of positions" : "",
                                    reading(access.mode(), Because::new_slot, {}))};
    }
    if (auto sound = standing.sound(); !sound) return refusal(sound.error());
    const auto plan =
        plan_start(access.pipeline(), loaded, standing.identity, {.where = access.where()});
    if (!plan) {
        const bool again = access.mode() == SnapshotMode::when_needed && loaded.position &&
                           !belongs_elsewhere(*loaded.position, standing.identity);
        if (!again) return refusal(plan.error());
        return {.what = fmt::format("can't use the position ({}); all captured tables are read",
                                    plan.error().what)};
    }
    const bool stored = plan->because != Because::foreign_slot;
    return {.what = fmt::format(
                "continues from {} {}{}", stored ? "the stored position" : "the slot's position",
                to_string(plan->from),
                reading(access.mode(), plan->because, stored ? loaded.position->snapshot : ""))};
}

std::string left_text(const std::string& progress) {
    const auto jobs = read_progress(progress);
    if (!jobs) return "can't be read: " + jobs.error();
    if (jobs->empty()) return "nothing";
    std::string text;
    for (const SnapshotJob& job : *jobs) {
        if (!text.empty()) text += ", ";
        text += fmt::format("{}: {} tables are done, {} half done{}", job.request.id,
                            job.done.size(), job.open.size(), job.paused ? ", paused" : "");
    }
    return text;
}

std::string stored_text(const PositionStore::Loaded& loaded) {
    if (loaded.store_is_missing) return "nothing: the store is missing";
    if (!loaded.position) return "nothing";
    const StoredPosition& at = *loaded.position;
    return fmt::format("{}{} of slot {}, database {}, timeline {}, system {}",
                       to_string(at.resume_at),
                       at.within == Position{} ? "" : " and on to " + to_string(at.within), at.slot,
                       at.database, at.timeline, at.system);
}

std::string slot_text(const Standing& standing) {
    if (!standing.slot) return "there is none";
    const SlotState& slot = *standing.slot;
    std::string text = fmt::format(
        "at {}, keeps {}, {}", to_string(slot.confirmed),
        readable_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(slot.retained_bytes, 0))),
        slot.active ? fmt::format("read by PID {}{}", slot.pid,
                                  slot.reader.empty() ? "" : " (" + printable(slot.reader) + ")")
                    : "read by nobody");
    if (!slot.wal_status.empty()) text += ", " + slot.wal_status;
    return text;
}

std::string as_text(const PositionAccess& access, const PositionStore::Loaded& loaded,
                    const Standing& standing, const Outlook& next) {
    const SourceIdentity& server = standing.identity;
    std::vector<std::vector<std::string>> rows{
        {"pipeline", access.pipeline()},
        {"kept in", access.where()},
        {"stored", stored_text(loaded)},
        {"slot " + access.slot(), slot_text(standing)},
        {"server",
         fmt::format("at {}, database {}, timeline {}, system {}", to_string(server.server_end),
                     server.database, server.timeline, server.system)},
        {"a start now", next.what}};
    if (loaded.position) {
        rows.insert(rows.begin() + 3, {"snapshot left", left_text(loaded.position->snapshot)});
    }
    std::string text = aligned(rows);
    if (!next.hint.empty()) text += "hint: " + next.hint + "\n";
    return text;
}

void append_stored(std::string& text, const PositionStore::Loaded& loaded) {
    text += fmt::format("\"store_is_missing\":{},\"stored\":", loaded.store_is_missing);
    if (!loaded.position) {
        text += "null,";
        return;
    }
    const StoredPosition& at = *loaded.position;
    text += '{';
    for (const auto& [name, value] :
         {std::pair{"resume_at", to_string(at.resume_at)}, std::pair{"slot", at.slot},
          std::pair{"database", at.database}, std::pair{"system", at.system}}) {
        append_json_field(text, name, value);
        text += ',';
    }
    if (at.within != Position{}) {
        append_json_field(text, "within", to_string(at.within));
        text += ',';
    }
    text +=
        fmt::format("\"timeline\":{},\"snapshot_left\":{}}},", at.timeline, !at.snapshot.empty());
}

std::string as_json(const PositionAccess& access, const PositionStore::Loaded& loaded,
                    const Standing& standing, const Outlook& next) {
    std::string text = "{";
    const auto field = [&](std::string_view name, std::string_view value) {
        append_json_field(text, name, value);
        text += ',';
    };
    field("pipeline", access.pipeline());
    field("stored_in", access.where());
    append_stored(text, loaded);
    text += "\"slot\":";
    if (standing.slot) {
        const SlotState& slot = *standing.slot;
        text += '{';
        field("name", slot.name);
        field("confirmed", to_string(slot.confirmed));
        field("wal_status", slot.wal_status);
        text +=
            fmt::format("\"active\":{},\"retained_bytes\":{}}},", slot.active, slot.retained_bytes);
    } else {
        text += "null,";
    }
    text += "\"server\":{";
    field("end", to_string(standing.identity.server_end));
    field("database", standing.identity.database);
    field("system", standing.identity.system);
    text += fmt::format("\"timeline\":{}}},", standing.identity.timeline);
    field("next_start", next.what);
    field("hint", next.hint);
    return text + fmt::format("\"continues\":{}}}\n", next.continues);
}

// -- reset ----------------------------------------------------------------------------------

// What there is to be taken away.
struct Reset {
    std::optional<Error> unreadable{};
    std::optional<StoredPosition> position{};
    std::optional<SlotState> slot{};  // to be dropped

    bool nothing() const noexcept { return !unreadable && !position && !slot; }
};

Result<Reset> to_reset(PositionAccess& access, const Standing& standing, bool with_slot) {
    Reset reset;
    auto loaded = access.load();
    if (loaded) {
        reset.position = std::move(loaded->position);
    } else if (loaded.error().category == Error::Category::position) {
        reset.unreadable = std::move(loaded.error());
    } else {
        return std::unexpected(std::move(loaded.error()));
    }
    if (with_slot) reset.slot = standing.slot;
    return reset;
}

std::string cost(const Reset& reset, const Standing& standing, SnapshotMode mode) {
    const bool never = mode == SnapshotMode::never;
    const std::string stored = reset.position     ? to_string(reset.position->resume_at)
                               : reset.unreadable ? "(can't be read)"
                                                  : "(none)";
    std::string text = fmt::format("The stored position {} is removed. ", stored);
    if (reset.position && !reset.position->snapshot.empty()) {
        text += "The rest of its snapshot is dropped. ";
    }
    const bool stays = standing.slot && !reset.slot;
    if (stays) {
        text += fmt::format("The next start streams from {}, the slot's position",
                            to_string(standing.slot->confirmed));
    } else {
        text += standing.slot ? fmt::format(
                                    "Slot {} is dropped, and the changes that it still "
                                    "holds are lost. The next start makes a new one",
                                    standing.slot->name)
                              : "The next start makes a new slot";
    }
    text += never ? "; no table is read (source.snapshot.mode never): changes in between are lost"
                  : "; all captured tables are read again, so changes in between show in the rows "
                    "only, and what was deleted in between is not reported";
    if (stays && reset.position && standing.slot->confirmed <= reset.position->resume_at) {
        text +=
            ". Between the two there is nothing now: changes after the slot's position come once "
            "more";
    }
    return text + ".\n";
}

// The position first, while the slot is held: one that starts in between has the slot then, which
// the server doesn't drop, and a position of its own, which stays.
Result<void> carry_out(PositionAccess& access, const Reset& reset) {
    if (reset.position || reset.unreadable) {
        if (auto forgotten = access.forget(); !forgotten) return forgotten;
    }
    if (auto free = access.release(); !free || !reset.slot) return free;
    auto link = access.session().connect();
    if (!link) return std::unexpected(std::move(link.error()));
    if (auto dropped = drop_slot(*link, reset.slot->name); !dropped) {
        return std::unexpected(std::move(dropped.error()));
    }
    return {};
}

void print_done(Invocation& invocation, const Reset& reset, bool done, const std::string& text) {
    if (!invocation.json()) return invocation.deps.console.out(text);
    std::string json =
        fmt::format("{{\"reset\":{},\"slot_dropped\":{},",
                    done && (reset.position || reset.unreadable), done && reset.slot.has_value());
    append_json_field(json, "message", std::string_view{text}.substr(0, text.size() - 1));
    invocation.deps.console.out(json + "}\n");
}

ExitCode reset(Invocation& invocation, PositionAccess& access) {
    const auto standing = access.look();
    if (!standing) return report_error(invocation, standing.error());
    if (auto nobody = access.require_nobody(*standing); !nobody) {
        return report_error(invocation, nobody.error());
    }
    if (auto held = access.hold(*standing); !held) return report_error(invocation, held.error());
    const auto what = to_reset(access, *standing, invocation.line.has("drop-slot"));
    if (!what) return report_error(invocation, what.error());
    if (what->nothing()) {
        print_done(invocation, *what, false,
                   fmt::format("No position is stored in {}.\n", access.where()));
        return ExitCode::findings;
    }
    const std::string says = cost(*what, *standing, access.mode());
    if (!invocation.line.has("yes")) {
        return report_error(
            invocation, stop(Error::Category::configuration,
                             "nothing is done without --yes. " + says.substr(0, says.size() - 2))
                            .at(access.where())
                            .with_hint("repeat it with --yes to go ahead"));
    }
    if (auto done = carry_out(access, *what); !done) return report_error(invocation, done.error());
    print_done(invocation, *what, true, says);
    return ExitCode::done;
}

}  // namespace

ExitCode run_position_show(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    PositionAccess access(invocation.deps, *program, "pg-capture position",
                          SqlSession::Access::read_only);
    const auto loaded = access.load();
    if (!loaded) return report_error(invocation, loaded.error());
    const auto standing = access.look();
    if (!standing) return report_error(invocation, standing.error());
    const Outlook next = outlook(access, *loaded, *standing);
    invocation.deps.console.out(invocation.json() ? as_json(access, *loaded, *standing, next)
                                                  : as_text(access, *loaded, *standing, next));
    return next.continues ? ExitCode::done : ExitCode::findings;
}

ExitCode run_position_reset(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    PositionAccess access(invocation.deps, *program, "pg-capture position",
                          SqlSession::Access::read_write);
    return reset(invocation, access);
}

}  // namespace pgc
