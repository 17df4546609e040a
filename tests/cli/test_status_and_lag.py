"""`pg-capture status` and `pg-capture lag` against a real run, and without one."""

import json
import math
import signal
import socket
import subprocess
import threading
import time

import pytest
from support.capture import binary, run_capture
from support.processes import free_port, wait_until
from support.replica import lsn_number
from support.servers import Capture, PostgresServer


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE t (id int PRIMARY KEY, v text)", db="shop")
        yield server


def environment(server, slot="none_yet"):
    return server.capture_environment("shop") | {
        "PG_SLOT_NAME": slot, "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{free_port()}"}


def waiting(capture):
    """What it says between two attempts: one lasts no longer than a refusal."""
    shown = ask("status", capture.environment)
    return shown if shown["waits_on"] == "source" and shown["waits_for"] else None


def ask(command, env, code=0):
    done = run_capture(command, "--output", "json", env=env)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


# -- status ----------------------------------------------------------------------------

def test_status_shows_how_a_running_instance_does(server):
    with Capture(server.capture_environment("shop"), slot="status") as capture:
        capture.wait_streaming()
        server.psql("INSERT INTO t SELECT generate_series(1, 500)", db="shop")
        capture.wait_for(500)
        wait_until(lambda: (shown := ask("status", capture.environment))["behind_bytes"] == 0
                   and shown["changes"] == 500, what="confirmed")

        def lively():       # rate and latency are those of the last seconds
            server.psql("UPDATE t SET v = 'again' WHERE id = 1", db="shop")
            shown = ask("status", capture.environment)
            return shown if shown["changes_per_second"] > 0 and shown["latency"] else None
        shown = wait_until(lively, what="a rate and a latency")
        assert shown["pipeline"] == "status" and shown["state"] == "streaming" and shown["live"]
        assert 0 < shown["latency"]["p50_seconds"] <= shown["latency"]["p99_seconds"] < 60
        assert shown["sink"] == {"kind": "console", "state": "ready"}
        assert shown["buffer_limit_bytes"] > 0 and shown["uptime_seconds"] > 0
        text = run_capture("status", env=capture.environment)
        assert text.returncode == 0 and "streaming for" in text.stdout, text.stderr
        server.stop("immediate")
        capture.wait_for_log("trying again")
        # The words of the log come first; what follows them stays until the server is back.
        shown = wait_until(lambda: waiting(capture), what="it to wait")
        assert shown["state"] in ("waiting", "connecting") and shown["waits_for"]
        assert shown["last_error"]["what"]
        # What can't be known is not zero.
        assert shown["lag_seconds"] is None and shown["behind_bytes"] is None
        assert shown["waits_on"] == "source"
        wait_until(lambda: ask("status", capture.environment)["failed_attempts"] >= 3, what="attempts")
        assert math.isnan(capture.metric("cdc_replication_lag_bytes"))
        assert math.isnan(capture.metric("cdc_replication_lag_seconds"))
        assert capture.metric('cdc_pipeline_state{state="streaming"}') == 0
        assert capture.metric("cdc_pipeline_state") == 1
        wait_until(lambda: capture.metric('cdc_pipeline_waiting{on="source"}') == 1, what="it to wait")
        assert capture.metric("cdc_failed_attempts") >= 3
        text = run_capture("status", env=capture.environment).stdout
        assert "in a row have failed" in text and "unknown while nothing is read" in text
        assert "last error" in run_capture("status", env=capture.environment).stdout
        server.start()
        wait_until(lambda: ask("status", capture.environment)["state"] == "streaming", what="streaming")
        wait_until(lambda: ask("status", capture.environment)["failed_attempts"] == 0, what="success")
        wait_until(lambda: ask("status", capture.environment)["lag_seconds"] is not None, what="the lag")
        capture.stop()
        done = run_capture("status", env=capture.environment)
        assert done.returncode == 4 and "start pg-capture" in done.stderr
    server.drop_slot("status")


def test_status_without_an_instance_says_what_to_do(server):
    done = run_capture("status", env=environment(server))
    assert done.returncode == 4 and not done.stdout
    assert "nobody answers" in done.stderr and "http.listen" in done.stderr


HOSTILE = {
    "closes": b"", "smtp": b"220 smtp ready\r\n", "html": b"HTTP/1.1 200 OK\r\n\r\n<html>",
    "moved": b"HTTP/1.1 302 Found\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "lying": b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
    "deep": b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 500_000,
    "large": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4_000_000,
    "terminal": b'HTTP/1.1 200 OK\r\n\r\n{"pipeline":"\x1b[2J","state":"streaming"}',
    "silent": None,     # takes the connection and says nothing
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_whoever_else_answers_does_no_harm(server, kind):
    answer = HOSTILE[kind]
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve():
        peer, _ = listener.accept()
        with peer:
            if answer is None:
                ended.wait(120)
                return
            try:
                peer.sendall(answer)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(60)
                while peer.recv(65536):
                    pass
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    env = environment(server) | {
        "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{listener.getsockname()[1]}"}
    began = time.monotonic()
    done = run_capture("status", env=env)
    ended.set()
    assert done.returncode == 4 and not done.stdout and "\x1b" not in done.stderr, done.stderr
    assert time.monotonic() - began < 30, "it gives up by itself"
    thread.join(60)
    listener.close()


# -- lag -------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ["10", "11", "12", "13", "14", "15", "16", "17", "18"])
def test_lag_on_every_version(version):
    with PostgresServer(version) as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE t (id int PRIMARY KEY)", db="shop")
        env = environment(server, "behind")
        assert not ask("lag", env, code=1)["found"]
        server.psql("SELECT pg_create_logical_replication_slot('behind', 'pgoutput')", db="shop")
        server.psql("INSERT INTO t SELECT generate_series(1, 10000)", db="shop")
        shown = ask("lag", env)
        assert shown["found"] and not shown["active"] and not shown["lost"]
        assert shown["behind_bytes"] > 100_000 and shown["retained_bytes"] >= shown["behind_bytes"]
        assert shown["server_end"] and shown["restart"] and shown["instance"] is None
        assert shown["wal_status"] == ("reserved" if int(version) >= 13 else "unknown")


def test_lag_of_a_running_instance(server):
    with Capture(server.capture_environment("shop"), slot="lag") as capture:
        capture.wait_streaming()
        shown = ask("lag", capture.environment)
        assert shown["active"] and "PID" in shown["reader"]
        assert shown["instance"]["state"] == "streaming"
        text = run_capture("lag", env=capture.environment)
        assert text.returncode == 0 and "changes/s" in text.stdout
        # Another pipeline's numbers are not ours.
        other = ask("lag", capture.environment | {"PG_CAPTURE_NAME": "another"})
        assert other["instance"] is None
        capture.stop()
    server.drop_slot("lag")


def test_lag_of_a_missing_slot_says_so(server):
    done = run_capture("lag", env=environment(server))
    assert done.returncode == 1 and "there is no such slot" in done.stdout


def test_lag_of_a_lost_slot_says_so():
    with PostgresServer("15", settings={"max_slot_wal_keep_size": "1MB", "max_wal_size": "32MB",
                                        "min_wal_size": "32MB"}) as server:
        server.psql("SELECT pg_create_logical_replication_slot('lost', 'pgoutput')")
        env = server.capture_environment("postgres") | {"PG_SLOT_NAME": "lost",
                                                        "PG_CAPTURE_HTTP_LISTEN": ""}
        assert ask("lag", env)["safe_bytes"] > 0
        for _ in range(3):
            server.psql("SELECT pg_switch_wal(); CREATE TABLE x (); DROP TABLE x; CHECKPOINT")
        shown = ask("lag", env, code=1)
        assert shown["lost"] and shown["wal_status"] == "lost"
        assert "pg-capture position reset --drop-slot" in run_capture("lag", env=env).stdout


def test_lag_and_slots_of_one_that_nobody_reads_say_for_how_long_it_may_be():
    with PostgresServer("18", settings={"idle_replication_slot_timeout": "2h"}) as server:
        server.psql("SELECT pg_create_logical_replication_slot('unread', 'pgoutput')")
        env = environment(server, "unread") | {"PG_DATABASE": "postgres"}
        shown = wait_until(lambda: (shown := ask("lag", env))["unread_seconds"] and shown, what="a second")
        assert shown["unread_seconds_max"] == 7200 and shown["wal_status"] == "reserved"
        assert "lost after 2 h (idle_replication_slot_timeout)" in run_capture("lag", env=env).stdout
        done = run_capture("slots", "list", "--output", "json", env=env)
        listed = json.loads(done.stdout)["slots"][0]
        assert listed["unread_seconds_max"] == 7200 and listed["safe_bytes"] is None
        assert "lost after 2 h" in run_capture("slots", "list", env=env).stdout


def test_lag_without_a_server_is_an_error(server):
    done = run_capture("lag", env=environment(server) | {"PG_PORT": "1"})
    assert done.returncode == 3 and "127.0.0.1" in done.stderr


def test_lag_watches_until_it_is_asked_to_end(server):
    server.psql("SELECT pg_create_logical_replication_slot('watched', 'pgoutput')", db="shop")
    process = subprocess.Popen([str(binary()), "lag", "--watch", "0.2", "--output", "json"],
                               env=environment(server, "watched"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        first = json.loads(process.stdout.readline())
        server.psql("INSERT INTO t SELECT generate_series(20001, 30000)", db="shop")
        wait_until(lambda: json.loads(process.stdout.readline())["behind_bytes"] > first["behind_bytes"],
                   what="what was written to be seen", interval=0)
        server.restart("immediate")
        end = server.psql("INSERT INTO t VALUES (30001); SELECT pg_current_wal_lsn()", db="shop").strip()

        def of_the_new_connection():
            shown = json.loads(process.stdout.readline())
            assert shown["found"]
            return lsn_number(shown["server_end"]) >= lsn_number(end)
        wait_until(of_the_new_connection, what="it to go on", interval=0)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    server.drop_slot("watched")
