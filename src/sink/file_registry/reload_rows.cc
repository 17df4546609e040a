#include "sink/file_registry/reload_rows.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "sink/file_registry/array_text.h"

namespace pgc {
namespace {

void add_time(ArrayText& to, WallTime at) {
    at == WallTime{} ? to.add_null() : to.add(at.unix_us);
}

void add_lsn(ArrayText& to, Lsn lsn) {
    lsn ? to.add(to_string(lsn)) : to.add_null();
}

}  // namespace

void add_reloads(std::vector<std::optional<std::string>>& to,
                 const std::vector<ReloadOperation>& reloads) {
    ArrayText is_new, schemas, names, by, states, requested, started, finished, starts, ends, rows,
        problems;
    for (const ReloadOperation& reload : reloads) {
        const bool complete = reload.state == ReloadState::complete;
        is_new.add(reload.is_new ? "t" : "f");
        schemas.add(reload.table.schema);
        names.add(reload.table.name);
        by.add(reload.ordered_by);
        states.add(kReloadStates.word(reload.state));
        requested.add(reload.requested_at.unix_us);
        add_time(started, reload.started_at);
        add_time(finished, reload.finished_at);
        add_lsn(starts, reload.start_lsn);
        add_lsn(ends, reload.end_lsn);
        complete ? rows.add(reload.rows) : rows.add_null();
        reload.problem.empty() ? problems.add_null() : problems.add(reload.problem);
    }
    for (ArrayText* array : {&is_new, &schemas, &names, &by, &states, &requested, &started,
                             &finished, &starts, &ends, &rows, &problems}) {
        to.push_back(std::move(*array).take());
    }
}

Result<ReloadOperation> read_open_reload(Answer& row) {
    const auto state = kReloadStates.find(row.text("type"));
    ReloadOperation reload{.table = {row.text("schema"), row.text("name")},
                           .ordered_by = row.text("details"),
                           .state = state.value_or(ReloadState::requested),
                           .requested_at = {row.number("opened_us")},
                           .start_lsn = row.is_null("first_lsn") ? Lsn{} : row.lsn("first_lsn")};
    if (!row.sound() || !state || is_over(*state)) {
        return std::unexpected(strange_answer("reloads"));
    }
    return reload;
}

void sort_reloads(std::vector<ReloadOperation>& reloads) {
    std::ranges::sort(reloads, {}, [](const ReloadOperation& reload) {
        return std::tie(reload.table, reload.ordered_by);
    });
}

}  // namespace pgc
