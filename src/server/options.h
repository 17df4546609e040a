// What the user can say about the HTTP server.
#pragma once

#include "config/option.h"

namespace pgc {

// "http.listen": empty turns the server off. "http.token": empty refuses what changes anything.
const OptionTable& server_options() noexcept;

}  // namespace pgc
