"""A table that is altered and written to at random, and what it was after each transaction.

Everything is done by one hand, one transaction after the other, and after each the whole table is
remembered with its place of the log: so what a snapshot says as of some place can be held against it.

`who` is a row's own number, for us: it is never altered, and never given twice. `id` and `k` are unique
both, and one of them, or both, are the key of the moment. All other columns come, go and change names.
"""

import dataclasses
import json
import random

import psycopg

EMPTYING = ("truncate", "drop and create", "delete, drop and create")
BIG = "repeat('{0}', 700)"


def lsn_number(text):
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


@dataclasses.dataclass
class State:
    """After a transaction that committed between two places of the log; many may share its number."""

    begin: int
    end: int
    xid: int
    name: str
    columns: dict       # name -> (table, attribute): what it really is
    rows: dict          # who -> column -> value
    kind: str


class Altered:
    """One table of a database."""

    def __init__(self, ground, name, rows, seed, major):
        self.ground, self.name, self.first_name, self.major = ground, name, name, major
        self.chance = random.Random(seed)
        self.number = 0
        self.states = []
        self.touched = {}           # who -> index of the last state in which a change touched it
        self.gone_with_table = set()
        self.done, self.failed = [], []
        self.connection = ground.connect(autocommit=False)
        self.connection.execute("SET lock_timeout = '2s'")
        self.connection.commit()
        self._next = 1
        self._run("create", [self._create(), *(self._insert() for _ in range(rows))], changes=True)

    def close(self):
        self.connection.close()

    # -- statements -----------------------------------------------------------------------

    def _new(self):
        self.number += 1
        return self.number

    def _create(self):
        return (f"CREATE TABLE {self.name} (who int NOT NULL, id int NOT NULL, k int NOT NULL, "
                "a varchar, b varchar, n int, big text, PRIMARY KEY (id));"
                f"ALTER TABLE {self.name} ALTER big SET STORAGE EXTERNAL")

    def _insert(self):
        who, self._next = self._next, self._next + 1
        big = BIG.format(f"{who},") if who % 3 == 0 else f"'{who}'"
        # Keys fall anywhere among the others.
        return f"INSERT INTO {self.name} (who, id, k, big) VALUES ({who}, {who * 37 % 1009}, {2000 - who * 53 % 1009}, {big})"

    def _columns(self):
        """Those that may be altered at will."""
        return [name for name in self._shape() if name not in ("who", "id", "k", "big", "part")]

    def _shape(self):
        generated = " AND attgenerated = ''" if self.major >= 12 else ""
        return {name: (table, number) for name, table, number in self.connection.execute(
            "SELECT attname::text, attrelid::bigint, attnum FROM pg_attribute "
            f"WHERE attrelid = '{self.name}'::regclass AND attnum > 0 AND NOT attisdropped{generated} ORDER BY attnum").fetchall()}

    def _key(self):
        return [name for (name,) in self.connection.execute(
            "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
            f"WHERE i.indrelid = '{self.name}'::regclass AND i.indisprimary").fetchall()]

    def alterations(self):
        columns = self._columns()
        t, x, y = self.name, *(self.chance.sample(columns, 2) if len(columns) > 1 else ("a", "b"))
        n = self._new()
        new = f"varchar DEFAULT 'd{n}'"
        no_key = f"ALTER TABLE {t} DROP CONSTRAINT {self._constraint()}"
        other = self.chance.choice([key for key in ("id", "k", "k, id", "id, k") if key != ", ".join(self._key())])
        kinds = {
            "rename": f"ALTER TABLE {t} RENAME {x} TO r{n}",
            "add": f"ALTER TABLE {t} ADD n{n} int",
            "add with default": f"ALTER TABLE {t} ADD d{n} {new}",
            "add and rewrite": f"ALTER TABLE {t} ADD w{n} int DEFAULT (random() * 0)::int + {n}",
            "drop": f"ALTER TABLE {t} DROP {x}",
            "drop and add": f"ALTER TABLE {t} DROP {x}, ADD {x} {new}",
            "replace": f"ALTER TABLE {t} RENAME {x} TO o{n}; ALTER TABLE {t} ADD {x} {new}",
            "swap": f"ALTER TABLE {t} RENAME {x} TO pgc; ALTER TABLE {t} RENAME {y} TO {x}; ALTER TABLE {t} RENAME pgc TO {y}",
            "swap keys": f"ALTER TABLE {t} RENAME id TO pgc; ALTER TABLE {t} RENAME k TO id; ALTER TABLE {t} RENAME pgc TO k",
            "typmod": f"ALTER TABLE {t} ALTER {x} TYPE varchar({100 + n})",
            "type": f"ALTER TABLE {t} ALTER {x} TYPE text",
            "type by other values": f"ALTER TABLE {t} ALTER {x} TYPE text USING 'u{n} ' || {x}::text",
            "collation": f'ALTER TABLE {t} ALTER {x} TYPE text COLLATE "C"',
            "key type": f"ALTER TABLE {t} ALTER {self.chance.choice(['id', 'k'])} TYPE bigint",
            "key by other values": f"ALTER TABLE {t} ALTER id TYPE int USING 5000 - id::int",
            "key again": f"{no_key}, ADD PRIMARY KEY ({', '.join(self._key())})",
            "other key": f"{no_key}, ADD PRIMARY KEY ({other})",
            "key renumbered": f"{no_key}, DROP id, ADD id serial; ALTER TABLE {t} ADD PRIMARY KEY (id)",
            "swap keys, keep the name": f"ALTER TABLE {t} RENAME id TO pgc; ALTER TABLE {t} RENAME k TO id; ALTER TABLE {t} RENAME pgc TO k;"
                                        f"{no_key}, ADD PRIMARY KEY ({', '.join(self._key())})",
            "not null": f"ALTER TABLE {t} ALTER big SET NOT NULL",
            "null": f"ALTER TABLE {t} ALTER big DROP NOT NULL",
            "index": f"CREATE INDEX i{n} ON {t} ({x})",
            "truncate": f"TRUNCATE {t}",
            "drop and create": f"DROP TABLE {t}; {self._create()}",
            "delete, drop and create": f"DELETE FROM {t}; DROP TABLE {t}; {self._create()}",
            "rename table and back": f"ALTER TABLE {t} RENAME TO other_{t}; ALTER TABLE other_{t} RENAME TO {t}",
            "identity full": f"ALTER TABLE {t} REPLICA IDENTITY FULL",
            "identity default": f"ALTER TABLE {t} REPLICA IDENTITY DEFAULT",
            "identity index": f"DROP INDEX IF EXISTS k_{t}; CREATE UNIQUE INDEX k_{t} ON {t} (k); ALTER TABLE {t} REPLICA IDENTITY USING INDEX k_{t}",
            "vacuum full": "VACUUM",
            "attach or detach": self._attach_or_detach(n),
            "statistics": f"ALTER TABLE {t} ALTER id SET STATISTICS {n % 100}",
        }
        if self.major >= 12:
            kinds |= {"generated": f"ALTER TABLE {t} ADD g{n} int GENERATED ALWAYS AS (who * {n}) STORED"}
        if self.major >= 18:
            kinds |= {"virtual": f"ALTER TABLE {t} ADD v{n} int GENERATED ALWAYS AS (who * {n}) VIRTUAL"}
        return kinds

    def _attach_or_detach(self, n):
        """It becomes the only partition of a table above it, or is a table of its own again."""
        above = self.connection.execute(
            f"SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = '{self.name}'::regclass").fetchall()
        if above:
            return f"ALTER TABLE {above[0][0]} DETACH PARTITION {self.name}; DROP TABLE {above[0][0]}"
        return (f"CREATE TABLE above_{self.first_name}_{n} (LIKE {self.name}) PARTITION BY RANGE (who);"
                f"ALTER TABLE above_{self.first_name}_{n} ATTACH PARTITION {self.name} FOR VALUES FROM (MINVALUE) TO (MAXVALUE)")

    def _constraint(self):
        (name,), = self.connection.execute(
            f"SELECT conname::text FROM pg_constraint WHERE conrelid = '{self.name}'::regclass AND contype = 'p'").fetchall()
        return name

    def alter(self):
        """Some alteration, in a transaction of its own, and perhaps changes in the same."""
        kinds = self.alterations()
        kind = self.chance.choices(list(kinds), [0.2 if one in EMPTYING else 1 for one in kinds])[0]
        if kind == "rename table and back" and self.chance.random() < 0.5:
            kind = "rename table"
            self._rename()
        elif kind == "vacuum full":
            self._run_alone(f"VACUUM FULL {self.name}")
        elif not self._run(kind, [kinds[kind]]):
            return None
        if kind in EMPTYING:
            self._run("insert", [self._insert() for _ in range(20)], changes=True)
        self.done.append(kind)
        return kind

    def _rename(self):
        old, self.name = self.name, (self.first_name if self.name != self.first_name else f"other_{self.name}")
        if not self._run("rename table", [f"ALTER TABLE {old} RENAME TO {self.name}"]):
            self.name = old

    def change(self):
        """Some change of rows, in a transaction of its own. True if it was one."""
        rows = self.states[-1].rows
        if not rows or self.chance.random() < 0.15:
            return self._run("insert", [self._insert()], changes=True)
        whos = sorted(self.chance.sample(sorted(rows), min(len(rows), self.chance.randint(1, 3))))
        where = f"WHERE who IN ({', '.join(map(str, whos))})"
        key = self.chance.choice(["id", "k"])
        far = self.chance.choice(["- 10000", "+ 10000"])
        columns = self._columns()
        kinds = {"move": f"UPDATE {self.name} SET {key} = {key} {far} {where}",
                 "delete": f"DELETE FROM {self.name} {where}",
                 "big": f"UPDATE {self.name} SET big = {BIG.format('z')} {where}"}
        kind = self.chance.choice(["move"] * 3 + ["delete", "big"] + ["update"] * 3)
        if kind == "update":
            if not columns:
                return False
            column = self.chance.choice(columns)
            is_number = column[0] in "nw"
            kinds["update"] = f"UPDATE {self.name} SET {column} = {self._new() if is_number else repr(f'c{self._new()}')} {where}"
        return self._run(kind, [kinds[kind]], changes=True)

    # -- transactions ---------------------------------------------------------------------

    def _run(self, kind, statements, changes=False):
        try:
            begin = self._place()
            for statement in statements:
                self.connection.execute(statement)
            xid = self.connection.execute("SELECT txid_current() & 4294967295").fetchone()[0]
            state = State(begin, 0, xid, self.name, self._shape(), self._rows(), kind)
            self.connection.commit()
        except psycopg.Error as error:
            self.connection.rollback()
            self.failed.append((kind, str(error).splitlines()[0]))
            return False
        state.end = self._place()
        before = self.states[-1].rows if self.states else {}
        self.states.append(state)
        here = len(self.states) - 1
        if changes:
            for who, row in state.rows.items():
                if before.get(who) != row:
                    self.touched[who] = here
        # A server before 11 sends no TRUNCATE to anybody; of a table that is dropped, none sends one.
        if kind == "drop and create" or kind == "truncate" and self.major < 11:
            self.gone_with_table |= set(before)
        return True

    def _run_alone(self, statement):
        self.connection.rollback()
        self.connection.autocommit = True
        try:
            self.connection.execute(statement)
        except psycopg.Error as error:
            self.failed.append((statement, str(error).splitlines()[0]))
        self.connection.autocommit = False

    def _place(self):
        (place,), = self.connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchall()
        return lsn_number(place)

    def _rows(self):
        names = set(self._shape())
        return {row["who"]: {name: value for name, value in row.items() if name in names}
                for (row,) in self.connection.execute(f"SELECT to_jsonb(t) FROM {self.name} t").fetchall()}

    # -- held against what was sent -----------------------------------------------------------

    def as_of(self, place):
        """The states that it may have had at a place: two, if a transaction committed about there."""
        last = max((i for i, state in enumerate(self.states) if state.end <= place), default=None)
        found = [] if last is None else [last]
        return found + [i for i, state in enumerate(self.states) if state.begin < place < state.end]

    def of_transaction(self, xid):
        return next(i for i, state in enumerate(self.states) if state.xid == xid)


class Consumer:
    """Rebuilds such a table from messages alone: each as it is sent, by the rules of our pages."""

    UNKNOWN = object()      # what no consumer can know: it was not sent, under a name that is new since

    def __init__(self, table):
        self.table = table
        self.rows, self.places = {}, {}
        self.reads = self.events = 0
        self._seen = set()
        self._left = {}     # transaction -> rows that it deleted

    def hear(self, message):
        op, source = message["op"], message["source"]
        if op == "READ":
            self._read(message["after"], lsn_number(source["lsn"]) + 1)
            return
        place = (source["lsn"], op, json.dumps(message["key"], sort_keys=True))
        if place in self._seen:     # once more, after a kill
            return
        self._seen.add(place)
        here = self.table.of_transaction(source["xid"])
        self.events += 1
        if op == "TRUNCATE":
            self.rows.clear()
        elif op == "DELETE":
            self._delete(here, message)
        else:
            self._change(here, message, source.get("unchanged", []))

    def _read(self, row, place):
        self.reads += 1
        candidates = self.table.as_of(place)
        there = [i for i in candidates if self.table.states[i].rows.get(row["who"]) == row]
        assert there, (f"READ at {place:X} of {row}, but it was "
                       f"{[self.table.states[i].rows.get(row['who']) for i in candidates]}, "
                       f"after {[self.table.states[i].kind for i in candidates]}")
        self.rows[row["who"]], self.places[row["who"]] = row, there[-1]

    def _delete(self, here, message):
        key = message["key"] or message["before"]
        for who, row in self.table.states[here - 1].rows.items():
            if all(row.get(name) == value for name, value in key.items()):
                if who in self.rows:
                    self._left = {**(self._left if here == self._left.get("at") else {}), "at": here, who: self.rows.pop(who)}
                return
        raise AssertionError(f"DELETE of {key}, which was not there")

    def _change(self, here, message, unchanged):
        state, row = self.table.states[here], dict(message["after"])
        who = row["who"]
        left = self._left if self._left.get("at") == here else {}
        old, was = self.rows.get(who, left.get(who)), self.places.get(who)
        for name in unchanged:
            known = old is not None and self.table.states[was].columns.get(name) == state.columns.get(name)
            row[name] = old.get(name, self.UNKNOWN) if known else self.UNKNOWN
        is_whole = state.rows.get(who) is not None
        if is_whole:
            wrong = {n: (v, state.rows[who].get(n)) for n, v in row.items()
                     if v is not self.UNKNOWN and v != state.rows[who].get(n)}
            assert not wrong and set(row) == set(state.rows[who]), f"{message} after {state.kind}: {wrong}"
        self.rows[who], self.places[who] = row, here

    def differences(self):
        """Rows that are not as they are in the table, or not as they were when a change last touched them."""
        table, found = self.table, []
        final = table.states[-1].rows
        for who, row in final.items():
            if who not in self.rows:
                found.append(f"row {row} is missing")
            elif self.places[who] < table.touched[who]:
                found.append(f"row {row} was sent as of {table.states[self.places[who]].kind}, and changed later")
            elif self.UNKNOWN in self.rows[who].values():
                found.append(f"row {row}: nobody sent its large value")
        return found + [f"row {row} is too many" for who, row in self.rows.items()
                        if who not in final and who not in table.gone_with_table]
