"""A relay between pg-capture and its server that stops before each chunk of a snapshot.

    with Gate(server.host, server.port) as gate:        # pg-capture uses gate.host, gate.port
        opening = gate.wait(0.1)      # a chunk is about to be opened; None: not yet
        opening.release()             # it may be
        gate.let_pass(capture, 5)     # five may be, and the next one waits
        gate.open()                   # from now on all may

A reader keeps its last chunk's transaction, and with it a lock on the table, until it opens the next one.
That transaction is ended here first: while a chunk waits, its reader is in nobody's way.
"""

import queue
import socket
import struct
import threading

from support.processes import wait_until

_MARK = b"/* pg-capture: open table */"
_ENDED = b"ROLLBACK"
_STARTUPS = {80877103, 80877104}    # questions for TLS and GSSAPI, after which the client begins again


class WaitingChunk:
    """A chunk that waits."""

    def __init__(self):
        self.released = threading.Event()

    def release(self):
        self.released.set()


class _Connection:
    def __init__(self, gate, client, server):
        self.gate, self.client, self.server = gate, client, server
        self.swallowing, self.swallowed = False, threading.Event()
        for work in (self._to_server, self._to_client):
            threading.Thread(target=self._guarded, args=(work,), daemon=True).start()

    def _guarded(self, work):
        try:
            work()
        except OSError:
            pass
        finally:
            self.close()

    def close(self):
        self.swallowed.set()
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def _take(end, count):
        data = b""
        while len(data) < count:
            more = end.recv(count - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data

    def _to_server(self):
        code = None
        while code is None or code in _STARTUPS:
            head = self._take(self.client, 8)
            size, code = struct.unpack("!II", head)
            self.server.sendall(head + self._take(self.client, size - 8))
        while True:
            head = self._take(self.client, 5)
            body = self._take(self.client, struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"Q" and _MARK in body and not self.gate.is_open:
                self._stop()
            self.server.sendall(head + body)

    def _stop(self):
        self.swallowed.clear()
        self.swallowing = True
        self.server.sendall(b"Q" + struct.pack("!I", 5 + len(_ENDED)) + _ENDED + b"\0")
        self.swallowed.wait()
        opening = WaitingChunk()
        self.gate.openings.put(opening)
        while not opening.released.wait(0.1) and not self.gate.is_open:
            pass

    def _to_client(self):
        while True:
            data = self.server.recv(1 << 16)
            if not data:
                return
            if not self.swallowing:     # between two questions: whole messages begin here
                self.client.sendall(data)
                continue
            kind = None
            while kind != ord("Z"):
                while len(data) < 5 or len(data) < 1 + struct.unpack("!I", data[1:5])[0]:
                    data += self._take(self.server, 1)
                size = 1 + struct.unpack("!I", data[1:5])[0]
                kind, data = data[0], data[size:]
            assert not data
            self.swallowing = False
            self.swallowed.set()


class Gate:
    def __init__(self, host, port):
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self.openings = queue.SimpleQueue()
        self.stops = 0      # chunks that waited
        self.is_open = False
        self._connections = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(_Connection(self, client, socket.create_connection(self._target)))

    def wait(self, seconds):
        """The next chunk that waits, if one does within that time."""
        try:
            opening = self.openings.get(timeout=seconds) if seconds else self.openings.get_nowait()
        except queue.Empty:
            return None
        self.stops += 1
        return opening

    def let_pass(self, capture, number, timeout=60.0):
        """Lets so many chunks be opened. Returns the next one, which waits."""
        def step():
            assert capture.running, capture.stderr_tail()
            return self.wait(0.1)
        for _ in range(number):
            wait_until(step, timeout, "a chunk", interval=0).release()
        return wait_until(step, timeout, "a chunk", interval=0)

    def open(self):
        self.is_open = True
        self._release_all()

    def drop(self):
        """Whoever waited is gone."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._release_all()

    def _release_all(self):
        while (opening := self.wait(0)) is not None:
            opening.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.is_open = True
        self.drop()
