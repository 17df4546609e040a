#include "cli/slots_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/error_output.h"
#include "cli/slot_text.h"
#include "cli/sql_session.h"
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
        text += fmt::format(R"("active":{},"ours":{},"retained_bytes":{},{}}})", slot.active,
                            slot.ours, slot.retained_bytes, room_json(slot));
    }
    return text + "]}\n";
}

std::string as_table(const std::vector<SlotInfo>& slots) {
    if (slots.empty()) return "The server has no logical slots.\n";
    std::vector<std::vector<std::string>> rows{
        {"SLOT", "DATABASE", "PLUGIN", "READER", "CONFIRMED", "KEPT FOR IT", "STATUS", ""}};
    for (const SlotInfo& slot : slots) {
        rows.push_back({slot.name, slot.database, slot.plugin, slot.active ? slot.reader : "nobody",
                        slot.confirmed, readable_bytes(slot.retained_bytes),
                        slot.wal_status + room_text(slot), slot.ours ? "ours" : ""});
    }
    return aligned(rows);
}

}  // namespace

ExitCode run_slots_list(Invocation& invocation) {
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    SqlSession session(invocation.deps, *program, "pg-capture slots");
    auto link = session.connect();
    if (!link) return report_error(invocation, link.error());
    const auto slots = list_slots(*link, session.config().slot);
    if (!slots) return report_error(invocation, slots.error());
    invocation.deps.console.out(invocation.json() ? as_json(*slots) : as_table(*slots));
    return ExitCode::done;
}

ExitCode run_slots_drop(Invocation& invocation) {
    if (invocation.line.arguments.size() != 1) {
        return report_usage_error(invocation.deps, "slots drop takes the name of one slot");
    }
    const std::string& name = invocation.line.arguments.front();
    const auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    SqlSession session(invocation.deps, *program, "pg-capture slots",
                       SqlSession::Access::read_write);
    auto link = session.connect();
    if (!link) return report_error(invocation, link.error());
    const auto dropped = drop_slot(*link, name);
    if (!dropped) return report_error(invocation, dropped.error());
    const bool done = *dropped == Dropped::yes;
    if (invocation.json()) {
        invocation.deps.console.out(fmt::format("{{\"dropped\":{}}}\n", done));
    } else {
        invocation.deps.console.out(done ? "Slot " + name + " is dropped.\n"
                                         : "There is no logical slot " + name + ".\n");
    }
    return done ? ExitCode::done : ExitCode::findings;
}

}  // namespace pgc
