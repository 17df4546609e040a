// The twin of libpq's link: connections to the played server, which answers what it is
// asked and speaks pgoutput in copy mode. So the whole postgres room runs as it is.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "postgres/link/link.h"
#include "simulation/catalog.h"
#include "simulation/server.h"

namespace pgc::sim {

class WireLink final : public Link {
public:
    WireLink(World& world, Server& server, const History& history, Catalog& catalog, bool local);
    ~WireLink() override;

    Result<Connecting> connect() override;
    int fd() const noexcept override { return fd_; }
    bool wants_to_write() const noexcept override { return false; }
    int server_version() const noexcept override { return catalog_.version(); }
    std::uint32_t backend_pid() const noexcept override { return 4242; }
    bool encrypted() const noexcept override { return false; }
    bool local() const noexcept override { return local_; }
    std::string parameter(const char*) const override { return "UTF8"; }

    Result<void> send(std::string_view command) override;
    Result<void> send(std::string_view command, std::span<const std::optional<std::string>>,
                      bool) override {
        return send(command);
    }
    Result<std::optional<Rows>> result() override;
    const std::string& sqlstate() const noexcept override { return sqlstate_; }
    bool copying() const noexcept override { return sender_ != nullptr; }

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
    bool lost_in_a_hole() const noexcept { return holes_ != server_.holes(); }
    // When TCP notices that nothing comes back; only in a hole.
    Instant given_up_at() const { return server_.hole(holes_) + kTcpPatience; }
    std::optional<Error> broken() const;
    void answer_soon(Answered answer);
    Answered start_replication(std::string_view command);
    // What stands before the row: its table, if the server has not told of it yet.
    std::optional<std::string> declaration(const Row& row);
    std::string encoded(const Sent& message) const;
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
    std::array<std::uint32_t, kTables> declared_;  // columns added, as last declared
    std::optional<Instant> ends_at_;
};

class WireLinks final : public LinkFactory {
public:
    WireLinks(World& world, Server& server, const History& history, int version, bool local)
        : world_(world),
          server_(server),
          history_(history),
          catalog_(world, server, version),
          local_(local) {}

    Result<std::unique_ptr<Link>> make(Use) override {
        world_.step("connect");
        return std::make_unique<WireLink>(world_, server_, history_, catalog_, local_);
    }

private:
    World& world_;
    Server& server_;
    const History& history_;
    Catalog catalog_;
    const bool local_;
};

}  // namespace pgc::sim
