#include "cli/slots_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/errand.h"
#include "cli/saying.h"
#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/status_line.h"
#include "postgres/slots/slots.h"

namespace pgc {
namespace {

std::string as_json(const std::vector<SlotInfo>& slots) {
    std::string text = "{\"slots\":[";
    for (const SlotInfo& slot : slots) {
        if (text.back() != '[') text += ',';
        const auto field = [&](std::string_view name, std::string_view value) {
            append_json_field(text, name, value);
            text += ',';
        };
        text += '{';
        field("name", slot.name);
        field("plugin", slot.plugin);
        field("database", slot.database);
        field("reader", slot.reader);
        field("confirmed", slot.confirmed);
        field("restart", slot.restart);
        field("wal_status", slot.wal_status);
        text += fmt::format("\"active\":{},\"ours\":{},\"retained_bytes\":{}}}", slot.active,
                            slot.ours, slot.retained_bytes);
    }
    return text + "]}\n";
}

std::string as_table(const std::vector<SlotInfo>& slots) {
    if (slots.empty()) return "The server has no logical slots.\n";
    std::vector<std::vector<std::string>> rows{
        {"SLOT", "DATABASE", "PLUGIN", "READER", "CONFIRMED", "KEPT FOR IT", "STATUS", ""}};
    for (const SlotInfo& slot : slots) {
        rows.push_back({slot.name, slot.database, slot.plugin, slot.active ? slot.reader : "nobody",
                        slot.confirmed,
                        readable_bytes(static_cast<std::uint64_t>(
                            std::max<std::int64_t>(slot.retained_bytes, 0))),
                        slot.wal_status, slot.ours ? "ours" : ""});
    }
    return aligned(rows);
}

}  // namespace

ExitCode run_slots_list(Invocation& invocation) {
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    Errand errand(invocation.world, *program, "pg-capture slots");
    auto link = errand.connect();
    if (!link) return tell(invocation, link.error());
    const auto slots = list_slots(*link, errand.config().slot);
    if (!slots) return tell(invocation, slots.error());
    invocation.world.console.out(invocation.json() ? as_json(*slots) : as_table(*slots));
    return ExitCode::done;
}

ExitCode run_slots_drop(Invocation& invocation) {
    if (invocation.line.arguments.size() != 1) {
        return tell_usage(invocation.world, "slots drop takes the name of one slot");
    }
    const std::string& name = invocation.line.arguments.front();
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    Errand errand(invocation.world, *program, "pg-capture slots", Errand::Does::changes);
    auto link = errand.connect();
    if (!link) return tell(invocation, link.error());
    const auto dropped = drop_slot(*link, name);
    if (!dropped) return tell(invocation, dropped.error());
    const bool done = *dropped == Dropped::yes;
    if (invocation.json()) {
        invocation.world.console.out(fmt::format("{{\"dropped\":{}}}\n", done));
    } else {
        invocation.world.console.out(done ? "Slot " + name + " is dropped.\n"
                                          : "There is no logical slot " + name + ".\n");
    }
    return done ? ExitCode::done : ExitCode::findings;
}

}  // namespace pgc
