// Somebody who requests snapshots of tables while we run, and changes his mind now and then.
//
// What is requested right before a crash may be lost; so he sees to it in the end that nothing
// stays paused which we have not forgotten.
#pragma once

#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/snapshot_requests.h"
#include "simulation/oracle.h"
#include "simulation/world.h"

namespace pgc::sim {

class Customer {
public:
    // Table `filtered` is none of ours.
    Customer(World& world, Oracle& oracle, std::uint32_t filtered)
        : world_(world), oracle_(oracle), filtered_(filtered) {}

    // The requests of a life that begins; when there are two, commands go to either.
    void meets(SnapshotRequests& snapshot_requests) { requests_.push_back(&snapshot_requests); }
    void leaves(SnapshotRequests& snapshot_requests) { std::erase(requests_, &snapshot_requests); }

    void request_snapshot() {
        SnapshotRequest request = some_tables();
        if (requests_.empty() || request.tables.empty()) return;
        if (request.where.empty() && world_.random.chance(60)) make_reload(request);
        if (request.tables.empty()) return;
        request.id = fmt::format("request-{}", ++requested_);
        world_.note("requested: ", request.id);
        oracle_.snapshots().requested(request, oracle_.stored());
        const std::string id = request.id;
        const std::size_t which = requests_.size() == 1 ? 0 : world_.random.below(requests_.size());
        (void)requests_[which]->post({.verb = Verb::start, .request = std::move(request)});
        if (world_.random.chance(40)) changes_his_mind(id);
        if (world_.random.chance(10)) {  // of what he did not request
            sends(std::string{kWholeSnapshotId}, Verb::pause);
        }
    }
    // Nothing is to stay half done.
    void settles() {
        if (requests_.empty() || world_.clock.now() < settle_at_) return;
        settle_at_ = world_.clock.now() + std::chrono::seconds{1};
        for (const SnapshotJob& job : oracle_.snapshots().jobs()) {
            if (job.paused) sends(job.request.id, Verb::resume);
        }
    }
    std::size_t requested() const noexcept { return requested_; }

private:
    using Verb = SnapshotCommand::Verb;

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
    // Of each table once: a second while the first is under way would be refused.
    void make_reload(SnapshotRequest& request) {
        std::erase_if(request.tables,
                      [&](const std::string& table) { return reloaded_.contains(table); });
        reloaded_.insert(request.tables.begin(), request.tables.end());
        request.reload = {.by = std::string{kOrderedByRequest}};
    }
    void changes_his_mind(const std::string& id) {
        constexpr std::array commands{Verb::pause, Verb::pause, Verb::resume, Verb::cancel};
        for (std::uint64_t times = 1 + world_.random.below(3); times > 0; --times) {
            const Verb command = commands[world_.random.below(commands.size())];
            const Duration in = world_.between(Duration{0}, std::chrono::seconds{3});
            world_.after(in, [this, id, command] { sends(id, command); });
        }
    }
    void sends(const std::string& id, Verb verb) {
        if (requests_.empty()) return;
        world_.note("sent for ", id, ": command ", std::to_string(static_cast<int>(verb)));
        if (verb == Verb::cancel) oracle_.snapshots().cancelled(id);
        for (SnapshotRequests* snapshot_requests : requests_) {
            (void)snapshot_requests->post({.verb = verb, .request = {.id = id, .tables = {}}});
        }
    }

    World& world_;
    Oracle& oracle_;
    const std::uint32_t filtered_;
    std::vector<SnapshotRequests*> requests_;
    std::size_t requested_ = 0;
    std::set<std::string> reloaded_;
    Instant settle_at_;
};

}  // namespace pgc::sim
