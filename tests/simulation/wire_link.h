// The fake of libpq's link: connections to the fake server, which answers what it is
// asked and speaks pgoutput in copy mode. So the whole postgres room runs as it is.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "pgclient/link.h"
#include "simulation/catalog.h"
#include "simulation/server.h"
#include "simulation/session.h"
#include "simulation/slot_maker.h"

namespace pgc::sim {

class WireLink final : public Link {
public:
    // What all connections to one server share.
    struct Place {
        World& world;
        Server& server;
        const History& history;
        Catalog& catalog;
        SlotMaker& slots;
        const ReadHabits& reading;
        ReadCounts& counts;
        bool local = false;
        bool one_publication = false;  // is asked for, whatever the command says (a mutation)
        bool loses_aborts = false;     // likewise
        bool publishes_at_prepare = false;
    };
    WireLink(const Place& place, LinkFactory::Use use);
    ~WireLink() override;

    Result<Connecting> connect() override;
    int fd() const noexcept override { return fd_; }
    bool has_something_to_say() const noexcept override { return false; }
    bool wants_to_write() const noexcept override { return false; }
    int server_version() const noexcept override { return catalog_.version(); }
    std::uint32_t backend_pid() const noexcept override { return 4242; }
    bool encrypted() const noexcept override { return false; }
    bool local() const noexcept override { return local_; }
    bool loopback() const noexcept override { return false; }
    std::string parameter(const char*) const override { return "UTF8"; }

    Result<void> send(std::string_view command) override { return ask(command, {}); }
    Result<void> send(std::string_view command,
                      std::span<const std::optional<std::string>> parameters, bool) override {
        return ask(command, parameters);
    }
    Result<std::optional<Rows>> result() override;
    const std::string& sqlstate() const noexcept override { return sqlstate_; }
    bool copying() const noexcept override { return sender_ != nullptr || copy_ != nullptr; }

    Result<Drained> drain(std::vector<CopyMessage>& out, std::size_t max_messages,
                          std::size_t max_bytes, std::size_t& received) override;
    Release release() const noexcept override;
    Result<void> put(std::string_view message) override;
    Result<void> flush() override { return {}; }
    void set_low_water(std::size_t bytes) noexcept override { low_water_ = bytes; }
    Result<bool> end_copy() override;

private:
    static constexpr std::uint32_t kUndeclared = 0xFFFFFFFF;
    // Keep-alives and user timeout of TCP.
    static constexpr Duration kTcpPatience = std::chrono::seconds{25};

    Instant readable_at() const;
    bool lost_in_a_hole() const noexcept {
        return holes_ != server_.holes() && server_.swallowed(holes_, cuts_);
    }
    // When TCP notices that nothing comes back; only in a hole.
    Instant given_up_at() const { return server_.hole(holes_) + kTcpPatience; }
    std::optional<Error> broken() const;
    Result<void> ask(std::string_view command, Catalog::Parameters parameters);
    void answer_soon(Answered answer);
    Answered start_replication(std::string_view command);
    void create_slot(std::string_view command);
    Answered slot_made() const;
    Drained drain_copy(std::vector<CopyMessage>& out, std::size_t max_messages,
                       std::size_t max_bytes, std::size_t& received);
    // Which form of each table the server has told of last, and as which message of all.
    struct Declared {
        Declared() { forms.fill(kUndeclared); }
        std::array<std::uint32_t, kTables> forms;  // columns added, and the identity
        std::array<std::uint64_t, kTables> at{};
        std::array<bool, kTables> again{};
    };
    // In a streamed transaction.
    struct StreamedTables {
        Declared declared;
        std::optional<Declared> before;  // the part of its last block that is aborted
    };
    // What stands before the row: its table and that one's types, if the server has not told of
    // them yet.
    std::deque<std::string> declaration(const Row& row, Declared& declared);
    std::deque<std::string> declaration(const Sent& message);
    void told(const Sent& message);
    const Row& row_of(const Sent& message) const;
    std::string encoded(const Sent& message) const;
    std::string encoded_of_stream(const Sent& message) const;
    std::string encoded_of_two_phases(const Sent& message) const;
    std::string encoded(const Row& row) const;

    World& world_;
    Server& server_;
    const History& history_;
    Catalog& catalog_;
    const bool local_;
    const int fd_;
    const Instant connected_at_;
    std::uint64_t cuts_;
    std::size_t holes_;
    std::optional<Answered> answer_;
    Instant answered_at_;
    std::string sqlstate_;
    std::size_t low_water_ = 1;

    std::unique_ptr<Walsender> sender_;
    bool binary_ = false;
    Declared declared_;
    std::map<std::uint32_t, StreamedTables> streamed_;  // by xid
    std::uint64_t declarations_ = 0;
    std::deque<std::string> announced_;  // a declaration that is under way
    std::optional<Instant> ends_at_;

    SlotMaker& slots_;
    const ReadHabits& reading_;
    const bool one_publication_;
    const bool loses_aborts_;
    const bool publishes_at_prepare_;
    ReadCounts& counts_;
    const bool refused_;
    bool cut_ = false;                       // this one alone
    Instant cut_at_ = kNever;                // the same, between two commands
    std::shared_ptr<SlotMaker::Slot> slot_;  // made here: being made, or with its snapshot
    bool creating_ = false;                  // its answer is waited for
    std::optional<Session> session_;
    std::unique_ptr<CopyOut> copy_;
};

class WireLinks final : public LinkFactory {
public:
    WireLinks(World& world, Server& server, const History& history, int version, bool local,
              const ReadHabits& reading)
        : catalog_(world, server, version),
          slots_(world, server),
          place_{.world = world,
                 .server = server,
                 .history = history,
                 .catalog = catalog_,
                 .slots = slots_,
                 .reading = reading,
                 .counts = counts_,
                 .local = local} {}

    Result<std::unique_ptr<Link>> make(Use use) override {
        place_.world.step("connect");
        return std::make_unique<WireLink>(place_, use);
    }
    SlotMaker& slots() noexcept { return slots_; }
    void ask_for_one_publication() noexcept { place_.one_publication = true; }
    void lose_aborts() noexcept { place_.loses_aborts = true; }
    // As if each were committed when it is prepared.
    void publish_at_prepare() noexcept { place_.publishes_at_prepare = true; }
    const ReadCounts& counts() const noexcept { return counts_; }

private:
    Catalog catalog_;
    SlotMaker slots_;
    ReadCounts counts_;
    WireLink::Place place_;
};

}  // namespace pgc::sim
