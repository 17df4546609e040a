"""The API over TLS: asked by curl, openssl and Python, and by the commands that ask a running instance."""

import contextlib
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

import pytest
from support.capture import run_capture
from support.processes import PATIENCE, free_port, wait_until
from support.servers import Capture, PostgresServer, certificates

TOKEN = "s3same-0pen"


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE t (id int PRIMARY KEY)", db="shop")
        yield server


def tls(certificate="server.crt", key="server.key"):
    return {"PG_CAPTURE_HTTP_TLS_CERT": str(certificates() / certificate),
            "PG_CAPTURE_HTTP_TLS_KEY": str(certificates() / key)}


@pytest.fixture(scope="module")
def capture(server):
    env = server.capture_environment("shop") | tls() | {"PG_CAPTURE_HTTP_TOKEN": TOKEN}
    with Capture(env, slot="https", sink="discard") as capture:
        capture.wait_streaming()
        yield capture
        capture.stop()
        assert TOKEN not in capture.stderr
    server.drop_slot("https")


def trusting():
    return ssl.create_default_context(cafile=certificates() / "ca.crt")


# -- whoever else asks -----------------------------------------------------------------

def test_python_and_curl_get_answers(capture):
    url = f"https://localhost:{capture.http_port}"
    with urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE, context=trusting()) as answer:
        assert json.load(answer)["pipeline"] == "https"
    curl = ["/usr/bin/curl", "--silent", "--show-error", "--fail", "--max-time", str(PATIENCE), "--noproxy", "*"]
    done = subprocess.run([*curl, "--cacert", certificates() / "ca.crt", f"{url}/livez", f"{url}/livez"],
                          check=False, capture_output=True, text=True)
    assert done.stdout == "ok\nok\n", done.stderr
    done = subprocess.run([*curl, "--cacert", certificates() / "other_ca.crt", f"{url}/livez"],
                          check=False, capture_output=True, text=True)
    assert done.returncode == 60 and not done.stdout


def test_a_connection_is_kept_and_ended_in_order(capture):
    connection = http.client.HTTPSConnection("127.0.0.1", capture.http_port, timeout=PATIENCE,
                                             context=trusting())
    for _ in range(20):
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200 and b"cdc_build_info" in answer.read()
    connection.request("GET", "/livez", headers={"Connection": "close"})
    assert connection.getresponse().read() == b"ok\n"
    # The end comes in TLS, too: nobody has cut the answer.
    with socket.create_connection(("127.0.0.1", capture.http_port), PATIENCE) as plain, \
            trusting().wrap_socket(plain, server_hostname="localhost",
                                   suppress_ragged_eofs=False) as secure:
        secure.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        while part := secure.recv(4096):
            received += part
        assert received.endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("version, spoken", [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_openssl_speaks_the_versions_of_today(capture, version, spoken):
    done = subprocess.run(
        ["/usr/bin/openssl", "s_client", "-connect", f"127.0.0.1:{capture.http_port}", version,
         "-CAfile", certificates() / "ca.crt", "-verify_return_error", "-cipher", "DEFAULT@SECLEVEL=0",
         "-quiet"],
        input="GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", check=False,
        capture_output=True, text=True, timeout=PATIENCE)
    assert ("200 OK" in done.stdout) == spoken, done.stderr


def test_plain_http_gets_no_answer_and_harms_nobody(capture):
    with socket.create_connection(("127.0.0.1", capture.http_port), PATIENCE) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := plain.recv(4096):
                received += part
    assert b"HTTP/" not in received
    assert run_capture("status", env=capture.environment).returncode == 0


# -- the commands ----------------------------------------------------------------------

def test_the_commands_ask_over_tls(capture):
    done = run_capture("status", "--output", "json", env=capture.environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "streaming"
    # An id that is not known: the token was right.
    done = run_capture("snapshot", "pause", "nothing", env=capture.environment)
    assert done.returncode == 1 and "no such snapshot" in done.stderr, done.stderr
    assert json.loads(run_capture("lag", "--output", "json",
                                  env=capture.environment).stdout)["instance"]["state"] == "streaming"


def test_they_believe_the_configured_certificate_alone(capture):
    # Another key, though of the same authority: whoever listens there is sent nothing.
    done = run_capture("status", env=capture.environment | tls("client.crt", "client.key"))
    assert done.returncode == 4 and "its key is not the one expected" in done.stderr, done.stderr
    done = run_capture("status", env=capture.environment
                       | {"PG_CAPTURE_HTTP_TLS_CERT": "", "PG_CAPTURE_HTTP_TLS_KEY": ""})
    assert done.returncode == 4 and "nobody answers on" in done.stderr, done.stderr


class TlsServer:
    """Answers every connection with `answer`, which may be a callable over the socket."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates() / "server.crt", certificates() / "server.key")
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while not self.ended.is_set():
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with plain, contextlib.suppress(OSError):
                plain.settimeout(PATIENCE)
                with self.context.wrap_socket(plain, server_side=True) as peer:
                    self.requests.append(peer.recv(65536))
                    if callable(self.answer):
                        self.answer(self, peer)
                    else:
                        peer.sendall(self.answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)

    def environment(self, server):
        return server.capture_environment("shop") | tls() | {
            "PG_SLOT_NAME": "none_yet", "PG_CAPTURE_HTTP_TOKEN": TOKEN,
            "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{self.listener.getsockname()[1]}"}


def drip(own, peer):
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000:
        if own.ended.wait(0.01):
            return
        peer.send(bytes([byte]))


PEERS = {
    "slow": (lambda own, peer: own.ended.wait(PATIENCE), "no answer in time"),
    "drips": (drip, "no answer in time"),
    "closes": (b"", "connection was closed"),
    "cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", "cut short"),
    "flood": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4_000_000, "too large"),
    "lying": (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", "too large"),
    "headers": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n", "too large"),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                 "status 302"),
    "not http": (b"220 smtp ready\r\n", "does not answer in HTTP"),
}


@pytest.mark.parametrize("kind", PEERS)
def test_whoever_has_the_key_is_not_believed_everything(server, kind):
    answer, words = PEERS[kind]
    with TlsServer(answer) as peer:
        began = time.monotonic()
        done = run_capture("status", env=peer.environment(server))
        assert done.returncode == 4 and not done.stdout and words in done.stderr, done.stderr
        assert time.monotonic() - began < PATIENCE / 2, "it gives up by itself"
        assert len(peer.requests) == 1


def test_the_token_is_sent_to_nobody_who_is_not_an_instance(server):
    with TlsServer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as peer:
        done = run_capture("snapshot", "public.t", env=peer.environment(server))
        assert done.returncode == 4, done.stderr
        assert len(peer.requests) == 1 and TOKEN.encode() not in peer.requests[0]


# -- configuration ---------------------------------------------------------------------

def check(env):
    done = run_capture("check", "--output", "json", env=env)
    found = [x for x in json.loads(done.stdout)["findings"] if x["id"] == "http_tls"]
    return done.returncode, found


def test_check_looks_at_the_certificate(server, tmp_path):
    env = server.capture_environment("shop") | {"PG_SLOT_NAME": "none_yet"}
    assert check(env)[1] == []
    code, found = check(env | tls())
    assert found[0]["level"] == "ok" and "CN=localhost" in found[0]["message"]
    for wrong, words in ((tls("server.crt", "client.key"), "not that of the certificate"),
                         (tls("missing.crt"), "no such file"),
                         (tls("server.crt", "ca.crt"), "no private key")):
        code, found = check(env | wrong)
        assert code == 1 and found[0]["level"] == "blocking" and words in found[0]["message"], found
    expired = tmp_path / "expired.crt"
    key = certificates() / "server.key"
    asked = subprocess.run(["/usr/bin/openssl", "req", "-new", "-key", key, "-subj", "/CN=old"],
                           check=True, capture_output=True).stdout
    subprocess.run(["/usr/bin/openssl", "x509", "-req", "-signkey", key, "-days", "-1", "-out", expired],
                   input=asked, check=True, capture_output=True)
    code, found = check(env | tls() | {"PG_CAPTURE_HTTP_TLS_CERT": str(expired)})
    assert found[0]["level"] == "warning" and "CN=old" in found[0]["message"]


def test_a_certificate_that_cant_be_used_ends_the_start(server):
    env = server.capture_environment("shop") | tls("server.crt", "client.key")
    with Capture(env, slot="none_yet", sink="discard") as capture:
        assert capture.wait_exit() == 2
        assert "the key is not that of the certificate" in capture.stderr
        assert "http.tls" in capture.stderr


def test_a_new_certificate_is_shown_without_a_restart(server, tmp_path):
    def store(name):
        for ending in ("key", "crt"):
            shutil.copy(certificates() / f"{name}.{ending}", tmp_path / f"new.{ending}")
            (tmp_path / f"new.{ending}").rename(tmp_path / f"now.{ending}")

    store("server")
    env = server.capture_environment("shop") | {
        "PG_CAPTURE_HTTP_TLS_CERT": str(tmp_path / "now.crt"),
        "PG_CAPTURE_HTTP_TLS_KEY": str(tmp_path / "now.key")}
    with Capture(env, slot="renewed", sink="discard") as capture:
        capture.wait_streaming()

        def shown():
            return ssl.get_server_certificate(("127.0.0.1", capture.http_port))
        assert shown() in (certificates() / "server.crt").read_text()
        store("client")
        wait_until(lambda: shown() in (certificates() / "client.crt").read_text(), what="the new one")
        assert run_capture("status", env=capture.environment).returncode == 0
        capture.stop()
    server.drop_slot("renewed")


def test_a_token_in_plain_text_is_warned_of_and_one_in_tls_is_not(server):
    env = server.capture_environment("shop") | {"PG_CAPTURE_HTTP_TOKEN": TOKEN}
    for secure in (False, True):
        with Capture(env | (tls() if secure else {})
                     | {"PG_CAPTURE_HTTP_LISTEN": f"0.0.0.0:{free_port()}"},
                     slot="plain", sink="discard") as capture:
            capture.wait_streaming()
            assert ("travels in plain text" in capture.stderr) != secure
            capture.stop()
        server.drop_slot("plain")
