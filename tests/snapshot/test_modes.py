"""source.snapshot.mode: when a snapshot is taken, and what remembers that it is due."""

import random
import time

import pytest
from ground import BEGINS
from support.processes import wait_until
from support.replica import lsn_number
from support.servers import PostgresServer

ROWS = """
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 500) i;
"""
ALL = set(range(1, 501))


@pytest.fixture
def ground(ground):
    ground.sql(ROWS)
    return ground


def ids(ground, *operations):
    return [m["after"]["id"] for m in ground.of("t", *operations)]


def test_initial_reads_what_is_there_once_and_then_streams(ground):
    with ground.capture() as capture:
        ground.wait_complete()
        ground.sql("INSERT INTO t VALUES (501, 'new')")
        ground.wait_streamed()
        assert sorted(ids(ground, "READ")) == sorted(ALL)
        assert ids(ground, "INSERT") == [501]
        ops = [m["op"] for m in ground.of("t")]
        assert ops == ["READ"] * 500 + ["INSERT"]
        capture.stop()
        capture.start()
        ground.sql("INSERT INTO t VALUES (502, 'newer')")
        ground.wait_streamed()
        assert len(ids(ground, "READ")) == 500, "the slot is not new any more"
        assert ids(ground, "INSERT") == [501, 502]
        capture.stop()


def test_a_row_that_is_read_looks_like_one_that_is_inserted(ground):
    with ground.capture() as capture:
        ground.wait_complete()
        ground.sql("UPDATE t SET v = 'other' WHERE id = 7")
        ground.wait_streamed()
        capture.stop()
    read = next(m for m in ground.of("t", "READ") if m["after"]["id"] == 7)
    update = ground.of("t", "UPDATE")[0]
    assert read["key"] == update["key"] == {"id": 7}
    assert read["before"] is None and read["after"] == {"id": 7, "v": "v7"}
    assert read["source"]["xid"] is None
    assert set(read) == set(update) and set(read["source"]) == set(update["source"])
    assert lsn_number(read["source"]["lsn"]) < lsn_number(update["source"]["lsn"])
    assert abs(read["ts_ms"] / 1000 - time.time()) < 600 and abs(read["source"]["ts_ms"] / 1000 - time.time()) < 600


def test_never_takes_none(ground):
    with ground.capture(source_snapshot_mode="never") as capture:
        capture.wait_streaming()
        ground.sql("INSERT INTO t VALUES (501, 'new')")
        ground.wait_streamed()
        assert [m["op"] for m in ground.of("t")] == ["INSERT"]
        assert BEGINS not in capture.stderr
        capture.stop()


def test_always_takes_one_at_each_start_and_misses_nothing_between(ground):
    with ground.capture(source_snapshot_mode="always") as capture:
        ground.wait_complete()
        capture.stop()
        ground.sql("UPDATE t SET v = 'away' WHERE id = 1; DELETE FROM t WHERE id = 2")
        capture.start()
        ground.wait_complete(2)
        ground.wait_streamed()
        capture.stop()
    operations = [m["op"] for m in ground.of("t")]
    assert operations == ["READ"] * 500 + ["UPDATE", "DELETE"] + ["READ"] * 499
    assert {"id": 1, "v": "away"} in ground.rows("t")[500:]


def test_only_ends_by_itself_and_a_later_start_goes_on_without_a_gap(ground):
    with ground.capture(source_snapshot_mode="only") as capture:
        assert capture.wait_exit() == 0, capture.stderr
        assert sorted(ids(ground)) == sorted(ALL)
        assert [m["op"] for m in ground.of("t")] == ["READ"] * 500
        said = capture.stderr_tail(1)
        for word in ("slot", "publication", "position", "pg-capture position reset --drop-slot", "DROP PUBLICATION", "lost"):
            assert word in said, f"{word} is not said to stay: {said}"
    ground.sql("INSERT INTO t VALUES (501, 'between'); UPDATE t SET v = 'between' WHERE id = 3")
    with ground.capture(source_snapshot_mode="initial") as capture:
        ground.wait_streamed()
        assert [(m["op"], m["after"]["id"]) for m in ground.of("t")] == [("INSERT", 501), ("UPDATE", 3)]
        assert BEGINS not in capture.stderr, "there was one"
        capture.stop()


def test_only_that_is_killed_goes_on_and_still_ends(ground):
    with ground.capture(source_snapshot_mode="only", source_snapshot_rows_per_second=200,
                        source_snapshot_chunk_rows=50) as capture:
        ground.wait_for(lambda: len(ids(ground)) >= 150)
        capture.kill()
        capture.environment["PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND"] = "0"
        capture.start()
        assert capture.wait_exit() == 0, capture.stderr
        assert set(ids(ground)) == ALL
        assert len(ids(ground)) <= 500 + 2 * 50


def test_the_first_start_may_be_killed_at_any_moment(grounds):
    """Between the making of the slot and the first stored position, for one."""
    chance = random.Random(1)
    ground = grounds()
    ground.sql(ROWS)
    with ground.capture() as capture:
        for number in range(25):
            time.sleep(chance.uniform(0.0, 0.25))
            capture.kill()
            ground.sql(f"INSERT INTO t VALUES ({1000 + number}, 'between')")
            capture.start()
        ground.wait_complete()
        ground.wait_streamed()
        capture.stop()
        seen = {m["after"]["id"] for m in ground.of("t", "READ", "INSERT")}
        assert seen == ALL | {1000 + number for number in range(25)}


def test_when_needed_takes_another_when_the_slot_is_gone(ground):
    with ground.capture(source_snapshot_mode="when_needed") as capture:
        ground.wait_complete()
        capture.stop()
        capture.start()
        ground.wait_streamed()
        assert len(ids(ground, "READ")) == 500, "nothing is lost, so none is needed"
        capture.stop()

        ground.server.drop_slot(ground.name)
        ground.sql("UPDATE t SET v = 'unseen' WHERE id = 1")
        capture.start()
        ground.wait_complete(2)
        ground.wait_streamed()
        assert len(ids(ground, "READ")) == 1000
        assert {"id": 1, "v": "unseen"} in ground.rows("t")[500:]
        assert any("snapshot" in line for line in capture.stderr.splitlines() if " error " in line.lower()), \
            "a loss is reported loudly"
        capture.stop()


def test_when_needed_takes_another_when_the_slot_was_moved(ground):
    with ground.capture(source_snapshot_mode="when_needed") as capture:
        ground.wait_complete()
        capture.stop()
        ground.sql("UPDATE t SET v = 'skipped' WHERE id = 1")
        ground.sql(f"SELECT pg_replication_slot_advance('{ground.name}', pg_current_wal_lsn())")
        capture.start()
        ground.wait_complete(2)
        ground.wait_streamed()
        assert {"id": 1, "v": "skipped"} in ground.rows("t")[500:]
        capture.stop()


def test_when_needed_takes_another_when_the_server_removed_the_log(own_server, grounds):
    own_server.set(max_slot_wal_keep_size="1MB", min_wal_size="32MB", max_wal_size="32MB")
    ground = grounds(own_server, source_snapshot_mode="when_needed")
    ground.sql(ROWS)
    with ground.capture() as capture:
        ground.wait_complete()
        capture.stop()
        ground.sql("CREATE TABLE junk (v text)")
        for _ in range(6):
            ground.sql("INSERT INTO junk SELECT repeat('x', 1000) FROM generate_series(1, 30000);"
                       "SELECT pg_switch_wal(); CHECKPOINT")
            if own_server.slot(ground.name)["wal_status"] == "lost":
                break
        assert own_server.slot(ground.name)["wal_status"] == "lost"
        ground.sql("TRUNCATE junk; UPDATE t SET v = 'lost' WHERE id = 1")
        capture.start()
        ground.wait_complete(2)
        ground.wait_streamed()
        assert {"id": 1, "v": "lost"} in ground.rows("t")[500:]
        capture.stop()


def test_when_needed_takes_another_when_the_server_gives_the_slot_up_while_it_runs(own_server, grounds):
    """Its reader stands still meanwhile, so it is not the end of the stream that it sees."""
    own_server.set(min_wal_size="32MB", max_wal_size="32MB")
    ground = grounds(own_server, source_snapshot_mode="when_needed")
    ground.sql(ROWS + "CREATE TABLE junk (v text)")
    with ground.capture() as capture:
        ground.wait_complete()
        ground.wait_streamed()
        capture.hold_at(len(capture.raw_lines))
        ground.sql("INSERT INTO junk SELECT repeat('x', 1000) FROM generate_series(1, 30000)")
        own_server.set(max_slot_wal_keep_size="1MB")

        def replaced():
            assert capture.running, capture.stderr_tail()
            slot = own_server.slot(ground.name)
            if slot and slot["wal_status"] != "lost" and slot["active"]:
                ground.sql("INSERT INTO junk VALUES ('x'); SELECT pg_switch_wal(); CHECKPOINT")
            else:
                own_server.set(max_slot_wal_keep_size="-1")     # the next one is to stay
            return "a snapshot follows" in capture.stderr
        wait_until(replaced, what="the slot to be replaced", interval=0.2)
        ground.sql("UPDATE t SET v = 'seen' WHERE id = 2")
        capture.hold_at(None)
        ground.wait_complete(2)
        ground.wait_streamed()
        again = {m["after"]["v"] for m in ground.of("t", "READ", "UPDATE")[500:] if m["after"]["id"] == 2}
        assert "seen" in again and len(ground.rows("t")) >= 1000
        assert capture.running and own_server.slot(ground.name)["wal_status"] != "lost"
        capture.stop()


def test_when_needed_takes_another_when_the_slot_was_unread_for_too_long(grounds):
    with PostgresServer("18", settings={"idle_replication_slot_timeout": "1s"}) as server:
        ground = grounds(server, source_snapshot_mode="when_needed")
        ground.sql(ROWS)
        with ground.capture() as capture:
            ground.wait_complete()
            ground.wait_streamed()
            capture.stop()
            ground.sql("UPDATE t SET v = 'lost' WHERE id = 1")

            def invalidated():
                server.psql("CHECKPOINT")
                return server.slot(ground.name)["invalidation_reason"] == "idle_timeout"
            wait_until(invalidated, what="the slot to be given up", interval=0.3)
            capture.start()
            ground.wait_complete(2)
            ground.wait_streamed()
            assert {"id": 1, "v": "lost"} in ground.rows("t")[500:]
            capture.stop()


def test_initial_still_stops_where_changes_were_lost(ground):
    """Only who asks for `when_needed` gets a snapshot instead of an explanation."""
    with ground.capture() as capture:
        ground.wait_complete()
        capture.stop()
        ground.server.drop_slot(ground.name)
        capture.start()
        assert capture.wait_exit() == 5, capture.stderr
        assert "when_needed" in capture.stderr, "and the explanation names it"
        assert len(ids(ground, "READ")) == 500


def test_when_needed_stops_at_another_system_and_makes_nothing_there(ground):
    """A host that was mistaken for ours: its rows are others, and its slots and publications its own."""
    with PostgresServer("15", fresh=True) as other, ground.capture(source_snapshot_mode="when_needed") as capture:
        ground.wait_complete()
        capture.stop()
        other.psql(f"CREATE DATABASE {ground.name}")
        other.psql(ROWS, db=ground.name)
        capture.environment |= {"PG_PORT": str(other.port)}
        capture.start()
        assert capture.wait_exit() == 5, capture.stderr
        assert "belongs to database system" in capture.stderr_tail(2)
        assert len(ids(ground, "READ")) == 500
        assert other.query("SELECT count(*) FROM pg_replication_slots") == [(0,)]
        assert other.query("SELECT count(*) FROM pg_publication", db=ground.name) == [(0,)]


def made_by_a_dba(ground):
    """A slot without a position of ours, and changes past it."""
    ground.sql(f"CREATE PUBLICATION {ground.name}_pub FOR ALL TABLES")
    ground.sql(f"SELECT pg_create_logical_replication_slot('{ground.name}', 'pgoutput')")
    ground.sql("UPDATE t SET v = 'past the slot' WHERE id <= 10; DELETE FROM t WHERE id = 11;"
               "INSERT INTO t VALUES (501, 'past the slot')")


def test_rows_before_a_slot_that_somebody_else_made_are_read_behind_its_changes(ground):
    made_by_a_dba(ground)
    with ground.capture() as capture:
        ground.wait_complete()
        ground.sql("UPDATE t SET v = 'later' WHERE id = 1")
        ground.wait_streamed()
        assert [m["op"] for m in ground.of("t")] == \
            ["UPDATE"] * 10 + ["DELETE", "INSERT"] + ["READ"] * 500 + ["UPDATE"]
        reads = {m["after"]["id"]: m for m in ground.of("t", "READ")}
        assert set(reads) == ALL - {11} | {501}
        assert {k for k, m in reads.items() if m["after"]["v"] == "past the slot"} == {*range(1, 11), 501}
        changes = [lsn_number(m["source"]["lsn"]) for m in ground.of("t", "UPDATE", "INSERT", "DELETE")]
        assert changes[-2] < lsn_number(reads[1]["source"]["lsn"]) <= changes[-1]
        assert "a snapshot of all captured tables follows" in capture.stderr
        capture.stop()
        capture.start()
        ground.wait_streamed()
        assert len(ids(ground, "READ")) == 500, "once"
        capture.stop()


def test_rows_before_a_slot_that_somebody_else_made_are_not_read_if_never_is_asked_for(ground):
    made_by_a_dba(ground)
    with ground.capture(source_snapshot_mode="never") as capture:
        ground.wait_streamed()
        assert [m["op"] for m in ground.of("t")] == ["UPDATE"] * 10 + ["DELETE", "INSERT"]
        assert "rows that are in the tables already are not sent" in capture.stderr
        assert BEGINS not in capture.stderr
        capture.stop()


def test_a_start_beside_a_slot_without_a_position_may_be_killed_at_any_moment(grounds):
    chance = random.Random(2)
    ground = grounds()
    ground.sql(ROWS)
    made_by_a_dba(ground)
    with ground.capture(source_snapshot_rows_per_second=2000, source_snapshot_chunk_rows=20) as capture:
        for _ in range(12):
            time.sleep(chance.uniform(0.0, 0.3))
            capture.kill()
            capture.start()
        ground.wait_complete()
        ground.wait_streamed()
        capture.stop()
        assert {m["after"]["id"] for m in ground.of("t", "READ")} == ALL - {11} | {501}
