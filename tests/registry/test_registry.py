"""Messages whose schemas a registry holds, read by other people's readers, by the schema that the registry has
under the message's number: Confluent's own, fastavro and a validator of JSON Schema. What they read is
compared with what the same SQL gives as JSON."""

import base64
import decimal
import io
import json
import signal
import time
import urllib.error
import urllib.request

import pytest
from support import kafka_client  # noqa: F401  (finds the packages below)
from support.capture import run_capture
from support.processes import wait_until

import fastavro
import fastjsonschema

TABLE = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE t (id int PRIMARY KEY, small int2, big int8 NOT NULL, flag bool, r float4, d float8,
  n numeric(12,3), free numeric, money money, v varchar(20) NOT NULL DEFAULT 'x', b bytea, j jsonb, u uuid,
  day date, t time(3), at timestamp, tz timestamptz, i interval, m mood, bits bit(11), ints int[], texts text[],
  p point, range int4range, ip inet);
"""
ROW = """(%d, 7, 9000000000, true, 1.5, -2.25, 12.5, 0.001, 12.34, 'grüße', '\\x00ff', '{"a": [1, null]}',
  '11111111-2222-3333-4444-555555555555', '2024-02-29', '10:30:00.5', '2024-02-29 10:30:00.123456',
  '2024-02-29 10:30:00+02', '1 mon 2 days 03:00', 'glad', B'10000000001', '{1,NULL,3}', '{a,NULL,"b c"}', '(1,2)',
  '[1,5)', '10.0.0.1')"""


class Reader:
    """Reads what follows the number of a schema."""

    def __init__(self, registry):
        self.registry = registry
        self.known = {}

    def schema(self, raw):
        assert raw[0] == 0, raw[:8]
        number = int.from_bytes(raw[1:5], "big")
        if number not in self.known:
            kind, text = self.registry.schema(number)
            parsed = json.loads(text)
            self.known[number] = (fastavro.parse_schema(parsed) if kind == "AVRO"
                                  else fastjsonschema.compile(parsed, detailed_exceptions=False))
        return self.known[number]

    def avro(self, raw):
        body = io.BytesIO(raw[5:])
        value = fastavro.schemaless_reader(body, self.schema(raw))
        assert not body.read(), "something is left after the record"
        return plain(value)

    def json(self, raw):
        value = json.loads(raw[5:])
        self.schema(raw)(value)
        return value


def plain(value):
    """As JSON has it: bytes in base64, numbers of fixed scale as text."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, decimal.Decimal):
        return str(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


RUNS = {"ts_ms", "ts_us", "ts_ns", "sequence", "txId", "lsn", "name", "db"}     # differ from run to run


def the_same(message):
    return {k: the_same(v) if k == "source" else v for k, v in message.items() if k not in RUNS}


@pytest.mark.parametrize("encoding", ["avro", "json_schema"])
@pytest.mark.parametrize("form", ["debezium", "flat"])
def test_what_readers_read_is_what_json_says(stages, registry, confluent, encoding, form):
    stage = stages(encoding, form, format_debezium_decimal_handling_mode="string")
    as_json = stages("json", form, format_debezium_decimal_handling_mode="string", format_registry_url=None)
    for one in (stage, as_json):
        one.sql(TABLE)
        with one.capture():
            one.sql(f"INSERT INTO t VALUES {ROW % 1}")
            one.sql("INSERT INTO t (id, big) VALUES (2, 1)")
            one.sql("UPDATE t SET v = 'y' WHERE id = 1")
            one.sql("UPDATE t SET id = 3 WHERE id = 2")
            one.sql("DELETE FROM t WHERE id = 1")
            one.wait_for("t", 6 if form == "flat" else 8)
    found, expected = (one.broker.read_all(one.topic("t")) for one in (stage, as_json))
    reader = Reader(registry)
    read = reader.avro if encoding == "avro" else reader.json
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        key, value = confluent(encoding).read(ours)
        assert read(ours.key) == key == json.loads(theirs.key)
        if theirs.value is None:
            assert ours.value is None
            continue
        assert the_same(read(ours.value)) == the_same(value) == the_same(json.loads(theirs.value))
    subjects = registry.subjects()
    assert f"{stage.topic('t')}-value" in subjects and f"{stage.topic('t')}-key" in subjects


def test_a_table_that_changes_has_another_version_and_all_are_read(stages, registry):
    stage = stages("avro")
    stage.sql("CREATE TABLE e (id int PRIMARY KEY, a text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO e VALUES (1, 'a')")
        stage.sql("ALTER TABLE e ADD b int")
        stage.sql("INSERT INTO e VALUES (2, 'a', 2)")
        stage.sql("ALTER TABLE e ADD c text NOT NULL DEFAULT 'new'")
        stage.sql("INSERT INTO e VALUES (3, 'a', 2)")
        stage.sql("ALTER TABLE e DROP b")
        stage.sql("INSERT INTO e VALUES (4, 'a')")
        stage.sql("ALTER TABLE e ALTER id TYPE bigint")
        stage.sql("INSERT INTO e VALUES (5, 'a')")
        stage.wait_for("e", 5)
        capture.stop()
    with stage.capture():
        stage.sql("INSERT INTO e VALUES (6, 'a')")
        records = stage.wait_for("e", 6)
    reader = Reader(registry)
    rows = [reader.avro(r.value)["after"] for r in records]
    assert rows == [{"id": 1, "a": "a"}, {"id": 2, "a": "a", "b": 2}, {"id": 3, "a": "a", "b": 2, "c": "new"},
                    {"id": 4, "a": "a", "c": "new"}, {"id": 5, "a": "a", "c": "new"}, {"id": 6, "a": "a", "c": "new"}]
    assert len(registry.versions(f"{stage.topic('e')}-value")) == 5


def health(capture):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{capture.http_port}/healthz", timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_known_schemas_stream_on_while_the_registry_is_away_and_new_ones_wait(stages, registry):
    stage = stages("avro", format_registry_timeout_ms="500")
    stage.sql("CREATE TABLE known (id int PRIMARY KEY); CREATE TABLE unknown (id int PRIMARY KEY)")
    with stage.capture(http=True) as capture:
        stage.sql("INSERT INTO known VALUES (1)")
        stage.wait_for("known", 1)
        registry.signal(signal.SIGSTOP)
        try:
            stage.sql("INSERT INTO known VALUES (2)")
            stage.wait_for("known", 2)
            stage.sql("INSERT INTO unknown VALUES (1)")
            wait_until(lambda: "schema registry" in health(capture), what="the word of it")
            before = capture.resident_mib("VmRSS")
            stage.sql("INSERT INTO known SELECT generate_series(3, 3000)")
            time.sleep(3)
            assert capture.running
            assert capture.resident_mib("VmRSS") < before + 40
        finally:
            registry.signal(signal.SIGCONT)
        stage.wait_for("unknown", 1)
        records = stage.wait_for("known", 3000)
    reader = Reader(registry)
    assert [reader.avro(r.value)["after"]["id"] for r in records] == list(range(1, 3001))


def test_peek_shows_what_waits_and_registers_nothing(stages, registry):
    stage = stages("avro")
    stage.sql("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE unseen (id int PRIMARY KEY, a text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO p VALUES (1)")
        stage.wait_for("p", 1)
        capture.stop()
    stage.sql("INSERT INTO unseen VALUES (1, 'grüße')")
    before = registry.subjects()
    shown = run_capture("peek", env={k: v for k, v in capture.environment.items() if k.startswith("PG")})
    assert shown.returncode == 0, shown.stderr
    assert [json.loads(line)["after"] for line in shown.stdout.splitlines()] == [{"id": 1, "a": "grüße"}]
    assert registry.subjects() == before


def test_a_second_table_for_a_topic_is_refused_and_nothing_is_registered_of_it(stages, registry):
    stage = stages("avro")
    stage.sql('CREATE TABLE "a b" (id int PRIMARY KEY); CREATE TABLE a_b (other int PRIMARY KEY)')
    with stage.capture() as capture:
        stage.sql('INSERT INTO "a b" VALUES (1)')
        stage.wait_for("a_b", 1)
        before = registry.subjects()
        stage.sql("INSERT INTO a_b VALUES (1)")
        assert capture.wait_exit() != 0
        for words in ("table public.a b", "table public.a_b", f"would share the topic {stage.topic('a_b')}",
                      "source.tables.exclude"):
            assert words in capture.stderr, capture.stderr_tail()
    assert registry.subjects() == before
    assert len(registry.versions(f"{stage.topic('a_b')}-value")) == 1
    assert len(stage.wait_for("a_b", 1)) == 1
