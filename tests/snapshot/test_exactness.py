"""The state rebuilt from the topics equals the tables, row for row, whatever happens meanwhile.

A snapshot of tables with every kind of key runs while writers insert, update, change keys,
delete and truncate; pg-capture is killed again and again; a consumer that is not ours compares.
"""

import dataclasses
import random
import time

import pytest
from churn import Churn, Tables
from ground import COMPLETE
from support.figures import figure
from support.replica import Replica


@dataclasses.dataclass(frozen=True)
class Size:
    tables: int
    rows: int
    writers: int
    kills: int
    rows_per_second: int    # so that the kills fall into the reading
    chunk_rows: int
    up_secs_max: float      # between two kills


SMALL = Size(tables=6, rows=60_000, writers=4, kills=5, rows_per_second=6_000, chunk_rows=2_000, up_secs_max=2)
FULL = Size(tables=20, rows=2_400_000, writers=8, kills=20, rows_per_second=40_000, chunk_rows=20_000,
            up_secs_max=6)
READERS = 2


def kill_while_it_reads(capture, size, chance):
    """Kills and starts it at random moments; the snapshot must not be through by then."""
    for number in range(size.kills):
        # Early ones meet the start and the second snapshot, late ones the reading.
        time.sleep(chance.choice([chance.uniform(0.05, 0.5), chance.uniform(0.5, size.up_secs_max)]))
        assert COMPLETE not in capture.stderr, f"complete before kill {number + 1}: this shows too little"
        capture.kill()
        capture.start()


def check_rows_read_again(replica, kills, size):
    """After a crash at most a chunk a reader is read again, of tables that have a key."""
    keyed = [replica[name] for name in replica.tables if not name.startswith("keyless")]
    places = sorted({lsn for table in keyed for lsn in table.reads})
    again = {lsn: sum(table.read_again[lsn] for table in keyed) for lsn in places}
    print(f"{len(places)} places of the log, rows read again at each: {list(again.values())}")
    assert len(places) > kills / 3, "most kills met no reading: this shows too little"
    assert max(again.values()) <= size.chunk_rows * READERS


@pytest.mark.parametrize("size", [SMALL, pytest.param(FULL, marks=pytest.mark.nightly, id="full")])
def test_the_topics_rebuild_the_tables_row_for_row_through_kills(stages, size):
    chance = random.Random(size.kills)
    stage = stages(source_snapshot_readers=READERS, source_snapshot_chunk_rows=size.chunk_rows,
                   source_snapshot_rows_per_second=size.rows_per_second)
    tables = Tables(stage, size.tables, size.rows)
    with Replica(stage, tables.kinds, tables.keyless) as replica, \
            Churn(stage, tables, size.writers) as churn:
        capture = stage.capture(wait=False)
        replica.wait_for_reads(1)
        kill_while_it_reads(capture, size, chance)
        capture.wait_for_log(COMPLETE, 120 + size.rows / size.rows_per_second * 3)
        replica.wait_for_events(100)        # and then the stream goes on
        churn.stop()
        replica.agrees(120)
        capture.stop()
        figure("rebuilt through kills",
               f"{replica.reads()} READs of {tables.rows} rows, {replica.events()} events, {churn.committed} "
               f"transactions, {replica.repeats()} repeats, {size.kills} kills")
        check_rows_read_again(replica, size.kills, size)
    assert churn.committed > 200, "nearly nothing was written: this shows nothing"


def test_without_a_crash_every_row_is_read_once(stages):
    stage = stages(source_snapshot_readers=READERS, source_snapshot_chunk_rows=1000)
    tables = Tables(stage, 6, 30_000)
    with Replica(stage, tables.kinds, tables.keyless) as replica, Churn(stage, tables, 2) as churn:
        capture = stage.capture(wait=False)
        capture.wait_for_log(COMPLETE, 120)
        replica.wait_for_events(100)
        churn.stop()
        replica.agrees()
        capture.stop()
        places = {lsn for name in tables.kinds for lsn in replica[name].reads}
        assert len(places) == 1, "all rows are those of one place of the log"
        assert replica.repeats() == 0
        assert not any(replica[name].read_again for name in set(tables.kinds) - tables.keyless)


def test_a_clean_end_in_the_middle_goes_on_where_it_was(stages):
    """SIGTERM: what was read is stored, so that nothing is read twice but the table without a key."""
    stage = stages(source_snapshot_chunk_rows=1000, source_snapshot_rows_per_second=6_000)
    tables = Tables(stage, 6, 30_000)
    with Replica(stage, tables.kinds, tables.keyless) as replica, Churn(stage, tables, 2) as churn:
        capture = stage.capture(wait=False)
        for _ in range(3):
            replica.wait_for_reads(replica.reads() + 3000)
            assert capture.stop() < 10     # 5 s by our own clock: pipeline_test.cc
            replica.read_to_the_end()
            capture.start()
        capture.wait_for_log(COMPLETE, 120)
        churn.stop()
        replica.agrees()
        capture.stop()
        # Rows that moved with a large value nobody sent yet are read again, alone.
        moved = {name for name in tables.kinds if name.startswith("toasted")}
        again = {name: replica[name].read_again.total() for name in set(tables.kinds) - tables.keyless}
        assert not any(again[name] for name in set(again) - moved), again
        assert all(again[name] < 20 for name in moved), again
