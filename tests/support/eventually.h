// Waits for what other threads do.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace pgc {

// Whether it became true within a minute.
inline bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

}  // namespace pgc
