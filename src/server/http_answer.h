// Reads an HTTP/1.x answer (RFC 9112) to a request of ours; a pure function, as
// http_parser.h is for requests, and as strict.
//
// We ask for one thing and close, so an answer is one: a head, then a body of
// Content-Length bytes or up to the end of the connection. One in chunks or coded in
// another way, an interim one (1xx), or one beyond the limits is refused: what we ask is
// answered by ourselves, which does none of it, so then it is somebody else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "server/http_parser.h"

namespace pgc {

struct HttpAnswer {
    int status = 0;
    std::string body;
};
struct HttpNoAnswer {
    std::string_view why;  // of static storage, one clause
};
using HttpAnswerParsed = std::variant<HttpIncomplete, HttpAnswer, HttpNoAnswer>;

// What the head and body of an answer of ours may take.
inline constexpr HttpLimits kAnswerLimits{.request_line_bytes = 4096,
                                          .head_bytes = 16384,
                                          .headers = 64,
                                          .body_bytes = std::size_t{1} << 20};

// `ended`: nothing follows what is in the buffer.
HttpAnswerParsed parse_http_answer(std::string_view buffer, bool ended,
                                   const HttpLimits& limits = kAnswerLimits);

}  // namespace pgc
