// What a crash leaves of a SimulatedDisk.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sink/file/simulated_disk.h"

namespace pgc {

void SimulatedDisk::crash(Random& random) {
    crash_names([&random] { return random.chance(50); });
    crash_bytes(&random);
    end_process();
}

void SimulatedDisk::crash_and_lose_unsynced() {
    crash_names([] { return false; });
    crash_bytes(nullptr);
    end_process();
}

void SimulatedDisk::crash_names(const std::function<bool()>& keeps) {
    std::map<NodeId, Place> is;
    for (const auto& [id, node] : nodes_) {
        if (id == kRoot || node.durable == node.now || keeps()) {
            is[id] = node.now;
        } else if (node.durable) {
            is[id] = *node.durable;
        }
    }
    // A name that one node took over from another: where the new one stands, the old one has left.
    for (bool changed = true; changed;) {
        changed = false;
        for (auto& [id, place] : is) {
            if (id == kRoot || place == nodes_.at(id).now) continue;
            const auto taken =
                std::ranges::any_of(is, [&, &own = id, &at = place](const auto& other) {
                    return other.first != own && other.first != kRoot && other.second == at;
                });
            if (!taken) continue;
            place = nodes_.at(id).now;
            changed = true;
        }
    }
    // Two folders that took turns inside each other: no journal leaves them in a circle.
    const auto reaches_root = [&is](const auto& entry) {
        NodeId at = entry.first;
        for (std::size_t steps = 0; at != kRoot && is.contains(at); at = is[at].folder) {
            if (++steps > is.size()) return false;
        }
        return true;
    };
    if (!std::ranges::all_of(is, reaches_root)) {
        for (auto& [id, place] : is) place = nodes_.at(id).now;
    }
    // What was in a folder that is lost is lost with it.
    for (bool changed = true; changed;) {
        changed = std::erase_if(is, [&](const auto& entry) {
                      return entry.first != kRoot && !is.contains(entry.second.folder);
                  }) > 0;
    }
    std::erase_if(nodes_, [&](const auto& entry) { return !is.contains(entry.first); });
    for (auto& [id, node] : nodes_) {
        node.now = is.at(id);
        node.durable = node.now;
    }
}

void SimulatedDisk::crash_bytes(Random* random) {
    for (auto& [id, node] : nodes_) {
        const std::string_view unsynced = std::string_view{node.bytes}.substr(node.same);
        // Neither the cut nor what came after it.
        std::string survives = node.durable_bytes;
        const bool has_changed = !unsynced.empty() || node.same < node.durable_bytes.size();
        if (random != nullptr && has_changed && random->chance(75)) {
            const auto kept = random->below(unsynced.size() + 1);
            const auto torn = random->below(unsynced.size() - kept + 1);
            survives = node.bytes.substr(0, node.same + kept);
            if (random->chance(50)) {
                survives.append(torn, '\0');
            } else if (random->chance(50)) {
                for (std::uint64_t n = 0; n < torn; ++n) {
                    survives.push_back(static_cast<char>(random->below(256)));
                }
            }
        }
        node.bytes = survives;
        node.durable_bytes = std::move(survives);
        node.same = node.bytes.size();
    }
}

}  // namespace pgc
