#include "simulation/ddl.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "core/own_messages.h"
#include "observe/json_reader.h"
#include "sink/file/contents.h"

namespace pgc::sim {
namespace {

// Above that of any row.
constexpr std::uint64_t kOrdinal = 1U << 20U;

std::uint64_t mixed(Lsn commit) noexcept {
    return commit.value * 0x9E3779B97F4A7C15U;
}

std::string content_of(Lsn commit) {
    return fmt::format(
        R"({{"command":"ALTER TABLE","object_type":"table","schema":"public","name":"{}","statement":"{}"}})",
        name_of(DdlLaw::table_of(commit)), DdlLaw::statement_of(commit));
}

}  // namespace

bool DdlLaw::alters(Lsn commit) noexcept {
    return (mixed(commit) >> 61U) < 2;
}
std::uint32_t DdlLaw::table_of(Lsn commit) noexcept {
    return static_cast<std::uint32_t>((mixed(commit) >> 40U) % kTables);
}
std::string DdlLaw::statement_of(Lsn commit) {
    return "ALTER " + std::to_string(commit.value);
}

bool DdlLaw::is_committed(Lsn commit) const {
    const std::size_t at = history_.first_from(commit);
    return at < history_.transactions.size() && history_.transactions[at].commit == commit;
}

void DdlLaw::look(const SimulatedRegistryServer::Pipeline& known, const SimulatedDisk& disk,
                  bool complete) {
    look_at_history(known, complete);
    look_at_batches(known);
    Noted noted;
    if (!read_batches(known, disk, noted)) return;
    std::size_t count = 0;
    for (const auto& [table, commits] : noted) {
        count += commits.size();
        if (!std::ranges::is_sorted(commits)) world_.fail("DDL is in batches out of order");
    }
    Noted history;
    for (const DdlEvent& event : known.ddl) history[event.object].push_back(event.commit_lsn);
    if (count != known.ddl.size() || noted != history) {
        world_.fail(fmt::format("{} statements are in ddl_history, and others, {}, with batches",
                                known.ddl.size(), count));
    }
}

void DdlLaw::look_at_history(const SimulatedRegistryServer::Pipeline& known, bool complete) {
    std::set<Lsn> seen;
    for (const DdlEvent& event : known.ddl) {
        const Lsn commit = event.commit_lsn;
        if (!reported_.contains(commit) || event.statement != statement_of(commit)) {
            world_.fail("ddl_history has a statement that nobody gave");
        }
        if (!seen.insert(commit).second) world_.fail("ddl_history has a statement twice");
        if (commit != *seen.rbegin()) world_.fail("ddl_history is out of order");
    }
    if (!complete) return;
    for (const Lsn commit : reported_) {
        if (commit >= known.position->resume_at) break;
        if (!seen.contains(commit) && is_committed(commit)) {
            world_.fail("ddl_history lacks a statement from before the position");
        }
    }
}

// A batch has ddl.sql where its rows say so.
void DdlLaw::look_at_batches(const SimulatedRegistryServer::Pipeline& known) {
    std::set<std::pair<TableId, std::string>> with_text;
    for (const CompleteFile& file : known.complete) {
        if (file.kind == FileKind::ddl) with_text.emplace(file.table, file.batch);
    }
    for (const CompleteFile& file : known.complete) {
        if (file.has_ddl != with_text.contains({file.table, file.batch})) {
            world_.fail("has_ddl is wrong of " + file.path);
        }
    }
}

bool DdlLaw::read_batches(const SimulatedRegistryServer::Pipeline& known, const SimulatedDisk& disk,
                          Noted& noted) {
    for (const CompleteFile& file : known.complete) {
        if (file.kind == FileKind::ddl && !note_text(file, disk, noted)) return false;
    }
    for (const auto& [id, file] : known.open) {
        const auto details = read_details(file.details);
        if (!details) {
            world_.fail("the details of an open file can't be read");
            return false;
        }
        for (const DdlStatement& statement : details->ddl) {
            noted[file.table].push_back(statement.commit_lsn);
        }
    }
    return true;
}

bool DdlLaw::note_text(const CompleteFile& file, const SimulatedDisk& disk, Noted& noted) {
    const std::string content = disk.content("/files/" + file.path).value_or("");
    if (content.size() != file.bytes || crc32c(0, content) != file.crc32c) {
        world_.fail("a ddl.sql is not what the registry says: " + file.path);
        return false;
    }
    std::uint64_t statements = 0;
    std::size_t from = 0;
    for (std::size_t to = 0; (to = content.find('\n', from)) != std::string::npos; from = to + 1) {
        const std::string line = content.substr(from, to - from);
        if (!line.starts_with("-- {")) continue;
        const auto head = read_json(line.substr(3));
        const auto commit = parse_lsn(head ? head->member("commit_lsn").text().value_or("") : "");
        if (!commit || !content.contains(statement_of(*commit) + "\n;\n")) {
            world_.fail("a ddl.sql lacks a statement: " + file.path);
            return false;
        }
        noted[file.table].push_back(*commit);
        ++statements;
    }
    if (statements != file.rows) world_.fail("a ddl.sql has others than its rows: " + file.path);
    return true;
}

Result<void> DdlReported::apply(Batch& batch) {
    if (batch.lane != kStreamLane) return {};
    std::vector<Change> all;
    for (Transaction& part : batch.transactions) {
        const std::size_t first = all.size();
        const auto begin = batch.changes.begin() + part.first;
        all.insert(all.end(), begin, begin + part.count);
        if (part.ends && DdlLaw::alters(part.commit_lsn)) {
            law_.reported(part.commit_lsn);
            auto* const message = batch.arena.allocate<Message>(1);
            *message = {kDdlMessages, batch.arena.copy(content_of(part.commit_lsn)), true};
            Change change;
            change.operation = Operation::message;
            change.message = message;
            change.lsn = part.commit_lsn;
            change.ordinal = kOrdinal;
            all.push_back(change);
        }
        part.first = static_cast<std::uint32_t>(first);
        part.count = static_cast<std::uint32_t>(all.size() - first);
    }
    batch.changes = std::move(all);
    return {};
}

}  // namespace pgc::sim
