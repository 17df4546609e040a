"""An independent consumer of committed records, from the beginning, that objects to what is missing, repeated or out of order.

Of each key the records must come at ever higher (pgc.lsn, pgc.seq), in one partition, and each must be the next version
of the row. The rest is seen at the end: the versions of a row under all the keys that it had are those that the database counts.
"""

import bisect
import dataclasses
import time

from support.kafka_client import Follower
from support.processes import PATIENCE
from support.replica import lsn_number
from support.stage import strict_json
from torture_load import MOVED, NEVER, REGIONS, ROWS, STABLE

INITIAL = 0     # the first of the snapshots


@dataclasses.dataclass(slots=True)
class Life:
    """What was seen of a key."""

    place: tuple = (0, 0)
    partition: int = -1
    offset: int = -1            # of its latest record
    born: int = 1               # the version with which its row came
    version: int = 1
    alive: bool = True
    read_in: int = -1           # the latest snapshot that had it


@dataclasses.dataclass
class Snapshot:
    begins: int                 # its rows are as of a later LSN
    tables: list
    complete: bool = False
    rows: int = 0
    stable: dict = dataclasses.field(default_factory=dict)     # table -> rows that keep their keys


class Reader:
    """exactly   a repeat is an error, not only counted"""

    def __init__(self, stage, exactly):
        self.exactly = exactly
        self.changes = self.repeats = self.repeated_rows = 0
        self.snapshots = [Snapshot(0, list(ROWS))]
        self._begins = [0]
        self._topics = [stage.topic(table) for table in ROWS]
        self._lives = {table: {} for table in ROWS}
        self._before = {}           # (table, row) -> versions under keys that it has no longer
        self._offsets = {}
        self._awaited = self._arrived = None
        self._broker = stage.broker
        self._follower = Follower(stage.bootstrap, *self._topics, see=self._hear, **{"isolation.level": "read_committed"})

    # -- snapshots ----------------------------------------------------------------------

    def snapshot_requested(self, lsn, tables):
        self.snapshots.append(Snapshot(lsn, tables))
        self._begins.append(lsn)

    def snapshot_complete(self):
        self.snapshots[-1].complete = True

    @property
    def completed(self):
        return sum(snapshot.complete for snapshot in self.snapshots)

    # -- records ------------------------------------------------------------------------

    def _hear(self, record):
        source = record.topic, record.partition
        if record.value is None or record.offset <= self._offsets.get(source, -1):
            return      # a tombstone; the very same record, after we lost the broker
        self._offsets[source] = record.offset
        message = strict_json(record.value)
        table, op = message["table"], message["op"]
        place = lsn_number(record.headers["pgc.lsn"].decode()), int(record.headers["pgc.seq"])
        key = tuple(strict_json(record.key).values())
        row = message["after"] or {"n": None}
        what = f"{table} {key}: {op} of version {row['n']} at {place[0]:X}, {place[1]} (partition {source[1]}, offset {record.offset})"
        assert row["n"] != NEVER, f"{what} was rolled back"
        life = self._life(table, key)
        assert life.partition in (-1, record.partition), f"{what} after partition {life.partition}"
        life.partition = record.partition
        if self._awaited is not None and record.timestamp_ms > self._awaited:
            self._arrived, self._awaited = time.monotonic(), None
        if place <= life.place:
            self.repeats += 1
            assert not self.exactly, f"{what} is a repeat: it came after {life}"
            return
        life.place, life.offset = place, record.offset
        if op == "READ":
            self._read(what, table, key, life, row["n"], place[0])
        else:
            self._change(what, op, table, key, life, row["n"])

    def _life(self, table, key):
        lives = self._lives[table]
        if key not in lives:
            there = key[0] < ROWS[table] and (table != "placed" or key[1] == key[0] % REGIONS)
            lives[key] = Life(alive=there, born=1 if there else 0, version=1 if there else 0)
        return lives[key]

    def _read(self, what, table, key, life, version, lsn):
        number = bisect.bisect_right(self._begins, lsn) - 1
        snapshot = self.snapshots[number]
        assert table in snapshot.tables, f"{what}: nobody requested that, {snapshot}"
        assert life.alive and version == life.version, f"{what} came after {life}"
        if life.read_in == number:
            self.repeated_rows += 1
            assert not self.exactly, f"{what} comes twice in one snapshot, after {life}"
            return
        life.read_in = number
        snapshot.rows += 1
        if key[0] < STABLE[table]:
            snapshot.stable[table] = snapshot.stable.get(table, 0) + 1

    def _change(self, what, op, table, key, life, version):
        self.changes += 1
        if op == "INSERT":
            assert not life.alive, f"{what} came after {life}"
            life.alive, life.born = True, version
        else:
            assert life.alive, f"{what} came after {life}"
        if op == "UPDATE":
            assert version == life.version + 1, f"{what} came after {life}: something between is missing"
        if op == "DELETE":
            life.alive = False
            self._before.setdefault((table, key[0] % MOVED), []).append((life.born, life.version))
        else:
            life.version = version

    # -- waiting ------------------------------------------------------------------------

    def check(self):
        """Raises what was objected to so far."""
        if self._follower.failure:
            raise self._follower.failure

    def wait_for_more(self, count):
        goal = self._follower.count + count
        self._follower.wait_for(lambda: self._follower.count >= goal)

    def wait_for_produced_after(self, time_ms):
        """Waits for a record that a producer made after that time; returns when it came, by the monotonic clock."""
        self._arrived, self._awaited = None, time_ms
        self._follower.wait_for(lambda: self._arrived is not None)
        return self._arrived

    def read_up(self):
        """Reads all that is in the topics now, and no more."""
        ends = {(t, p): end for t in self._topics for p, (_, end) in self._broker.end_offsets(t).items()}
        self._follower.read_up_to(ends, 3 * PATIENCE)
        self._follower.stop()

    def close(self):
        self._follower.__exit__(BaseException)

    # -- and the database ----------------------------------------------------------------

    def compare(self, rows):
        """With final_rows(): nothing is missing, nothing too much."""
        versions, keys = dict(self._before), {}
        for table, lives in self._lives.items():
            for key, life in lives.items():
                row = table, key[0] % MOVED
                if life.alive:
                    assert row not in keys, f"{row} has two keys: {keys[row]} and {key}"
                    keys[row] = key
                    versions[row] = [*versions.get(row, ()), (life.born, life.version)]
        missing = rows.keys() - versions.keys()
        assert not missing, f"of {len(missing)} rows nothing came, as of {sorted(missing)[:5]}"
        assert versions.keys() == rows.keys()
        for row, (key, last) in rows.items():
            assert keys.get(row) == key, f"{row} ends under key {keys.get(row)}, in the database under {key}"
            expected = 1
            for born, version in sorted(versions[row]):
                assert born == expected, f"{row}: version {expected} never came, {born} did: {versions[row]}"
                expected = version + 1
            assert expected == last + 1, f"{row}: versions end at {expected - 1}, in the database at {last}"

    def compare_snapshots(self):
        for number, snapshot in enumerate(self.snapshots):
            assert snapshot.complete, f"snapshot {number} of {len(self.snapshots)} was never complete"
            stable = {table: STABLE[table] for table in snapshot.tables}
            assert snapshot.stable == stable, f"snapshot {number}: of {stable} rows only {snapshot.stable}"
