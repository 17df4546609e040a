// Reads one HTTP/1.x request off the front of a buffer (RFC 9112); a pure function. Boost.Beast
// parses the head; how long, how many and which of them are ours to say.
//
//   GET /path?query HTTP/1.1\r\n
//   Name: value\r\n
//   …\r\n
//   \r\n
//   Content-Length bytes
//
// Stricter than Beast where leniency lets two readers understand two things: no
// folded headers, no space before a colon, one Content-Length of digits alone. A body in
// a Transfer-Encoding is refused: nobody we serve sends one.
//
// Whatever has been refused stays refused when more bytes come, and what was complete
// stays complete: so it may be asked again with a longer buffer as bytes arrive.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "http/message.h"

namespace pgc {

struct HttpLimits {
    std::size_t request_line_bytes = 4096;  // more: 414
    std::size_t head_bytes = 16384;         // request line and headers; more: 431
    std::size_t headers = 64;               // more: 431
    std::size_t body_bytes = 65536;         // more: 413
};

struct HttpIncomplete {
    std::size_t needs = 0;  // with fewer bytes than this it stays incomplete
};
struct HttpComplete {
    HttpRequest request;       // views into the buffer
    std::size_t consumed = 0;  // bytes it took; the next request follows
};
struct HttpRefused {
    int status = 400;  // the connection is of no more use: answer so and close
};
using HttpParsed = std::variant<HttpIncomplete, HttpComplete, HttpRefused>;

HttpParsed parse_http_request(std::string_view buffer, const HttpLimits& limits);

}  // namespace pgc
