"""Every type as CSV, and what loaders read of it, PostgreSQL as the judge.

One wide table has a column of each type. What pg-capture writes of it must be the same from text and binary tuples,
from the stream and from a snapshot; COPY must load it into a table like it, value for value; DuckDB, pandas and
Python's csv must read the very texts, and DuckDB the values of the types it has.

The reg* types come as the server's text always and are left out, or binary tuples would be too.
"""

import csv
import io
import json
import os
import subprocess

import pytest
from support.processes import ROOT
from support.servers import Capture, PostgresServer, wait_until
from test_round_trip import TEXT_ONLY, TYPES, cases

WANTED = os.environ.get("VERSION", "10,18").split(",")
LOADERS = ROOT / ".deps" / "loaders" / "bin" / "python"
BEFORE = ["_op", "_commit_lsn", "_seq", "_lsn", "_xid", "_commit_ts"]
AFTER = ["_before", "_unchanged", "_notes"]
END = "the end of the rows"

# What warehouses have, with values that look like something else.
PLAIN = """
CREATE TABLE plain (id bigint PRIMARY KEY, flag boolean, small smallint, number integer, real8 double precision,
  amount numeric(12,2), body text, day date, at time, moment timestamp, instant timestamptz, ident uuid, raw bytea,
  document jsonb);
INSERT INTO plain VALUES
  (1, true, -32768, 2147483647, 0.1, 12.50, 'plain', '2023-10-15', '10:30', '2023-10-15 10:30:00.25',
   '2023-10-15 12:30:00+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff', '{"a": [1, "x,y"]}'),
  (2, false, 0, 0, -1e300, 0, '', '1999-12-31', '23:59:59.999999', '1999-12-31 23:59:59', '2000-01-01 00:00:00+00',
   '00000000-0000-0000-0000-000000000000', '', 'null'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (9223372036854775807, true, 7, 7, 7, -9999999999.99, E'two\\nlines, "quoted"\\r\\n\\ttab and ''é''', '2024-02-29',
   '00:00', '2024-02-29 00:00', '2024-02-29 00:00+00', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '\\x22', '"\\""');
"""
DUCKDB_TYPES = {
    "_seq": "BIGINT", "_xid": "BIGINT", "_commit_ts": "TIMESTAMPTZ", "id": "BIGINT", "flag": "BOOLEAN",
    "small": "SMALLINT", "number": "INTEGER", "real8": "DOUBLE", "amount": "DECIMAL(12,2)", "day": "DATE", "at": "TIME",
    "moment": "TIMESTAMP", "instant": "TIMESTAMPTZ", "ident": "UUID", "document": "JSON"}


def run(server, database, form, publication, **options):
    """What a snapshot of the publication's table writes to the console."""
    env = server.capture_environment(database) | {
        "PG_CAPTURE_SOURCE_BINARY": form, "PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "only", "PG_CAPTURE_FORMAT_TYPE": "csv"}
    slot = f"{database}_read_{form}"
    with Capture(env | options, slot=slot, publication=publication, http=False) as capture:
        assert capture.wait_exit(60) == 0, capture.stderr
        server.drop_slot(slot)
        return b"".join(line + b"\n" for line in capture.raw_lines).decode()


def streamed(server, database, form, slot):
    """What the stream writes of the rows that were logged since the slot was made."""
    env = server.capture_environment(database) | {"PG_CAPTURE_SOURCE_BINARY": form, "PG_CAPTURE_FORMAT_TYPE": "csv"}
    with Capture(env, slot=slot, publication="wide_pub", http=False) as capture:
        wait_until(lambda: any(END.encode() in line for line in capture.raw_lines), 60, "the last row")
        assert f"binary={'true' if form == 'auto' else 'false'}" in capture.stderr
        capture.stop()
        return b"".join(line + b"\n" for line in capture.raw_lines).decode()


def rows_of(text, columns, null_text=""):
    """Lines as Python's csv reads them, which can't distinguish NULL from the empty text."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    names = BEFORE + columns + AFTER
    assert rows and all(len(row) == len(names) for row in rows)
    return [dict(zip(names, ("" if field == null_text else field for field in row))) for row in rows]


def own(rows, columns):
    return sorted(tuple(row[name] for name in columns) for row in rows)


def with_heading(text, columns):
    return ",".join(BEFORE + columns + AFTER) + "\n" + text


@pytest.fixture(scope="module", params=WANTED)
def wide(request):
    """(server, kind of each column, what was written, by the way it came)"""
    with PostgresServer(request.param) as server:
        kinds = {kind: values for kind, values in cases(server.major).items() if kind not in TEXT_ONLY}
        columns = {f"c{number}": kind.strip() for number, kind in enumerate(kinds)}
        server.psql("CREATE DATABASE types")
        server.psql(TYPES, db="types")
        with server.connect("types") as connection:
            connection.execute("CREATE TABLE wide (id int PRIMARY KEY, body text, " + ", ".join(
                f"{name} {kind}" for name, kind in columns.items()) + ")")
            connection.execute("CREATE PUBLICATION wide_pub FOR TABLE wide")
            for form in ("never", "auto"):
                connection.execute(f"SELECT pg_create_logical_replication_slot('types_{form}', 'pgoutput')")
            places = ", ".join(f"%s::text::{kind}" for kind in columns.values())
            values = list(kinds.values())
            with connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO wide VALUES (%s, %s, {places})", [
                    (row, None, *(column[row] if row < len(column) else None for column in values))
                    for row in range(max(map(len, values)))])
                cursor.execute(f"INSERT INTO wide (id, body) VALUES (-1, '{END}')")
        forms = ["never"] + (["auto"] if server.major >= 14 else [])
        written = {f"stream {form}": streamed(server, "types", form, f"types_{form}") for form in forms}
        written |= {f"snapshot {form}": run(server, "types", form, "wide_pub") for form in forms}
        yield server, columns, written


def test_text_and_binary_stream_and_snapshot_write_the_same(wide):
    _, columns, written = wide
    names = ["id", "body", *columns]
    first, *others = [own(rows_of(text, names), names) for text in written.values()]
    assert len(first) > 40
    for way, rows in zip(list(written)[1:], others):
        different = [f"{columns.get(name, name)}: {a!r} / {b!r}" for one, other in zip(first, rows)
                     for name, a, b in zip(names, one, other) if a != b]
        assert len(first) == len(rows) and not different, f"{way}:\n" + "\n".join(different[:20])


def test_copy_loads_every_value_of_every_type(wide):
    server, columns, written = wide
    names = ["id", "body", *columns]
    for way, text in written.items():
        with server.connect("types") as connection:
            connection.execute("SET extra_float_digits = 3")
            connection.execute("CREATE TABLE back AS SELECT ''::text AS _op, ''::text AS _commit_lsn, 0::bigint AS _seq, "
                               "''::text AS _lsn, 0::bigint AS _xid, now() AS _commit_ts, w.*, '{}'::jsonb AS _before, "
                               "'[]'::jsonb AS _unchanged, '{}'::jsonb AS _notes FROM wide w WITH NO DATA")
            with connection.cursor().copy("COPY back FROM STDIN WITH (FORMAT csv, HEADER)") as copy:
                copy.write(with_heading(text, names))
            wrong = []
            for name in names:
                wrong += connection.execute(
                    f"SELECT %s, b.{name}::text, w.{name}::text FROM wide w FULL JOIN back b USING (id) "
                    f"WHERE b.{name}::text IS DISTINCT FROM w.{name}::text", (columns.get(name, name),)).fetchall()
            assert not wrong, f"{way}: {wrong[:20]}"
            assert connection.execute(
                "SELECT count(*) FROM back WHERE _before IS NULL AND _unchanged IS NULL AND _notes IS NULL "
                f"AND _op = '{'READ' if way.startswith('snapshot') else 'INSERT'}'").fetchone()[0] == len(
                    rows_of(text, names))
            connection.execute("DROP TABLE back")


def loaded(reader, path, null_text, *types):
    done = subprocess.run([LOADERS, ROOT / "tests" / "support" / "csv_loaders.py", reader, path, null_text, *types],
                          stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


def texts_of(server, columns):
    """The rows as the server prints them, but for booleans and money."""
    shown = {"boolean": "{0}::text", "money": "{0}::numeric::text", "money[]": "{0}::numeric[]::text"}
    printed = "CASE WHEN {0} IS NOT DISTINCT FROM NULL THEN NULL ELSE format('%%s', {0}) END"
    with server.connect("types") as connection:
        connection.execute("SET extra_float_digits = 3")
        connection.execute("SET timezone = 'UTC'")
        rows = connection.execute("SELECT id::text, body, " + ", ".join(
            shown.get(kind, printed).format(name) for name, kind in columns.items()) + " FROM wide", ()).fetchall()
    return {row[0]: dict(zip(["id", "body", *columns], row)) for row in rows}


@pytest.mark.parametrize("reader, null_text", [("duckdb", ""), ("pandas", "\\N")])
def test_other_loaders_read_the_texts_of_all_types(wide, tmp_path, reader, null_text):
    server, columns, written = wide
    names = ["id", "body", *columns]
    form = "auto" if server.major >= 14 else "never"
    text = written[f"snapshot {form}"] if not null_text else run(
        server, "types", form, "wide_pub", PG_CAPTURE_FORMAT_CSV_NULL_TEXT=null_text)
    path = tmp_path / "wide.csv"
    path.write_text(with_heading(text, names), encoding="utf-8", newline="")
    rows, expected = loaded(reader, path, null_text), texts_of(server, columns)
    assert len(rows) == len(expected)
    wrong = [f"{columns.get(name, name)}: {row[name]!r} / {expected[row['id']][name]!r}" for row in rows
             for name in names if row[name] != expected[row["id"]][name]]
    assert not wrong, "\n".join(wrong[:20])


def test_duckdb_reads_values_of_its_own_types(wide, tmp_path):
    server, _, _ = wide
    server.psql("CREATE DATABASE plain")
    server.psql(PLAIN + "CREATE PUBLICATION plain_pub FOR TABLE plain;", db="plain")
    with server.connect("plain") as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute("SET extra_float_digits = 3")
        cursor = connection.execute("SELECT * FROM plain")
        names = [column.name for column in cursor.description]
        expected = {row[0]: row for row in connection.execute(
            "SELECT id::text, flag::text, small::text, number::text, real8, amount::text, body, day::text, at::text, "
            "moment::text, instant::text, ident::text, raw::text, document::text FROM plain").fetchall()}
    path = tmp_path / "plain.csv"
    path.write_text(with_heading(run(server, "plain", "auto", "plain_pub"), names), encoding="utf-8", newline="")
    rows = loaded("duckdb", path, "", *(f"{name}={kind}" for name, kind in DUCKDB_TYPES.items()))
    assert len(rows) == len(expected) == 4
    for row in rows:
        row["real8"] = None if row["real8"] is None else float(row["real8"])
        assert tuple(row[name] for name in names) == expected[row["id"]]
        assert row["_op"] == "READ" and row["_xid"] is None and len(row["_commit_lsn"]) == 16
