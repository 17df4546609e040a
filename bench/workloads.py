"""What is measured: the tables, the changes, and who drains them."""

import dataclasses

SMALL_ROWS = """
CREATE TABLE {t} (id bigint PRIMARY KEY, n int, v text, at timestamptz, amount numeric(12,2));
"""
LOAD = """
DO $$
DECLARE i int;
BEGIN
  FOR i IN 0 .. {inserts} / 100 - 1 LOOP
    INSERT INTO {t} SELECT i * 100 + k, k, substr(md5((i * 100 + k)::text) || md5(k::text), 1, 40),
           clock_timestamp(), (i * 100 + k) / 7.0 FROM generate_series(1, 100) k;
    COMMIT;
  END LOOP;
  FOR i IN 0 .. {updates} / 100 - 1 LOOP
    UPDATE {t} SET n = n + 1, at = clock_timestamp() WHERE id BETWEEN i * 100 + 1 AND i * 100 + 100;
    COMMIT;
  END LOOP;
  FOR i IN 0 .. {deletes} / 100 - 1 LOOP
    DELETE FROM {t} WHERE id BETWEEN i * 100 + 1 AND i * 100 + 100;
    COMMIT;
  END LOOP;
END $$;
"""
ONE_TRANSACTION = """
INSERT INTO {t} SELECT k, k, substr(md5(k::text) || md5(k::text), 1, 40), clock_timestamp(), k / 7.0
FROM generate_series(1, {inserts}) k;
"""
# The same as a job has it that works while it writes: so many rows a second.
PACED_TRANSACTION = """
DO $$ DECLARE began timestamptz := clock_timestamp(); BEGIN
  FOR i IN 0 .. {inserts} / {pace} - 1 LOOP
    INSERT INTO {t} SELECT k, k, substr(md5(k::text) || md5(k::text), 1, 40), clock_timestamp(), k / 7.0
    FROM generate_series(i * {pace} + 1, (i + 1) * {pace}) k;
    PERFORM pg_sleep(greatest(0, i + 1 - extract(epoch FROM clock_timestamp() - began)));
  END LOOP; END $$;
"""
HUGE_ROWS = 10_000_000      # of it, once, live
HUGE_PACE = 125_000         # well below what the walsender decodes a second
WIDE_COLUMNS = ", ".join(f"i{c} int, t{c} text, a{c} timestamptz, n{c} numeric, b{c} boolean"
                         for c in range(10))
WIDE_VALUES = ", ".join(f"k + {c}, 'text ' || k + {c}, now(), k / 3.0, k % 2 = 0"
                        for c in range(10))
WIDE_SETUP = f"CREATE TABLE {{t}} (id int PRIMARY KEY, {WIDE_COLUMNS});"
WIDE_LOAD = f"""
DO $$ BEGIN FOR i IN 0 .. {{inserts}} / 100 - 1 LOOP
  INSERT INTO {{t}} SELECT i * 100 + k, {WIDE_VALUES} FROM generate_series(1, 100) k;
  COMMIT;
END LOOP; END $$;
"""

# Rows that know when they were written; a statement makes a transaction of a hundred.
TIMED_ROWS = """
CREATE TABLE {t} (id bigserial PRIMARY KEY, n int, v text, at timestamptz, amount numeric(12,2),
                  written_us bigint);
"""
TIMED_INSERT = """
INSERT INTO {t} (n, v, at, amount, written_us)
SELECT k, substr(md5(k::text) || md5(k::text), 1, 40), now(), k / 7.0,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
FROM generate_series(1, 100) k
"""
TIMED_ROWS_A_STATEMENT = 100
TIMED_STATEMENTS_A_SECOND = 50

# Commits that touch the first so many of many tables.
COMMIT_TABLES = (1, 100, 2000)
COMMITS_A_SECOND = 10
COMMITS_SETUP = """
CREATE SCHEMA commits;
CREATE SEQUENCE commits.numbers;
DO $$ BEGIN FOR i IN 0 .. {tables} - 1 LOOP
  EXECUTE format('CREATE TABLE commits.t%s (id int PRIMARY KEY, number bigint)', i);
  EXECUTE format('INSERT INTO commits.t%s VALUES (1, 0)', i);
  IF i % 500 = 0 THEN COMMIT; END IF;
END LOOP; END $$;
CREATE PUBLICATION bench_commits FOR TABLES IN SCHEMA commits;
CREATE FUNCTION commits.touch(tables int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE one bigint = nextval('commits.numbers');
BEGIN
  FOR i IN 0 .. tables - 1 LOOP EXECUTE format('UPDATE commits.t%s SET number = %s', i, one); END LOOP;
  RETURN one;
END $$;
"""

# A table that was there before, for snapshots: rows of the same kind.
SNAPSHOT_ROWS = 3_000_000
SNAPSHOT_SETUP = SMALL_ROWS + """
INSERT INTO {t} SELECT k, k, substr(md5(k::text) || md5(k::text), 1, 40), clock_timestamp(), k / 7.0
FROM generate_series(1, {rows}) k;
"""
SNAPSHOT_BASELINE = "psql COPY"

# The baseline of every drain: PostgreSQL's own client over TCP, writing to /dev/null.
BASELINE = "pg_recvlogical"
DEBEZIUM = "debezium"
ONCE = " once"      # delivery: exactly_once
KAFKA = ["kafka snappy", "kafka lz4", "kafka snappy once"]
# Messages of other forms, as the last word of a route. Each has one record a change.
ENCODING = "PG_CAPTURE_FORMAT_ENCODING"     # any but JSON needs a schema registry
_DEBEZIUM = {"PG_CAPTURE_FORMAT_TYPE": "debezium", "PG_CAPTURE_FORMAT_DEBEZIUM_TOMBSTONES_ON_DELETE": "false"}
# Debezium's four headers of its context are in each message unless this says otherwise. librdkafka's time is per header
# more than per byte.
_FEWER_HEADERS = {"PG_CAPTURE_FORMAT_DEBEZIUM_EXTENDED_HEADERS_ENABLED": "false"}
FORMATS = {
    "debezium": _DEBEZIUM,
    "schemas": _DEBEZIUM | {"PG_CAPTURE_FORMAT_SCHEMAS_ENABLE": "true"},
    "flat": {"PG_CAPTURE_FORMAT_TYPE": "flat"},
    "csv": {"PG_CAPTURE_FORMAT_TYPE": "csv"},
    **{encoding: _DEBEZIUM | {ENCODING: encoding} for encoding in ("avro", "protobuf", "json_schema")},
    "flat_plain": {"PG_CAPTURE_FORMAT_TYPE": "flat"} | _FEWER_HEADERS,
    "debezium_plain": _DEBEZIUM | _FEWER_HEADERS,
    **{f"{encoding}_plain": _DEBEZIUM | _FEWER_HEADERS | {ENCODING: encoding} for encoding in ("avro", "protobuf")},
}
SNAPSHOT_ROUTES = ["1 reader", "2 readers", *KAFKA, DEBEZIUM]


# Files: gzipped, by ISA-L or, at the level that is its fastest here, zlib.
FILE_FORMS = {
    "csv": {"PG_CAPTURE_FORMAT_TYPE": "csv"},
    "json": {"PG_CAPTURE_FORMAT_TYPE": "native"},
    "zlib": {"PG_CAPTURE_FORMAT_TYPE": "csv", "PG_CAPTURE_FILE_COMPRESSION_LEVEL": "4"},
    "zstd": {"PG_CAPTURE_FORMAT_TYPE": "csv", "PG_CAPTURE_FILE_COMPRESSION": "zstd"},
    "writer": {"PG_CAPTURE_FORMAT_TYPE": "csv", "PG_CAPTURE_FILE_WRITERS": "1"},
}
FILE_ROUTES = ("file csv", "file csv 1 writer", "file csv zlib", "file csv zstd", "file json")
EXPORT_ROUTES = ("file csv", "file csv zlib")
EXPORT_BASELINE = "COPY | gzip -1"
# Tables that change in turn, so that all their files are open at once.
FILE_TABLES = 5000
FILE_TABLES_ROUNDS = 3
FILE_TABLES_SETUP = """
CREATE SCHEMA {s};
DO $$ BEGIN FOR i IN 0 .. {tables} - 1 LOOP
  EXECUTE format('CREATE TABLE {s}.t%s (id int PRIMARY KEY, n int, v text)', i);
  EXECUTE format('INSERT INTO {s}.t%s SELECT k, 0, md5(k::text) FROM generate_series(1, 100) k', i);
  IF i % 200 = 0 THEN COMMIT; END IF;
END LOOP; END $$;
CREATE PUBLICATION bench_{s} FOR TABLES IN SCHEMA {s};
CREATE PROCEDURE {s}.touch() LANGUAGE plpgsql AS $$ BEGIN
  FOR i IN 0 .. {tables} - 1 LOOP
    EXECUTE format('UPDATE {s}.t%s SET n = n + 1', i);
    IF i % 50 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$;
"""


@dataclasses.dataclass(frozen=True)
class Workload:
    """A backlog that is made once and drained again and again.

    size     changes by kind, at full size
    routes   who drains it besides the baseline
    """

    what: str
    setup: str
    load: str
    size: dict
    routes: tuple


DRAINS = {
    "backlog": Workload(
        "1.4 M changes in transactions of 100", SMALL_ROWS, LOAD,
        {"inserts": 1_000_000, "updates": 300_000, "deletes": 100_000},
        ("tcp binary", "tcp text", "unix binary", "pg_recvlogical unix", "tls binary",
         "pg_recvlogical tls", *KAFKA, DEBEZIUM)),
    "tx": Workload(
        "one transaction of a million rows", SMALL_ROWS, ONE_TRANSACTION,
        {"inserts": 1_000_000}, ("tcp binary", "tcp text", *KAFKA, DEBEZIUM)),
    "formats": Workload(
        "the backlog's changes as messages of each form", SMALL_ROWS, LOAD,
        {"inserts": 1_000_000, "updates": 300_000, "deletes": 100_000},
        ("tcp binary", *(f"tcp binary {form}" for form in FORMATS if not form.endswith("_plain")),
         "kafka snappy", *(f"kafka snappy {form}" for form in FORMATS), DEBEZIUM)),
    "wide": Workload(
        "100 k rows of 51 columns", WIDE_SETUP, WIDE_LOAD, {"inserts": 100_000},
        ("tcp binary", "tcp text", *KAFKA)),
}

FILES = Workload("1.4 M changes in transactions of 100", SMALL_ROWS, LOAD,
                 {"inserts": 1_000_000, "updates": 300_000, "deletes": 100_000}, FILE_ROUTES)
