"""Tables that are renamed, moved or dropped while they are read: no file has half a table, or rows of two."""

import pytest
from support.processes import PATIENCE, wait_until
from support.servers import PostgresServer
from test_reload import Reloaded, lsn

ROWS = 300


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as running:
        yield running


@pytest.fixture
def half_read(server, tmp_path):
    """A reload of t, some of whose rows are in a file that is being written."""
    with Reloaded(server, tmp_path / "files") as place:
        place.begin(rows=ROWS)
        place.slow_down()
        place.command("reload", "public.t", "--id", "mine")
        place.wait_half_read()
        yield place
        place.process.stop()


def wait_over(place):
    """Nothing is reloaded any more, and nothing is left of what was."""
    wait_until(lambda: not place.rows("SELECT FROM cdc_registry.reload_operation WHERE state IN ('requested', 'running')"),
               2 * PATIENCE, "each reload is over")
    wait_until(lambda: not place.rows("SELECT FROM cdc_registry.batch_progress WHERE type = 'full_reload'"),
               PATIENCE, "no file of it is open")
    assert not place.rows("SELECT FROM cdc_registry.table_state WHERE state <> 'streaming'")
    done = place.run("files", "verify")
    assert done.returncode == 0, done.stdout


def reloaded_ids(place, schema, table):
    """Of the last full_reload."""
    files = [f for f in place.file_log("full_reload") if (f["schema"], f["table"]) == (schema, table)]
    return sorted(int(row["id"]) for row in place.read(files[-1]))


def test_one_that_moves_to_another_schema_is_read_from_its_beginning(half_read):
    place = half_read
    place.sql("CREATE SCHEMA other; ALTER TABLE t SET SCHEMA other")
    wait_over(place)
    by_schema = {schema: (state, rows) for schema, state, rows in place.rows(
        "SELECT table_schema, state, row_count FROM cdc_registry.reload_operation")}
    assert by_schema == {"public": ("failed", None), "other": ("complete", ROWS)}
    assert reloaded_ids(place, "other", "t") == list(range(1, ROWS + 1))


def test_two_that_change_their_names_are_not_mixed(half_read):
    place = half_read
    place.sql("ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u")
    wait_over(place)
    assert reloaded_ids(place, "public", "u") == list(range(1, ROWS + 1))
    assert place.operations("u")[-1]["rows"] == ROWS
    place.command("reload", "public.t", "--wait")
    assert reloaded_ids(place, "public", "t") == [1]


def test_one_that_is_dropped_and_made_again_has_its_own_rows_alone(half_read):
    place = half_read
    place.sql("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (7, 'fresh')")
    wait_until(lambda: [o["state"] for o in place.operations()] == ["failed"], PATIENCE, "the reload has failed")
    wait_until(lambda: len([f for f in place.file_log("full_reload") if f["table"] == "t"]) == 2, PATIENCE,
               "the new table is read by itself")
    wait_over(place)
    assert reloaded_ids(place, "public", "t") == [7]


def test_of_one_that_is_dropped_nothing_is_left(half_read):
    place = half_read
    place.sql("DROP TABLE t")
    wait_over(place)
    assert [o["state"] for o in place.operations()] == ["failed"]


def ids_and_places(place):
    """Of the last full_reload of t."""
    rows = place.read([f for f in place.file_log("full_reload") if f["table"] == "t"][-1])
    return sorted(int(row["id"]) for row in rows), {row["_commit_lsn"] for row in rows}


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["key", "no key"])
def test_after_a_reset_nothing_is_left_of_what_was_half_read(server, tmp_path, key):
    with Reloaded(server, tmp_path / "files") as place:
        place.begin(rows=ROWS)
        place.slow_down()
        if not key:
            place.sql("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t REPLICA IDENTITY FULL")
        place.command("reload", "public.t", "--id", "mine")
        place.wait_half_read()
        place.process.kill()
        place.sql("DELETE FROM t WHERE id < 10")
        complete = len(place.file_log("full_reload"))
        done = place.run("position", "reset", "--yes")
        assert done.returncode == 0, done.stderr
        place.server.drop_slot(place.slot)      # what came before the next snapshot comes no more
        with place.capture() as capture:
            wait_until(lambda: len(place.file_log("full_reload")) == complete + 2, 2 * PATIENCE, "both tables are read")
            wait_over(place)
            capture.stop()
        ids, places = ids_and_places(place)
        assert ids == list(range(10, ROWS + 1))
        assert len(places) == 1, "rows of another snapshot"


def test_what_is_cancelled_at_once_after_a_restart_is_not_continued(server, tmp_path):
    with Reloaded(server, tmp_path / "files") as place:
        place.begin(rows=ROWS)
        place.slow_down()
        place.command("snapshot", "public.t", "--id", "mine")
        place.wait_half_read()
        place.process.kill()
        # While this transaction is open no snapshot of the database can be made.
        with place.server.connect(place.db, autocommit=False) as writes:
            writes.execute("DELETE FROM t WHERE id < 10")
            place.process.start()
            wait_until(lambda: place.process.stderr.count(" id=mine ") == 3, PATIENCE, "it goes on")
            place.command("snapshot", "cancel", "mine")
            writes.commit()
        start = place.value("SELECT pg_current_wal_lsn() - '0/0'")
        place.command("snapshot", "public.t", "--wait")
        wait_over(place)
        ids, places = ids_and_places(place)
        assert ids == list(range(10, ROWS + 1))
        assert all(lsn(p) >= start - 1 for p in places), "rows of the snapshot that was cancelled"
        place.process.stop()
