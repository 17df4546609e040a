"""A snapshot that is paused while rows move in the tables that it has half read, more than can be remembered.

A row that moves from what is left into what was read, and does not bring its large value along, is to be read
once more: nobody else would ever send that value. Which rows these are is remembered, in memory and with the
position, up to a bound; beyond it the table is read again.
"""

import dataclasses
import json

import pytest
from gate import Gate

CHUNK = 20
PROGRESS_MAX = 256 << 10    # of the text of what is left, as src/postgres/snapshot/progress.h promises
POSITION_MAX = 8 << 10      # all else in the position's file


@dataclasses.dataclass(frozen=True)
class Size:
    tables: int
    rows: int
    key_bytes: int
    memory_mib: int = 64


SIZES = {"one-table": Size(1, 1_500, 900), "several-tables": Size(6, 450, 300)}
LONG = {"one-table-at-length": Size(1, 30_000, 900, 128), "many-tables-at-length": Size(60, 450, 600, 128)}


def fill(table, size):
    """Keys are k1…, k2…; rows move to a1…, which is before all of them."""
    return (f'CREATE TABLE {table} (k text COLLATE "C" PRIMARY KEY, n int NOT NULL, big text NOT NULL);'
            f"ALTER TABLE {table} ALTER big SET STORAGE EXTERNAL;"
            f"INSERT INTO {table} SELECT rpad('k' || to_char(i, 'FM000000'), {size.key_bytes}, '.'), 0, repeat('b' || i, 700)"
            f" FROM generate_series(1, {size.rows}) i; ANALYZE {table};")


def move(ground, names, size, begin, end):
    """Moves the rows of these numbers, and gives others no rest."""
    for first in range(begin, end, 500):
        for name in names:
            ground.sql(f"UPDATE {name} SET k = 'a' || substr(k, 2), n = n + 1 WHERE k >= 'k{first:06}' "
                       f"AND k < 'k{min(first + 500, end):06}'; UPDATE {name} SET n = n + 1 WHERE k < 'k000040'")


def rebuilt(messages):
    """Key -> row, as a consumer has it that carries large values along and drops what it has seen before."""
    rows, seen, left = {}, set(), None
    for message in messages:
        key, place = message["key"]["k"], (message["source"]["lsn"], message["op"], message["key"]["k"])
        if place in seen:
            continue
        seen.add(place)
        if message["op"] == "DELETE":
            left = rows.pop(key, None)
            continue
        row = message["after"]
        if message["source"].get("unchanged"):
            row = {**((left if message["op"] == "INSERT" else rows.get(key)) or {}), **row}
        rows[key] = row
    return rows


def position_bytes(capture):
    return max(path.stat().st_size for path in capture.state.rglob("*") if path.is_file())


@pytest.mark.parametrize("size", [
    *[pytest.param(size, id=name) for name, size in SIZES.items()],
    *[pytest.param(size, id=name, marks=pytest.mark.nightly) for name, size in LONG.items()]])
def test_what_moves_while_it_is_paused_is_remembered_within_bounds_and_sent_whole(postgres, grounds, size):
    ground = grounds(source_snapshot_mode="never", source_snapshot_chunk_rows=CHUNK, source_snapshot_readers=1)
    names = [f"t{i}" for i in range(size.tables)]
    ground.sql("".join(fill(name, size) for name in names))
    begin, middle, end = 100, 100 + (size.rows - 200) // 2, size.rows - 100
    with Gate(postgres.host, postgres.port) as gate, \
            ground.capture(http=True, postgres_host=gate.host, postgres_port=gate.port) as capture:
        capture.wait_streaming()
        ground.command("public.t*", "--id", "one")
        opening = gate.let_pass(capture, 2 * size.tables)
        ground.command("pause", "one")
        ground.wait_state("one", "paused", timeout=60)
        opening.release()
        gate.open()
        move(ground, names, size, begin, middle)
        ground.wait_streamed(120)
        peak = capture.resident_mib()
        capture.stop()
        stored = position_bytes(capture)
        capture.start()
        ground.wait_streamed(60)
        ground.wait_state("one", "paused", timeout=60)
        move(ground, names, size, middle, end)
        ground.wait_streamed(120)
        capture.kill()
        stored = max(stored, position_bytes(capture))
        capture.environment["PG_CAPTURE_SOURCE_SNAPSHOT_CHUNK_ROWS"] = "2000"
        capture.start()
        ground.wait_streamed(60)
        ground.wait_state("one", "paused", timeout=60)
        ground.command("resume", "one")
        ground.wait_state("one", "done", timeout=300)
        ground.wait_streamed(120)
        peak = max(peak, capture.resident_mib())
        capture.stop()
    print(f"{size.tables} tables, {size.tables * (end - begin)} rows moved: {stored} bytes stored at most, peak {peak:.1f} MiB")
    assert stored <= PROGRESS_MAX + POSITION_MAX
    assert peak < size.memory_mib
    for name in names:
        there = {row["k"]: row for (row,) in ground.query(f"SELECT to_jsonb(t) FROM {name} t")}
        replica = rebuilt(ground.of(name))
        assert len(there) == size.rows and replica.keys() == there.keys(), name
        wrong = [key for key, row in there.items() if replica[key] != row]
        assert not wrong, f"{name}: {len(wrong)} rows are not whole, as {json.dumps(replica[wrong[0]])[:200]}"
