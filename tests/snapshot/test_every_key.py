"""A key of every type that an index of PostgreSQL or of its extensions can order, read in small chunks.

Chunks end between two keys, so the order in which they are read must be the index's own: its operators,
from whatever schema, and its collation. Rows that any other order takes for equal, or for the other way
round, would be missing in silence.
"""

import json
import random
import threading

import psycopg
import pytest
from ground import COMPLETE
from support.figures import figure

ROWS = 60
CHUNK = 7
READERS = 2
EXTENSIONS = ("citext", "ltree", "isn", "cube", "seg", "hstore", "lo", "earthdistance")
SETUP = """
CREATE TYPE mood AS ENUM ('{moods}');
CREATE TYPE pair AS (x int, y text);
CREATE TYPE floats AS RANGE (subtype = float8);
CREATE DOMAIN positive AS numeric(10,2) CHECK (VALUE > 0);
CREATE DOMAIN smaller AS positive;
CREATE DOMAIN wordy AS odd.citext;
CREATE FUNCTION backwards(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT pg_catalog.btint4cmp($2, $1) $$;
CREATE OPERATOR CLASS falling FOR TYPE int USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=,
       OPERATOR 5 <, FUNCTION 1 backwards(int, int);
""".replace("{moods}", "','".join(f"m {(i * 7) % ROWS}" for i in range(ROWS)))
MIXED = "(ARRAY['a', 'B', 'ä', 'Z', 'z', '-A', '_', 'å', ''''])[1 + i % 9] || i"
# Type of the key, and its value in row number i.
TYPES = {
    "smallint": "(i * 13 % 60 - 20)::smallint", "int": "i * 37 % 60", "bigint": "i::bigint * 1000000007 - 20000000140",
    "numeric": "CASE i WHEN 1 THEN 'NaN' ELSE (i - 20) / 7.0 END::numeric", "positive": "i / 3.0 + 0.01",
    "smaller": "i / 3.0 + 0.01", "real": "CASE i WHEN 1 THEN 'NaN' WHEN 2 THEN '-Infinity' ELSE (i / 3.0)::text END::real",
    "double precision": "i / 3.0::float8 - 7", "money": "(i - 20)::money", "text": MIXED, 'text COLLATE "C"': MIXED,
    'text COLLATE "en-x-icu"': MIXED, "varchar(20)": MIXED, "char(8)": "'c' || i", "name": "'N' || i", '"char"': "chr(32 + i)",
    "bytea": "decode(CASE WHEN i % 2 = 0 THEN '00' ELSE 'ff' END || md5(i::text), 'hex')", "uuid": "md5(i::text)::uuid",
    "date": "CASE i WHEN 1 THEN 'infinity' WHEN 3 THEN '0044-03-15 BC' ELSE (date '2024-02-20' + i)::text END::date",
    "time": "time '00:00' + i * interval '1 minute 0.000001 seconds'", "timetz": "timetz '12:00+02' + i * interval '1 minute'",
    "timestamp": "timestamp '1999-12-31' + i * interval '1 hour 0.000001 seconds'",
    "timestamptz": "timestamptz '2024-03-31 00:00:00.1+00' + i * interval '10 minutes'",
    "interval": "i * interval '1 day 01:00:00.5'", "inet": "inet '10.0.0.220' + i", "cidr": "('10.' || i || '.0.0/16')::cidr",
    "macaddr": "('08:00:2b:01:02:' || lpad(to_hex(i), 2, '0'))::macaddr",
    "macaddr8": "('08:00:2b:01:02:03:04:' || lpad(to_hex(i), 2, '0'))::macaddr8", "bit(8)": "i::bit(8)",
    "varbit": "i::bit(8)::varbit", "oid": "(4294967295 - i)::oid", "pg_lsn": "('16/B374D8' || lpad(to_hex(i), 2, '0'))::pg_lsn",
    "tid": "format('(%s,%s)', i % 7, i + 1)::tid", "oidvector": "(i % 5 || ' ' || i)::oidvector", "mood": "('m ' || i - 1)::mood",
    "pair": "ROW(i % 3, 'a \"b\" , ' || i)::pair", "int[]": "ARRAY[i % 3, NULL, i]", "text[]": "ARRAY['a,\"b\"', NULL, '{}', i::text]",
    "int4range": "int4range(i % 3, i + 3)", "floats": "floats(i / 3.0, i)", "tstzrange": "tstzrange('2024-01-01', timestamptz '2024-02-01' + i * interval '1 h')",
    "jsonb": "jsonb_build_object('a', i, 'b', '\"')", "tsvector": "to_tsvector('simple', 'word' || i)",
    "tsquery": "to_tsquery('simple', 'w' || i || ' & a')", "regtype": "(SELECT oid FROM pg_type ORDER BY oid OFFSET i * 3 LIMIT 1)::regtype",
    # Of extensions, in a schema that no search_path names.
    "odd.citext": MIXED, "wordy": MIXED, "odd.citext[]": f"ARRAY[({MIXED})::odd.citext]",
    "odd.ltree": "('a.' || i % 4 || '.B' || i)::odd.ltree", "odd.cube": "odd.cube(ARRAY[i % 4, i]::float8[])",
    "odd.seg": "(i || ' .. ' || i + 5)::odd.seg", "odd.hstore": "odd.hstore(ARRAY['k', 'n' || i % 3], ARRAY[i::text, 'x'])",
    "odd.lo": "i::oid", "odd.ean13": "('400000000' || lpad(i::text, 3, '0') || '?')::odd.ean13",
    "odd.isbn13": "('978000000' || lpad(i::text, 3, '0') || '?')::odd.isbn13", "odd.isbn": "('000000' || lpad(i::text, 3, '0') || '?')::odd.isbn",
    "odd.ismn13": "('97900601' || lpad(i::text, 4, '0') || '?')::odd.ismn13", "odd.ismn": "('M0601' || lpad(i::text, 4, '0') || '?')::odd.ismn",
    "odd.issn13": "('97714360' || lpad(i::text, 2, '0') || '00?')::odd.issn13", "odd.issn": "('14360' || lpad(i::text, 2, '0') || '?')::odd.issn",
    # A domain over cube: points on the sphere.
    "odd.earth": "odd.cube(ARRAY[6378168 * cos(i / 10.0), 6378168 * sin(i / 10.0), 0]::float8[])::odd.earth",
    "odd.upc": "('12300000' || lpad(i::text, 3, '0') || '?')::odd.upc",
}
UNTIL = {
    11: {"abstime": "(timestamptz '2024-03-31 00:00:00+00' + i * interval '10 minutes')::abstime", "reltime": "(i * interval '1 hour')::reltime",
         "tinterval": "tinterval('2024-03-31 00:00:00+00'::abstime, (timestamptz '2024-04-01 00:00:00+00' + i * interval '1 hour')::abstime)"},
}
SINCE = {
    13: {"xid8": "(10000000000 + i)::text::xid8"},
    14: {"int4multirange": "int4multirange(int4range(i % 3, i + 3), int4range(100, 100 + i))"},
}
# Keys that are more than a column's type: the columns, the index, and the columns' values.
INDEXES = {
    "pattern": ("k text", "(k text_pattern_ops)", "k", MIXED), "vpattern": ("k varchar", "(k varchar_pattern_ops)", "k", MIXED),
    "bpattern": ("k char(9)", "(k bpchar_pattern_ops)", "k", MIXED), "falls": ("k int", "(k DESC)", "k", "i * 37 % 60"),
    "backward": ("k int", "(k falling)", "k", "i * 37 % 60"), "backward_falls": ("k int", "(k falling DESC)", "k", "i * 37 % 60"),
    "collated": ("k text", '(k COLLATE "en-x-icu")', "k", MIXED), "other": ("k text COLLATE \"en-x-icu\"", '(k COLLATE "C" DESC)', "k", MIXED),
    "two": ("k int, l odd.citext", "(k, l)", "k, l", f"i % 4, {MIXED}"), "owt": ("k int, l odd.citext", "(l, k)", "k, l", f"i / 9, {MIXED}"),
    "three": ("k int, l odd.ltree, m text", "(k DESC, l, m text_pattern_ops)", "k, l, m", f"i % 2, ('a.' || i % 3)::odd.ltree, {MIXED}"),
    # Two values alone make no key for 60 rows.
    "truth": ("k boolean, l int", "(k, l)", "k, l", "i % 2 = 0, i"),
    "alike": ("k text, l int, m date", "(m, k, l DESC)", "k, l, m", "'x' || i % 5, i, date '2024-01-01' + i % 3"),
}


def tables_for(server):
    """Table -> what it is, its statements."""
    kinds = dict(TYPES)
    for since, more in SINCE.items():
        if server.major >= since:
            kinds.update(more)
    for until, more in UNTIL.items():
        if server.major <= until:
            kinds.update(more)
    tables = {}
    for number, (kind, value) in enumerate(kinds.items()):
        tables[f"t{number}"] = (kind, f"CREATE TABLE t{number} (n int, u int DEFAULT 0, k {kind} PRIMARY KEY);"
                                      f"INSERT INTO t{number} SELECT i, 0, {value} FROM generate_series(1, {ROWS}) i")
    for name, (columns, index, names, values) in INDEXES.items():
        columns = ", ".join(f"{column} NOT NULL" for column in columns.split(", "))
        tables[name] = (f"{columns} {index}",
                        f"CREATE TABLE {name} (n int, u int DEFAULT 0, {columns});"
                        f"CREATE UNIQUE INDEX {name}_key ON {name} {index};"
                        f"ALTER TABLE {name} REPLICA IDENTITY USING INDEX {name}_key;"
                        f"INSERT INTO {name} (n, {names}) SELECT i, {values} FROM generate_series(1, {ROWS}) i")
    if server.major >= 12:
        tables["loose"] = ("text COLLATE loose", """
            CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE loose (n int, u int DEFAULT 0, k text COLLATE loose PRIMARY KEY);""" +
            f"INSERT INTO loose SELECT i, 0, {MIXED} FROM generate_series(1, {ROWS}) i")
    if server.major >= 18:
        tables["temporal"] = ("int4range, daterange WITHOUT OVERLAPS", f"""
            CREATE TABLE temporal (n int, u int DEFAULT 0, k int4range, l daterange, PRIMARY KEY (k, l WITHOUT OVERLAPS));
            INSERT INTO temporal SELECT i, 0, int4range(i % 3, 9), daterange(date '2024-01-01' + i, date '2024-01-02' + i)
              FROM generate_series(1, {ROWS}) i""")
    return tables


class Writer(threading.Thread):
    """Updates and deletes a third of the rows, and adds others, until finish()."""

    def __init__(self, ground, tables):
        super().__init__(daemon=True)
        self.ground, self.tables = ground, list(tables)
        self.stopping, self.changes = threading.Event(), 0

    def run(self):
        chance = random.Random(7)
        with self.ground.connect() as connection:
            while not self.stopping.wait(0.002):
                table, n = chance.choice(self.tables), chance.randrange(3, ROWS + 1, 3)
                statement = chance.choice([f"UPDATE {table} SET u = u + 1 WHERE n = {n}"] * 4 +
                                          [f"DELETE FROM {table} WHERE n = {n}"])
                connection.execute(statement)
                self.changes += 1

    def finish(self):
        self.stopping.set()
        self.join(60)
        assert not self.is_alive()


def rebuilt(messages):
    """Table -> number of the row -> u, as a consumer has it that keeps the last message of each key."""
    tables = {}
    for message in messages:
        rows = tables.setdefault(message["table"], {})
        key = json.dumps(message["key"], sort_keys=True)
        if message["op"] == "DELETE":
            rows.pop(key, None)
        else:
            rows[key] = (message["after"]["n"], message["after"].get("u"))
    return {table: sorted(rows.values()) for table, rows in tables.items()}


@pytest.mark.parametrize("version", ["10", "15", "18"])
def test_rows_with_keys_of_every_kind_are_complete(servers, grounds, version):
    server = servers(version)
    ground = grounds(server, source_snapshot_rows_per_second=1500, source_snapshot_chunk_rows=CHUNK,
                     source_snapshot_readers=READERS)
    ground.sql("CREATE SCHEMA odd;" + "".join(f"CREATE EXTENSION {name} SCHEMA odd;" for name in EXTENSIONS) + SETUP)
    tables = tables_for(server)
    for _, statements in tables.values():
        ground.sql(statements)
    total = len(tables) * ROWS
    with ground.capture() as capture:
        ground.wait_for(lambda: ground.messages)
        writer = Writer(ground, tables)
        writer.start()
        for part in (0.3, 0.6):
            ground.wait_for(lambda: len(ground.messages) >= total * part, timeout=120)
            assert COMPLETE not in capture.stderr
            capture.kill()
            if part == 0.6:
                capture.environment["PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND"] = "3000"
            capture.start()
        ground.wait_complete(timeout=180)
        writer.finish()
        ground.wait_streamed()
        capture.stop()
    now = rebuilt(ground.messages)
    wrong = []
    for table, (kind, _) in tables.items():
        there = sorted(tuple(map(int, row)) for row in ground.query(f"SELECT n, u FROM {table}"))
        if now.get(table) != there:
            wrong.append(f"{table}, {kind}: {len(now.get(table, []))} of {len(there)} rows as they are")
    figure(f"keys of every kind, PostgreSQL {version}",
           f"{len(tables)} kinds, {total} rows in chunks of {CHUNK}, {writer.changes} changes meanwhile, 2 kills, "
           f"{len(ground.messages)} messages, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
    reads = sum(message["op"] == "READ" for message in ground.messages)
    assert reads <= total + 2 * READERS * CHUNK, "after each kill at most a chunk a reader is read again"
