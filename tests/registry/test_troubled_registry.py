"""A registry that answers wrongly, late or with a refusal, while some hundred changes come: none is lost,
what is wrong is said, and no memory is needed for it."""

import pytest
from support.processes import wait_until
from support.readers import ConfluentReader
from support.troubled_registry import TroubledRegistry

from test_registry import health

ROWS = 400
QUICK = {"format_registry_timeout_ms": "400", "format_registry_retry_backoff_max_ms": "200"}
INTERNAL = {"error_code": 50001, "message": "Error in the backend data store"}
INCOMPATIBLE = {"error_code": 40901, "message": "Schema being registered is incompatible"}
INVALID = {"error_code": 42201, "message": "Invalid schema"}
ENCODINGS = pytest.mark.parametrize("encoding", ["avro", "protobuf"])


@pytest.fixture
def troubled():
    with TroubledRegistry() as registry:
        yield registry


def ids(stage, registry, encoding, table, count):
    records = stage.wait_for(table, count)
    with ConfluentReader(registry, encoding) as reader:
        return [reader.read(record)[1]["after"]["id"] for record in records]


@ENCODINGS
@pytest.mark.parametrize("trouble, words", [
    (lambda registry: registry.answers(500, INTERNAL), "Error in the backend data store (error code 50001)"),
    (lambda registry: registry.answers(200, b'{"id": "seven"}'), "not what a schema registry says"),
    (lambda registry: registry.answers(502, b"<html>" + b"x" * 100_000), "HTTP 502"),
    (lambda registry: registry.is_late_by(0.8), "schema registry"),
], ids=["500", "nonsense", "502", "late"])
def test_it_waits_says_why_and_loses_nothing(stages, troubled, encoding, trouble, words):
    stage = stages(encoding, format_registry_url=troubled.url, **QUICK)
    stage.sql("CREATE TABLE known (id int PRIMARY KEY); CREATE TABLE unknown (id int PRIMARY KEY, t text)")
    with stage.capture(http=True) as capture:
        stage.sql("INSERT INTO known VALUES (0)")
        stage.wait_for("known", 1)
        trouble(troubled)
        before = capture.resident_mib("VmRSS")
        stage.sql(f"INSERT INTO known SELECT generate_series(1, {ROWS})")
        stage.sql(f"INSERT INTO unknown SELECT i, repeat('x', 1000) FROM generate_series(1, {ROWS}) i")
        stage.wait_for("known", ROWS + 1)
        wait_until(lambda: words in health(capture), what=words)
        assert troubled.url in health(capture)
        assert capture.running and capture.resident_mib("VmRSS") < before + 20
        troubled.recovers()
        assert ids(stage, troubled, encoding, "unknown", ROWS) == list(range(1, ROWS + 1))
        assert ids(stage, troubled, encoding, "known", ROWS + 1) == list(range(ROWS + 1))
        wait_until(lambda: words not in health(capture), what="no more word of it")
        capture.stop()


# Of Protobuf the first question is which versions there are.
@pytest.mark.parametrize("encoding, refused, status, said, asked", [
    ("avro", "POST", 409, INCOMPATIBLE, 2), ("avro", "POST", 422, INVALID, 1),
    ("protobuf", "POST", 409, INCOMPATIBLE, 3), ("protobuf", "POST", 422, INVALID, 2),
    ("protobuf", "GET", 422, INVALID, 1)])
def test_a_refusal_stops_it_and_the_next_start_goes_on(stages, troubled, encoding, refused, status, said, asked):
    stage = stages(encoding, format_registry_url=troubled.url, schema_change="fail", **QUICK)
    stage.sql("CREATE TABLE r (id int PRIMARY KEY)")
    with stage.capture() as capture:
        troubled.answers(status, said, to=refused)
        stage.sql(f"INSERT INTO r SELECT generate_series(1, {ROWS})")
        assert capture.wait_exit() != 0
        assert f"{said['message']} (error code {said['error_code']})" in capture.stderr
        assert f"{stage.topic('r')}-key" in capture.stderr
    assert len(troubled.heard) == asked
    troubled.recovers()
    stage.sql(f"INSERT INTO r VALUES ({ROWS + 1})")
    with stage.capture() as capture:
        assert ids(stage, troubled, encoding, "r", ROWS + 1) == list(range(1, ROWS + 2))
        capture.stop()


@pytest.mark.parametrize("encoding, refused", [("avro", "POST"), ("protobuf", "POST"), ("protobuf", "GET")])
def test_with_pause_whatever_is_refused_is_waited_for(stages, troubled, encoding, refused):
    stage = stages(encoding, format_registry_url=troubled.url, schema_change="pause", **QUICK)
    stage.sql("CREATE TABLE r (id int PRIMARY KEY)")
    words = "Invalid schema (error code 42201)"
    with stage.capture(http=True) as capture:
        troubled.answers(422, INVALID, to=refused)
        stage.sql(f"INSERT INTO r SELECT generate_series(1, {ROWS})")
        wait_until(lambda: words in health(capture), what=words)
        before = len(troubled.heard)
        wait_until(lambda: len(troubled.heard) > before + 2, what="it is asked again and again")
        assert capture.running and words in health(capture)
        troubled.recovers()
        assert ids(stage, troubled, encoding, "r", ROWS) == list(range(1, ROWS + 1))
        wait_until(lambda: words not in health(capture), what="no more word of it")
        capture.stop()
