"""A table that is altered between any two of its chunks: a value is never shown as another column's, nor is one left that
an alteration has replaced."""

import random

import pytest
from ground import COMPLETE

ROWS = 300
CHUNK = 7


class Alterations:
    """Statements at random, each of one transaction. Every value says of which column it is: 'a-7' or '3'."""

    def __init__(self, ground, seed):
        self.ground, self.chance, self.number = ground, random.Random(seed), 0
        self.done = []

    def columns(self):
        return [row[0] for row in self.ground.query(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1 "
            "AND NOT attisdropped ORDER BY attnum")]

    def __call__(self):
        self.number += 1
        x, y = self.chance.sample(self.columns(), 2)
        kind = self.chance.choice(["replace", "replace", "swap", "drop", "type", "add", "rename", "rewrite"])
        self.done.append(kind)
        new = f"varchar DEFAULT '{self.number}'"
        self.ground.sql({
            "replace": f"BEGIN; ALTER TABLE t RENAME {x} TO old_{self.number}; ALTER TABLE t ADD {x} {new}; COMMIT",
            "swap": f"BEGIN; ALTER TABLE t RENAME {x} TO pgc; ALTER TABLE t RENAME {y} TO {x}; "
                    f"ALTER TABLE t RENAME pgc TO {y}; COMMIT",
            "drop": f"BEGIN; ALTER TABLE t DROP {x}; ALTER TABLE t ADD {x} {new}; COMMIT",
            "type": f"ALTER TABLE t ALTER {x} TYPE varchar({50 + self.number})",
            "add": f"ALTER TABLE t ADD new_{self.number} {new}",
            "rename": f"ALTER TABLE t RENAME {x} TO named_{self.number}",
            "rewrite": f"ALTER TABLE t ADD new_{self.number} int DEFAULT (random() * 0)::int + {self.number}",
        }[kind])


@pytest.mark.parametrize("version, seed", [("10", 1), ("15", 2), ("15", 3), ("18", 4)])
def test_a_value_is_never_shown_as_that_of_another_column(servers, grounds, version, seed):
    server = servers(version)
    ground = grounds(server, source_snapshot_rows_per_second=125, source_snapshot_chunk_rows=CHUNK,
                     source_snapshot_readers=1)
    ground.sql(f"CREATE TABLE t (id int PRIMARY KEY, a varchar, b varchar, c varchar); INSERT INTO t "
               f"SELECT i, 'a-' || i, 'b-' || i, 'c-' || i FROM generate_series(1, {ROWS}) i")
    alter = Alterations(ground, seed)
    with ground.capture() as capture:
        for part in range(1, 11):
            ground.wait_for(lambda: len(ground.rows("t")) >= ROWS * part / 16)
            if COMPLETE in capture.stderr:      # on a machine that stood still
                break
            alter()
        ground.wait_complete()
        capture.stop()
    assert len(alter.done) > 5, "it was over too soon: this shows too little"
    shown = {}      # place of the log -> column -> the column that its values name
    last = {}       # row -> the place where it was read last
    for message in ground.of("t", "READ"):
        row = dict(message["after"])
        number, columns = row.pop("id"), {}
        for column, value in row.items():
            named, _, of = str(value).partition("-")
            assert not of or int(of) == number, f"row {number} shows {column} = {value}"
            columns[column] = named
        place = message["source"]["lsn"]
        assert shown.setdefault(place, columns) == columns, f"row {number} at {place} after {alter.done}"
        last[number] = place
    assert {row["id"] for row in ground.rows("t")} == set(range(1, ROWS + 1))
    # No change of a row comes of an alteration: what was read before it is read again.
    end = shown[message["source"]["lsn"]]
    old = {number: shown[place] for number, place in last.items() if shown[place] != end}
    assert not old, f"the snapshot ends with {end}, and leaves {old} after {alter.done}"
    print(f"PostgreSQL {version}: {', '.join(alter.done)}; rows at {len(shown)} places of the log")
    assert len(shown) > 3, "no alteration was noticed: this shows too little"
