#include "config/nearest.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pgc {
namespace {

constexpr std::size_t kLongestName = 128;  // longer ones are near nothing

// Optimal string alignment; three rows of the table are enough.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t wrong = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + wrong});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

std::string_view last_part(std::string_view path) {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::size_t allowed(std::size_t length) {
    return length < 3 ? 0 : std::max<std::size_t>(1, length / 4);
}

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
    if (name.size() > kLongestName) {
        return {};
    }
    const std::string* best = nullptr;
    std::size_t best_distance = 0;
    const auto consider = [&](const std::string& candidate, std::size_t far, std::size_t limit) {
        if (far <= limit && (best == nullptr || far < best_distance)) {
            best = &candidate;
            best_distance = far;
        }
    };
    const std::string_view tail = last_part(name);
    for (const std::string& candidate : candidates) {
        // A wrong last part must not be hidden by a long right beginning.
        const std::size_t limit =
            std::max(allowed(last_part(candidate).size()), allowed(tail.size()));
        consider(candidate, distance(name, candidate), limit);
    }
    if (best != nullptr) {
        return *best;
    }
    for (const std::string& candidate : candidates) {
        consider(candidate, distance(tail, last_part(candidate)), allowed(tail.size()));
    }
    return best == nullptr ? std::string{} : *best;
}

}  // namespace pgc
