#include "pgclient/address_lookup.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace pgc {

namespace {

constexpr std::size_t kAddressesMax = 16;  // of one host; no honest name has more

void append(AddressList& list, const PostgresHost& host, std::string_view address) {
    const std::string_view comma = list.ports.empty() ? "" : ",";
    list.hosts += fmt::format("{}{}", comma, host.name);
    list.addresses += fmt::format("{}{}", comma, address);
    list.ports += fmt::format("{}{}", comma, host.port);
}

// Appends the addresses of `host`; what getaddrinfo() says otherwise.
int look_up(const PostgresHost& host, int flags, AddressList& list) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.name.c_str(), nullptr, &hints, &found);
    if (error != 0) return error;
    std::size_t count = 0;
    for (const addrinfo* a = found; a != nullptr && count < kAddressesMax; a = a->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0,
                          NI_NUMERICHOST) != 0) {
            continue;
        }
        append(list, host, text.data());
        ++count;
    }
    ::freeaddrinfo(found);
    return count == 0 ? EAI_NONAME : 0;
}

Result<AddressList> look_up_all(const std::vector<PostgresHost>& hosts) {
    AddressList list;
    std::string unknown;
    for (const PostgresHost& host : hosts) {
        if (host.is_socket()) {
            append(list, host, "");
        } else if (const int error = look_up(host, AI_ADDRCONFIG, list); error != 0) {
            unknown += fmt::format("{}\"{}\": {}", unknown.empty() ? "" : ", ", host.name,
                                   ::gai_strerror(error));
        }
    }
    if (!list.ports.empty()) return list;
    Error error = retry(Error::Category::connection, "no address is known for host " + unknown);
    error.hint = "check postgres.host and the name service of this machine";
    return std::unexpected(std::move(error));
}

std::vector<std::string> items(std::string_view list) {
    std::vector<std::string> all;
    while (true) {
        const auto comma = list.find(',');
        all.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return all;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace

AddressList beginning_after(const AddressList& list, const HostEntry& last) {
    const auto hosts = items(list.hosts);
    const auto addresses = items(list.addresses);
    const auto ports = items(list.ports);
    const std::size_t count = ports.size();
    assert(hosts.size() == count && addresses.size() == count);
    std::size_t first = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (HostEntry{hosts[i], addresses[i], ports[i]} == last) first = i + 1;
    }
    AddressList turned;
    for (std::size_t n = 0; n < count; ++n) {
        const std::size_t i = (first + n) % count;
        const std::string_view comma = n == 0 ? "" : ",";
        turned.hosts += fmt::format("{}{}", comma, hosts[i]);
        turned.addresses += fmt::format("{}{}", comma, addresses[i]);
        turned.ports += fmt::format("{}{}", comma, ports[i]);
    }
    return turned;
}

struct AddressLookup::Shared {
    Shared() : done_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~Shared() {
        if (done_fd >= 0) ::close(done_fd);
    }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    void finish(Result<AddressList> result) {
        answer = std::move(result);
        done.store(true, std::memory_order_release);
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(done_fd, &one, sizeof one);
    }

    const int done_fd;
    std::atomic<bool> done{false};
    Result<AddressList> answer;  // the thread's until done, the object's afterwards
};

AddressLookup::AddressLookup(std::vector<PostgresHost> hosts)
    : shared_(std::make_shared<Shared>()) {
    AddressList at_once;
    bool all = true;
    for (const PostgresHost& host : hosts) {
        if (host.is_socket()) {
            append(at_once, host, "");
        } else {
            all = all && look_up(host, AI_NUMERICHOST, at_once) == 0;
        }
    }
    if (all) {
        shared_->finish(std::move(at_once));
        return;
    }
    try {
        std::thread([shared = shared_, names = std::move(hosts)] {
            shared->finish(look_up_all(names));
        }).detach();
    } catch (const std::system_error&) {
        shared_->finish(std::unexpected(
            retry(Error::Category::connection, "no thread to look up host names with")));
    }
}

AddressLookup::~AddressLookup() = default;

int AddressLookup::fd() const noexcept {
    return shared_->done_fd;
}

std::optional<Result<AddressList>> AddressLookup::take() {
    if (!shared_->done.load(std::memory_order_acquire)) return std::nullopt;
    return std::move(shared_->answer);
}

}  // namespace pgc
