"""Promotions: lawful ones are followed without loss, diverged ones are refused.

The numbers are those of docs/SCENARIOS.md.
"""

import time

import pytest
from support.processes import wait_until
from support.servers import Capture, PostgresServer
from support.workload import SCHEMA, Writer, caught_up, check

DATABASE = "faults"


def primary(version):
    server = PostgresServer(version)
    server.psql(f"CREATE DATABASE {DATABASE}")
    server.psql(SCHEMA, db=DATABASE)
    return server


def environment(*servers, **more):
    return servers[0].capture_environment(DATABASE) | {
        "PG_HOST": ",".join(f"127.0.0.1:{s.port}" for s in servers),
        "PG_CONNECT_TIMEOUT_SECS": "5",
        "PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"} | more


def add(server, *keys):
    for key in keys:
        server.psql(f"INSERT INTO history VALUES ({key}, 1, '')", db=DATABASE)


def keys(capture):
    return [m["after"]["k"] for m in capture.messages]


def wait_synced(server, standby, slot):
    """Waits until the standby's copy of the slot would survive a promotion."""
    def synced():
        server.psql("CHECKPOINT")    # lets the slot's restart position move on
        copy = standby.slot(slot)
        return copy and copy["synced"] and not copy["temporary"]
    wait_until(synced, 60, "the slot to be copied", interval=0.2)


@pytest.mark.parametrize("version", ["17", "18"])
def test_13_a_promoted_standby_with_the_failover_slot_is_followed_without_loss(version):
    with primary(version) as old, old.standby(settings={"sync_replication_slots": "on"}) as new:
        old.set(synchronous_standby_names="standby", synchronized_standby_slots="standby")
        env = environment(old, new, PG_CAPTURE_POSTGRES_TARGET_SESSION_ATTRS="read-write")
        with Capture(env, slot="s", http=False) as capture:
            capture.wait_streaming()
            assert old.slot("s")["failover"]
            writer = Writer(old, DATABASE, rate=500)
            writer.start()
            wait_synced(old, new, "s")
            capture.wait_for(500)
            old.stop("immediate")
            new.set(synchronous_standby_names="", synchronized_standby_slots="")
            new.promote()
            writer.server = new
            switched_at = len(capture.raw_lines)
            wait_until(lambda: len(capture.raw_lines) > switched_at + 500, 120, "the stream again")
            writer.finish()
            capture.wait_for(caught_up(writer.versions), 120)
            check(capture.messages, writer.versions)
            capture.wait_for_log("was promoted")
            capture.stop()


def test_13_a_slot_on_a_standby_is_waited_for_until_the_promotion():
    with primary("17") as old, old.standby(settings={"sync_replication_slots": "on"}) as new:
        with Capture(environment(old), slot="s", http=False) as capture:
            capture.wait_streaming()
            add(old, 1)
            capture.wait_for(1)
            wait_synced(old, new, "s")
            capture.stop()
            add(old, 2)
            new.wait_replayed(old.end_of_log())
            capture.environment |= environment(new)
            capture.start()
            capture.wait_for_log("connect to the primary")
            old.stop("immediate")
            new.promote()
            add(new, 3)
            capture.wait_for(3)
            assert keys(capture) == [1, 2, 3]
            capture.stop()


@pytest.mark.parametrize("version", ["12", "15"])
def test_13_a_slot_that_was_carried_over_by_hand_is_followed_too(version):
    """The standby has the slot as it was when the copy was made: it stands before our position."""
    with primary(version) as old:
        with Capture(environment(old), slot="s", http=False) as capture:
            capture.wait_streaming()
            add(old, 1)
            capture.wait_for(1)
            capture.stop()
            with old.standby(with_slots=["s"]) as new:
                capture.start()
                add(old, 2)
                capture.wait_for(2)
                capture.stop()
                new.wait_replayed(old.end_of_log())
                old.stop("immediate")
                new.promote()
                add(new, 3)
                capture.environment |= environment(new)
                capture.start()
                capture.wait_for(3)
                assert keys(capture) == [1, 2, 3]
                capture.wait_for_log("was promoted")
                capture.stop()


@pytest.mark.parametrize("version", ["15", "18"])
def test_14_a_promoted_standby_without_the_slot_is_refused(version):
    with primary(version) as old, old.standby() as new:
        env = environment(old, new, PG_CAPTURE_POSTGRES_TARGET_SESSION_ATTRS="read-write")
        with Capture(env, slot="s", http=False) as capture:
            capture.wait_streaming()
            add(old, 1)
            capture.wait_for(1)
            new.wait_replayed(old.end_of_log())
            old.stop("immediate")
            new.promote()
            add(new, 2)
            assert capture.wait_exit() == 5, capture.stderr
            assert "slot" in capture.stderr_tail(3) and "gone" in capture.stderr_tail(3)
            assert new.slot("s") is None, "a new slot would have hidden the gap"
            assert keys(capture) == [1]


def test_15_a_promoted_standby_that_was_behind_our_position_is_refused():
    """Even when its log has long grown past that position, and a slot is there."""
    with primary("15") as old, old.standby() as new:
        with Capture(environment(old), slot="s", http=False) as capture:
            capture.wait_streaming()
            add(old, 1)
            capture.wait_for(1)
            new.wait_replayed(old.end_of_log())
            new.stop("immediate")
            add(old, 2, 3)              # never get to the standby
            capture.wait_for(3)
            capture.stop()
            end = old.end_of_log()
            old.stop("immediate")
            new.start()
            new.promote()
            new.psql("SELECT pg_create_logical_replication_slot('s', 'pgoutput')", db=DATABASE)
            new.psql("CREATE TABLE much AS SELECT repeat('x', 1000) FROM generate_series(1, 2000)")
            assert new.query("SELECT pg_current_wal_lsn() > %s::pg_lsn", end) == [(True,)]
            capture.environment |= environment(new)
            for _ in range(2):          # and again: nothing was changed by refusing
                capture.start()
                assert capture.wait_exit() == 5, capture.stderr
            assert "timeline" in capture.stderr_tail(3)
            assert keys(capture) == [1, 2, 3]


def test_15_a_server_put_back_to_an_earlier_state_is_refused():
    """A restored backup: same system, same timeline, but its log ends before our position."""
    with primary("15") as server:
        with Capture(environment(server), slot="s", http=False) as capture:
            capture.wait_streaming()
            add(server, 1)
            capture.wait_for(1)
            capture.stop()
            server.stop("fast")
            with PostgresServer("15", data_of=server) as restored:
                server.start()
                capture.start()
                add(server, *range(2, 12))
                capture.wait_for(11)
                capture.stop()
                server.stop("fast")
                capture.environment |= environment(restored)
                capture.start()
                assert capture.wait_exit() == 5, capture.stderr
                assert "earlier state" in capture.stderr_tail(3)


def test_a_change_of_the_primary_while_nothing_happens_is_survived():
    """Idle before, during and after: the stored position still fits, and so does the slot."""
    with primary("17") as old, old.standby(settings={"sync_replication_slots": "on"}) as new:
        env = environment(old, new, PG_CAPTURE_POSTGRES_TARGET_SESSION_ATTRS="read-write")
        with Capture(env, slot="s", http=False) as capture:
            capture.wait_streaming()
            wait_synced(old, new, "s")
            new.wait_replayed(old.end_of_log())
            old.stop("fast")
            new.promote()
            started = time.monotonic()
            add(new, 1)
            capture.wait_for(1)
            print(f"the first change {time.monotonic() - started:.1f} s after the promotion")
            capture.stop()


def test_a_successor_that_waited_goes_on_where_the_one_before_ended():
    """A rolling restart is no loss, though the position is moved on while the successor waits."""
    with primary("15") as server:
        env = environment(server, PG_CAPTURE_SOURCE_SNAPSHOT_MODE="when_needed")
        with Capture(env, slot="s", http=False) as before, \
                Capture(env, slot="s", http=False, state=before.state, start=False) as after:
            before.wait_streaming()
            add(server, 1)
            before.wait_for(lambda messages: any(m["table"] == "history" for m in messages))
            after.start()
            after.wait_for_log("is active for PID")
            add(server, 2)
            before.wait_for(lambda messages: sum(m["table"] == "history" for m in messages) == 2)
            before.stop()
            after.wait_streaming()
            add(server, 3)
            after.wait_for(lambda messages: any(m["table"] == "history" for m in messages))
            assert [(m["op"], m["after"]["k"]) for m in after.messages] == [("INSERT", 3)]
            assert "changes were missed" not in after.stderr_tail(50)
            after.stop()


def wait_streaming_of_standby(capture, upstream):
    """A standby's new slot waits for the primary's word."""
    def streaming():
        upstream.psql("SELECT pg_log_standby_snapshot()")
        return "streaming" in capture.stderr
    wait_until(streaming, 60, "the stream", interval=0.2)


def follow(standby):
    return Capture(environment(standby, PG_CAPTURE_SOURCE_MANAGE_PUBLICATION="false"), slot="s",
                   http=False)


def has(*numbers):
    return lambda messages: {m["after"]["k"] for m in messages} == set(numbers)


@pytest.mark.parametrize("version", ["16", "17", "18"])
def test_13_a_standby_that_is_promoted_while_it_is_followed_is_followed_on(version):
    """Its walsender goes on over the switch: what comes from after it is on another timeline."""
    with primary(version) as old:
        old.psql("CREATE PUBLICATION s_pub FOR ALL TABLES", db=DATABASE)
        with old.standby() as new, follow(new) as capture:
            wait_streaming_of_standby(capture, old)
            add(old, 1)
            capture.wait_for(1)
            new.wait_confirmed("s", old.end_of_log())
            old.stop("immediate")
            new.promote()
            add(new, *range(2, 12))
            capture.wait_for(has(*range(1, 12)))
            new.wait_confirmed("s")
            capture.stop()
            add(new, 12)
            capture.start()
            capture.wait_for(has(*range(1, 13)))
            capture.wait_for_log("has moved from timeline 1 to 2")
            capture.stop()


def test_13_a_standby_whose_upstream_is_promoted_is_followed_on():
    """It stays a standby, and its timeline is another one all the same."""
    with primary("17") as old:
        old.psql("CREATE PUBLICATION s_pub FOR ALL TABLES", db=DATABASE)
        with old.standby() as new, new.standby() as last, follow(last) as capture:
            wait_streaming_of_standby(capture, old)
            add(old, 1)
            capture.wait_for(1)
            last.wait_confirmed("s", old.end_of_log())
            old.stop("immediate")
            new.promote()
            add(new, *range(2, 12))
            capture.wait_for(has(*range(1, 12)))
            last.wait_confirmed("s", new.end_of_log())
            assert last.query("SELECT pg_is_in_recovery()") == [(True,)]
            capture.stop()
            add(new, 12)
            capture.start()
            capture.wait_for(has(*range(1, 13)))
            capture.wait_for_log("has moved from timeline 1 to 2")
            capture.stop()
