"""A root and the registry that goes with it: another pipeline, and a position that was stored by a command."""

import json

from support.capture import Capture
from support.processes import PATIENCE, wait_until


WAITING = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg-capture: seal%'
              AND wait_event_type = 'Lock'"""


def moved_and_waiting(place, number):
    """The connection that keeps a seal from being registered after its folders have moved, or None: a seal of the position
    alone, which moves nothing, came first and waits instead."""
    held = place.server.connect(place.db, autocommit=False)
    cursor = held.cursor()
    cursor.execute("SELECT seal FROM cdc_registry.pipeline FOR UPDATE")
    seal = cursor.fetchone()[0]
    closing = place.root / ".pg-capture/closing.json"
    place.sql(f"INSERT INTO t VALUES ({number}, 'moved, and not registered')")

    def moved():
        return closing.exists() and json.loads(closing.read_text(encoding="utf-8"))["seal"] == seal + 1

    wait_until(lambda: place.rows(WAITING), PATIENCE, "a commit waits", interval=0.05)
    if moved():
        return held, seal
    held.rollback()
    held.close()
    return None


def crash_before_the_commit(place, capture):
    """kill -9 while files are moved and not registered: the registry's row is locked, and the commit that waits is ended."""
    found = next(found for number in range(2, 12) if (found := moved_and_waiting(place, number)))
    held, seal = found
    capture.kill()
    place.rows(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) w")
    wait_until(lambda: not place.rows(WAITING), PATIENCE, "the commit is ended")
    held.rollback()
    held.close()
    assert place.seal() == seal


def test_what_was_not_registered_is_taken_back_after_adopt(place):
    place.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
    with place.capture() as capture:
        capture.wait_streaming()
        place.sql("INSERT INTO t VALUES (1, 'first')")
        place.wait_loaded("t", {"1": "first"})
        wait_until(lambda: place.value(f"""SELECT confirmed_flush_lsn >= resume_at FROM pg_replication_slots, cdc_registry.pipeline
                                            WHERE slot_name = '{place.slot}'"""), PATIENCE, "it is confirmed")
        crash_before_the_commit(place, capture)
    for command in (("position", "reset", "--yes"), ("adopt", "--no-snapshot")):
        done = place.run(*command)
        assert done.returncode == 0, done.stderr
    with place.capture() as capture:
        place.wait_loaded("t", place.source("t"))
        capture.stop()
    verified = place.run("files", "verify")
    assert verified.returncode == 0, verified.stdout
    stream = [(row["_commit_lsn"], row["_seq"]) for row in place.changes("t", "streaming")]
    assert len(stream) == len(set(stream)) == len(place.source("t"))


def test_another_pipeline_does_not_touch_the_root(place):
    place.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
    with place.capture() as capture:
        capture.wait_streaming()
        place.sql("INSERT INTO t VALUES (1, 'complete')")
        place.wait_loaded("t", {"1": "complete"})
        capture.stop()
    with place.capture(file_batch_interval_secs="3600") as capture:
        capture.wait_streaming()
        place.sql("INSERT INTO t VALUES (2, 'being written')")
        wait_until(lambda: place.rows("SELECT FROM cdc_registry.batch_progress WHERE row_count > 0"), PATIENCE, "an open file")
        capture.stop()
    other = f"{place.slot}_other"
    try:
        with Capture(place.environment(), slot=other, sink="file") as second:
            assert second.wait_exit() == 5, second.stderr_tail()
            assert f"that of pipeline {place.slot}" in second.stderr
    finally:
        place.server.drop_slot(other)
    refused = place.run("files", "clean", "--keep", "1", "--yes", name=other)
    assert refused.returncode == 5, refused.stdout
    verified = place.run("files", "verify")
    assert verified.returncode == 0, verified.stdout
    with place.capture() as capture:
        place.wait_loaded("t", place.source("t"))
        capture.stop()
