#include "pgclient/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pgc {

namespace {

// Receive buffer of a replication link to this machine (the kernel takes twice that): see
// stream/read_coalescer.h. Never below two of the loopback's 64 KiB segments, or a window that was
// shut opens only after 200 ms, when the server probes it. Over a real network a
// small window would cost throughput: there the kernel's own choice stands.
constexpr int kLoopbackBuffer = 128 << 10;

}  // namespace

bool leads_to_this_machine(int socket) noexcept {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
    if (peer.ss_family == AF_INET) {
        const auto& address = reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
        return (ntohl(address.s_addr) >> 24) == IN_LOOPBACKNET;
    }
    return peer.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr);
}

bool narrow_receive_buffer(int socket) noexcept {
    constexpr int unlocked = 0;
    return ::setsockopt(socket, SOL_SOCKET, SO_BUF_LOCK, &unlocked, sizeof unlocked) == 0 &&
           ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kLoopbackBuffer, sizeof kLoopbackBuffer) ==
               0 &&
           ::setsockopt(socket, SOL_SOCKET, SO_BUF_LOCK, &unlocked, sizeof unlocked) == 0;
}

}  // namespace pgc
