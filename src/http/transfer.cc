#include "http/transfer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

#include "http/message.h"

namespace pgc {
namespace {

using Category = Error::Category;

constexpr std::size_t kHeaderBytes_max = 65'536;
constexpr std::size_t kHeaders_max = 256;
constexpr std::size_t kDetails_max = 200;

long in_ms(Duration time) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(time).count();
    return static_cast<long>(std::clamp<std::int64_t>(ms, 1, 86'400'000));
}

// Where this system keeps the authorities it trusts: Debian, Red Hat, SUSE, Alpine and others.
std::string system_authorities() {
    for (const char* file :
         {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
          "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
          "/etc/ssl/cert.pem"}) {
        if (::access(file, R_OK) == 0) return file;
    }
    return {};
}

bool is_clean(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

// Without query and fragment, in which secrets may stand.
std::string_view without_query(std::string_view url) {
    return url.substr(0, std::min(url.find_first_of("?#"), url.size()));
}

Error wrong(std::string what, std::string hint) {
    return stop(Category::configuration, std::move(what)).with_hint(std::move(hint));
}

Result<void> check(const HttpCall& call) {
    const auto url = without_query(call.url);
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return std::unexpected(
            wrong("the URL is neither http:// nor https://", "write it as https://host:port/path"));
    }
    const auto authority = url.substr(url.find("//") + 2);
    if (authority.substr(0, authority.find('/')).contains('@')) {
        return std::unexpected(wrong("the URL holds a user or a password",
                                     "configure them on their own, where they are not shown"));
    }
    if (!is_clean(call.url) || call.url.contains(' ')) {
        return std::unexpected(
            wrong("the URL holds a character that can't stand in one", "write it percent-encoded"));
    }
    for (const auto& [name, value] : call.headers) {
        if (name.empty() || name.find_first_of(": \t") != std::string::npos || !is_clean(name) ||
            !is_clean(value)) {
            return std::unexpected(wrong("a header can't be sent: it holds a line end or the like",
                                         "use visible characters and spaces"));
        }
    }
    return {};
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

std::string_view HttpAnswer::header(std::string_view name) const noexcept {
    const auto found = std::ranges::find(
        headers, name, [](const auto& one) -> const std::string& { return one.first; });
    return found == headers.end() ? std::string_view{} : found->second;
}

Result<std::unique_ptr<Transfer>> Transfer::prepare(HttpCall call,
                                                    const HttpClientOptions& options) {
    const std::string_view url = without_query(call.url);
    if (auto good = check(call); !good) {
        return std::unexpected(
            std::move(good.error())
                .at(is_clean(url) && !url.contains('@') ? std::string{url} : std::string{}));
    }
    std::unique_ptr<Transfer> transfer(new Transfer(std::move(call), options));
    if (auto set = transfer->set_up(); !set) return std::unexpected(std::move(set.error()));
    return transfer;
}

Transfer::Transfer(HttpCall call, const HttpClientOptions& options)
    : call_(std::move(call)),
      options_(options),
      where_(fmt::format("{} {}", call_.method, without_query(call_.url))),
      easy_(::curl_easy_init()) {}

Result<void> Transfer::set_up() {
    CURL* const easy = easy_.get();
    for (const auto& [name, value] : call_.headers) {
        // An empty value is sent as one; without the semicolon curl would leave the header out.
        const auto line = value.empty() ? name + ";" : name + ": " + value;
        headers_.reset(::curl_slist_append(headers_.release(), line.c_str()));
    }
    // What curl would add by itself: waiting for a 100 before the body, and a type of forms.
    for (const char* none : {"Expect:", "Content-Type:"}) {
        const std::string_view name = std::string_view{none}.substr(0, std::strlen(none) - 1);
        const bool given = std::ranges::any_of(call_.headers, [name](const auto& one) {
            return equal_ignoring_case(one.first, name);
        });
        if (!given) headers_.reset(::curl_slist_append(headers_.release(), none));
    }
    if (easy == nullptr || !headers_) {
        return std::unexpected(retry(Category::internal, "no memory left for an HTTP request"));
    }
    ::curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
    ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, details_.data());
    ::curl_easy_setopt(easy, CURLOPT_URL, call_.url.c_str());
    ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
    ::curl_easy_setopt(easy, CURLOPT_USERAGENT, "pg-capture/" PGC_VERSION);
    ::curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    ::curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
    if (call_.method == "HEAD") {
        ::curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (call_.method != "GET" || !call_.body.empty()) {
        ::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                           static_cast<curl_off_t>(call_.body.size()));
        ::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call_.body.data());
    }
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_body);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    ::curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &take_header);
    ::curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    ::curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                       static_cast<curl_off_t>(options_.answer_bytes_max));
    ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, in_ms(options_.limit));
    ::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, in_ms(options_.connect_limit));
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a look-up is not waited for
    if (options_.proxy) ::curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy->c_str());
    set_up_tls();
    return {};
}

void Transfer::set_up_tls() {
    CURL* const easy = easy_.get();
    const auto set = [easy](CURLoption option, const std::string& text) {
        if (!text.empty()) ::curl_easy_setopt(easy, option, text.c_str());
    };
    ::curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    if (options_.pinned_key.empty()) {
        set(CURLOPT_CAINFO, options_.ca_file.empty() ? system_authorities() : options_.ca_file);
        ::curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // and no others
    } else {
        ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
        set(CURLOPT_PINNEDPUBLICKEY, options_.pinned_key);
    }
    set(CURLOPT_SSLCERT, options_.certificate_file);
    set(CURLOPT_SSLKEY, options_.key_file);
    set(CURLOPT_KEYPASSWD, options_.key_password.reveal());
}

std::size_t Transfer::take_body(char* bytes, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    std::string& body = transfer.answer_.body;
    if (size * count > transfer.options_.answer_bytes_max - body.size()) {
        transfer.too_large_ = true;
        return 0;  // ends the transfer
    }
    body.append(bytes, size * count);
    return size * count;
}

std::size_t Transfer::take_header(char* bytes, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.take_line({bytes, size * count}) ? size * count : 0;
}

// The status line, a header, or the empty line at the end; of an interim answer (1xx) and a
// proxy's, too, whose headers the next status line replaces.
bool Transfer::take_line(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > kHeaderBytes_max || answer_.headers.size() == kHeaders_max) {
        too_large_ = true;
        return false;
    }
    if (line.starts_with("HTTP/")) {
        answer_.headers.clear();
        return true;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    std::string name{trim(line.substr(0, colon))};
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    answer_.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
    return true;
}

Result<HttpAnswer> Transfer::result(CURLcode code) {
    if (code != CURLE_OK) return std::unexpected(failure(code));
    long status = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    answer_.status = static_cast<int>(status);
    return std::move(answer_);
}

// What libcurl says beside its code; the server's text in it can't steer a terminal.
std::string Transfer::details(std::string_view otherwise) const {
    std::string text{details_.data()};
    if (text.empty()) return std::string{otherwise};
    for (char& c : text) c = is_clean({&c, 1}) ? c : '?';
    text.resize(std::min(text.size(), kDetails_max));
    return text;
}

Error Transfer::failure(CURLcode code) const {
    const auto failed = [this](Error error) { return std::move(error).at(where_); };
    const auto lost = [&](std::string what) {
        return failed(retry(Category::connection, std::move(what)));
    };
    long system = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &system);
    const auto system_says = [system](std::string_view otherwise) {
        return system != 0 ? std::generic_category().message(static_cast<int>(system))
                           : std::string{otherwise};
    };
    const std::string_view details_text{details_.data()};
    long status = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    double sent_at = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME, &sent_at);
    if (too_large_) code = CURLE_FILESIZE_EXCEEDED;
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST: return lost("its name has no address");
        case CURLE_COULDNT_RESOLVE_PROXY: return lost("the proxy's name has no address");
        case CURLE_COULDNT_CONNECT: return lost(system_says("no connection"));
        case CURLE_OPERATION_TIMEDOUT:
            return lost(sent_at > 0 ? "no answer in time" : "no connection in time");
        case CURLE_GOT_NOTHING: return lost("the connection was closed");
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
            if (status > 0) return lost("the answer was cut short");
            return lost(details_text.contains("unexpected eof")
                            ? "the connection was closed"  // without TLS's own farewell
                            : details("the connection was lost"));
        case CURLE_PARTIAL_FILE: return lost("the answer was cut short");
        case CURLE_FILESIZE_EXCEEDED:
            return failed(stop(Category::protocol, "the answer is too large"));
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
            return failed(stop(Category::protocol, "it does not answer in HTTP"));
        case CURLE_SSL_CONNECT_ERROR:
            return failed(
                retry(Category::protocol, "no TLS connection: " + details("the handshake failed")));
        case CURLE_PEER_FAILED_VERIFICATION:
            return failed(stop(Category::authentication,
                               "its certificate is not trusted: " + details("unknown authority")));
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            return failed(stop(Category::authentication, "its key is not the one expected"));
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_URL_MALFORMAT:
            return failed(stop(Category::configuration, details(::curl_easy_strerror(code))));
        default: return failed(retry(Category::protocol, details(::curl_easy_strerror(code))));
    }
}

}  // namespace pgc
