"""Prepared transactions with source.two_phase: sent at PREPARE TRANSACTION, kept by us, published when committed.

The numbers are those of docs/SCENARIOS.md.
"""

import json
import random

import pytest
from support.capture import run_capture
from support.processes import wait_until
from support.servers import Capture, PostgresServer

DATABASE = "prepared"
OPTIONS = {"PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"}


@pytest.fixture(scope="module", params=["15", "18"])
def server(request):
    settings = {"max_prepared_transactions": "20", "logical_decoding_work_mem": "64kB"}
    with PostgresServer(request.param, settings=settings) as server:
        server.psql(f"CREATE DATABASE {DATABASE}")
        yield server


@pytest.fixture
def table(server):
    server.psql("CREATE TABLE t (id int PRIMARY KEY, pad text DEFAULT '')", db=DATABASE)
    yield "t"
    for (gid,) in server.query("SELECT gid FROM pg_prepared_xacts", db=DATABASE):
        server.psql(f"ROLLBACK PREPARED '{gid}'", db=DATABASE)
    server.drop_slot("s")
    server.psql("DROP PUBLICATION IF EXISTS s_pub", db=DATABASE)
    server.psql("DROP TABLE t", db=DATABASE)


def capture_of(server, two_phase=True, state=None):
    env = server.capture_environment(DATABASE) | OPTIONS
    env["PG_CAPTURE_SOURCE_TWO_PHASE"] = "true" if two_phase else "false"
    return Capture(env, slot="s", state=state)


def prepare(server, number, rows=1):
    server.psql(f"BEGIN; INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series({number}, {number + rows - 1}) i;"
                f" PREPARE TRANSACTION 'p{number}'", db=DATABASE)


def decide(server, number, word="COMMIT"):
    server.psql(f"{word} PREPARED 'p{number}'", db=DATABASE)


def insert(server, number):
    server.psql(f"INSERT INTO t VALUES ({number})", db=DATABASE)


def end_of(server):
    """Of what was prepared last."""
    return server.query("SELECT pg_current_wal_insert_lsn()", db=DATABASE)[0][0]


def confirmed_before(server, lsn):
    return server.query("SELECT confirmed_flush_lsn < %s::pg_lsn FROM pg_replication_slots"
                        " WHERE slot_name = 's'", lsn, db=DATABASE)[0][0]


def ids(capture):
    return [m["after"]["id"] for m in capture.messages]


def test_27_decided_after_a_kill(server, table):
    """By another session, while we are away, or rolled back; and what came meanwhile does not come again."""
    with capture_of(server) as capture:
        capture.wait_streaming()
        assert server.slot("s")["two_phase"] is True
        prepare(server, 1)
        end = end_of(server)
        for number in (2, 3, 4):
            prepare(server, number)
        insert(server, 10)
        capture.wait_for(1)
        wait_until(lambda: capture.metric("cdc_prepared_transactions") == 4, what="four of them")
        stored = capture.metric("cdc_checkpoints_total")
        wait_until(lambda: capture.metric("cdc_checkpoints_total") > stored, what="it to be stored")
        assert confirmed_before(server, end)
        capture.kill()
        decide(server, 1)
        decide(server, 2, "ROLLBACK")
        insert(server, 11)
        capture.start()
        capture.wait_for(3)
        decide(server, 3, "ROLLBACK")
        decide(server, 4)
        insert(server, 12)
        capture.wait_for(5)
        server.wait_confirmed("s")
        wait_until(lambda: capture.metric("cdc_prepared_transactions") == 0, what="none of them")
        capture.stop()
        assert ids(capture) == [10, 1, 11, 4, 12]


def test_27_large_ones_are_streamed_and_prepared(server, table):
    with capture_of(server) as capture:
        capture.wait_streaming()
        prepare(server, 1000, rows=3000)
        prepare(server, 10_000, rows=3000)
        server.psql("BEGIN; INSERT INTO t VALUES (5); SAVEPOINT a; INSERT INTO t SELECT i, repeat('x', 100) FROM"
                    " generate_series(20000, 22000) i; ROLLBACK TO a; INSERT INTO t VALUES (6);"
                    " PREPARE TRANSACTION 'p5'", db=DATABASE)
        wait_until(lambda: capture.metric("cdc_prepared_transactions") == 3, what="all of them")
        assert capture.metric("cdc_spill_bytes") > 500_000
        assert capture.messages == []
        capture.kill()
        capture.start()
        decide(server, 10_000)
        decide(server, 5)
        capture.wait_for(3002)
        decide(server, 1000)
        capture.wait_for(6002)
        capture.stop()
        assert ids(capture) == [*range(10_000, 13_000), 5, 6, *range(1000, 4000)]


def test_27_a_server_shuts_down_while_one_is_undecided(server, table):
    with capture_of(server) as capture:
        capture.wait_streaming()
        prepare(server, 1)
        insert(server, 2)
        capture.wait_for(1)
        server.stop("fast", timeout=50)     # wal_sender_timeout would end it after 60 s
        server.start()
        decide(server, 1)
        capture.wait_for(2)
        server.crash()
        server.start()
        insert(server, 3)
        capture.wait_for(3)
        capture.stop()
        assert ids(capture) == [2, 1, 3]


def test_27_turned_on_and_off_while_some_are_undecided(server, table, tmp_path):
    """Off, on, and off again where the server can do that (18)."""
    with capture_of(server, two_phase=False, state=tmp_path) as capture:
        capture.wait_streaming()
        prepare(server, 1)
        insert(server, 10)
        capture.wait_for(1)
        server.wait_confirmed("s")
        capture.stop()
    with capture_of(server, state=tmp_path) as capture:
        capture.wait_streaming()
        assert server.slot("s")["two_phase"] is True
        prepare(server, 2)
        prepare(server, 3)
        insert(server, 11)
        capture.wait_for(1)
        decide(server, 1)
        decide(server, 2)
        capture.wait_for(3)
        capture.stop()
        assert ids(capture) == [11, 1, 2]
    with capture_of(server, two_phase=False, state=tmp_path) as capture:
        if server.version.startswith("15"):
            assert capture.wait_exit() == 2
            assert "source.two_phase" in capture.stderr_tail(2)
            return
        capture.wait_streaming()
        decide(server, 3)
        insert(server, 12)
        capture.wait_for(2)
        capture.stop()
        assert ids(capture) == [3, 12]


def test_27_nothing_comes_of_what_is_decided_at_random_under_kills(server, table):
    """Each committed row once, after its commit; of what is rolled back none, whenever we are killed."""
    dice = random.Random(27)
    undecided, expected = {}, set()
    with capture_of(server) as capture:
        capture.wait_streaming()
        for step in range(60):
            number = 100_000 + step * 1000
            rows = dice.choice([1, 1, 1, 900])
            prepare(server, number, rows)
            undecided[number] = rows
            while undecided and (len(undecided) > 12 or dice.random() < 0.4):
                decided = dice.choice(list(undecided))
                rows = undecided.pop(decided)
                word = dice.choice(["COMMIT", "COMMIT", "ROLLBACK"])
                decide(server, decided, word)
                if word == "COMMIT":
                    expected |= set(range(decided, decided + rows))
            if dice.random() < 0.3:
                insert(server, step)
                expected.add(step)
            if dice.random() < 0.15:
                capture.kill()
                capture.start()
        capture.wait_for(lambda ms: expected <= {m["after"]["id"] for m in ms}, 120)
        insert(server, 99)
        capture.wait_for(lambda ms: ms[-1]["after"]["id"] == 99)
        capture.stop()
        assert set(ids(capture)) == expected | {99}


def test_27_check_knows_it(server, table):
    def found(name, **more):
        env = server.capture_environment(DATABASE) | {"PG_SLOT_NAME": "s", "PG_CAPTURE_SOURCE_TWO_PHASE": "true"}
        done = run_capture("check", "--output", "json", env=env | more)
        return next(f for f in json.loads(done.stdout)["findings"] if f["id"] == name)

    prepare(server, 1)
    assert found("two_phase")["level"] == "ok" and "1 of 20" in found("two_phase")["message"]
    decide(server, 1, "ROLLBACK")
    with capture_of(server, two_phase=False) as capture:
        capture.wait_streaming()
        capture.stop()
    server.wait_free("s")
    assert "turned on" in found("slot")["message"]
    assert server.slot("s")["two_phase"] is False, "who only looks alters nothing"


def test_27_servers_before_15_are_refused():
    with PostgresServer("14") as server:
        server.psql(f"CREATE DATABASE {DATABASE}")
        with capture_of(server) as capture:
            assert capture.wait_exit() == 2
            assert "needs PostgreSQL 15 or later" in capture.stderr_tail(3)
