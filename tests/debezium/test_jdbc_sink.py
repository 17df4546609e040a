"""A consumer of Debezium's goes on unchanged: its JDBC sink connector makes tables out of our topics that
equal the source's, from JSON with schemas and from Avro, in both forms.
"""

import subprocess

import pytest
from jdbc_sink import JdbcSink
from support.processes import ROOT
from support.registry import SchemaRegistry
from support.stage import Stage

pytestmark = pytest.mark.nightly

# What the sink's tables need to be there before it makes them.
TYPES = """
CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'so "happy"');
CREATE DOMAIN positive AS numeric(10,2) CHECK (VALUE > 0);
"""
COLUMNS = """
  a_bool bool, a_int2 int2, a_int4 int4, a_int8 int8 NOT NULL, a_float4 float4, a_float8 float8, a_numeric numeric(12,3),
  a_wide numeric(38,10), a_domain positive, a_text text NOT NULL, a_varchar varchar(9), a_char char(3), a_name name,
  a_citext citext, a_uuid uuid, a_json json, a_xml xml, a_bytea bytea, a_date date, a_time time, a_time_3 time(3),
  a_ts timestamp, a_ts_3 timestamp(3), a_tstz timestamptz NOT NULL, a_interval interval, a_bits bit(9), a_inet inet,
  a_cidr cidr, a_macaddr macaddr, a_mood mood, a_ltree ltree, a_tsvector tsvector, a_range int4range, a_ranges tstzrange,
  a_multirange int4multirange, a_lsn pg_lsn, ints int[], texts text[], uuids uuid[], floats float8[], flags bool[],
  a_default int DEFAULT 7, a_text_default text NOT NULL DEFAULT 'it''s'"""
ROW = """(%s, true, -32768, 2147483647, -9223372036854775808, 1.5, 0.1, 123456789.125, -1234567890123456789012345678.0123456789,
  12.5, E'grüße "quoted" \\n \\\\', 'nine char', 'ab', 'pg_class', 'ÄbC', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{ "a": [1, null]}',
  '<a b="c">1</a>', '\\x00ff10', '2024-02-29', '12:34:56.789012', '12:34:56.789', '1969-12-31 23:59:59.123456',
  '2024-02-29 10:30:45.123', '2024-02-29 10:30:45.123456+02', '1 year 2 mons 3 days 04:05:06.789', B'101010101', '10.0.0.1/8',
  '10.0.0.0/8', '08:00:2b:01:02:03', 'so "happy"', 'a.b_1', 'a fat cat', '[1,5)', '["2024-01-01 00:00:00+00",)', '{[1,3),[5,8)}',
  '16/B374D848', '{1,NULL,3}', '{a,NULL,"b \\"c\\""}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{0.1,1e300}', '{t,f}')"""
SPARE = "(id, a_int8, a_text, a_tstz, a_default) VALUES (%s, 0, '', '1970-01-01+00', NULL)"
BEFORE = f"""
CREATE TABLE everything (id int PRIMARY KEY, {COLUMNS});
INSERT INTO everything VALUES {ROW % 1};
INSERT INTO everything {SPARE % 2};
INSERT INTO everything {SPARE % 3};
CREATE TABLE two_keys (b int, id text, rest text, PRIMARY KEY (id, b));
INSERT INTO two_keys SELECT i, 'key ' || i, 'old' FROM generate_series(1, 500) i;
CREATE TABLE wiped (id int PRIMARY KEY, v text);
INSERT INTO wiped SELECT generate_series(1, 100), 'gone';
CREATE TABLE unique_only (v text, a int NOT NULL, id text NOT NULL, UNIQUE (id, a));
ALTER TABLE unique_only REPLICA IDENTITY FULL;
INSERT INTO unique_only SELECT 'old', i, 'key ' || i FROM generate_series(1, 100) i;
CREATE TYPE pair AS (x int, y text);
CREATE TABLE composites (id int PRIMARY KEY, a_pair pair, rest text);
INSERT INTO composites VALUES (1, '(1,a)', 'rest');
"""
STREAM = f"""
INSERT INTO everything VALUES {ROW % 4};
INSERT INTO everything {SPARE % 5};
UPDATE everything SET a_text = 'new', ints = '{{}}', a_bytea = NULL, a_default = NULL WHERE id = 1;
UPDATE everything SET id = 40 WHERE id = 4;
DELETE FROM everything WHERE id = 2;
UPDATE two_keys SET rest = 'new' WHERE b <= 300;
UPDATE two_keys SET b = b + 1000 WHERE b > 450;
UPDATE two_keys SET id = id || '!' WHERE b <= 10;
DELETE FROM two_keys WHERE b BETWEEN 100 AND 200;
INSERT INTO unique_only VALUES (NULL, 0, 'new');
UPDATE unique_only SET v = 'new' WHERE a <= 50;
UPDATE unique_only SET a = -a WHERE a > 90;
DELETE FROM unique_only WHERE a BETWEEN 41 AND 60;
BEGIN;
INSERT INTO two_keys VALUES (7, 'there and gone', 'x');
UPDATE two_keys SET rest = 'y' WHERE b = 7;
DELETE FROM two_keys WHERE id = 'there and gone';
COMMIT;
"""
# Columns that come while it streams: its table gets them too.
ADDED = """
ALTER TABLE everything ADD later text;
ALTER TABLE everything ADD sooner int NOT NULL DEFAULT 42;
UPDATE everything SET later = 'late ' || id;
"""
WIPED = "TRUNCATE wiped; INSERT INTO wiped VALUES (7, 'after');"
FORMS = [("debezium", "json"), ("flat", "json"), ("debezium", "avro"), ("flat", "avro")]


@pytest.fixture(scope="module", autouse=True)
def fetched():
    subprocess.run([ROOT / "tools" / "sink.sh"], check=True)


@pytest.fixture(scope="module")
def registry():
    with SchemaRegistry() as one:
        yield one


@pytest.fixture
def stages(servers, broker, request):
    """stage = stages("flat", "avro"): a database and topics of its own."""
    made = []

    def stage(form, encoding, **options):
        registry = {"format_registry_url": request.getfixturevalue("registry").url} if encoding == "avro" else {
            "format_schemas_enable": "true"}
        made.append(Stage(servers(), broker, f"sink_{form}_{encoding}", **{
            "format_type": form, "format_encoding": encoding, "kafka_topics_partitions": "1", "source_snapshot_mode": "initial",
            "format_debezium_interval_handling_mode": "string", "format_debezium_skipped_operations": "none",
            **registry, **options}))
        return made[-1]

    yield stage
    for one in made:
        one.close()


@pytest.mark.parametrize("form, encoding", FORMS)
def test_its_tables_equal_ours(stages, request, form, encoding):
    stage = stages(form, encoding)
    stage.sql(TYPES + BEFORE)
    registry = request.getfixturevalue("registry") if encoding == "avro" else None
    # It has no column for a structure, which Debezium leaves out.
    excluded = {"field.exclude.list": "a_pair"}
    with stage.capture() as capture, JdbcSink(stage, form, encoding, registry=registry, before=TYPES, **excluded) as sink:
        stage.wait_for("two_keys", 500)
        sink.wait_written()     # a snapshot is written before the first change: a sink orders no topics
        stage.sql(STREAM)
        stage.sql(ADDED)
        tables = ["everything", "two_keys", "unique_only"]
        if form == "debezium":      # which reports TRUNCATE
            stage.sql(WIPED)
            tables.append("wiped")
        stage.sql("INSERT INTO two_keys VALUES (0, 'last', NULL)")
        sink.wait_for("two_keys WHERE id = 'last'")
        capture.stop()
        sink.wait_written()
        assert {table: sink.differences(table) for table in tables} == {table: {} for table in tables}
        assert [sink.count(table) for table in tables] == [4, 400, 81, 1][:len(tables)]
        assert sink.key("unique_only") == ["id", "a"]
        assert sink.differences("composites") == {"a_pair": [("",)]}
        kinds = sink.types("everything")
        assert kinds["a_numeric"] == "numeric(12,3)" and kinds["a_uuid"] == "uuid" and kinds["ints"] == "integer[]"
