#include "pgclient/libpq_link.h"

#include <fmt/core.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "pgclient/address_lookup.h"
#include "pgclient/libpq_connection.h"
#include "pgclient/libpq_result.h"
#include "pgclient/loopback.h"
#include "pgclient/parameters.h"
#include "pgclient/server_errors.h"

namespace pgc {

namespace {

// Bytes taken from the socket before messages are cut out of them: libpq's buffer grows to
// about twice this and then reads as much with one system call.
constexpr int kReadBytes = 128 << 10;
constexpr int kFirstBufferBytes = 16 << 10;  // libpq's, to begin with
constexpr int kRoomBytes = 8192;             // what libpq makes room for before it reads
// Besides every CopyData message's content: its kind and length on the wire.
constexpr std::size_t kMessageHead = 5;

class LibpqLink final : public Link {
public:
    LibpqLink(const ConnectionConfig& config, std::string application_name, LinkFactory::Use use,
              Credentials credentials, std::shared_ptr<HostEntry> silent, Logger logger)
        : config_(config),
          application_name_(std::move(application_name)),
          use_(use),
          credentials_(std::move(credentials)),
          silent_(std::move(silent)),
          logger_(std::move(logger)),
          lookup_(std::in_place, config.hosts) {}
    ~LibpqLink() override;

    Result<Connecting> connect() override;
    int fd() const noexcept override {
        return connection_ ? PQsocket(connection_.get()) : lookup_->fd();
    }
    bool has_something_to_say() const noexcept override {
        pollfd arrived{fd(), short{POLLIN}, 0};
        return ::poll(&arrived, 1, 0) > 0;
    }
    bool wants_to_write() const noexcept override { return unwritten_; }

    int server_version() const noexcept override { return PQserverVersion(connection_.get()); }
    std::uint32_t backend_pid() const noexcept override {
        return static_cast<std::uint32_t>(PQbackendPID(connection_.get()));
    }
    bool encrypted() const noexcept override { return PQsslInUse(connection_.get()) != 0; }
    bool local() const noexcept override {
        const char* host = PQhost(connection_.get());
        return host != nullptr && (host[0] == '/' || host[0] == '@');
    }
    bool loopback() const noexcept override { return loopback_; }
    std::string parameter(const char* name) const override {
        const char* value = PQparameterStatus(connection_.get(), name);
        return value == nullptr ? "" : value;
    }

    Result<void> send(std::string_view command) override;
    Result<void> send(std::string_view command,
                      std::span<const std::optional<std::string>> parameters,
                      bool binary_answer) override;
    Result<std::optional<Rows>> result() override;
    const std::string& sqlstate() const noexcept override { return sqlstate_; }
    bool copying() const noexcept override { return copying_; }

    Result<Drained> drain(std::vector<CopyMessage>& out, std::size_t max_messages,
                          std::size_t max_bytes, std::size_t& received) override;
    Release release() const noexcept override { return PQfreemem; }
    Result<void> put(std::string_view message) override;
    Result<void> flush() override;
    void set_low_water(std::size_t bytes) noexcept override;
    Result<bool> end_copy() override;

private:
    enum class State : std::uint8_t { looking_up, connecting, pinning, ready };

    Result<void> begin_connecting(const AddressList& addresses);
    Result<std::optional<Connecting>> go_on_connecting();
    Result<void> begin_pinning();
    Result<void> begin_command(int sent);
    Result<void> take_socket_bytes();
    // Keeps what a result of the command in progress says.
    void take(const PGresult& result);
    Result<bool> fill();
    Result<bool> discard_messages();
    Error lost() const { return lost_error(PQerrorMessage(connection_.get())); }
    static void on_notice(void* self, const PGresult* notice);

    const ConnectionConfig config_;
    const std::string application_name_;
    const LinkFactory::Use use_;
    Credentials credentials_;
    const std::shared_ptr<HostEntry> silent_;
    const Logger logger_;

    State state_ = State::looking_up;
    std::optional<AddressLookup> lookup_;
    LibpqConnection connection_;
    bool loopback_ = false;
    bool unwritten_ = false;
    bool copying_ = false;
    bool left_copy_ = false;                // our CopyDone is on its way
    bool more_buffered_ = false;            // the last drain stopped at its limit
    int buffer_bytes_ = kFirstBufferBytes;  // of libpq's buffer, at least
    Connecting waiting_ = Connecting::wait_writable;
    std::string sqlstate_;
    std::optional<Rows> rows_;    // of the command in progress
    std::optional<Error> error_;  // likewise
    std::optional<Error> alarm_;  // a warning that means data is being lost
};

// Given up while it waited for somebody: the next attempt begins with somebody else.
LibpqLink::~LibpqLink() {
    if (state_ != State::connecting || PQstatus(connection_.get()) == CONNECTION_BAD) return;
    const auto text = [](const char* value) { return std::string{value == nullptr ? "" : value}; };
    *silent_ = {text(PQhost(connection_.get())), text(PQhostaddr(connection_.get())),
                text(PQport(connection_.get()))};
}

Result<Link::Connecting> LibpqLink::connect() {
    while (true) {
        switch (state_) {
            case State::looking_up: {
                auto addresses = lookup_->take();
                if (!addresses) return Connecting::wait_readable;
                if (!*addresses) return std::unexpected(std::move(addresses->error()));
                if (auto begun = begin_connecting(**addresses); !begun) {
                    return std::unexpected(std::move(begun.error()));
                }
                break;
            }
            case State::connecting: {
                auto waiting = go_on_connecting();
                if (!waiting) return std::unexpected(waiting.error());
                if (*waiting) return **waiting;
                break;
            }
            case State::pinning: {
                auto answer = result();
                if (!answer) return std::unexpected(answer.error());
                if (!*answer) {
                    return unwritten_ ? Connecting::wait_writable : Connecting::wait_readable;
                }
                state_ = State::ready;
                break;
            }
            case State::ready: return Connecting::done;
        }
    }
}

Result<void> LibpqLink::begin_connecting(const AddressList& addresses) {
    connection_ =
        begin_libpq_connection(connection_parameters(config_, beginning_after(addresses, *silent_),
                                                     application_name_, use_),
                               credentials_, !config_.ssl_key.empty());
    credentials_ = {};
    if (!connection_) return std::unexpected(stop(Error::Category::internal, "out of memory"));
    lookup_.reset();
    PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);  // texts hold SQLSTATEs
    PQsetErrorContextVisibility(connection_.get(), PQSHOW_CONTEXT_NEVER);
    PQsetNoticeReceiver(connection_.get(), on_notice, this);
    if (PQstatus(connection_.get()) == CONNECTION_BAD) {
        return std::unexpected(connect_error(PQerrorMessage(connection_.get()), config_));
    }
    state_ = State::connecting;
    return {};
}

Result<std::optional<Link::Connecting>> LibpqLink::go_on_connecting() {
    // libpq believes that the socket is ready when it is asked: so ask first.
    pollfd ready{fd(), waiting_ == Connecting::wait_readable ? short{POLLIN} : short{POLLOUT}, 0};
    if (::poll(&ready, 1, 0) == 0) return waiting_;
    switch (PQconnectPoll(connection_.get())) {
        case PGRES_POLLING_READING: return waiting_ = Connecting::wait_readable;
        case PGRES_POLLING_WRITING: return waiting_ = Connecting::wait_writable;
        case PGRES_POLLING_OK: break;
        default: return std::unexpected(connect_error(PQerrorMessage(connection_.get()), config_));
    }
    if (PQsetnonblocking(connection_.get(), 1) != 0) return std::unexpected(lost());
    if (auto begun = begin_pinning(); !begun) return std::unexpected(std::move(begun.error()));
    return std::nullopt;
}

Result<void> LibpqLink::begin_pinning() {
    const std::string sql =
        late_session_settings(server_version(), parameter("server_encoding"), use_);
    state_ = sql.empty() ? State::ready : State::pinning;
    if (use_ == LinkFactory::Use::replication) {
        loopback_ = leads_to_this_machine(PQsocket(connection_.get())) &&
                    narrow_receive_buffer(PQsocket(connection_.get()));
    }
    return sql.empty() ? Result<void>{} : send(sql);
}

Result<void> LibpqLink::begin_command(int sent) {
    if (sent != 1) return std::unexpected(lost());
    rows_.reset();
    error_.reset();
    sqlstate_.clear();
    return flush();
}

Result<void> LibpqLink::send(std::string_view command) {
    return begin_command(PQsendQuery(connection_.get(), std::string{command}.c_str()));
}

Result<void> LibpqLink::send(std::string_view command,
                             std::span<const std::optional<std::string>> parameters,
                             bool binary_answer) {
    assert(use_ == LinkFactory::Use::sql && "replication links take no parameters");
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& value : parameters) values.push_back(value ? value->c_str() : nullptr);
    return begin_command(PQsendQueryParams(connection_.get(), std::string{command}.c_str(),
                                           static_cast<int>(values.size()), nullptr, values.data(),
                                           nullptr, nullptr, binary_answer ? 1 : 0));
}

Result<std::optional<Rows>> LibpqLink::result() {
    if (auto written = flush(); !written) return std::unexpected(std::move(written.error()));
    if (auto taken = take_socket_bytes(); !taken) return std::unexpected(std::move(taken.error()));
    while (PQisBusy(connection_.get()) == 0) {
        const ResultHandle next{PQgetResult(connection_.get())};
        if (next) {
            take(*next);
            if (copying_) return Rows{};
            continue;
        }
        if (error_) return std::unexpected(*std::exchange(error_, std::nullopt));
        if (!rows_) {  // the connection went away between two results
            return std::unexpected(lost());
        }
        return std::exchange(rows_, std::nullopt);
    }
    return std::nullopt;
}

void LibpqLink::take(const PGresult& result) {
    switch (PQresultStatus(&result)) {
        case PGRES_COPY_BOTH:
            copying_ = true;
            left_copy_ = more_buffered_ = false;
            return;
        case PGRES_COPY_OUT:
            copying_ = true;
            left_copy_ = true;  // there is nothing for us to leave
            more_buffered_ = false;
            return;
        case PGRES_COPY_IN:  // the server has left copy mode and waits for us to
            if (!std::exchange(left_copy_, true)) PQputCopyEnd(connection_.get(), nullptr);
            return;
        case PGRES_FATAL_ERROR:
        case PGRES_BAD_RESPONSE:
        case PGRES_NONFATAL_ERROR: {
            if (error_) return;  // the first one counts
            sqlstate_ = field(&result, PG_DIAG_SQLSTATE);
            const bool last_word = is_last_word(result);
            const bool dead = last_word || PQstatus(connection_.get()) == CONNECTION_BAD;
            if (sqlstate_.empty()) {
                error_ = lost_error(PQresultErrorMessage(&result));
            } else {
                error_ = server_error({sqlstate_, field(&result, PG_DIAG_MESSAGE_PRIMARY),
                                       field(&result, PG_DIAG_MESSAGE_DETAIL),
                                       field(&result, PG_DIAG_MESSAGE_HINT),
                                       field(&result, PG_DIAG_CONSTRAINT_NAME)});
            }
            if (last_word) error_->next = Error::Next::retry;  // whoever reconnects learns of it
            if (dead) sqlstate_.clear();
            return;
        }
        default: rows_ = copied(result);
    }
}

Result<void> LibpqLink::take_socket_bytes() {
    if (PQconsumeInput(connection_.get()) == 1) return {};
    // What the server said before it went away is worth more than that it did.
    if (copying_) {
        copying_ = false;
        if (const auto ended = discard_messages(); !ended || !*ended)
            return std::unexpected(lost());
    }
    while (const ResultHandle last{PQgetResult(connection_.get())}) {
        take(*last);
        if (error_) return std::unexpected(*std::exchange(error_, std::nullopt));
        if (PQstatus(connection_.get()) == CONNECTION_BAD) break;
    }
    return std::unexpected(lost());
}

Result<void> LibpqLink::flush() {
    const int left = PQflush(connection_.get());
    if (left < 0) {
        if (auto said = take_socket_bytes(); !said) return said;
        return std::unexpected(lost());
    }
    unwritten_ = left > 0;
    return {};
}

Result<void> LibpqLink::put(std::string_view message) {
    const int queued =
        PQputCopyData(connection_.get(), message.data(), static_cast<int>(message.size()));
    if (queued < 0) return std::unexpected(lost());
    // Not queued only for want of memory: feedback is repeated, so nothing is lost by it.
    return flush();
}

// Bytes into libpq's buffer, up to kReadBytes. libpq takes as much with one call as its buffer
// has room for, and doubles the buffer when it is nearly full; `buffer_bytes_` follows it,
// so that the buffer grows to that and stays there. Whether more was at hand.
Result<bool> LibpqLink::fill() {
    const int socket = PQsocket(connection_.get());
    int filled = 0;
    while (true) {
        int at_hand = 0;
        if (::ioctl(socket, FIONREAD, &at_hand) != 0) at_hand = 0;
        // With nothing at hand only the end of the connection can be found.
        if (at_hand > 0 || filled == 0) {
            if (auto taken = take_socket_bytes(); !taken) {
                return std::unexpected(std::move(taken.error()));
            }
        }
        if (at_hand == 0) return false;
        // Less than the room libpq always makes: everything was taken. Under TLS one
        // record is taken at a time.
        if (at_hand < kRoomBytes && !encrypted()) return false;
        if (buffer_bytes_ - filled < kRoomBytes) buffer_bytes_ *= 2;
        filled += std::min(at_hand, buffer_bytes_ - filled);
        if (filled >= kReadBytes) return true;
    }
}

// What has arrived is taken in two steps, again and again: bytes into libpq's buffer, whole
// messages out of it. Nothing stays unseen: libpq leaves no bytes behind in the TLS layer,
// so an empty socket means that there is nothing.
Result<Link::Drained> LibpqLink::drain(std::vector<CopyMessage>& out, std::size_t max_messages,
                                       std::size_t max_bytes, std::size_t& received) {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    bool more = true;
    bool parse_first = std::exchange(more_buffered_, false);
    while (more) {
        if (!std::exchange(parse_first, false)) {
            const auto filled = fill();
            if (!filled) return std::unexpected(filled.error());
            more = *filled;
        }
        while (messages < max_messages && bytes < max_bytes) {
            char* data = nullptr;
            const int size = PQgetCopyData(connection_.get(), &data, 1);
            if (size == 0) break;
            if (size == -2) return std::unexpected(lost());
            if (size == -1) {
                copying_ = false;
                return Drained::ended;
            }
            out.push_back({data, static_cast<std::size_t>(size)});
            ++messages;
            bytes += static_cast<std::size_t>(size) + kMessageHead;
            received += static_cast<std::size_t>(size) + kMessageHead;
        }
        if (alarm_) return std::unexpected(*alarm_);
        if (messages >= max_messages || bytes >= max_bytes) {
            more_buffered_ = true;
            return Drained::limit;
        }
    }
    if (loopback_) narrow_receive_buffer(PQsocket(connection_.get()));
    return Drained::all;
}

void LibpqLink::set_low_water(std::size_t bytes) noexcept {
    const int low = static_cast<int>(std::clamp<std::size_t>(bytes, 1, std::size_t{1} << 20));
    ::setsockopt(PQsocket(connection_.get()), SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
}

Result<bool> LibpqLink::discard_messages() {
    while (true) {
        char* data = nullptr;
        const int size = PQgetCopyData(connection_.get(), &data, 1);
        if (size == 0) return false;
        if (size == -2) return std::unexpected(lost());
        if (size == -1) return true;
        PQfreemem(data);
    }
}

Result<bool> LibpqLink::end_copy() {
    if (!left_copy_) {
        set_low_water(1);
        if (copying_ && PQputCopyEnd(connection_.get(), nullptr) < 0)
            return std::unexpected(lost());
        left_copy_ = true;
        rows_.reset();
        error_.reset();
    }
    if (auto written = flush(); !written) return std::unexpected(std::move(written.error()));
    if (auto taken = take_socket_bytes(); !taken) return std::unexpected(std::move(taken.error()));
    if (copying_) {
        const auto ended = discard_messages();
        if (!ended || !*ended) return ended;
        copying_ = false;
    }
    while (PQisBusy(connection_.get()) == 0) {
        const ResultHandle next{PQgetResult(connection_.get())};
        if (!next) {
            if (error_) return std::unexpected(*std::exchange(error_, std::nullopt));
            return true;
        }
        take(*next);
    }
    return false;
}

void LibpqLink::on_notice(void* self, const PGresult* notice) {
    auto& link = *static_cast<LibpqLink*>(self);
    const auto state = field(notice, PG_DIAG_SQLSTATE);
    const auto message = field(notice, PG_DIAG_MESSAGE_PRIMARY);
    const bool ours = link.use_ == LinkFactory::Use::replication;
    // What a user's trigger says on the other link may hold values.
    link.logger_.debug("notice from the server",
                       {{"sqlstate", state}, {"notice", ours ? message : std::string_view{}}});
    if (!ours) return;
    if (auto loss = loss_warned_of({state, message})) link.alarm_ = std::move(loss);
}

}  // namespace

LibpqLinkFactory::LibpqLinkFactory(ConnectionConfig config, std::string application_name,
                                   Logger logger)
    : config_(std::move(config)),
      application_name_(std::move(application_name)),
      silent_(std::make_shared<HostEntry>()),
      logger_(std::move(logger)) {}

Result<std::unique_ptr<Link>> LibpqLinkFactory::make(Use use) {
    auto credentials = read_credentials(config_);
    if (!credentials) return std::unexpected(std::move(credentials.error()));
    return std::make_unique<LibpqLink>(config_, application_name_, use, std::move(*credentials),
                                       silent_, logger_);
}

std::string application_name(std::string_view slot, std::uint64_t instance) {
    return fmt::format("pg-capture {:016x} {}", instance, slot).substr(0, 63);
}

}  // namespace pgc
