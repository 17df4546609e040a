#include "pgclient/libpq_result.h"

#include <cstddef>
#include <cstdint>

namespace pgc {

std::string_view field(const PGresult* result, int code) noexcept {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? std::string_view{} : std::string_view{text};
}

bool is_last_word(const PGresult& result) noexcept {
    const std::string_view severity = field(&result, PG_DIAG_SEVERITY_NONLOCALIZED);  // since 9.6
    return severity == "FATAL" || severity == "PANIC";
}

Rows copied(const PGresult& result) {
    Rows rows;
    const int columns = PQnfields(&result);
    for (int c = 0; c < columns; ++c) {
        rows.columns.emplace_back(PQfname(&result, c));
        rows.fields.push_back({.number = static_cast<std::uint16_t>(PQftablecol(&result, c)),
                               .type = PQftype(&result, c),
                               .modifier = PQfmod(&result, c)});
    }
    rows.binary = columns > 0 && PQfformat(&result, 0) == 1;
    rows.command_tag = PQcmdStatus(const_cast<PGresult*>(&result));  // it only reads
    rows.rows.reserve(static_cast<std::size_t>(PQntuples(&result)));
    for (int r = 0; r < PQntuples(&result); ++r) {
        auto& row = rows.rows.emplace_back(static_cast<std::size_t>(columns));
        for (int c = 0; c < columns; ++c) {
            if (PQgetisnull(&result, r, c) != 0) continue;
            row[static_cast<std::size_t>(c)].emplace(
                PQgetvalue(&result, r, c), static_cast<std::size_t>(PQgetlength(&result, r, c)));
        }
    }
    return rows;
}

}  // namespace pgc
