// One request on its way through libcurl, and what is said when it fails. Inside of client.cc.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/client.h"

namespace pgc {

class Transfer {
public:
    // Everything set but nothing sent. Category configuration: what is asked for can't be.
    static Result<std::unique_ptr<Transfer>> prepare(HttpCall call,
                                                     const HttpClientOptions& options);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() = default;

    CURL* handle() const noexcept { return easy_.get(); }
    // Once it is over.
    Result<HttpAnswer> result(CURLcode code);

private:
    struct CloseEasy {
        void operator()(CURL* easy) const noexcept { ::curl_easy_cleanup(easy); }
    };
    struct FreeList {
        void operator()(curl_slist* list) const noexcept { ::curl_slist_free_all(list); }
    };

    Transfer(HttpCall call, const HttpClientOptions& options);
    Result<void> set_up();
    void set_up_tls();
    Error failure(CURLcode code) const;
    std::string details(std::string_view otherwise) const;

    static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* self);
    static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* self);
    bool take_line(std::string_view line);

    const HttpCall call_;
    const HttpClientOptions& options_;
    std::string where_;  // "GET https://host:port/path"
    std::unique_ptr<curl_slist, FreeList> headers_;
    std::array<char, CURL_ERROR_SIZE> details_{};
    HttpAnswer answer_;
    std::size_t header_bytes_ = 0;
    bool too_large_ = false;
    std::unique_ptr<CURL, CloseEasy> easy_;  // last: it uses all of the above
};

}  // namespace pgc
