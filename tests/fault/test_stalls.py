"""Idle, blocked or dead: what the watch over the stream says on a real server, and what it never says.

And slots that are about to be lost: said before, with the way out.
"""

import math
import os
import signal
import threading

import pytest
from support.processes import wait_until
from support.servers import Capture, PostgresServer

DATABASE = "faults"
SCHEMA = ("CREATE TABLE t (id int PRIMARY KEY, pad text); CREATE TABLE other (id serial PRIMARY KEY, pad text);"
          "CREATE PUBLICATION only_t FOR TABLE t")
LONG = os.environ.get("PGC_NIGHTLY") == "1"
MIB = 1 << 20


@pytest.fixture
def server():
    with PostgresServer("15") as server:
        prepare(server)
        yield server


def prepare(server):
    server.psql(f"CREATE DATABASE {DATABASE}")
    server.psql(SCHEMA, db=DATABASE)


def environment(server, **more):
    return server.capture_environment(DATABASE) | {
        "PG_PUBLICATION": "only_t", "PG_CAPTURE_SOURCE_MANAGE_PUBLICATION": "false",
        "PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"} | more


def stream_state(capture):
    """The one state whose gauge is 1; None while there is no stream."""
    states = [s for s in ("idle", "working", "blocked", "dead")
              if capture.metric(f'cdc_stream_state{{state="{s}"}}') == 1]
    assert len(states) <= 1, states
    return states[0] if states else None


def wait_for_state(capture, state):
    wait_until(lambda: stream_state(capture) == state, what=f"the stream to be {state}")


def add(server, *ids):
    for i in ids:
        server.psql(f"INSERT INTO t VALUES ({i}, '')", db=DATABASE)


def ids(capture):
    return [m["after"]["id"] for m in capture.messages]


class OthersWrite:
    """Somebody writes into a table that is not published, until the end."""

    def __init__(self, server):
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.rows = 0

    def _run(self):
        with self._server.connect(DATABASE) as connection:
            while not self._over.wait(0.02):
                connection.execute("INSERT INTO other (pad) SELECT repeat('x', 500) FROM generate_series(1, 20)")
                self.rows += 20

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(60)


def test_20_neither_an_idle_server_nor_one_busy_with_others_tables_is_called_stalled(server):
    """Longer than what is called blocked; nightly, longer than a silent server is put up with."""
    with Capture(environment(server), slot="s") as capture:
        capture.wait_streaming()
        add(server, 1)
        capture.wait_for(1)
        wait_for_state(capture, "idle")
        states = set()

        def look_for(seconds):
            over = threading.Event()
            timer = threading.Timer(seconds, over.set)
            timer.start()
            while not over.wait(0.2):
                states.add(stream_state(capture))

        look_for(12)        # not a byte of log
        with OthersWrite(server) as others:
            look_for(90 if LONG else 15)
            assert others.rows > 1000
            moved = server.end_of_log()
        server.wait_confirmed("s", moved)
        assert states <= {"idle", "working"} and "idle" in states, states
        assert "the stream is" not in capture.stderr
        add(server, 2)
        capture.wait_for(2)
        assert ids(capture) == [1, 2]
        capture.stop()


def test_7_a_console_that_nobody_reads_is_named_as_what_blocks(server):
    with Capture(environment(server), slot="s") as capture:
        capture.wait_streaming()
        capture.hold_at(1)
        server.psql("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 100000) i", db=DATABASE)
        wait_for_state(capture, "blocked")
        assert capture.metric('cdc_pipeline_waiting{on="sink"}') == 1
        capture.wait_for_log("the stream is blocked")
        line = next(x for x in capture.stderr.splitlines() if "the stream is blocked" in x)
        assert "by=sink" in line and "hint=" in line and "for_ms=" in line
        capture.hold_at(None)
        capture.wait_for_log("the stream moves again")
        capture.wait_for(100_000, timeout=240)
        wait_for_state(capture, "idle")
        assert capture.metric('cdc_pipeline_waiting{on="sink"}') == 0
        assert capture.stderr.count("the stream is blocked") == 1
        capture.stop()


def test_9_a_walsender_that_stands_still_is_dead_and_nothing_is_lost(server):
    with Capture(environment(server), slot="s") as capture:
        capture.wait_streaming()
        add(server, 1)
        capture.wait_for(1)
        stopped = server.slot("s")["active_pid"]
        os.kill(stopped, signal.SIGSTOP)
        try:
            add(server, 2)
            with OthersWrite(server):
                capture.wait_for_log("the stream is dead")
            assert "its log has gone on by" in capture.stderr
            assert f"PID {stopped}" in capture.stderr, "who it was"
            add(server, 3)
            # The stopped process still has the slot: it is dead until a stream moves again.
            assert stream_state(capture) == "dead"
            assert capture.metric('cdc_pipeline_waiting{on="source"}') == 1
            capture.wait_for_log(f"is active for PID {stopped}")
            assert stream_state(capture) == "dead"
        finally:
            os.kill(stopped, signal.SIGCONT)
        capture.wait_streaming(times=2)
        add(server, 4)
        capture.wait_for_log("the stream moves again")
        capture.wait_for(lambda messages: any(m["after"]["id"] == 4 for m in messages))
        assert sorted(set(ids(capture))) == [1, 2, 3, 4]
        wait_for_state(capture, "idle")
        assert capture.stderr.count("the stream is dead") == 1
        capture.stop()


def fill(server, leave):
    """Writes until the slot has less than `leave` bytes before it may be lost."""
    def full():
        room = server.slot("s")["safe_wal_size"]
        if room < leave:
            return True
        server.psql("INSERT INTO other (pad) SELECT repeat('x', 1000) FROM generate_series(1, 2000)", db=DATABASE)
        return False
    wait_until(full, what="the log to be long", interval=0)


@pytest.mark.parametrize("version", ["13", "18"])
def test_18_a_slot_that_nears_its_limit_is_warned_of_before_it_is_lost(version):
    """The limit is set while it runs, as by somebody who finds the disk full."""
    with PostgresServer(version, settings={"max_wal_size": "64MB", "min_wal_size": "32MB"}) as server:
        prepare(server)
        with Capture(environment(server), slot="s") as capture:
            capture.wait_streaming()
            add(server, 1)
            capture.wait_for(1)
            with server.connect(DATABASE, autocommit=False) as long:
                long.execute("INSERT INTO t VALUES (2, 'what holds the slot back')")
                server.set(max_slot_wal_keep_size="128MB")
                wait_until(lambda: (capture.metric("cdc_slot_safe_bytes") or 0) > 100 * MIB,
                           what="the limit to be seen")
                assert "max_slot_wal_keep_size" not in capture.stderr
                fill(server, leave=20 * MIB)
                capture.wait_for_log("the slot nears max_slot_wal_keep_size")
                assert 0 < capture.metric("cdc_slot_safe_bytes") < 32 * MIB
                assert capture.metric('cdc_slot_wal_status{status="extended"}') == 1
                warning = next(x for x in capture.stderr.splitlines() if "the slot nears" in x)
                assert "bytes_left=" in warning and "ALTER SYSTEM SET max_slot_wal_keep_size" in warning
                server.set(max_slot_wal_keep_size="-1")        # the way out, as advised
                wait_until(lambda: math.isnan(capture.metric("cdc_slot_safe_bytes") or 0), what="the limit to be gone")
                server.set(max_slot_wal_keep_size="128MB")
                capture.wait_for_log("the slot nears max_slot_wal_keep_size", times=2)

                def lost():
                    server.psql("INSERT INTO other (pad) SELECT repeat('x', 1000) FROM generate_series(1, 30000);"
                                "CHECKPOINT", db=DATABASE)
                    return not capture.running
                wait_until(lost, what="the slot to be lost")
                assert capture.wait_exit() == 5, capture.stderr
                log = capture.stderr
                assert log.index("the slot nears max_slot_wal_keep_size") < log.index("stopped")
                assert "pg-capture position reset --drop-slot" in log


def test_19_a_slot_that_nobody_reads_during_its_snapshot_is_warned_of():
    """From 18 on the server gives up slots that are unread for too long; a snapshot may take longer."""
    with PostgresServer("18", settings={"idle_replication_slot_timeout": "10s"}) as server:
        prepare(server)
        server.psql("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 200000) i", db=DATABASE)
        env = environment(server, PG_CAPTURE_SOURCE_SNAPSHOT_MODE="initial")
        with Capture(env, slot="s", start=False) as capture:
            capture.hold_at(1)
            capture.start()
            capture.wait_for_log("the slot nears idle_replication_slot_timeout")
            warning = next(x for x in capture.stderr.splitlines() if "the slot nears" in x)
            assert "timeout_s=10" in warning and "ALTER SYSTEM SET idle_replication_slot_timeout = 0" in warning
            server.set(idle_replication_slot_timeout="0")      # the way out, as advised
            capture.wait_for_log("the slot is out of danger")
            capture.hold_at(None)
            capture.wait_streaming()
            assert server.slot("s")["invalidation_reason"] is None
            capture.stop(timeout=60)


@pytest.mark.nightly
def test_9_a_walsender_that_waits_for_a_standby_is_distinguished_from_a_dead_one():
    """It answers and sends nothing (17 and later: synchronized_standby_slots): nothing is given up for that."""
    with PostgresServer("17") as server:
        prepare(server)
        server.psql("SELECT pg_create_physical_replication_slot('absent', true)")
        with Capture(environment(server), slot="s") as capture:
            capture.wait_streaming()
            add(server, 1)
            capture.wait_for(1)
            server.set(synchronized_standby_slots="absent")
            add(server, 2)
            with OthersWrite(server):
                capture.wait_for_log("the stream is blocked", timeout=180)
                line = next(x for x in capture.stderr.splitlines() if "the stream is blocked" in x)
                assert "by=source" in line and "WaitForStandbyConfirmation" in line and "hint=" in line
                assert stream_state(capture) == "blocked"
                assert ids(capture) == [1]
            server.set(synchronized_standby_slots="")
            capture.wait_for_log("the stream moves again")
            capture.wait_for(2)
            wait_for_state(capture, "idle")
            assert ids(capture) == [1, 2]
            assert capture.stderr.count("  streaming  slot") + capture.stderr.count("trying again") <= 1
            assert "dead" not in capture.stderr
            capture.stop()
