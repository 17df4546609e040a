// What PostgreSQL and libpq say went wrong, as Errors with a category, what to do next and
// how to fix it.
//
// A server's own words are shown only where they can't hold row values: never the
// message of a data error (SQLSTATE classes 21, 22, 23, 44), never a DETAIL outside the
// classes that speak of objects, privileges and resources.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pgclient/connection.h"

namespace pgc {

// An ErrorResponse.
struct ServerReport {
    std::string_view sqlstate;
    std::string_view message;
    std::string_view detail{};
    std::string_view hint{};
    std::string_view constraint{};  // the name of what was violated
};
Error server_error(const ServerReport& report);

// Whether the server refused for want of `publication`. It may say so in any language
// (lc_messages), so the SQLSTATE decides, and that its words name the publication.
bool lacks_publication(const Error& error, std::string_view publication);

// What a warning on a replication connection stands for if it means that changes are lost:
// from 18 on the server goes on without a publication that it can't find.
std::optional<Error> loss_warned_of(const ServerReport& warning);

// Why no connection came about, from libpq's text of it. The text must have been made with
// PQERRORS_VERBOSE: only then it holds SQLSTATEs.
Error connect_error(std::string_view text, const ConnectionConfig& config);

// A connection that broke.
Error lost_error(std::string_view text);

// The five characters after a severity in verbose text, of the last complaint in it;
// empty if there is none.
std::string_view find_sqlstate(std::string_view verbose_text) noexcept;

// libpq's text on one line, without source locations and SQLSTATEs.
std::string one_line(std::string_view verbose_text);

}  // namespace pgc
