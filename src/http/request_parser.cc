#include "http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <expected>

#include "base/ascii.h"

namespace pgc {
namespace {

namespace beast = boost::beast;
using BeastError = beast::http::error;

std::string_view view(beast::string_view text) noexcept {
    return {text.data(), text.size()};
}

// "/path?query", or the same after "http://host" as sent to a proxy.
bool read_target(std::string_view target, HttpRequest& request) {
    if (!std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7F; })) return false;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        target.remove_prefix(std::min(target.find('/', scheme.size()), target.size()));
        target = target.empty() ? "/" : target;
    }
    if (!target.starts_with('/')) return false;
    const auto mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    request.query = target.substr(std::min(mark + 1, target.size()));
    return true;
}

// Beast's parser over one head, which it is given whole. What it finds are views into the head.
class HeadParser final : public beast::http::basic_parser<true> {
public:
    HeadParser(HttpRequest& request, const HttpLimits& limits)
        : request_(request), limits_(limits) {
        header_limit(static_cast<std::uint32_t>(limits.head_bytes + 4));
        body_limit(limits.body_bytes);
    }

    // The length of the body, or the status that refuses the request.
    std::expected<std::size_t, int> parse(std::string_view head) {
        beast::error_code error;
        put(boost::asio::const_buffer(head.data(), head.size()), error);
        if (refusal_ != 0) return std::unexpected(refusal_);
        if (error) return std::unexpected(status_of(error, head));
        if (!is_header_done()) return std::unexpected(400);
        return framing();
    }

private:
    void refuse(int status, beast::error_code& error) {
        refusal_ = status;
        error = BeastError::bad_value;  // any: it ends the parsing
    }

    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                         int version, beast::error_code& error) override {
        request_.method = view(method);
        http_1_1_ = version >= 11;
        if (!read_target(view(target), request_)) refuse(400, error);
    }

    void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                       beast::error_code& error) override {
        using enum beast::http::field;
        if (request_.headers.size() == limits_.headers) return refuse(431, error);
        if (field == expect) return refuse(417, error);
        hosts_ += field == host ? 1 : 0;
        encoded_ = encoded_ || field == transfer_encoding;
        if (field == content_length) {
            ++lengths_;
            // Beast takes lists of equal lengths, too.
            if (!std::ranges::all_of(value, pgc::is_digit)) return refuse(400, error);
        }
        if (field == connection) {
            beast::http::token_list words{value};
            close_ = close_ || words.exists("close");
            keep_ = keep_ || words.exists("keep-alive");
        }
        request_.headers.emplace_back(view(name), view(value));
    }

    int status_of(const beast::error_code& error, std::string_view head) const {
        if (error == BeastError::body_limit) return 413;
        if (error == BeastError::header_limit) return 431;
        // Two ways to mark the end of the body are a disagreement, another coding is unknown.
        if (error == BeastError::bad_transfer_encoding) return lengths_ > 0 ? 400 : 501;
        if (error != BeastError::bad_version) return 400;
        // "HTTP/2.0" is a version that is not spoken here, anything else is none.
        const auto line = head.substr(0, head.find("\r\n"));
        const auto version = line.substr(line.rfind(' ') + 1);
        const bool other = version.size() == 8 && version.starts_with("HTTP/") &&
                           pgc::is_digit(version[5]) && version[6] == '.' &&
                           pgc::is_digit(version[7]) && version != "HTTP/1.0" &&
                           version != "HTTP/1.1";
        return other ? 505 : 400;
    }

    std::expected<std::size_t, int> framing() {
        request_.keep_alive = !close_ && (http_1_1_ || keep_);
        if (hosts_ > 1 || (hosts_ == 0 && http_1_1_) || lengths_ > 1 ||
            (encoded_ && lengths_ > 0)) {
            return std::unexpected(400);
        }
        if (encoded_) return std::unexpected(501);
        return static_cast<std::size_t>(content_length().value_or(0));
    }

    // Never called: parsing ends with the head.
    void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code&) override {
        return 0;
    }
    void on_finish_impl(beast::error_code&) override {}

    HttpRequest& request_;
    const HttpLimits& limits_;
    int refusal_ = 0;
    bool http_1_1_ = false;
    bool close_ = false;
    bool keep_ = false;
    bool encoded_ = false;
    std::size_t hosts_ = 0;
    std::size_t lengths_ = 0;
};

// A header that goes on in the next line: Beast would join the two.
bool is_folded(std::string_view head) noexcept {
    return head.contains("\r\n ") || head.contains("\r\n\t");
}

}  // namespace

HttpParsed parse_http_request(std::string_view buffer, const HttpLimits& limits) {
    // One empty line before a request is forgiven: some clients end a body with it.
    const std::size_t skipped = buffer.starts_with("\r\n") ? 2 : 0;
    const auto rest = buffer.substr(skipped);
    const auto line_end = rest.substr(0, limits.request_line_bytes + 2).find("\r\n");
    if (line_end == std::string_view::npos && rest.size() > limits.request_line_bytes + 1) {
        return HttpRefused{414};
    }
    const auto head_end = rest.substr(0, limits.head_bytes + 4).find("\r\n\r\n");
    if (head_end == std::string_view::npos) {
        return rest.size() > limits.head_bytes + 3 ? HttpParsed{HttpRefused{431}}
                                                   : HttpParsed{HttpIncomplete{buffer.size() + 1}};
    }
    const auto head = rest.substr(0, head_end + 4);
    if (is_folded(head)) return HttpRefused{400};
    HttpComplete complete;
    const auto length = HeadParser(complete.request, limits).parse(head);
    if (!length) return HttpRefused{length.error()};
    complete.consumed = skipped + head.size() + *length;
    if (buffer.size() < complete.consumed) return HttpIncomplete{complete.consumed};
    complete.request.body = rest.substr(head.size(), *length);
    return complete;
}

}  // namespace pgc
