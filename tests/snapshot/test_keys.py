"""Keys that are more than one column, read on from the middle after a kill. Types of keys: test_every_key.py."""

import pytest


@pytest.mark.parametrize("identity", ["unique-index", "several-columns", "beside-a-generated-column"])
def test_other_keys_than_a_simple_one(ground, identity):
    ground.sql({
        "unique-index": """
            CREATE TABLE t (n int, a text NOT NULL, b int NOT NULL); CREATE UNIQUE INDEX i ON t (b DESC, a);
            ALTER TABLE t REPLICA IDENTITY USING INDEX i;
            INSERT INTO t SELECT i, 'a', i % 50 * 2 + i / 50 FROM generate_series(0, 99) i""",
        "several-columns": """
            CREATE TABLE t (n int, a text, b int, c date, PRIMARY KEY (c, a, b));
            INSERT INTO t SELECT i, 'a' || i % 3, i % 5, date '2024-01-01' + i / 15 FROM generate_series(0, 99) i""",
        "beside-a-generated-column": """
            CREATE TABLE t (n int PRIMARY KEY, k int GENERATED ALWAYS AS (-n * 2) STORED);
            INSERT INTO t SELECT i FROM generate_series(0, 99) i"""}[identity])
    with ground.capture(source_snapshot_rows_per_second=100, source_snapshot_chunk_rows=9) as capture:
        ground.wait_for(lambda: len(ground.rows("t")) >= 30)
        capture.kill()
        capture.start()
        ground.wait_complete()
        capture.stop()
    rows = [row["n"] for row in ground.rows("t")]
    assert set(rows) == set(range(100)) and len(rows) <= 100 + 2 * 9
