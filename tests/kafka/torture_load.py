"""What is done to the database while everything fails, and what it says in the end.

Each change of a row raises its version n by one, in SQL alone: so the database, whose word counts, knows
how often each row was changed, whoever lost a connection before he heard of his commit.
"""

import itertools
import json
import random
import threading
import time

import psycopg

from support.kafka_client import Follower
from support.processes import PATIENCE
from support.replica import lsn_number

ROWS = {"items": 20_000, "placed": 3_000, "bulk": 20_000}      # that are there before
STABLE = {"items": 2_000, "placed": 500, "bulk": 20_000}       # the first so many keep their keys
REGIONS = 3
# A row has a number for life. Its key is that and how often it got another key, times this.
MOVED = 1_000_000

SCHEMA = f"""
CREATE TABLE items (k bigint PRIMARY KEY, u int NOT NULL UNIQUE, n int NOT NULL, pad text);
CREATE TABLE placed (k bigint, region int, n int NOT NULL, pad text, PRIMARY KEY (k, region)) PARTITION BY LIST (region);
{"".join(f"CREATE TABLE placed_{r} PARTITION OF placed FOR VALUES IN ({r});" for r in range(REGIONS))}
CREATE TABLE bulk (k bigint PRIMARY KEY, n int NOT NULL, pad text);
INSERT INTO items SELECT i, i, 1, repeat('x', i % 60) FROM generate_series(0, {ROWS["items"] - 1}) i;
INSERT INTO placed SELECT i, i % {REGIONS}, 1, 'placed' FROM generate_series(0, {ROWS["placed"] - 1}) i;
INSERT INTO bulk SELECT i, 1, 'bulk' FROM generate_series(0, {ROWS["bulk"] - 1}) i;
CREATE SEQUENCE births START {ROWS["items"]} MINVALUE 0;
-- These are not captured.
CREATE TABLE graves (u int PRIMARY KEY, n int NOT NULL);
CREATE TABLE requests (i int PRIMARY KEY);
ANALYZE;
"""
CAPTURED = "public.items,public.placed,public.bulk"
# In no record: what was rolled back.
NEVER = -1

CHANGE = "UPDATE items SET n = n + 1, pad = repeat('y', n %% 60) WHERE u = ANY(%s)"
CHANGE_KEY = f"UPDATE items SET k = k + {MOVED}, n = n + 1 WHERE u = ANY(%s)"
CHANGE_PLACED = "UPDATE placed SET n = n + 1 WHERE k = ANY(%s)"
CHANGE_REGION = f"UPDATE placed SET region = (region + 1) %% {REGIONS}, n = n + 1 WHERE k = ANY(%s)"
BIRTHS = "INSERT INTO items SELECT u, u, 1, 'born' FROM (SELECT nextval('births') AS u FROM generate_series(1, %s)) AS b"
DEATHS = (f"WITH gone AS (DELETE FROM items WHERE u IN (SELECT u FROM items WHERE u >= {ROWS['items']} ORDER BY u LIMIT %s)"
          " RETURNING u, n) INSERT INTO graves SELECT u, n FROM gone")
ROLLED_BACK = [f"UPDATE items SET n = {NEVER} WHERE u = ANY(%s)", f"UPDATE placed SET n = {NEVER} WHERE k = ANY(%s)",
               f"INSERT INTO items SELECT u, u, {NEVER}, '' FROM unnest(%s::int[]) AS u ON CONFLICT (u) DO UPDATE SET n = {NEVER}"]


class Session(threading.Thread):
    """Works on a connection of its own until finish(); one that is lost is made again."""

    def __init__(self, stage, seed):
        super().__init__(daemon=True)
        self.stage = stage
        self.chance = random.Random(seed)
        self.stopping = threading.Event()
        self._connection = None
        self._failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
        except BaseException as error:     # raised again in check()
            self._failure = error

    def execute(self, work):
        """work(connection), again and again until the server says that it went well; it must not harm if it was done."""
        while True:
            done, result = self.attempt(work)
            if done:
                return result
            time.sleep(0.05)

    def attempt(self, work):
        """(True, what work returned); (False, None): the connection was lost, nobody knows when."""
        try:
            if self._connection is None:
                self._connection = self.stage.server.connect(self.stage.name)
            return True, work(self._connection)
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.Rollback):     # the last: no more was possible
            self._connection = None
            return False, None

    def end_of_log(self):
        """An LSN after everything that has committed by now."""
        return self.execute(lambda c: lsn_number(c.execute("SELECT pg_current_wal_insert_lsn()").fetchone()[0]))

    def check(self):
        """Raises what ended it."""
        if self._failure:
            raise self._failure

    def finish(self, timeout=3 * PATIENCE):
        self.stopping.set()
        self.join(timeout)
        assert not self.is_alive(), f"{type(self).__name__} does not end"
        self.check()
        if self._connection is not None:
            self._connection.close()


class Load(Session):
    """Small transactions of every kind, at about `rate` changes a second."""

    def __init__(self, stage, seed, rate):
        super().__init__(stage, seed)
        self.rate = rate
        self.changes = 0
        self._next_at = time.monotonic()

    def step(self):
        done, changes = self.attempt(self.transaction)
        self.changes += changes or 0
        # What an outage of the server cost is not made up for.
        self._next_at = max(self._next_at, time.monotonic() - 1) + (changes or 0) / self.rate
        self.stopping.wait(max(0.0 if done else 0.05, self._next_at - time.monotonic()))

    def transaction(self, connection):
        changes, one_in = 0, lambda number: self.chance.randrange(number) == 0
        with connection.transaction():
            changes += self.change(connection, CHANGE, "items", 40)
            if one_in(4):
                changes += self.change(connection, CHANGE_KEY, "items", 5, stable=False)
            if one_in(3):
                changes += self.change(connection, CHANGE_PLACED, "placed", 10)
            if one_in(3):
                changes += self.change(connection, CHANGE_REGION, "placed", 5, stable=False)
            if one_in(6):
                with connection.transaction():
                    self.change(connection, self.chance.choice(ROLLED_BACK), "placed", 5)
                    raise psycopg.Rollback
            if one_in(6):
                with connection.transaction():
                    changes += self.change(connection, CHANGE, "items", 5)
            if one_in(5):
                changes += connection.execute(BIRTHS, (5,)).rowcount + connection.execute(DEATHS, (4,)).rowcount
        return changes

    def change(self, connection, statement, table, count, stable=True):
        rows = range(0 if stable else STABLE[table], ROWS[table])
        return connection.execute(statement, (sorted(self.chance.sample(rows, self.chance.randint(1, count))),)).rowcount


class LargeTransactions(Session):
    """Each changes every row of a table twice, beside the others' small ones."""

    def __init__(self, stage, seed, pause):
        super().__init__(stage, seed)
        self.pause = pause
        self.changes = 0

    def step(self):
        if not self.stopping.wait(self.chance.uniform(0.5, 1.5) * self.pause):
            self.changes += self.attempt(self.transaction)[1] or 0

    def transaction(self, connection):
        with connection.transaction():
            changes = connection.execute("UPDATE bulk SET n = n + 1, pad = 'once'").rowcount
            with connection.transaction():
                connection.execute(f"UPDATE bulk SET n = {NEVER} WHERE k % 10 = 0")
                raise psycopg.Rollback
            return changes + connection.execute("UPDATE bulk SET n = n + 1, pad = 'twice'").rowcount


class Positions:
    """What the pipeline has stored of its way."""

    def __init__(self, stage):
        self._text = None
        self._follower = Follower(stage.bootstrap, stage.positions, see=self._see, **{"isolation.level": "read_committed"})

    def _see(self, record):
        if record.value is not None:
            self._text = record.value.decode()

    @property
    def resume_at(self):
        line = next(line for line in self._text.splitlines() if line.startswith("resume_at="))
        return lsn_number(line.removeprefix("resume_at=").split("#")[0])

    def reading(self):
        """Rows of a snapshot are left to be read."""
        return self._text is None or "snapshot=" in self._text

    def is_past(self, lsn):
        return self._text is not None and self.resume_at >= lsn

    def close(self):
        self._follower.stop()


class Requests(Session):
    """One snapshot after the other: the next is requested when the one before is stored as complete."""

    def __init__(self, stage, seed, reader, positions):
        super().__init__(stage, seed)
        self.reader, self.positions = reader, positions
        self._numbers = itertools.count(1)

    @property
    def completed(self):
        """How many snapshots, the initial one included."""
        return self.reader.completed

    def step(self):
        if self.completed == 0:
            self.wait_complete()
            return
        number = next(self._numbers)
        tables = self.chance.choice([["items", "placed", "bulk"], ["items", "placed"], ["bulk"]])
        # Its rows are as of a later LSN, those of the one before as of an earlier one.
        self.reader.snapshot_requested(self.end_of_log(), tables)
        request = json.dumps({"command": "start", "id": f"r{number}", "tables": [f"public.{t}" for t in tables]})
        self.execute(lambda connection: self.request(connection, number, request))
        end = self.end_of_log()
        self.wait_complete(end)
        self.stopping.wait(self.chance.uniform(0, 1))

    @staticmethod
    def request(connection, number, request):
        """Once, however often it is tried."""
        connection.execute("WITH new AS (INSERT INTO requests VALUES (%s) ON CONFLICT DO NOTHING RETURNING i)"
                           " SELECT pg_logical_emit_message(true, 'pg-capture.snapshot', %s) FROM new", (number, request))

    def wait_complete(self, lsn=0):
        """What was begun is seen to its end: stopping is for what would begin."""
        while not self.positions.is_past(lsn) or self.positions.reading():
            time.sleep(0.02)
        self.reader.snapshot_complete()


def final_rows(stage):
    """(table, number of a row) -> (its key, its version); the key of one that was deleted is None."""
    rows = {}
    with stage.server.connect(stage.name) as connection:
        for table, query in {"items": "SELECT u, ARRAY[k], n FROM items", "bulk": "SELECT k, ARRAY[k], n FROM bulk",
                             "placed": "SELECT k, ARRAY[k, region], n FROM placed"}.items():
            rows |= {(table, u): (tuple(key), n) for u, key, n in connection.execute(query)}
        rows |= {("items", u): (None, n) for u, n in connection.execute("SELECT u, n FROM graves")}
    return rows
