"""By which names a running instance may be asked: no web page reads it through a browser."""

import http.client

import pytest
from support.servers import Capture, PostgresServer


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        yield server


def status(capture, path, host, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", capture.http_port, timeout=60)
    connection.request(method, path, headers={"Host": host})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_a_name_that_somebody_else_may_own_gets_no_answer(server):
    env = server.capture_environment("shop") | {"PG_CAPTURE_HTTP_ALLOWED_HOSTS": "metrics.example.com"}
    with Capture(env, slot="hosts", sink="discard") as capture:
        capture.wait_streaming()
        for path in ("/healthz", "/metrics", "/snapshots", "/livez", "/nothing"):
            for host in ("evil.com", "evil.com:9090", "127.evil.com", "localhost.evil.com"):
                code, body = status(capture, path, host)
                assert code == 421 and "http.allowed_hosts" in body and "cdc_" not in body, (path, host)
        assert status(capture, "/snapshots", "evil.com", method="POST")[0] == 421
        for host in ("127.0.0.1", f"127.0.0.1:{capture.http_port}", "localhost", "10.244.1.17:9090",
                     "pg-capture:9090", "metrics.example.com:9090"):
            assert status(capture, "/healthz", host)[0] == 200, host
        capture.stop()
    server.drop_slot("hosts")
