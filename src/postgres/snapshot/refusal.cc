#include "postgres/snapshot/refusal.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pgclient/quote.h"

namespace pgc {
namespace {

// The table is not what it was: dropped, renamed, a column gone, or somebody is altering it.
bool indicates_change(std::string_view sqlstate) noexcept {
    constexpr std::array<std::string_view, 5> states{"42P01", "42703", "3F000", "55P03", "42809"};
    return std::ranges::find(states, sqlstate) != states.end();
}

// It is out of something, shuts down, or was in its own way: no statement's fault.
bool indicates_server_trouble(std::string_view sqlstate) noexcept {
    constexpr std::array<std::string_view, 4> classes{"08", "40", "53", "57P"};
    return std::ranges::any_of(classes, [&](auto c) { return sqlstate.starts_with(c); });
}

bool indicates_timeout(std::string_view sqlstate) noexcept {
    return sqlstate == "57014";
}

bool indicates_no_permission(std::string_view sqlstate) noexcept {
    return sqlstate == "42501";
}

// A type that has no send function, is made of one, or has one that refuses. Whether it is so is
// known of most types beforehand; not of what an extension's own send function calls. Text is
// always there, from the row on that was read last, or, without a key, from the beginning.
bool is_of_binary_form(const RefusedChunk& refused) noexcept {
    const TableShape& shape = refused.table.shape();
    return (refused.sqlstate == "42883" || refused.sqlstate == "0A000") && refused.has_chunk &&
           (refused.rows_read == 0 || !shape.key.empty()) && shape.form == CopyForm::binary;
}

// Once it is open the table stays as it is: what is wrong then is somebody's condition. Not that a
// statement took too long or was cancelled: the next one may not.
bool is_of_condition(const RefusedChunk& refused) noexcept {
    using At = RefusedChunk::At;
    return !indicates_server_trouble(refused.sqlstate) && !indicates_timeout(refused.sqlstate) &&
           (refused.at == At::condition ||
            (refused.has_chunk && refused.at != At::opening && !refused.table.where().empty()));
}

std::string permission_hint(const Error& error, const TableAddress& table,
                            std::string_view username) {
    const std::string role = quote_name(username);
    if (error.what.find("row-level security") != std::string::npos) {
        return fmt::format(
            "ALTER ROLE {} BYPASSRLS; policies hide rows from this role; or leave the table out "
            "with "
            "source.tables.exclude",
            role);
    }
    return fmt::format("GRANT USAGE ON SCHEMA {} TO {}; GRANT SELECT ON {} TO {}",
                       quote_name(table.schema), role, quote_name(table.schema, table.name), role);
}

}  // namespace

bool indicates_lost_snapshot(std::string_view sqlstate) noexcept {
    return sqlstate == "22023" || sqlstate == "55000" || sqlstate == "42704";
}

Refusal judge(const RefusedChunk& refused) {
    if (refused.at == RefusedChunk::At::opening && indicates_lost_snapshot(refused.sqlstate)) {
        return Refusal::snapshot_lost;
    }
    if (indicates_timeout(refused.sqlstate) && refused.has_chunk && refused.rows_read > 0 &&
        !refused.table.shape().key.empty()) {
        return Refusal::too_long;
    }
    if (is_of_binary_form(refused)) return Refusal::no_binary;
    const bool of_condition = is_of_condition(refused);
    if (indicates_change(refused.sqlstate) && !of_condition) return Refusal::altered;
    return of_condition && !indicates_no_permission(refused.sqlstate) ? Refusal::condition
                                                                      : Refusal::table;
}

Error failure_of(Refusal refusal, const RefusedChunk& refused, Error error,
                 std::string_view username) {
    if (indicates_no_permission(refused.sqlstate)) {
        error.hint = permission_hint(error, refused.table.table().address, username);
    }
    if (refusal == Refusal::condition) {
        error.next = Error::Next::stop;
        error.what = "its condition fails: " + error.what;
        error.hint = "request it again with another condition";
    }
    return std::move(error).at(refused.table.name());
}

}  // namespace pgc
