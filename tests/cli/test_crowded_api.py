"""A thousand connections held open, and clients that drip or take nothing: the stream goes on as without them."""

import contextlib
import resource
import socket
import ssl
import threading
import time
import urllib.request

import pytest
from support.processes import PATIENCE
from support.servers import Capture, PostgresServer, certificates

IDLE = 1000
SLOW = 30       # fewer than the server takes: those beside them are still answered
ROWS = 5000
ROUNDS = 3


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE t (id serial PRIMARY KEY, v text)", db="shop")
        yield server


@contextlib.contextmanager
def crowd(port):
    """The held connections, and threads that keep the slow ones going."""
    ended = threading.Event()

    def drip():
        while not ended.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as slow:
                slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                while not ended.wait(0.05):
                    slow.sendall(b"x")

    def take_nothing():
        while not ended.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as slow:
                slow.settimeout(0.5)
                while not ended.is_set():
                    slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 100)

    threads = [threading.Thread(target=drip if i % 2 else take_nothing, daemon=True) for i in range(SLOW)]
    for thread in threads:
        thread.start()
    with contextlib.ExitStack() as held:
        try:
            for _ in range(IDLE):
                held.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join(PATIENCE)


def drained(server, capture):
    """How long it takes until the rows of one INSERT have come out, in seconds."""
    began = time.monotonic()
    server.psql(f"INSERT INTO t (v) SELECT repeat('x', 100) FROM generate_series(1, {ROWS})", db="shop")
    capture.wait_for(ROWS)
    took = time.monotonic() - began
    assert len(capture.take()) == ROWS
    return took


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_crowd_at_the_api_leaves_the_stream_alone(server, secure):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard > IDLE + 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    env = server.capture_environment("shop") | ({
        "PG_CAPTURE_HTTP_TLS_CERT": str(certificates() / "server.crt"),
        "PG_CAPTURE_HTTP_TLS_KEY": str(certificates() / "server.key")} if secure else {})
    url = f"{'https' if secure else 'http'}://localhost"
    context = ssl.create_default_context(cafile=certificates() / "ca.crt") if secure else None
    with Capture(env, slot="crowd") as capture:
        capture.wait_streaming()
        drained(server, capture)
        alone, crowded = [], []
        # In turns, so that whatever else the machine does meets both.
        for _ in range(ROUNDS):
            alone.append(drained(server, capture))
            with crowd(capture.http_port):
                crowded.append(drained(server, capture))
                # And a probe still gets its answer.
                with urllib.request.urlopen(f"{url}:{capture.http_port}/livez", timeout=PATIENCE,
                                            context=context) as answer:
                    assert answer.read() == b"ok\n"
        print(f"alone {min(alone):.3f} s, in a crowd {min(crowded):.3f} s")
        # The best of each: what a starved stream could not reach even once.
        assert min(crowded) < 3 * min(alone) + 1, (alone, crowded)
        assert capture.open_files() < 200
        capture.stop()
    server.drop_slot("crowd")
