// One connection to a PostgreSQL server: what we use of libpq, and nothing more.
//
// Two implementations: LibpqLink (libpq_link.h) and, in tests/simulation, a server in
// memory. Everything above this line is a state machine that never blocks and can be
// simulated. Commands run one at a time: send(), then result() until it answers; a
// replication link that answered START_REPLICATION with copying() set is in copy mode:
// then drain() and put() until end_copy(). Likewise after COPY … TO STDOUT: then drain() until it
// has ended, and result() for how.
//
// After an Error the link is dead: destroy it. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pgc {

// A whole answer to one command, copied out of the library: for small answers only.
struct Rows {
    // What a column of an answer shows, as the server parsed the query.
    struct Field {
        std::uint16_t number = 0;  // of the table's column; 0: it is none
        std::uint32_t type = 0;    // of a domain: its base
        std::int32_t modifier = -1;
        bool operator==(const Field&) const = default;
    };
    std::vector<std::string> columns;
    std::vector<Field> fields;  // one for each of them
    std::vector<std::vector<std::optional<std::string>>> rows;
    bool binary = false;
    std::string command_tag;
};

// One message of copy mode. The memory is the receiver's, to be given to release().
struct CopyMessage {
    char* data = nullptr;
    std::size_t size = 0;
};

class Link {
public:
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    virtual ~Link() = default;

    enum class Connecting : std::uint8_t { wait_readable, wait_writable, done };
    // Goes on connecting. The connection has the session settings that pin the text form
    // of values (session.h) once it is done.
    [[nodiscard]] virtual Result<Connecting> connect() = 0;

    // To wait on. May change until connected.
    virtual int fd() const noexcept = 0;
    // While nothing is asked: something has arrived, be it the end of the connection.
    virtual bool has_something_to_say() const noexcept = 0;
    // Something of ours is not written yet: wait for writable too.
    virtual bool wants_to_write() const noexcept = 0;

    virtual int server_version() const noexcept = 0;  // as 150018
    virtual std::uint32_t backend_pid() const noexcept = 0;
    virtual bool encrypted() const noexcept = 0;
    virtual bool local() const noexcept = 0;  // Unix socket
    // TCP to this very machine, with a receive window kept small for it.
    virtual bool loopback() const noexcept = 0;
    // What the server reported (server_encoding …); empty if it did not.
    virtual std::string parameter(const char* name) const = 0;

    // Sends one command: SQL or a replication command.
    [[nodiscard]] virtual Result<void> send(std::string_view command) = 0;
    // The same with parameters ($1 …) in text form and the answer in binary or text form.
    // Not on replication links.
    [[nodiscard]] virtual Result<void> send(std::string_view command,
                                            std::span<const std::optional<std::string>> parameters,
                                            bool binary_answer) = 0;
    // Nothing while the answer is not whole. A server's error is an Error whose link
    // survives: see sqlstate(). An answer that opens copy mode has no rows: see copying().
    [[nodiscard]] virtual Result<std::optional<Rows>> result() = 0;
    // Of the last Error that came from the server; empty when it came from elsewhere.
    virtual const std::string& sqlstate() const noexcept = 0;
    virtual bool copying() const noexcept = 0;

    enum class Drained : std::uint8_t {
        all,    // nothing more had arrived
        limit,  // as much as was asked for; more may be at hand
        ended,  // the server has ended copy mode
    };
    // Appends the messages that have arrived to `out`, up to the limits (the byte limit may be
    // exceeded by one message). `received` grows by the bytes read from the socket.
    [[nodiscard]] virtual Result<Drained> drain(std::vector<CopyMessage>& out,
                                                std::size_t max_messages, std::size_t max_bytes,
                                                std::size_t& received) = 0;
    // Frees one message's data.
    using Release = void (*)(void*);
    virtual Release release() const noexcept = 0;

    // Queues one copy-mode message and writes what the socket takes.
    [[nodiscard]] virtual Result<void> put(std::string_view message) = 0;
    // Writes what is queued as far as the socket takes it.
    [[nodiscard]] virtual Result<void> flush() = 0;
    // The socket reads as readable from this many bytes on (SO_RCVLOWAT); 1 is normal.
    virtual void set_low_water(std::size_t bytes) noexcept = 0;

    // Leaves copy mode; true when the server has agreed.
    [[nodiscard]] virtual Result<bool> end_copy() = 0;
};

// Makes links; reads secrets again each time.
class LinkFactory {
public:
    LinkFactory() = default;
    LinkFactory(const LinkFactory&) = delete;
    LinkFactory& operator=(const LinkFactory&) = delete;
    virtual ~LinkFactory() = default;

    enum class Use : std::uint8_t { replication, sql };
    [[nodiscard]] virtual Result<std::unique_ptr<Link>> make(Use use) = 0;
};

}  // namespace pgc
