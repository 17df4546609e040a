// Somebody who orders snapshots of tables while we run, and changes his mind now and then.
//
// What is ordered right before a crash may be lost; so he sees to it in the end that nothing
// stays paused which we have not forgotten.
#pragma once

#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/snapshot_desk.h"
#include "simulation/oracle.h"
#include "simulation/world.h"

namespace pgc::sim {

class Customer {
public:
    // Table `filtered` is none of ours.
    Customer(World& world, Oracle& oracle, std::uint32_t filtered)
        : world_(world), oracle_(oracle), filtered_(filtered) {}

    // The desk of a life that begins; when there are two, orders go to either.
    void meets(SnapshotDesk& desk) { desks_.push_back(&desk); }
    void leaves(SnapshotDesk& desk) { std::erase(desks_, &desk); }

    void orders() {
        SnapshotRequest request = some_tables();
        if (desks_.empty() || request.tables.empty()) return;
        request.id = fmt::format("order-{}", ++ordered_);
        world_.note("ordered: ", request.id);
        oracle_.snapshots().ordered(request, oracle_.stored());
        const std::string id = request.id;
        const std::size_t which = desks_.size() == 1 ? 0 : world_.random.below(desks_.size());
        (void)desks_[which]->post({.command = Command::start, .request = std::move(request)});
        if (world_.random.chance(40)) changes_his_mind(id);
        if (world_.random.chance(10)) {  // of what he did not order
            tells(std::string{kWholeSnapshotId}, Command::pause);
        }
    }
    // Nothing is to stay half done.
    void settles() {
        if (desks_.empty() || world_.clock.now() < settle_at_) return;
        settle_at_ = world_.clock.now() + std::chrono::seconds{1};
        for (const SnapshotWork& work : oracle_.snapshots().works()) {
            if (work.paused) tells(work.request.id, Command::resume);
        }
    }
    std::size_t ordered() const noexcept { return ordered_; }

private:
    using Command = SnapshotOrder::Command;

    SnapshotRequest some_tables() {
        SnapshotRequest request;
        for (std::uint32_t table = 0; table < kTables; ++table) {
            if (table != filtered_ && world_.random.chance(40)) {
                request.tables.push_back("public." + name_of(table));
            }
        }
        if (request.tables.size() == 1 && world_.random.chance(50)) {
            request.where = fmt::format("id > {}", world_.random.below(100));
        }
        return request;
    }
    void changes_his_mind(const std::string& id) {
        constexpr std::array commands{Command::pause, Command::pause, Command::resume,
                                      Command::cancel};
        for (std::uint64_t times = 1 + world_.random.below(3); times > 0; --times) {
            const Command command = commands[world_.random.below(commands.size())];
            const Duration in = world_.between(Duration{0}, std::chrono::seconds{3});
            world_.after(in, [this, id, command] { tells(id, command); });
        }
    }
    void tells(const std::string& id, Command command) {
        if (desks_.empty()) return;
        world_.note("told of ", id, ": command ", std::to_string(static_cast<int>(command)));
        if (command == Command::cancel) oracle_.snapshots().cancelled(id);
        for (SnapshotDesk* desk : desks_) {
            (void)desk->post({.command = command, .request = {.id = id, .tables = {}}});
        }
    }

    World& world_;
    Oracle& oracle_;
    const std::uint32_t filtered_;
    std::vector<SnapshotDesk*> desks_;
    std::size_t ordered_ = 0;
    Instant settle_at_;
};

}  // namespace pgc::sim
