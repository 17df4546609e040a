"""A snapshot obeys the same budget as the stream, and the same back-pressure."""

import pytest
from ground import COMPLETE
from support.kafka import KafkaBroker
from support.processes import wait_until

# Many times the budget.
ROWS = 60_000
TABLE = ("CREATE TABLE t (id int PRIMARY KEY, v text);"
         f"INSERT INTO t SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, {ROWS}) i; ANALYZE t")
BUDGET = 8 << 20
MEMORY_MAX_MIB = 64


def memory_samples(capture, number):
    """Resident memory, looked at ten times a second."""
    samples = []
    wait_until(lambda: samples.append(capture.resident_mib("VmRSS")) or len(samples) >= number, 60, interval=0.1)
    return samples


def test_a_table_larger_than_the_budget_waits_for_a_broker_that_stands_still(stages):
    with KafkaBroker() as broker:
        # Not faster than this, or it would be over before the broker stands still.
        stage = stages(on=broker, kafka_buffer_memory=BUDGET, source_snapshot_rows_per_second=10_000)
        stage.sql(TABLE)
        capture = stage.capture(wait=False, http=True)
        stage.wait_for("t", 1000)
        broker.freeze()
        wait_until(lambda: (capture.metric("cdc_buffer_bytes") or 0) > BUDGET / 2, 60, "the budget to fill up")
        samples = memory_samples(capture, 30)
        assert COMPLETE not in capture.stderr
        broker.resume()
        capture.wait_for_log(COMPLETE, 180)
        records = stage.wait_for("t", ROWS, 60)
        peak = capture.resident_mib()
        capture.stop()
        assert len(records) == ROWS, "and nothing came twice"
        stage.close()
    print(f"while the broker stood still at most {max(samples):.1f} MiB, peak {peak:.1f}")
    assert peak < MEMORY_MAX_MIB


@pytest.mark.parametrize("readers", [1, 2, 4])
def test_memory_does_not_grow_with_the_readers(ground, readers):
    ground.sql(TABLE)
    with ground.capture(sink="discard", http=True, source_snapshot_readers=readers) as capture:
        ground.wait_complete(timeout=120)
        assert capture.metric("cdc_snapshot_rows_total") == ROWS
        peak = capture.resident_mib()
        capture.stop()
    print(f"{readers} readers, peak {peak:.1f} MiB")
    assert peak < MEMORY_MAX_MIB


def test_a_reader_of_our_output_that_stops_costs_no_memory(ground):
    ground.sql(TABLE)
    with ground.capture(kafka_buffer_memory=BUDGET, start=False) as capture:
        capture.hold_at(1000)
        capture.start()
        ground.wait_for(lambda: len(capture.raw_lines) >= 1000)
        samples = memory_samples(capture, 30)
        assert COMPLETE not in capture.stderr
        capture.hold_at(None)
        ground.wait_complete(timeout=120)
        ground.wait_for(lambda: len(ground.rows("t")) == ROWS)
        peak = capture.resident_mib()
        capture.stop()
    print(f"while nobody read at most {max(samples):.1f} MiB, peak {peak:.1f}")
    assert peak < MEMORY_MAX_MIB
