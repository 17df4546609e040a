// A replication connection whose messages a test lays out, over a server that answers by
// rules (fake_server.h).
#pragma once

#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pgclient/link.h"
#include "support/fake_server.h"

namespace pgc {

struct FakeStream {
    std::deque<std::string> arriving;   // messages of copy mode, not yet taken
    std::vector<std::string> reported;  // what was put()
    bool started = false;
    bool ended = false;            // by the server, once `arriving` is empty
    bool says_good_bye = true;     // agrees to our leaving copy mode
    std::optional<Error> breaks;   // the connection is gone
    std::string sqlstate;          // with which, if the server said so
    std::optional<Error> refuses;  // START_REPLICATION, or the reason why it ended
    std::size_t low_water = 1;
    int drains = 0;

    void sends(std::string message) { arriving.push_back(std::move(message)); }
};

class FakeStreamLink final : public Link {
public:
    FakeStreamLink(FakeServer& server, FakeStream& stream)
        : server_(server), stream_(stream), commands_(server, LinkFactory::Use::replication) {}

    Result<Connecting> connect() override { return commands_.connect(); }
    int fd() const noexcept override { return commands_.fd(); }
    bool has_something_to_say() const noexcept override { return false; }
    bool wants_to_write() const noexcept override { return false; }
    int server_version() const noexcept override { return server_.version; }
    std::uint32_t backend_pid() const noexcept override { return 4711; }
    bool encrypted() const noexcept override { return false; }
    bool local() const noexcept override { return server_.local; }
    bool loopback() const noexcept override { return server_.loopback; }
    std::string parameter(const char*) const override { return {}; }

    Result<void> send(std::string_view command) override {
        starting_ = command.starts_with("START_REPLICATION");
        if (!starting_) return commands_.send(command);
        server_.said.emplace_back(command);
        return {};
    }
    Result<void> send(std::string_view, std::span<const std::optional<std::string>>,
                      bool) override {
        return std::unexpected(stop(Error::Category::internal, "no parameters here"));
    }
    Result<std::optional<Rows>> result() override {
        if (!starting_) return commands_.result();
        if (stream_.refuses) return std::unexpected(*stream_.refuses);
        if (stream_.ended) return Rows{};
        stream_.started = true;
        return Rows{};
    }
    const std::string& sqlstate() const noexcept override {
        return stream_.sqlstate.empty() ? commands_.sqlstate() : stream_.sqlstate;
    }
    bool copying() const noexcept override { return stream_.started; }

    Result<Drained> drain(std::vector<CopyMessage>& out, std::size_t max_messages,
                          std::size_t max_bytes, std::size_t& received) override {
        ++stream_.drains;
        if (stream_.breaks) return std::unexpected(*stream_.breaks);
        std::size_t bytes = 0;
        for (std::size_t n = 0; !stream_.arriving.empty(); ++n) {
            if (n == max_messages || bytes >= max_bytes) return Drained::limit;
            const std::string message = std::move(stream_.arriving.front());
            stream_.arriving.pop_front();
            auto* data = static_cast<char*>(std::malloc(message.size() + 1));
            std::memcpy(data, message.data(), message.size());
            out.push_back({data, message.size()});
            bytes += message.size();
            received += message.size();
        }
        return stream_.ended ? Drained::ended : Drained::all;
    }
    Release release() const noexcept override { return std::free; }
    Result<void> put(std::string_view message) override {
        stream_.reported.emplace_back(message);
        return {};
    }
    Result<void> flush() override { return {}; }
    void set_low_water(std::size_t bytes) noexcept override { stream_.low_water = bytes; }
    Result<bool> end_copy() override { return stream_.says_good_bye; }

private:
    FakeServer& server_;
    FakeStream& stream_;
    FakeLink commands_;
    bool starting_ = false;
};

class FakeStreamLinks final : public LinkFactory {
public:
    FakeStreamLinks(FakeServer& server, FakeStream& stream) : server_(server), stream_(stream) {}
    Result<std::unique_ptr<Link>> make(Use use) override {
        ++made;
        if (use == Use::sql) return std::make_unique<FakeLink>(server_, use);
        return std::make_unique<FakeStreamLink>(server_, stream_);
    }

    int made = 0;

private:
    FakeServer& server_;
    FakeStream& stream_;
};

}  // namespace pgc
