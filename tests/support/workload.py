"""A writer whose every committed change is known, and the check that all of them came out.

Each change of key k raises its version n by one, so the history of a key is 1, 2, 3 …;
whoever reads the stream must see, for each key and after dropping repeats, exactly that.
"""

import collections
import random
import threading
import time

import psycopg

SCHEMA = "CREATE TABLE history (k int PRIMARY KEY, n int NOT NULL, pad text)"
KEYS = 200


class Writer(threading.Thread):
    """Transactions of up to `batch` changes, at about `rate` changes a second; each row has up
    to `pad` characters beside its key and version.
    """

    def __init__(self, server, database, rate=2000, seed=1, batch=10, pad=60, keys=KEYS):
        super().__init__(daemon=True)
        self.server, self.database, self.rate = server, database, rate
        self.batch, self.pad, self.keys = batch, pad, keys
        self.chance = random.Random(seed)
        self.stopping = threading.Event()
        self.versions = collections.Counter()   # what is committed for sure
        self.unsure = []                        # keys of a transaction whose end is unknown

    def run(self):
        connection, next_at = None, time.monotonic()
        while not self.stopping.is_set():
            try:
                if connection is None:
                    connection = self.server.connect(self.database, autocommit=False)
                    self.settle(connection)
                keys = sorted(self.chance.sample(range(self.keys), self.chance.randint(1, self.batch)))
                self.unsure = keys
                connection.execute(
                    "INSERT INTO history SELECT k, n, repeat('x', pad)"
                    " FROM unnest(%s::int[], %s::int[], %s::int[]) AS t (k, n, pad)"
                    " ON CONFLICT (k) DO UPDATE SET n = excluded.n, pad = excluded.pad",
                    (keys, [self.versions[key] + 1 for key in keys],
                     [self.chance.randint(0, self.pad) for _ in keys]))
                connection.commit()
                self.versions.update(keys)
                self.unsure = []
                next_at += len(keys) / self.rate
                self.stopping.wait(max(0.0, next_at - time.monotonic()))
            except psycopg.Error:
                connection = None
                self.stopping.wait(0.05)
        if connection is not None:
            connection.close()

    def settle(self, connection):
        """After a lost connection: did that last transaction commit?"""
        for key in self.unsure:
            row = connection.execute("SELECT n FROM history WHERE k = %s", (key,)).fetchone()
            if row and row[0] > self.versions[key]:
                self.versions[key] = row[0]
        connection.commit()
        self.unsure = []

    def finish(self):
        self.stopping.set()
        self.join(120)
        assert not self.is_alive(), "the writer does not end"
        if self.unsure:
            with self.server.connect(self.database, autocommit=False) as connection:
                self.settle(connection)


class Witness:
    """Sees the messages of `history` as they come, and objects as soon as one is missing.

    A repeat starts over at an earlier version and goes on from there: after a message with
    version n the next of that key is at most n + 1.
    """

    def __init__(self):
        self.last = {}
        self.highest = collections.Counter()
        self.messages = self.repeats = 0

    def see(self, message):
        if message["table"] != "history":
            return
        key, version = message["after"]["k"], message["after"]["n"]
        before = self.last.get(key, 0)
        assert version <= before + 1, \
            f"key {key}: version {version} came after {before}: something between is missing"
        self.messages += 1
        self.repeats += version <= self.highest[key]
        self.highest[key] = max(self.highest[key], version)
        self.last[key] = version

    def has(self, versions):
        return all(self.last.get(key) == version for key, version in versions.items())

    def attest(self, versions):
        """Each key's history is complete: it rose to its end in steps of one."""
        for key, version in versions.items():
            assert self.highest[key] >= version, \
                f"key {key}: versions from {self.highest[key] + 1} to {version} never came"
            assert self.last[key] == version, f"key {key} ends at {self.last[key]}, not {version}"


def check(messages, versions):
    """Nothing missing, order per key kept; returns how many messages were repeats."""
    witness = Witness()
    for message in messages:
        witness.see(message)
    witness.attest(versions)
    return witness.repeats


def caught_up(versions):
    """A predicate for Capture.wait_for: the last version of every key is there."""
    def there(messages):
        last = {m["after"]["k"]: m["after"]["n"] for m in messages if m["table"] == "history"}
        return all(last.get(key) == version for key, version in versions.items())
    return there
