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


def test_rows_that_move_while_their_table_waits_for_its_turn_are_read_again(grounds):
    """Half done in an earlier group, and not opened yet in this one: a larger table comes first."""
    ground = grounds(source_snapshot_mode="never", source_snapshot_rows_per_second=400,
                     source_snapshot_chunk_rows=400, source_snapshot_readers=1, source_snapshot_share=20)
    ground.sql("""
        CREATE TABLE t (id int PRIMARY KEY, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
        CREATE TABLE u (id int PRIMARY KEY, v text);
        INSERT INTO t SELECT i, repeat('x', 3000) || i FROM generate_series(1, 1500) i;
        INSERT INTO u SELECT i, 'v' || i FROM generate_series(1, 400) i; ANALYZE""")
    ground.capture(http=True).wait_streaming()
    ground.command("public.t", "public.u", "--id", "one")
    ground.wait_for(lambda: len(ground.rows("t")) >= 200)
    ground.sql("INSERT INTO u SELECT i, repeat('u', 2000) FROM generate_series(401, 4000) i")
    before = len(ground.rows("u"))
    ground.wait_for(lambda: len(ground.rows("u")) >= before + 420, 120)
    assert len(ground.rows("t")) < 1300
    # One transaction each, in no time: what is left of the table is not read meanwhile.
    ground.sql("".join(f"UPDATE t SET id = -id WHERE id = {number};" for number in range(1491, 1501)))
    ground.wait_streamed()
    ground.process.environment["PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND"] = "0"
    ground.process.stop()
    ground.process.start()
    ground.wait_complete(timeout=90)
    ground.wait_streamed()
    assert set(range(-1500, -1490)) <= {row["id"] for row in ground.rows("t")}
    ground.process.stop()
