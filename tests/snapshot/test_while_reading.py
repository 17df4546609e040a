"""What happens to rows, tables and connections while they are read."""

import pytest
from churn import KEYS
from ground import COMPLETE
from support.cut_proxy import CutProxy
from support.processes import wait_until
from support.replica import Replica

ROWS = 3_000
SLOWLY = {"source_snapshot_rows_per_second": 1_000, "source_snapshot_chunk_rows": 200}
# How anybody may find our readers, whatever they call themselves.
READERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'copy%%to stdout%%'"


def fill(table, columns="id int PRIMARY KEY, v text", values="i, 'v' || i", rows=ROWS):
    return (f"CREATE TABLE {table} ({columns});"
            f"INSERT INTO {table} SELECT {values} FROM generate_series(1, {rows}) i; ANALYZE {table};")


@pytest.fixture
def reading(stages):
    """Calls make tables and bring pg-capture into the middle of their snapshot."""
    opened = []

    def begin(sql, tables, keyless=(), reads=300, server=None, http=False, **options):
        stage = stages(**({"server": server} if server else {}), **{**SLOWLY, **options})
        stage.sql(sql)
        replica = Replica(stage, tables, keyless)
        opened.append(replica)
        capture = stage.capture(wait=False, http=http)
        replica.wait_for_reads(reads)
        assert COMPLETE not in capture.stderr
        return stage, capture, replica

    yield begin
    for replica in opened:
        replica.follower.stop()


def finish(stage, capture, replica):
    capture.wait_for_log(COMPLETE, 120)
    replica.agrees()
    capture.stop()


def test_rows_change_behind_and_before_the_reader(reading):
    stage, capture, replica = reading(fill("t"), ["t"])
    stage.sql(f"""
        UPDATE t SET v = 'updated' WHERE id % 10 = 0;
        DELETE FROM t WHERE id % 10 = 1;
        UPDATE t SET id = id + {ROWS} WHERE id % 10 = 2;
        UPDATE t SET id = -id WHERE id % 10 = 3;
        INSERT INTO t SELECT {ROWS} * 3 + i, 'new' FROM generate_series(1, 100) i;
        BEGIN; DELETE FROM t WHERE id = 4; INSERT INTO t VALUES (4, 'again'); COMMIT""")
    assert COMPLETE not in capture.stderr
    finish(stage, capture, replica)
    assert replica["t"].reads.total() == ROWS, "each row as it was, then its changes"
    assert replica["t"].events > ROWS * 0.5


def test_rows_move_in_their_table_while_it_is_read(reading):
    """VACUUM FULL would have to wait; an UPDATE and VACUUM put rows elsewhere."""
    stage, capture, replica = reading(fill("t"), ["t"])
    for _ in range(3):
        stage.sql("UPDATE t SET v = v || '.'")
        stage.sql("VACUUM t")
    assert COMPLETE not in capture.stderr
    finish(stage, capture, replica)
    assert replica["t"].reads.total() == ROWS


def test_one_table_is_dropped_before_its_turn_and_the_others_are_read(reading):
    stage, capture, replica = reading(fill("large") + fill("small", rows=10), ["large"],
                                      source_snapshot_readers=1, source_snapshot_chunk_rows=100_000)
    stage.sql("DROP TABLE small")
    finish(stage, capture, replica)
    assert replica["large"].reads.total() == ROWS
    assert "small" in capture.stderr, "and it is said which was not there"


def test_a_table_that_is_being_read_can_be_dropped(reading):
    """DROP waits for the lock that reading needs, and for no longer than that."""
    stage, capture, replica = reading(fill("t") + fill("other"), ["other"], reads=0,
                                      source_snapshot_readers=2)
    wait_until(lambda: stage.broker.partitions(stage.topic("t")), 60, "its first rows")
    stage.sql("DROP TABLE t")
    finish(stage, capture, replica)
    assert replica["other"].reads.total() == ROWS


@pytest.mark.parametrize("killed", [False, True], ids=["read", "read-on-after-a-kill"])
def test_a_column_is_added_while_it_is_read(reading, killed):
    stage, capture, replica = reading(fill("t"), ["t"])
    if killed:
        capture.kill()
    stage.sql("ALTER TABLE t ADD COLUMN more int; UPDATE t SET more = id WHERE id % 7 = 0;")
    if killed:
        capture.start()
    capture.wait_for_log(COMPLETE, 120)
    stage.sql("UPDATE t SET v = 'touched'")     # whoever knew rows of the old shape learns of the new
    finish(stage, capture, replica)


@pytest.mark.parametrize("killed", [False, True], ids=["read", "read-on-after-a-kill"])
def test_a_type_change_rewrites_the_table_while_it_is_read(reading, killed):
    stage, capture, replica = reading(fill("t", "id int PRIMARY KEY, v int", "i, i"), ["t"])
    if killed:
        capture.kill()
    stage.sql("ALTER TABLE t ALTER v TYPE text USING 'v' || v, ALTER id TYPE bigint; UPDATE t SET v = v || '!'")
    if killed:
        capture.start()
    finish(stage, capture, replica)


@pytest.mark.parametrize("rewrite", [
    "ALTER TABLE small ALTER v TYPE varchar(50)", "ALTER TABLE small ALTER id TYPE bigint", "VACUUM FULL small",
    "CLUSTER small USING small_pkey"])
def test_a_table_that_is_rewritten_before_its_turn_is_not_taken_for_an_empty_one(reading, rewrite):
    """To whoever holds an older database snapshot a table that ALTER TABLE has rewritten looks empty."""
    stage, capture, replica = reading(fill("large") + fill("small", rows=50), ["large", "small"],
                                      source_snapshot_readers=1, source_snapshot_chunk_rows=100_000)
    assert "small" not in replica.tables, "the largest comes first"
    stage.sql(rewrite)
    finish(stage, capture, replica)
    assert len(replica["small"].rows) == 50


def test_the_key_changes_between_a_kill_and_the_start(reading):
    """What was stored of the reading is worth nothing then: the table is read from its beginning."""
    columns = "id int PRIMARY KEY, v text, k int UNIQUE NOT NULL"
    stage, capture, replica = reading(fill("t", columns, "i, 'v' || i, -i"), ["t"])
    capture.kill()
    stage.sql("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (k)")
    capture.start()
    capture.wait_for_log(COMPLETE, 120)
    stage.server.wait_confirmed(stage.name)
    replica.read_to_the_end()
    by_new_key = [row for key, row in replica["t"].rows.items() if b'"k"' in key]
    assert len(by_new_key) == ROWS
    capture.stop()


def test_a_table_is_truncated_while_it_is_read(reading):
    stage, capture, replica = reading(fill("t"), ["t"])
    stage.sql("TRUNCATE t; INSERT INTO t VALUES (1, 'after')")
    finish(stage, capture, replica)


def test_a_truncated_table_is_read_on_after_a_kill(reading):
    stage, capture, replica = reading(
        fill("t") + fill("k", "id int, v text"), ["t", "k"], keyless=["k"], reads=1000)
    capture.kill()
    stage.sql("TRUNCATE t; TRUNCATE k; INSERT INTO t VALUES (1, 'after')")
    capture.start()
    finish(stage, capture, replica)
    assert replica["k"].contents().total() == 0, "an empty table without a key is known to be empty"


def test_a_table_is_renamed_while_it_is_read(reading):
    """It goes on under its new name: the rows left, and every change."""
    stage, capture, replica = reading(fill("t") + fill("other"), ["t", "renamed", "other"])
    stage.sql("ALTER TABLE t RENAME TO renamed; UPDATE renamed SET v = 'renamed'")
    capture.wait_for_log(COMPLETE, 120)
    stage.server.wait_confirmed(stage.name)
    replica.read_to_the_end()
    rows = {**replica["t"].rows, **replica["renamed"].rows}
    assert len(rows) == ROWS
    assert all('"renamed"' in row for row in rows.values())
    assert len(replica["other"].rows) == ROWS
    capture.stop()


def test_a_table_is_renamed_between_a_kill_and_the_start(reading):
    stage, capture, replica = reading(fill("t") + fill("other"), ["t", "renamed", "other"])
    capture.kill()
    stage.sql("ALTER TABLE t RENAME TO renamed")
    capture.start()
    capture.wait_for_log(COMPLETE, 120)
    stage.server.wait_confirmed(stage.name)
    replica.read_to_the_end()
    assert len(set(replica["t"].rows) | set(replica["renamed"].rows)) == ROWS, "no row was left out"
    assert len(replica["other"].rows) == ROWS
    capture.stop()


@pytest.mark.parametrize("readers", [1, 2])
def test_a_readers_connection_is_ended_and_little_is_read_again(reading, readers):
    stage, capture, replica = reading(fill("t") + fill("other"), ["t", "other"], source_snapshot_readers=readers)
    for _ in range(3):
        pids = wait_until(lambda: stage.server.query(READERS, db=stage.name), 60, "a reader", interval=0.005)
        stage.sql("".join(f"SELECT pg_terminate_backend({pid});" for (pid,) in pids))
        replica.wait_for_reads(replica.reads() + 300)
    finish(stage, capture, replica)
    assert len(replica["t"].rows) == ROWS
    again = sum(sum(replica[name].read_again.values()) for name in ("t", "other"))
    assert again <= 3 * readers * 200, "at most a chunk a reader each time"


def test_a_reader_that_has_to_go_is_gone_though_its_connection_lasts_a_moment_longer(postgres, reading):
    with CutProxy(postgres.host, postgres.port) as proxy:
        proxy.end_late(0.3)
        stage, capture, replica = reading(fill("t") + fill("other"), ["t", "other"], source_snapshot_readers=2,
                                          postgres_host=proxy.host, postgres_port=proxy.port)
        waiting = READERS.replace("query ILIKE 'copy%%to stdout%%'", "wait_event_type = 'Lock' AND pid <> pg_backend_pid()")
        with stage.server.connect(stage.name) as locker, locker.transaction():
            locker.execute("LOCK TABLE t, other")
            pids = wait_until(lambda: stage.server.query(waiting, db=stage.name), 60, "a reader", interval=0.005)
            stage.sql("".join(f"SELECT pg_terminate_backend({pid});" for (pid,) in pids))
        finish(stage, capture, replica)
        assert "the snapshot was interrupted" not in capture.stderr, "a connection is made again, no more than that"
        assert "a reader of the snapshot lost its connection" in capture.stderr


@pytest.mark.parametrize("readers", [1, 2])
def test_a_readers_connection_is_ended_while_a_table_without_a_key_is_read(reading, readers):
    """That table starts over, later and whole; the others go on."""
    stage, capture, replica = reading(fill("t") + fill("k", "id int, v text"), ["t", "k"], keyless=["k"],
                                      reads=1500, source_snapshot_readers=readers)
    for _ in range(2):
        pids = wait_until(lambda: stage.server.query(READERS, db=stage.name), 60, "a reader", interval=0.005)
        stage.sql("".join(f"SELECT pg_terminate_backend({pid});" for (pid,) in pids))
        stage.sql("INSERT INTO k VALUES (-1, 'meanwhile'); DELETE FROM t WHERE id % 50 = 1")
        replica.wait_for_reads(replica.reads() + 300)
    finish(stage, capture, replica)


def test_the_slot_is_watched_from_the_first_row_on(reading):
    """Whoever copies for hours should learn at once that it is in vain."""
    stage, capture, _ = reading(fill("t", rows=100_000), ["t"], http=True)
    wait_until(lambda: capture.metric("cdc_slot_retained_bytes") is not None, 60, "the slot's health")
    stage.sql("INSERT INTO t SELECT -i, repeat('x', 1000) FROM generate_series(1, 4000) i")
    wait_until(lambda: (capture.metric("cdc_slot_retained_bytes") or 0) > 1 << 20, 60, "what it holds back")
    stage.server.drop_slot(stage.name)
    assert capture.wait_exit() != 0
    assert "the replication slot was dropped" in capture.stderr
    assert COMPLETE not in capture.stderr


def test_the_server_is_restarted_hard_while_it_is_read(own_server, reading):
    stage, capture, replica = reading(fill("t") + fill("k", "id int, v text"), ["t", "k"], keyless=["k"],
                                      server=own_server)
    for _ in range(2):
        own_server.restart("immediate")
        stage.sql("UPDATE t SET v = v || '.' WHERE id % 5 = 0; DELETE FROM t WHERE id % 100 = 1;"
                  "INSERT INTO k VALUES (0, 'after a crash')")
        replica.wait_for_reads(replica.reads() + 200)
    finish(stage, capture, replica)


def test_a_statement_timeout_costs_no_progress(reading):
    """A table that is larger than one statement may last is read all the same."""
    stage, capture, replica = reading(
        fill("t"), ["t"], source_snapshot_statement_timeout_secs=1, source_snapshot_chunk_rows=100_000)
    finish(stage, capture, replica)
    assert len(replica["t"].rows) == ROWS


def test_a_held_database_snapshot_is_renewed_in_time(reading):
    """hold_secs: nobody's dead rows wait for us longer, and still each row comes as of one place."""
    stage, capture, replica = reading(fill("t") + KEYS, ["t"], source_snapshot_hold_secs=1)
    stage.sql("UPDATE t SET v = 'changed'")
    finish(stage, capture, replica)
    assert replica["t"].reads.total() == len(replica["t"].read_keys) == ROWS, "no row twice"
    assert len(replica["t"].reads) >= 2, "as of several places"
