"""A slot with two_phase on, which is never one of our making: refused, or turned off where that can be."""

import json

import pytest
from support.capture import run_capture
from support.processes import wait_until
from support.servers import Capture, PostgresServer

DATABASE = "twophase"
OPTIONS = {"PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"}


def two_phase_slot(version):
    server = PostgresServer(version, settings={"max_prepared_transactions": "10"})
    server.psql(f"CREATE DATABASE {DATABASE}")
    server.psql("CREATE TABLE t (id int PRIMARY KEY)", db=DATABASE)
    server.psql("CREATE PUBLICATION s_pub FOR ALL TABLES", db=DATABASE)
    server.psql("SELECT pg_create_logical_replication_slot('s', 'pgoutput', false, true)", db=DATABASE)
    return server


def prepare(server, number):
    server.psql(f"BEGIN; INSERT INTO t VALUES ({number}); PREPARE TRANSACTION 'p{number}'", db=DATABASE)


def capture_of(server):
    return Capture(server.capture_environment(DATABASE) | OPTIONS, slot="s", http=False)


def found(server):
    done = run_capture("check", "--output", "json",
                       env=server.capture_environment(DATABASE) | {"PG_SLOT_NAME": "s", "PG_PUBLICATION": "s_pub"})
    return next(f for f in json.loads(done.stdout)["findings"] if f["id"] == "slot")


@pytest.mark.parametrize("version", ["15", "17"])
def test_a_slot_with_two_phase_is_refused_before_the_first_prepare(version):
    with two_phase_slot(version) as server:
        prepare(server, 1)
        with capture_of(server) as capture:
            assert capture.wait_exit() == 2, capture.stderr
            assert "two_phase" in capture.stderr_tail(2) and "PG_SLOT_NAME" in capture.stderr_tail(2)
            assert capture.raw_lines == []
        assert found(server)["level"] == "blocking" and "two_phase" in found(server)["message"]


def test_the_server_of_14_keeps_prepared_transactions_to_itself():
    with two_phase_slot("14") as server:
        prepare(server, 1)
        with capture_of(server) as capture:
            capture.wait_streaming()
            prepare(server, 2)
            server.psql("COMMIT PREPARED 'p1'", db=DATABASE)
            server.psql("COMMIT PREPARED 'p2'", db=DATABASE)
            capture.wait_for(2)
            assert [m["after"]["id"] for m in capture.messages] == [1, 2]
            capture.stop()


def test_two_phase_is_turned_off_from_18_on_and_nothing_is_lost():
    """What was prepared before and what comes later; and again, when it was switched on while we were away."""
    with two_phase_slot("18") as server:
        prepare(server, 1)
        assert found(server)["level"] == "warning" and "two_phase" in found(server)["message"]
        with capture_of(server) as capture:
            capture.wait_streaming()
            assert server.slot("s")["two_phase"] is False
            prepare(server, 2)
            server.psql("INSERT INTO t VALUES (3)", db=DATABASE)
            server.psql("COMMIT PREPARED 'p1'", db=DATABASE)
            capture.wait_for(2)
            capture.stop()
            server.wait_free("s")
            server.psql('ALTER_REPLICATION_SLOT "s" (TWO_PHASE true)',
                        db=f"dbname={DATABASE} replication=database")
            assert server.slot("s")["two_phase"] is True
            prepare(server, 4)
            capture.start()
            wait_until(lambda: server.slot("s")["two_phase"] is False, what="two_phase off")
            server.psql("COMMIT PREPARED 'p2'", db=DATABASE)
            server.psql("COMMIT PREPARED 'p4'", db=DATABASE)
            capture.wait_for(4)
            assert [m["after"]["id"] for m in capture.messages] == [3, 1, 2, 4]
            capture.stop()
