#include "cli/signals.h"

#include <atomic>

namespace pgc {
namespace {

constexpr int kHandled[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};

// A handler is a function without an object: this is its only way to one.
std::atomic<StopRequest*> listening{nullptr};

void on_signal(int) {
    if (StopRequest* stop = listening.load(std::memory_order_relaxed)) stop->request();
}

}  // namespace

Signals::Signals(StopRequest& stop) {
    listening.store(&stop);
    for (std::size_t i = 0; i < std::size(kHandled); ++i) {
        struct sigaction action{};
        action.sa_handler = kHandled[i] == SIGPIPE ? SIG_IGN : on_signal;
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
