// A connection to this very machine, and how much of it may wait in the kernel.
#pragma once

namespace pgc {

// By the address at its other end.
bool leads_to_this_machine(int socket) noexcept;

// The buffer is made small and at once allowed to grow again. One that may not is overrun by
// many small segments while we don't read: the kernel drops one, and from then on takes no
// acknowledgement of our feedback, until the connection times out. And because it grows as
// we read, this is done after each drain. False where the kernel (before 5.14) can't.
bool narrow_receive_buffer(int socket) noexcept;

}  // namespace pgc
