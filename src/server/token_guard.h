// Who may change something: whoever bears the token of http.token.
//
//   Authorization: Bearer <token>
#pragma once

#include <optional>

#include "config/settings.h"
#include "http/message.h"
#include "observe/log.h"

namespace pgc {

class TokenGuard {
public:
    // The source is asked at every request: the token's file may be replaced meanwhile.
    TokenGuard(SecretSource token, Logger log) : token_(std::move(token)), log_(std::move(log)) {}

    // Nothing: the request may go on. Else its answer, with the hint in it: 401 to one
    // without the right token, 403 where none is configured, 500 where it can't be read.
    // How long it takes says nothing about the token but its length.
    std::optional<HttpResponse> refuse(const HttpRequest& request) const;

private:
    SecretSource token_;
    Logger log_;
};

}  // namespace pgc
