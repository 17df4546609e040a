// What one PGresult says, copied out of it.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string_view>

#include "pgclient/link.h"

namespace pgc {

struct ClearResult {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

// A field of an error or a notice; empty if it has none.
std::string_view field(const PGresult* result, int code) noexcept;

// What a server says before it goes, by itself or because somebody ended it: the end of the
// connection may come a moment later.
bool is_last_word(const PGresult& result) noexcept;

// A whole answer.
Rows copied(const PGresult& result);

}  // namespace pgc
