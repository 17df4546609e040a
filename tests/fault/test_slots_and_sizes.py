"""What lasts: slots nobody reads, transactions that stay open, transactions that are huge.

The numbers are those of docs/SCENARIOS.md.
"""

import json
import time

import pytest
from support.processes import wait_until
from support.servers import Capture, PostgresServer

DATABASE = "faults"
SCHEMA = "CREATE TABLE t (id int PRIMARY KEY, pad text); CREATE TABLE other (id int PRIMARY KEY)"
RSS_MAX_MIB = 32


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15", settings={"max_wal_size": "4GB"}) as server:
        prepare(server)
        yield server


def prepare(server):
    server.psql(f"CREATE DATABASE {DATABASE}")
    server.psql(SCHEMA, db=DATABASE)


def environment(server, **more):
    return server.capture_environment(DATABASE) | {
        "PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"} | more


@pytest.fixture
def slot(server):
    """A slot name whose slot, publication and rows are gone afterwards."""
    yield "s"
    server.drop_slot("s")
    server.psql("DROP PUBLICATION IF EXISTS s_pub; TRUNCATE t, other", db=DATABASE)


def add(server, *ids):
    for i in ids:
        server.psql(f"INSERT INTO t VALUES ({i}, '')", db=DATABASE)


def ids(capture):
    return [m["after"]["id"] for m in capture.messages if m["op"] == "INSERT"]


def test_19_a_slot_invalidated_for_idleness_is_terminal_with_its_reason():
    with PostgresServer("18", settings={"idle_replication_slot_timeout": "1s"}) as server:
        prepare(server)
        with Capture(environment(server), slot="s", http=False) as capture:
            capture.wait_streaming()
            add(server, 1)
            capture.wait_for(1)
            capture.stop()

            def invalidated():
                server.psql("CHECKPOINT")
                return server.slot("s")["invalidation_reason"] == "idle_timeout"
            wait_until(invalidated, 60, "the slot to be invalidated", interval=0.3)
            add(server, 2)
            capture.start()
            assert capture.wait_exit() == 5, capture.stderr
            assert "idle_replication_slot_timeout" in capture.stderr
            assert "pg-capture position reset --drop-slot" in capture.stderr
            assert ids(capture) == [1]


@pytest.mark.parametrize("version", ["16", "18"])
def test_19_a_slot_on_a_standby_whose_rows_were_vacuumed_away_is_terminal(version):
    """From 16 on a standby can be followed; without hot_standby_feedback its slots may be lost."""
    with PostgresServer(version) as primary:
        prepare(primary)
        primary.psql("CREATE PUBLICATION s_pub FOR ALL TABLES", db=DATABASE)
        with primary.standby(settings={"hot_standby_feedback": "off"}) as standby:
            env = environment(standby, PG_CAPTURE_SOURCE_MANAGE_PUBLICATION="false")
            with Capture(env, slot="s", http=False) as capture:
                def streaming():    # a standby's new slot waits for the primary's word
                    primary.psql("SELECT pg_log_standby_snapshot()")
                    return "streaming" in capture.stderr
                wait_until(streaming, 60, "the stream", interval=0.2)
                add(primary, 1)
                capture.wait_for(1)
                primary.psql("CREATE TABLE gone (id int); DROP TABLE gone;"
                             "VACUUM pg_class; VACUUM pg_attribute; VACUUM pg_type", db=DATABASE)
                add(primary, 2)
                assert capture.wait_exit() == 5, capture.stderr
                expected = "vacuumed" if version == "18" else "conflicting"
                assert expected in capture.stderr_tail(3) or "rows_removed" in capture.stderr_tail(3)


def test_21_a_transaction_that_stays_open_is_seen_in_the_metrics_and_loses_nothing(server, slot):
    with Capture(environment(server), slot=slot) as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as long:
            long.execute("INSERT INTO t VALUES (1, 'early')")
            held = server.slot(slot)["restart_lsn"]
            for i in range(3):
                server.psql(f"CREATE TABLE junk{i} AS SELECT repeat('x', 1000)"
                            " FROM generate_series(1, 4000)", db="postgres")
                server.psql("CHECKPOINT")
            server.psql("INSERT INTO t SELECT i, '' FROM generate_series(2, 100) i", db=DATABASE)
            capture.wait_for(lambda ms: sum(m["table"] == "t" for m in ms) == 99)
            server.wait_confirmed(slot)
            wait_until(lambda: (capture.metric("cdc_slot_retained_bytes") or 0) > 8 << 20, 60,
                       "the metric to rise")
            pinned = server.slot(slot)["restart_lsn"]
            assert server.query("SELECT %s::pg_lsn - %s::pg_lsn < 1000000", pinned, held) == [(True,)]
            long.execute("INSERT INTO t VALUES (101, 'late')")
            capture.kill()
            capture.start()
            long.commit()
        capture.wait_for(lambda ms: any(m["table"] == "t" and m["after"]["id"] == 101 for m in ms))
        ours = [m for m in capture.messages if m["table"] == "t"]
        assert {m["after"]["id"] for m in ours} == set(range(1, 102))
        assert [m["after"]["id"] for m in ours][-2:] == [1, 101]

        def released():
            server.psql("CHECKPOINT")
            add(server, int(time.monotonic() * 1000) % 10**9)
            return (capture.metric("cdc_slot_retained_bytes") or 1e9) < 8 << 20
        wait_until(released, 60, "the metric to fall", interval=0.5)
        capture.stop()


def count_lines(capture, table, enough, timeout):
    """Counts messages as they come, keeping none of them."""
    count, last = 0, None
    deadline = time.monotonic() + timeout
    while count < enough:
        lines = [line for line in capture.take() if table in line]
        count += len(lines)
        last = lines[-1] if lines else last
        assert time.monotonic() < deadline, f"{count} lines in {timeout} s\n{capture.stderr_tail()}"
        assert capture.running, capture.stderr_tail()
        time.sleep(0.02)
    return count, json.loads(last)


@pytest.mark.parametrize("sink", ["discard", "console"])
def test_23_a_transaction_of_a_million_rows_keeps_memory_flat(server, slot, sink):
    rows = 1_000_000
    with Capture(environment(server), slot=slot, sink=sink) as capture:
        capture.wait_streaming()
        server.psql(f"INSERT INTO t SELECT i, repeat('x', 40) FROM generate_series(1, {rows}) i",
                    db=DATABASE)
        if sink == "discard":
            wait_until(lambda: (capture.metric("cdc_changes_total") or 0) >= rows, 600,
                       "all changes", interval=0.2)
            assert capture.metric("cdc_changes_total") == rows
        else:
            count, last = count_lines(capture, b'"t"', rows, 600)
            assert count == rows and last["after"]["id"] == rows
        server.wait_confirmed(slot)
        peak = capture.resident_mib()
        print(f"peak {peak:.1f} MiB with {sink}")
        assert peak <= RSS_MAX_MIB
        capture.stop()


@pytest.mark.parametrize("at", [1, 777, 9_000])
def test_30_killed_at_a_row_of_a_copy_whose_rows_share_their_places(server, slot, at):
    rows = 20_000
    with Capture(environment(server), slot=slot, http=False) as capture:
        capture.wait_streaming()
        add(server, 0)
        capture.wait_for(1)
        server.wait_confirmed(slot)
        capture.hold_at(1 + at)     # it must not get through all of it before it is killed
        with server.connect(DATABASE) as connection, connection.cursor() as cursor:
            with cursor.copy("COPY t FROM STDIN") as copy:
                for i in range(1, rows + 1):
                    copy.write_row((i, "x"))
        capture.wait_for(1 + at)
        capture.kill()
        before = ids(capture)
        capture.clear()
        capture.start()
        last = f'"after":{{"id":{rows},'.encode()
        wait_until(lambda: last in b"".join(capture.raw_lines[-1:]), 60, "the last row")
        after = ids(capture)
        capture.stop()
    assert before == list(range(len(before))), "a gap or a turn before the kill"
    assert after == list(range(after[0], rows + 1)), "a gap or a turn after the kill"
    assert after[0] <= len(before), "rows between the kill and the start are missing"


def test_31_a_start_exactly_between_two_transactions_neither_repeats_nor_misses(server, slot):
    """A commit's end is the next transaction's begin: the stored position is one and the other."""
    with Capture(environment(server), slot=slot, http=False) as capture:
        capture.wait_streaming()
        for i in range(1, 6):
            add(server, i)
            capture.wait_for(i)
            capture.stop()
            capture.start()
        add(server, 6)
        capture.wait_for(6)
        assert ids(capture) == [1, 2, 3, 4, 5, 6]
        capture.stop()
