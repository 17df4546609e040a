#include "cli/signals.h"

#include <atomic>
#include <utility>

namespace pgc {
namespace {

constexpr int kHandled[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ};

// Of these the error is enough that the call returns.
constexpr bool is_ignored(int signal) noexcept {
    return signal == SIGPIPE || signal == SIGXFSZ;
}

// A handler is a function without an object: this is its only way to one.
std::atomic<const std::vector<StopRequest*>*> listening{nullptr};

void on_signal(int) {
    const auto* stops = listening.load(std::memory_order_relaxed);
    if (stops == nullptr) return;
    for (StopRequest* stop : *stops) stop->request();
}

}  // namespace

Signals::Signals(std::vector<StopRequest*> stops) : stops_(std::move(stops)) {
    listening.store(&stops_);
    for (std::size_t i = 0; i < std::size(kHandled); ++i) {
        struct sigaction action{};
        action.sa_handler = is_ignored(kHandled[i]) ? SIG_IGN : on_signal;
        sigemptyset(&action.sa_mask);
        sigaction(kHandled[i], &action, &before_[i]);
    }
}

Signals::~Signals() {
    for (std::size_t i = 0; i < std::size(kHandled); ++i) {
        sigaction(kHandled[i], &before_[i], nullptr);
    }
    listening.store(nullptr);
}

}  // namespace pgc
