"""Debezium's words for which row of a snapshot one is: source.snapshot."""

import json

import pytest
from test_adhoc import fill

BIG = 300_000


@pytest.fixture
def debezium(grounds):
    return lambda **options: grounds(format_type="debezium", **options)


def read(ground):
    """(table, id, word, LSN) of each row, in the order in which they were written."""
    values = [json.loads(line.partition(b"\t")[2] or b"null") for line in ground.process.raw_lines]
    return [(m["source"]["table"], m["after"]["id"], m["source"]["snapshot"], m["source"]["lsn"])
            for m in values if m and m["op"] == "r"]


def expected(tables):
    """The words for rows of these tables, one after the other."""
    first, last = {}, {}
    for at, table in enumerate(tables):
        first.setdefault(table, at)
        last[table] = at
    words = ["true"] * len(tables)
    for at in first.values():
        words[at] = "first_in_data_collection"
    for at in last.values():
        words[at] = "last_in_data_collection"
    words[0] = "first"
    words[-1] = "last"
    return words


def test_the_words_are_those_of_the_connector(debezium):
    ground = debezium(source_snapshot_readers=1)
    ground.sql(fill("a", 3) + fill("b", 1) + fill("c_empty", 0) + fill("d", 2))
    with ground.capture() as capture:
        ground.wait_complete()
        ground.wait_for(lambda: len(read(ground)) == 6)
        rows = read(ground)
        capture.stop()
    tables = [row[0] for row in rows]
    assert sorted(tables) == list("aaabdd") and "".join(tables) in {"aaabdd", "aaaddb", "baaadd", "bddaaa",
                                                                    "ddaaab", "ddbaaa"}
    words = {"a": ["first_in_data_collection", "true", "last_in_data_collection"],
             "b": ["last_in_data_collection"], "d": ["first_in_data_collection", "last_in_data_collection"]}
    golden = [word for table in dict.fromkeys(tables) for word in words[table]]
    golden[0] = "first"
    golden[-1] = "last"
    assert [row[2] for row in rows] == golden == expected(tables)


def test_several_readers_and_parts_of_a_table(debezium):
    ground = debezium(source_snapshot_readers=3, source_snapshot_chunk_rows=20_000,
                      source_publish_via_partition_root="true")
    ground.sql(fill("big", BIG) + fill("other", 30_000) + fill("small", 1)
               + "CREATE TABLE keyless (id int); INSERT INTO keyless SELECT generate_series(1, 5000);"
               + "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);"
               + "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);"
               + "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1000) TO (2000);"
               + "INSERT INTO parts SELECT generate_series(1, 1999);")
    with ground.capture() as capture:
        ground.wait_complete()
        rows = read(ground)
        capture.stop()
    counts = {}
    for table, number, _, _ in rows:
        counts.setdefault(table, []).append(number)
    assert {table: len(all) for table, all in counts.items()} == {
        "big": BIG, "other": 30_000, "small": 1, "keyless": 5000, "parts": 1999}
    assert all(len(set(all)) == len(all) for all in counts.values()), "each row came once"
    assert [row[2] for row in rows] == expected([row[0] for row in rows])


def test_what_is_interrupted_goes_on_with_its_words(debezium):
    ground = debezium(source_snapshot_readers=1, source_snapshot_rows_per_second=4000,
                      source_snapshot_chunk_rows=500)
    ground.sql(fill("t", 20_000) + fill("u", 10))
    with ground.capture() as capture:
        ground.wait_for(lambda: len(read(ground)) > 8000)
        capture.kill()
        before = read(ground)
    with ground.capture(source_snapshot_rows_per_second=0) as capture:
        ground.wait_complete()
        after = read(ground)
        capture.stop()
    assert [row[2] for row in before].count("first") == 1 and before[0][2] == "first"
    assert "last" not in [row[2] for row in before]
    assert {row[:2] for row in before + after} == ({("t", i) for i in range(1, 20_001)}
                                                   | {("u", i) for i in range(1, 11)})
    words = [row[2] for row in after]
    assert "first" not in words and words.count("last") == 1 and words[-1] == "last"
    seen = {row[0] for row in before}
    began = [row[0] for row in after if row[2] == "first_in_data_collection"]
    assert "t" not in began and sorted(began) == sorted({row[0] for row in after} - seen)
    ends = {row[0]: row[2] for row in after}
    assert set(ends.values()) <= {"last", "last_in_data_collection"}, "each table that was left ends so"


def test_what_is_requested_is_incremental(debezium):
    ground = debezium(source_snapshot_mode="never")
    ground.sql(fill("t", 20))
    with ground.capture(http=True) as capture:
        capture.wait_streaming()
        ground.command("public.t", "--wait")
        ground.wait_for(lambda: len(read(ground)) == 20)
        assert {row[2] for row in read(ground)} == {"incremental"}
        capture.stop()


def without_begun(state):
    """Makes the stored position one of a build that did not store which tables have begun."""
    (path,) = state.glob("*.position")
    body, _, _ = path.read_text().rpartition("checksum=")
    assert "%0Abegun" in body
    body = body.replace("%0Abegun", "")
    checksum = 0xCBF29CE484222325
    for byte in body.encode():
        checksum = (checksum ^ byte) * 0x100000001B3 % 2**64
    path.write_text(f"{body}checksum={checksum:016x}\n")


def test_a_snapshot_that_an_older_build_began_is_finished(debezium):
    ground = debezium(source_snapshot_readers=1, source_snapshot_rows_per_second=4000,
                      source_snapshot_chunk_rows=500)
    ground.sql(fill("t", 20_000))
    with ground.capture() as capture:
        ground.wait_for(lambda: len(read(ground)) > 4000)
        capture.kill()
        before = read(ground)
    without_begun(ground.state)
    with ground.capture(source_snapshot_rows_per_second=0) as capture:
        ground.wait_complete()
        after = read(ground)
        capture.stop()
    assert {row[1] for row in before + after} == set(range(1, 20_001))
    assert len(after) < 20_000, "it went on where it was"
    words = [row[2] for row in after]
    assert words == ["first"] + ["true"] * (len(words) - 2) + ["last"]
