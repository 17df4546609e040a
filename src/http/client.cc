#include "http/client.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <mutex>
#include <utility>

#include "base/descriptor.h"
#include "http/transfer.h"

namespace pgc {
namespace {

struct CloseMulti {
    void operator()(CURLM* multi) const noexcept { ::curl_multi_cleanup(multi); }
};

bool watch(int epoll, int how, int fd, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    return ::epoll_ctl(epoll, how, fd, &event) == 0;
}

}  // namespace

// libcurl's multi interface with one descriptor to wait for: an epoll of its sockets and of its
// time.
class HttpClient::Transfers {
public:
    explicit Transfers(HttpClientOptions options)
        : options_(std::move(options)),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)),
          timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
          multi_(::curl_multi_init()) {}
    Transfers(const Transfers&) = delete;
    Transfers& operator=(const Transfers&) = delete;
    ~Transfers() {
        while (!in_flight_.empty()) remove(in_flight_.begin()->first);
    }

    bool usable() {
        if (!multi_ || !watch(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), EPOLLIN)) return false;
        ::curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &socket_changed);
        ::curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
        ::curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &timer_changed);
        ::curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
        ::curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, long{kInFlight_max});
        return true;
    }

    int wake_fd() const noexcept { return epoll_.get(); }
    std::size_t size() const noexcept { return in_flight_.size(); }

    Result<Id> begin(HttpCall call) {
        auto transfer = Transfer::prepare(std::move(call), options_);
        if (!transfer) return std::unexpected(std::move(transfer.error()));
        if (::curl_multi_add_handle(multi_.get(), (*transfer)->handle()) != CURLM_OK) {
            return std::unexpected(
                retry(Error::Category::internal, "no memory left for an HTTP request"));
        }
        in_flight_.emplace(++last_id_, std::move(*transfer));
        return last_id_;
    }

    void act() {
        int running = 0;
        std::array<epoll_event, 2 * kInFlight_max> events;
        const int n = ::epoll_wait(epoll_.get(), events.data(), int{events.size()}, 0);
        for (int i = 0; i < n; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == timer_.get()) {
                std::uint64_t times = 0;
                (void)!::read(timer_.get(), &times, sizeof times);
                ::curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
                continue;
            }
            const int what = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                             ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                             ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
            ::curl_multi_socket_action(multi_.get(), event.data.fd, what, &running);
        }
    }

    void collect(std::vector<Finished>& finished) {
        int left = 0;
        while (const CURLMsg* message = ::curl_multi_info_read(multi_.get(), &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            const CURLcode code = message->data.result;
            const auto found =
                std::ranges::find(in_flight_, message->easy_handle,
                                  [](const auto& one) { return one.second->handle(); });
            assert(found != in_flight_.end());
            finished.push_back({.id = found->first, .answer = found->second->result(code)});
            remove(found->first);
        }
    }

    void remove(Id id) {
        const auto found = in_flight_.find(id);
        if (found == in_flight_.end()) return;
        ::curl_multi_remove_handle(multi_.get(), found->second->handle());
        in_flight_.erase(found);
    }

private:
    static int socket_changed(CURL*, curl_socket_t fd, int what, void* self, void* known) {
        auto& transfers = *static_cast<Transfers*>(self);
        const int epoll = transfers.epoll_.get();
        if (what == CURL_POLL_REMOVE) {
            watch(epoll, EPOLL_CTL_DEL, fd, 0);
            return 0;
        }
        const std::uint32_t events = ((what & CURL_POLL_IN) != 0 ? std::uint32_t{EPOLLIN} : 0U) |
                                     ((what & CURL_POLL_OUT) != 0 ? std::uint32_t{EPOLLOUT} : 0U);
        const bool watched =
            watch(epoll, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events);
        ::curl_multi_assign(transfers.multi_.get(), fd, self);  // known from now on
        return watched ? 0 : -1;
    }

    static int timer_changed(CURLM*, long ms, void* self) {
        const auto& transfers = *static_cast<Transfers*>(self);
        itimerspec time{};  // zero disarms it
        if (ms >= 0) {
            time.it_value.tv_sec = ms / 1000;
            time.it_value.tv_nsec = ms % 1000 * 1'000'000 + 1;  // at once is not never
        }
        return ::timerfd_settime(transfers.timer_.get(), 0, &time, nullptr) == 0 ? 0 : -1;
    }

    const HttpClientOptions options_;
    const Descriptor epoll_;
    const Descriptor timer_;
    const std::unique_ptr<CURLM, CloseMulti> multi_;
    std::map<Id, std::unique_ptr<Transfer>> in_flight_;
    Id last_id_ = 0;
};

Result<std::unique_ptr<HttpClient>> HttpClient::create(HttpClientOptions options) {
    static std::once_flag once;  // the library's own
    std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
    auto transfers = std::make_unique<Transfers>(std::move(options));
    if (!transfers->usable()) {
        return std::unexpected(
            retry(Error::Category::internal, "no file descriptor left for an HTTP client"));
    }
    return std::unique_ptr<HttpClient>(new HttpClient(std::move(transfers)));
}

HttpClient::HttpClient(std::unique_ptr<Transfers> transfers) : transfers_(std::move(transfers)) {}

HttpClient::~HttpClient() = default;

bool HttpClient::full() const noexcept {
    return transfers_->size() >= kInFlight_max;
}

Result<HttpClient::Id> HttpClient::begin(HttpCall call) {
    assert(!full());
    return transfers_->begin(std::move(call));
}

std::vector<HttpClient::Finished> HttpClient::poll() {
    std::vector<Finished> finished;
    transfers_->act();
    transfers_->collect(finished);
    return finished;
}

void HttpClient::give_up(Id id) {
    transfers_->remove(id);
}

int HttpClient::wake_fd() const noexcept {
    return transfers_->wake_fd();
}

Result<HttpAnswer> HttpClient::call(HttpCall call, Waiter& waiter) {
    assert(transfers_->size() == 0);
    const auto id = begin(std::move(call));
    if (!id) return std::unexpected(id.error());
    for (;;) {
        Wants wants;
        wants.readable(wake_fd());
        waiter.wait(wants);
        for (Finished& one : poll()) {
            if (one.id == *id) return std::move(one.answer);
        }
    }
}

}  // namespace pgc
