"""Tables of every kind of key, and writers that give them no rest."""

import dataclasses
import random
import threading

import psycopg

# Number i as a key of each kind, so that writers can hit each other's rows.
KEYS = r"""
CREATE FUNCTION text_key(i int) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT (ARRAY['', 'a', 'B', 'ä', 'Z', '''', '"', '\', E'\t', ' ', '日', '%'])[1 + i % 12] || (i / 12) $$;
CREATE FUNCTION uuid_key(i int) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT md5(i::text)::uuid $$;
CREATE FUNCTION large(i int) RETURNS text LANGUAGE sql AS
$$ SELECT repeat(md5(random()::text || i), 80 + i % 200) $$;
"""


@dataclasses.dataclass(frozen=True)
class Kind:
    """columns   of CREATE TABLE
    key          names of the key's columns, and the values that number {i} has there
    values       of the other columns: names, and what they are at first
    update       SET …
    share        of the rows that a table of the plain kind has
    """

    columns: str
    key: tuple
    values: tuple
    update: str
    share: float = 1


KINDS = {
    "plain": Kind("id bigint PRIMARY KEY, n int NOT NULL, v text", ("id", "{i}::bigint * 7 - 1000"),
                  ("n, v", "0, md5({i}::text)"), "n = n + 1"),
    "texty": Kind('name text COLLATE "en-x-icu" PRIMARY KEY, n int NOT NULL', ("name", "text_key({i})"),
                  ("n", "0"), "n = n + 1"),
    "composite": Kind("a int, n int NOT NULL, b text, v text, PRIMARY KEY (b, a)",
                      ("b, a", "'b' || {i} % 50, {i}"), ("n, v", "0, 'v' || {i}"), "n = n + 1"),
    "uuidy": Kind("n int NOT NULL, id uuid PRIMARY KEY", ("id", "uuid_key({i})"), ("n", "0"), "n = n + 1"),
    "toasted": Kind("id int PRIMARY KEY, large text, small int NOT NULL", ("id", "{i}"),
                    ("large, small", "large({i}), 0"),
                    "small = small + 1, large = CASE WHEN random() < 0.2 THEN large(small) ELSE large END",
                    share=0.05),
    "keyless": Kind("at int, note text", ("at", "{i}"), ("note", "'note ' || {i} % 10"),
                    "note = note || '.'"),
}


class Tables:
    """A table of each kind, or several: plain, texty …, plain_2, texty_2 …"""

    def __init__(self, stage, count, rows, truncate=True):
        self.kinds, self.truncate = {}, truncate
        stage.sql(KEYS)
        for number in range(count):
            name = list(KINDS)[number % len(KINDS)]
            table = name if number < len(KINDS) else f"{name}_{number // len(KINDS) + 1}"
            self.kinds[table] = KINDS[name]
        self.numbers = {table: max(10, int(2 * rows / count * kind.share)) for table, kind in self.kinds.items()}
        stage.sql("".join(self._create(table, kind) for table, kind in self.kinds.items()))

    @property
    def keyless(self):
        return {table for table in self.kinds if table.startswith("keyless")}

    @property
    def rows(self):
        """How many there are at first: every other number is one."""
        return sum(n // 2 for n in self.numbers.values())

    def _create(self, table, kind):
        more = {"toasted": f"ALTER TABLE {table} ALTER large SET STORAGE EXTERNAL;",
                "keyless": f"ALTER TABLE {table} REPLICA IDENTITY FULL;"}.get(table.split("_")[0], "")
        return (f"CREATE TABLE {table} ({kind.columns}); {more}"
                f"INSERT INTO {table} ({kind.key[0]}, {kind.values[0]}) "
                f"SELECT {kind.key[1]}, {kind.values[1]} ".format(i="i") +
                f"FROM generate_series(2, {self.numbers[table]}, 2) i; ANALYZE {table};")

    def change(self, chance):
        """Some statement about some row of some table."""
        table = chance.choice(list(self.kinds))
        kind = self.kinds[table]
        key = kind.key[1].format(i=chance.randint(1, self.numbers[table]))
        other = kind.key[1].format(i=chance.randint(1, self.numbers[table]))
        values = kind.values[1].format(i=chance.randint(1, self.numbers[table]))
        insert = f"INSERT INTO {table} ({kind.key[0]}, {kind.values[0]}) VALUES ({key}, {values})"
        row = f"({kind.key[0]}) = ({key})"
        update = f"UPDATE {table} SET {kind.update} WHERE {row}"
        if table == "uuidy" and self.truncate and chance.random() < 0.001:
            return f"TRUNCATE {table}"
        if table in self.keyless:
            return chance.choice([insert, update, f"DELETE FROM {table} WHERE {row}"])
        return chance.choice([
            f"{insert} ON CONFLICT DO NOTHING",
            update, update,
            f"UPDATE {table} SET ({kind.key[0]}) = ROW({other}) WHERE {row}",
            f"DELETE FROM {table} WHERE {row}",
        ])


class Writer(threading.Thread):
    """Small transactions over all tables, some of them rolled back, at about `rate` a second."""

    def __init__(self, stage, tables, seed, rate=100):
        super().__init__(daemon=True)
        self.stage, self.tables, self.rate = stage, tables, rate
        self.chance = random.Random(seed)
        self.stopping = threading.Event()
        self.committed = 0

    def run(self):
        connection = None
        while not self.stopping.wait(self.chance.uniform(0, 2 / self.rate)):
            try:
                if connection is None:
                    connection = self.stage.server.connect(self.stage.name, autocommit=False)
                for _ in range(self.chance.randint(1, 8)):
                    connection.execute(self.tables.change(self.chance))
                if self.chance.random() < 0.05:
                    connection.rollback()
                    continue
                connection.commit()
                self.committed += 1
            except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
                connection.rollback()           # a key that is taken; two writers in each other's way
            except psycopg.OperationalError:
                connection = None               # the server is away
        if connection is not None:
            connection.close()

    def finish(self):
        self.stopping.set()
        self.join(60)
        assert not self.is_alive(), "a writer does not end"


class Churn:
    """Several writers, as long as the block lasts."""

    def __init__(self, stage, tables, writers=4, rate=100):
        self.writers = [Writer(stage, tables, seed, rate) for seed in range(writers)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for writer in self.writers:
            writer.finish()

    @property
    def committed(self):
        return sum(writer.committed for writer in self.writers)
