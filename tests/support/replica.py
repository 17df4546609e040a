"""A consumer that is not ours: it rebuilds tables from their messages and objects on the way.

It knows no more than docs/reference/messages.md says to every consumer: READ, INSERT and UPDATE
set a key's row, DELETE removes it, TRUNCATE removes all; a large value that did not change is
carried forward; an event seen before is dropped by its place. Of a table without a key the READs
of the highest `pgc.lsn` count, and the events from there on.

Beyond that it holds the snapshot to its word: whatever a READ says, everything that committed
before its place came before it, everything later comes after it, and the places of a key rise.
"""

import collections
import json

from support.kafka_client import Follower


def lsn_number(text):
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def canonical(row):
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


class Table:
    """What both kinds of table have in common: places, and what a READ promises."""

    def __init__(self, name):
        self.name = name
        self.reads = collections.Counter()      # place of the log -> READs as of it
        self.events = self.repeats = 0
        self.seen = set()                       # places of events
        self.newest_event = self.newest_read = 0

    def see(self, op, key, message, lsn, seq):
        if op == "READ":
            # Only the stream stands still while rows are read: nothing newer was shown before.
            assert lsn > self.newest_event, \
                (f"{self.name}: row {key or message['after']} as of {lsn:X} came after an event of "
                 f"{self.newest_event:X}")
            assert message["before"] is None and message["source"]["xid"] is None
            self.newest_read = max(self.newest_read, lsn)
            self.reads[lsn] += 1
            self.read(key, message, lsn, seq)
            return
        # A key's update is a DELETE and an INSERT at one place.
        place = (lsn, seq, op == "INSERT")
        if place in self.seen:
            self.repeats += 1
            return
        assert lsn > self.newest_read, \
            f"{self.name}: {op} of {key} at {lsn:X} came first after rows as of {self.newest_read:X}"
        self.seen.add(place)
        self.newest_event = max(self.newest_event, lsn)
        self.events += 1
        self.change(op, key, message, lsn, seq)


class Keyed(Table):
    def __init__(self, name):
        super().__init__(name)
        self.rows = {}                          # key -> row, as text
        self.place = {}                         # key -> where its last record stands
        self.read_keys = set()
        self.read_again = collections.Counter()     # place of the log -> rows that were read before
        self._left = (None, None)               # place and row of the last DELETE

    def _rise(self, key, lsn, seq):
        place = lsn << 40 | seq
        assert place >= self.place.get(key, 0), \
            (f"{self.name}: {key} at {lsn:X}, {seq} came after {self.place[key] >> 40:X}, "
             f"{self.place[key] % (1 << 40)}")
        self.place[key] = place

    def read(self, key, message, lsn, seq):
        if key in self.read_keys:
            self.read_again[lsn] += 1
        self.read_keys.add(key)
        self._rise(key, lsn, seq)
        self.rows[key] = canonical(message["after"])

    def change(self, op, key, message, lsn, seq):
        if op == "TRUNCATE":
            self.rows.clear()
            return
        self._rise(key, lsn, seq)
        if op == "DELETE":
            self._left = ((lsn, seq), self.rows.pop(key, None))
        else:
            row = message["after"]
            unchanged = message["source"].get("unchanged", [])
            if unchanged:
                # The row's own, or that of the key it had until now. Nobody has sent it yet if the
                # row is one that a snapshot, after a crash, is still to read at a later place.
                moved = op == "INSERT" and self._left[0] == (lsn, seq)
                old = json.loads((self._left[1] if moved else self.rows.get(key)) or "{}")
                row |= {column: old[column] for column in unchanged if column in old}
            self.rows[key] = canonical(row)

    def contents(self):
        return collections.Counter(self.rows.values())


class Keyless(Table):
    def __init__(self, name):
        super().__init__(name)
        self._rows = collections.Counter()
        self._since = 0

    def read(self, _key, message, lsn, _seq):
        if lsn > self._since:
            self._rows.clear()
            self._since = lsn
        self._rows[canonical(message["after"])] += 1

    def change(self, op, _key, message, _lsn, _seq):
        if op == "TRUNCATE":
            self._rows.clear()
        if op in ("UPDATE", "DELETE"):
            # After a crash perhaps of a row that is yet to be read, at a later place.
            self._rows[canonical(message["before"])] -= 1
        if op in ("UPDATE", "INSERT"):
            self._rows[canonical(message["after"])] += 1

    def contents(self):
        unknown = -self._rows
        assert not unknown, f"{self.name}: nobody ever sent {next(iter(unknown))[:200]}"
        return +self._rows


class Replica:
    """Follows the topics of a stage's tables while they are written; each has one partition.

    keyless   those of the tables that have no key
    """

    def __init__(self, stage, tables, keyless=()):
        self._stage, self._names, self._keyless = stage, list(tables), set(keyless)
        self._topics = [stage.topic(table) for table in tables]
        self._read = {}                         # topic -> offset after the last record
        self.tables = {}
        self.follower = Follower(stage.broker.bootstrap, *self._topics, see=self.hear)

    def __getitem__(self, name):
        if name not in self.tables:
            self.tables[name] = (Keyless if name in self._keyless else Keyed)(name)
        return self.tables[name]

    def hear(self, record):
        self._read[record.topic] = record.offset + 1
        if record.value is not None:
            message = json.loads(record.value)
            self[message["table"]].see(message["op"], record.key, message,
                                       lsn_number(record.headers["pgc.lsn"].decode()),
                                       int(record.headers["pgc.seq"]))

    def read_to_the_end(self, timeout=120):
        """Waits until it has seen everything that the topics hold now."""
        broker = self._stage.broker
        there = set(broker.topics())
        ends = {topic: broker.end_offsets(topic)[0][1] for topic in self._topics if topic in there}
        self.follower.wait_for(
            lambda: all(self._read.get(topic, 0) >= end for topic, end in ends.items()), timeout)

    def reads(self):
        return sum(sum(table.reads.values()) for table in list(self.tables.values()))

    def events(self):
        return sum(table.events for table in list(self.tables.values()))

    def repeats(self):
        return sum(table.repeats for table in self.tables.values())

    def wait_for_reads(self, count, timeout=60):
        """Waits until it has seen that many READs in all."""
        self.follower.wait_for(lambda: self.reads() >= count, timeout)

    def wait_for_events(self, more, timeout=60):
        """Waits for that many events from now on."""
        goal = self.events() + more
        self.follower.wait_for(lambda: self.events() >= goal, timeout)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.follower.__exit__(kind)

    # -- and the original ---------------------------------------------------------------

    def differences(self):
        """What the tables have and we don't, and the other way round, in words. The columns'
        types must be those that JSON has.
        """
        found = []
        with self._stage.server.connect(self._stage.name) as connection:
            for name in self._names:
                original = collections.Counter()
                with connection.cursor() as cursor:
                    for (row,) in cursor.stream(f'SELECT to_jsonb(t) FROM "{name}" t'):
                        original[canonical(row)] += 1
                ours = self[name].contents()
                missing, extra = original - ours, ours - original
                if missing or extra:
                    found.append(f"{name}: {sum(missing.values())} rows are missing, as "
                                 f"{next(iter(missing), '–')[:300]}; {sum(extra.values())} too many, as "
                                 f"{next(iter(extra), '–')[:300]}")
        return found

    def agrees(self, timeout=120):
        """Once nothing is written any more: everything is in the topics, and they say the same."""
        self._stage.server.wait_confirmed(self._stage.name, timeout=timeout)
        self.read_to_the_end(timeout)
        differences = self.differences()
        assert not differences, "\n".join(differences)
