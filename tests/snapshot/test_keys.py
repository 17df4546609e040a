"""A key of every type that can be one: read in its order, and on from the middle after a kill."""

import pytest
from ground import COMPLETE

ROWS = 40
TYPES = """
CREATE TYPE mood AS ENUM ('{moods}');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN positive AS numeric(10,2) CHECK (VALUE > 0);
""".replace("{moods}", "','".join(f"m {(i * 7) % ROWS}" for i in range(ROWS)))
# Type of the key, and its value in row number i.
KEYS = {
    "smallint": "(i * 13 % 40 - 20)::smallint",
    "bigint": "i::bigint * 1000000007 - 20000000140",
    "numeric": "CASE i WHEN 1 THEN 'NaN' ELSE (i - 20) / 7.0 END::numeric",
    "positive": "i / 3.0 + 0.01",
    "real": "CASE i WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' "
            "ELSE (i / 3.0)::text END::real",
    "double precision": "CASE i WHEN 1 THEN 'NaN' WHEN 2 THEN '-Infinity' "
                        "ELSE (i / 3.0::float8)::text END::float8",
    "money": "(i - 20)::money",
    "text": "(ARRAY['', ' ', '''', E'\\\\', E'\\t', E'\\n', 'é', 'Z'])[1 + i % 8] "
            "|| CASE WHEN i > 8 THEN i::text ELSE '' END",
    'text COLLATE "en-x-icu"': "(ARRAY['a', 'A', 'ä', 'Z', 'z', '-a', '_', 'å'])[1 + i % 8] || i",
    'text COLLATE "C"': "(ARRAY['a', 'A', 'ä', 'Z', 'z', '-a', '_', 'å'])[1 + i % 8] || i",
    "varchar(20)": "'v' || i",
    "char(8)": "'c' || i",
    "name": "'n' || i",
    '"char"': "chr(32 + i)::\"char\"",
    "bytea": "decode(CASE WHEN i % 2 = 0 THEN '00' ELSE 'ff' END || md5(i::text), 'hex')",
    "uuid": "md5(i::text)::uuid",
    "date": "CASE i WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' WHEN 3 THEN '0044-03-15 BC' "
            "ELSE (date '2024-02-20' + i)::text END::date",
    "time": "time '00:00' + i * interval '1 minute 0.000001 seconds'",
    "timetz": "timetz '12:00+02' + i * interval '1 minute'",
    "timestamp": "timestamp '1999-12-31' + i * interval '1 hour 0.000001 seconds'",
    "timestamptz": "CASE i WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' "
                   "ELSE (timestamptz '2024-03-31 00:00:00.1+00' + i * interval '10 minutes')::text END::timestamptz",
    "interval": "i * interval '1 day 01:00:00.5'",
    "boolean": "i % 2 = 0",
    "inet": "inet '10.0.0.250' + i",
    "cidr": "('10.' || i || '.0.0/16')::cidr",
    "macaddr": "('08:00:2b:01:02:' || lpad(to_hex(i), 2, '0'))::macaddr",
    "bit(8)": "i::bit(8)",
    "varbit": "i::bit(8)::varbit",
    "oid": "(4294967295 - i)::oid",
    "pg_lsn": "('16/B374D8' || lpad(to_hex(i), 2, '0'))::pg_lsn",
    "mood": "('m ' || i - 1)::mood",
    "pair": "ROW(i % 3, 'a \"b\" , ' || i)::pair",
    "int[]": "ARRAY[i % 3, NULL, i]",
    "text[]": "ARRAY['a,\"b\"', NULL, '{}', i::text]",
    "int4range": "int4range(i % 3, i + 3)",
    "jsonb": "jsonb_build_object('a', i, 'b', '\"')",
    "tsvector": "to_tsvector('simple', 'word' || i)",
}


@pytest.mark.parametrize("version", ["10", "15", "18"])
def test_a_key_of_every_type_is_read_on_from_the_middle(servers, grounds, version):
    server = servers(version)
    ground = grounds(server, source_snapshot_rows_per_second=400, source_snapshot_chunk_rows=7)
    ground.sql(TYPES)
    names = {kind: f"k{number}" for number, kind in enumerate(KEYS)}
    for kind, value in KEYS.items():
        rows = 2 if kind == "boolean" else ROWS
        ground.sql(f"CREATE TABLE {names[kind]} (n int, k {kind}, PRIMARY KEY (k));"
                   f"INSERT INTO {names[kind]} SELECT i, {value} FROM generate_series(1, {rows}) i")
    total = ROWS * (len(KEYS) - 1) + 2
    with ground.capture() as capture:
        for part in (0.25, 0.5, 0.75):
            ground.wait_for(lambda: len(ground.messages) >= total * part)
            assert COMPLETE not in capture.stderr
            capture.kill()
            capture.start()
        ground.wait_complete()
        capture.stop()
    wrong = []
    for kind, name in names.items():
        rows = [row["n"] for row in ground.rows(name)]
        missing = set(range(1, 3 if kind == "boolean" else ROWS + 1)) - set(rows)
        if missing:
            wrong.append(f"{kind}: rows {sorted(missing)} are missing")
        if len(rows) - len(set(rows)) > 3 * 2 * 7:
            wrong.append(f"{kind}: {len(rows)} READs of {len(set(rows))} rows")
    assert not wrong, "\n".join(wrong)
    assert len(ground.messages) <= total + 3 * 2 * 7, "after each kill at most a chunk a reader is read again"


@pytest.mark.parametrize("identity", ["unique-index", "several-columns", "beside-a-generated-column"])
def test_other_keys_than_a_simple_one(ground, identity):
    ground.sql({
        "unique-index": """
            CREATE TABLE t (n int, a text NOT NULL, b int NOT NULL); CREATE UNIQUE INDEX i ON t (b DESC, a);
            ALTER TABLE t REPLICA IDENTITY USING INDEX i;
            INSERT INTO t SELECT i, 'a', i % 50 * 2 + i / 50 FROM generate_series(0, 99) i""",
        "several-columns": """
            CREATE TABLE t (n int, a text, b int, c date, PRIMARY KEY (c, a, b));
            INSERT INTO t SELECT i, 'a' || i % 3, i % 5, date '2024-01-01' + i / 15 FROM generate_series(0, 99) i""",
        "beside-a-generated-column": """
            CREATE TABLE t (n int PRIMARY KEY, k int GENERATED ALWAYS AS (-n * 2) STORED);
            INSERT INTO t SELECT i FROM generate_series(0, 99) i"""}[identity])
    with ground.capture(source_snapshot_rows_per_second=100, source_snapshot_chunk_rows=9) as capture:
        ground.wait_for(lambda: len(ground.rows("t")) >= 30)
        capture.kill()
        capture.start()
        ground.wait_complete()
        capture.stop()
    rows = [row["n"] for row in ground.rows("t")]
    assert set(rows) == set(range(100)) and len(rows) <= 100 + 2 * 9
