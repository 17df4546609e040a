"""A TCP relay on loopback that can break in the ways a network breaks.

    with CutProxy(server.host, server.port) as proxy:   # clients use proxy.host, proxy.port
        proxy.freeze()                # nothing passes, nothing is closed
        proxy.freeze("to_client")     # one direction only
        proxy.freeze_busiest()        # what goes to the server on the connection that has sent most
        proxy.resume()
        proxy.cut()                   # resets every connection; new ones are still accepted
        proxy.refuse()                # and from now on none is; accept() undoes it
        proxy.cut_after(1000)         # resets once 1000 more bytes have gone to the client
        proxy.end_late(0.3)           # clients learn that the server has closed only then
"""

import selectors
import socket
import struct
import threading
import time

from support.processes import free_port

_CHUNK = 64 * 1024


class _Pipe:
    """One direction of one connection."""

    def __init__(self, source, target, direction):
        self.source, self.target, self.direction = source, target, direction
        self.pending = b""
        self.ended = False
        self.moved = 0          # bytes
        self.frozen = False
        self.end_at = None      # when the target gets the end; None: it has got it, or there is none


class CutProxy:
    def __init__(self, target_host, target_port, host="127.0.0.1"):
        self._target = (target_host, target_port)
        self.host = host
        self.port = free_port()
        self.connections = 0  # accepted so far
        self.bytes = {"to_client": 0, "to_server": 0}
        self._frozen = set()
        self._budget = None
        self._late = 0.0
        self._lock = threading.RLock()
        self._pipes = []
        self._closing = False
        self._listener = self._listen()
        self._wake_in, self._wake_out = socket.socketpair()
        self._thread = threading.Thread(target=self._work, name="cut-proxy", daemon=True)
        self._thread.start()

    # -- what tests do ----------------------------------------------------------------

    def freeze(self, direction="both"):
        with self._lock:
            self._frozen |= {"to_client", "to_server"} if direction == "both" else {direction}
        self._wake()

    def freeze_busiest(self):
        with self._lock:
            max((p for p in self._pipes if p.direction == "to_server"), key=lambda p: p.moved).frozen = True
        self._wake()

    def resume(self):
        with self._lock:
            self._frozen.clear()
            for pipe in self._pipes:
                pipe.frozen = False
        self._wake()

    def cut(self):
        with self._lock:
            for pipe in list(self._pipes):
                self._reset(pipe)
        self._wake()

    def cut_after(self, bytes_to_client):
        with self._lock:
            self._budget = bytes_to_client

    def end_late(self, seconds):
        with self._lock:
            self._late = seconds

    def refuse(self):
        with self._lock:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
        self._wake()

    def accept(self):
        with self._lock:
            if self._listener is None:
                self._listener = self._listen()
        self._wake()

    @property
    def open_connections(self):
        with self._lock:
            return len(self._pipes) // 2

    def close(self):
        self._closing = True
        self._wake()
        self._thread.join(5.0)
        self.refuse()
        self.cut()
        self._wake_in.close()
        self._wake_out.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- the relay --------------------------------------------------------------------

    def _listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(64)
        listener.setblocking(False)
        return listener

    def _wake(self):
        try:
            self._wake_in.send(b"x")
        except OSError:
            pass

    def _reset(self, pipe):
        """Closes both ends with RST, in both directions."""
        for end in (pipe.source, pipe.target):
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            end.close()
        self._pipes = [p for p in self._pipes if p.source not in (pipe.source, pipe.target)]

    def _accept_one(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(self._target, timeout=5.0)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        self._pipes += [_Pipe(client, server, "to_server"), _Pipe(server, client, "to_client")]

    def _move(self, pipe):
        """Moves what can be moved now; True while the connection lives."""
        try:
            if not pipe.pending and not pipe.ended:
                pipe.pending = pipe.source.recv(_CHUNK)
                if not pipe.pending:
                    pipe.ended = True
                    late = self._late if pipe.direction == "to_client" else 0.0
                    pipe.end_at = time.monotonic() + late
            if pipe.pending:
                sent = pipe.target.send(pipe.pending)
                pipe.pending = pipe.pending[sent:]
                self.bytes[pipe.direction] += sent
                pipe.moved += sent
                if pipe.direction == "to_client" and self._budget is not None:
                    self._budget -= sent
                    if self._budget <= 0:
                        self._budget = None
                        return False
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def _interests(self):
        """Which socket waits for what: a frozen direction neither reads nor writes."""
        wanted = {}
        for pipe in self._pipes:
            if pipe.direction in self._frozen or pipe.frozen:
                continue
            if pipe.pending:
                wanted.setdefault(pipe.target, [0, []])
                wanted[pipe.target][0] |= selectors.EVENT_WRITE
                wanted[pipe.target][1].append(pipe)
            elif not pipe.ended:
                wanted.setdefault(pipe.source, [0, []])
                wanted[pipe.source][0] |= selectors.EVENT_READ
                wanted[pipe.source][1].append(pipe)
        return wanted

    def _work(self):
        while not self._closing:
            with selectors.DefaultSelector() as selector:
                with self._lock:
                    selector.register(self._wake_out, selectors.EVENT_READ, "wake")
                    if self._listener is not None:
                        selector.register(self._listener, selectors.EVENT_READ, "accept")
                    for end, (events, pipes) in self._interests().items():
                        selector.register(end, events, pipes)
                    due = [p.end_at for p in self._pipes if p.end_at is not None]
                ready = selector.select(max(0.0, min([1.0, *(at - time.monotonic() for at in due)])))
            with self._lock:
                for key, _ in ready:
                    self._serve(key.data)
                self._pass_on_ends()

    def _pass_on_ends(self):
        now = time.monotonic()
        for pipe in [p for p in self._pipes if p.end_at is not None and p.end_at <= now]:
            pipe.end_at = None
            try:
                pipe.target.shutdown(socket.SHUT_WR)
            except OSError:
                pass            # it has gone too
            self._close_if_over(pipe)

    def _close_if_over(self, pipe):
        both = [p for p in self._pipes if p.source in (pipe.source, pipe.target)]
        if both and all(p.ended and p.end_at is None and not p.pending for p in both):
            self._reset(pipe)

    def _serve(self, job):
        if job == "wake":
            self._wake_out.recv(4096)
        elif job == "accept":
            if self._listener is not None:
                self._accept_one()
        else:
            for pipe in job:
                if pipe in self._pipes and not self._move(pipe):
                    self._reset(pipe)
                    continue
                self._close_if_over(pipe)
