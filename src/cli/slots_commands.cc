#include "cli/slots_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/wait.h"
#include "cli/program.h"
#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/log.h"
#include "observe/status_line.h"
#include "postgres/link/blocking.h"
#include "postgres/link/libpq_link.h"
#include "postgres/options.h"
#include "postgres/slots/slots.h"

namespace pgc {
namespace {

// A connection for one command's questions.
class Errand {
public:
    Errand(World& world, const Program& program)
        : clock_(world.clock),
          lines_(STDERR_FILENO),
          log_(program.logs, lines_, world.clock),
          config_(postgres_config(program.settings, world.files)),
          links_(config_.connection, "pg-capture slots", log_.logger("postgres")),
          waiter_(world.clock) {}

    Result<BlockingLink> connect() {
        return BlockingLink::connect(links_, LinkFactory::Use::sql, clock_, waiter_,
                                     config_.connection.connect_timeout);
    }
    const std::string& slot() const noexcept { return config_.slot; }

private:
    const Clock& clock_;
    DescriptorLines lines_;
    Log log_;
    const PostgresConfig config_;
    LibpqLinkFactory links_;
    PollWaiter waiter_;
};

std::string as_json(const std::vector<SlotInfo>& slots) {
    std::string text = "{\"slots\":[";
    for (const SlotInfo& slot : slots) {
        if (text.back() != '[') text += ',';
        const auto field = [&](std::string_view name, std::string_view value) {
            text += fmt::format("\"{}\":", name);
            append_json_string(text, value);
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
        rows.push_back({slot.name, slot.database, slot.plugin,
                        slot.active ? slot.reader : "nobody", slot.confirmed,
                        readable_bytes(slot.retained_bytes), slot.wal_status,
                        slot.ours ? "ours" : ""});
    }
    return aligned(rows);
}

}  // namespace

ExitCode run_slots_list(Invocation& invocation) {
    const auto program = load_program(invocation);
    if (!program) return program.error();
    Errand errand(invocation.world, *program);
    auto link = errand.connect();
    if (!link) return tell(invocation, link.error());
    const auto slots = list_slots(*link, errand.slot());
    if (!slots) return tell(invocation, slots.error());
    invocation.world.console.out(invocation.json() ? as_json(*slots) : as_table(*slots));
    return ExitCode::done;
}

ExitCode run_slots_drop(Invocation& invocation) {
    if (invocation.line.arguments.size() != 1) {
        invocation.world.console.err("pg-capture: slots drop takes the name of one slot\n");
        return ExitCode::configuration;
    }
    const std::string& name = invocation.line.arguments.front();
    const auto program = load_program(invocation);
    if (!program) return program.error();
    Errand errand(invocation.world, *program);
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
