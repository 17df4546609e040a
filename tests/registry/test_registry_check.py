"""What `pg-capture check` says of the schema registry."""

import base64
import json

import pytest
from support.capture import run_capture
from support.processes import free_port
from support.troubled_registry import TroubledRegistry


def findings(server, url, **more):
    """exit code, what is found of the registry"""
    given = {"format_type": "debezium", "format_encoding": "avro", "format_registry_url": url} | more
    done = run_capture("check", "--output", "json", env=server.capture_environment() | {
        "PG_SLOT_NAME": "s", "PG_PUBLICATION": "p"} | {
        f"PG_CAPTURE_{name.upper()}": value for name, value in given.items() if value})
    assert done.stdout.startswith("{"), done.stderr
    found = json.loads(done.stdout)["findings"]
    return done.returncode, [f for f in found if f["id"].startswith("registry")]


def the_one(server, url, level, **more):
    code, found = findings(server, url, **more)
    assert [f["level"] for f in found] == [level], found
    assert (code == 1) == (level == "blocking"), (code, found)
    assert level == "ok" or found[0]["hint"], found
    return found[0]


@pytest.fixture
def registry():
    with TroubledRegistry() as registry:
        yield registry


def test_a_registry_that_answers_and_nothing_is_registered_by_looking(postgres, registry):
    finding = the_one(postgres, registry.url, "ok", format_encoding="json_schema")
    assert registry.url in finding["subject"] and "answers" in finding["message"]
    assert registry.heard == [("GET", "/subjects", None)]
    assert findings(postgres, None, format_encoding="json") == (0, []), "where none is needed, none is looked at"


def test_nobody_there_and_another_that_answers(postgres, registry):
    nobody = f"http://127.0.0.1:{free_port()}"
    finding = the_one(postgres, nobody, "blocking")
    assert nobody in finding["subject"] and "format.registry.url" in finding["hint"]
    code, found = findings(postgres, f"{nobody},{registry.url}")
    assert code == 0 and [f["level"] for f in found] == ["warning", "ok"], found


@pytest.mark.parametrize("status, body, level, words, hint", [
    (401, {"error_code": 40101, "message": "who are you"}, "blocking", "does not accept who we are: who are you",
     "format.registry.password"),
    (403, {"error_code": 40301, "message": "not you"}, "warning", "does not let us list", "register"),
    (404, b"<html>", "blocking", "HTTP 404", "/apis/ccompat/v7"),
    (500, {"error_code": 50001, "message": "no disk"}, "blocking", "no disk", "format.registry.url"),
    (200, b"<html>hello</html>", "blocking", "not what a schema registry says", "format.registry.url"),
    (302, b"", "blocking", "another address", "format.registry.url"),
])
def test_what_answers_otherwise(postgres, registry, status, body, level, words, hint):
    registry.answers(status, body)
    finding = the_one(postgres, registry.url, level, format_registry_username="us", format_registry_password="pass")
    assert words in finding["message"] and hint in finding["hint"], finding
    basic = "Basic " + base64.b64encode(b"us:pass").decode()
    assert registry.heard == [("GET", "/subjects", basic)]
