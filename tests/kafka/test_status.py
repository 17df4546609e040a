"""`pg-capture status` of an instance that writes to Kafka."""

import json

import pytest
from support.capture import run_capture
from support.kafka import KafkaBroker
from support.processes import wait_until
from support.servers import Capture, PostgresServer


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE t (id int PRIMARY KEY)", db="shop")
        yield server


def status(capture):
    done = run_capture("status", "--output", "json", env=capture.environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_broker_that_is_away_is_named_until_it_answers(server):
    with KafkaBroker() as broker:
        env = server.capture_environment("shop") | {"KAFKA_BROKERS": broker.bootstrap}
        with Capture(env, slot="status", sink="kafka") as capture:
            capture.wait_streaming()
            server.psql("INSERT INTO t VALUES (1)", db="shop")
            wait_until(lambda: capture.metric("cdc_sink_records_total") == 1, 20, "delivery")
            told = status(capture)
            assert told["sink"] == {"kind": "kafka", "state": "ready"} and told["waits_for"] is None
            broker.freeze()
            try:
                server.psql("INSERT INTO t VALUES (2)", db="shop")
                wait_until(lambda: status(capture)["sink"]["state"] == "waiting", 20, "the outage")
                told = status(capture)
                assert told["waits_for"].startswith("Kafka: ") and told["live"]
                text = run_capture("status", env=capture.environment).stdout
                assert "waits for" in text and "kafka, waiting" in text
            finally:
                broker.resume()
            wait_until(lambda: status(capture)["waits_for"] is None, 30, "its end")
            capture.stop()
