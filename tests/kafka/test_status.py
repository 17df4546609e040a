"""`pg-capture status` of an instance that writes to Kafka."""

import json
import math

import pytest
from support.capture import run_capture
from support.kafka import KafkaBroker
from support.processes import free_port, wait_until
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
            wait_until(lambda: capture.metric("cdc_sink_records_total") == 1, what="delivery")
            shown = status(capture)
            assert shown["sink"] == {"kind": "kafka", "state": "ready"} and shown["waits_for"] is None
            broker.freeze()
            try:
                server.psql("INSERT INTO t VALUES (2)", db="shop")
                wait_until(lambda: status(capture)["sink"]["state"] == "waiting", what="the outage")
                shown = status(capture)
                assert shown["waits_for"].startswith("Kafka: ") and shown["live"]
                text = run_capture("status", env=capture.environment).stdout
                assert "waits for" in text and "kafka, waiting" in text
            finally:
                broker.resume()
            wait_until(lambda: status(capture)["waits_for"] is None, what="its end")
            capture.stop()


@pytest.mark.parametrize("delivery, row", [("at_least_once", 10), ("exactly_once", 20)])
def test_7_a_broker_that_stands_still_blocks_the_stream_until_it_goes_on(server, delivery, row):
    with KafkaBroker() as broker:
        env = server.capture_environment("shop") | {"KAFKA_BROKERS": broker.bootstrap,
                                                    "PG_CAPTURE_DELIVERY": delivery}
        with Capture(env, slot=delivery, sink="kafka") as capture:
            capture.wait_streaming()
            server.psql(f"INSERT INTO t VALUES ({row})", db="shop")
            wait_until(lambda: capture.metric("cdc_sink_records_total") == 1, what="delivery")
            wait_until(lambda: status(capture)["stream"]["state"] == "idle", what="it to be idle")
            broker.freeze()
            try:
                server.psql(f"INSERT INTO t VALUES ({row + 1})", db="shop")
                wait_until(lambda: capture.metric('cdc_stream_state{state="blocked"}') == 1, what="it to be blocked")
                shown = status(capture)
                assert shown["stream"]["state"] == "blocked" and shown["stream"]["seconds"] >= 10
                assert shown["waits_on"] == "sink" and shown["waits_for"].startswith("Kafka: ") and shown["live"]
                assert "stream        blocked for" in run_capture("status", env=capture.environment).stdout
            finally:
                broker.resume()
            capture.wait_for_log("the stream moves again")
            wait_until(lambda: status(capture)["stream"]["state"] == "idle", what="it to be idle again")
            assert status(capture)["waits_on"] is None
            assert capture.stderr.count("the stream is blocked") == 1
            assert capture.metric("cdc_sink_records_total") == 2
            capture.stop()
    server.drop_slot(delivery)


def test_a_broker_that_is_away_at_the_start_is_no_lag_of_zero(server):
    """What was written before is unknown to us, not nothing."""
    env = server.capture_environment("shop") | {"KAFKA_BROKERS": f"127.0.0.1:{free_port()}"}
    server.psql("SELECT pg_create_logical_replication_slot('absent', 'pgoutput')", db="shop")
    server.psql("CREATE TABLE much (t text); INSERT INTO much SELECT repeat('x', 1000)"
                " FROM generate_series(1, 20000)", db="shop")
    with Capture(env, slot="absent", sink="kafka") as capture:
        wait_until(lambda: capture.metric("cdc_pipeline_state") == 1, what="an answer")
        wait_until(lambda: status(capture)["failed_attempts"] > 0, what="attempts")
        shown = status(capture)
        assert shown["lag_seconds"] is None and shown["behind_bytes"] is None
        assert shown["state"] == "connecting" and shown["waits_on"] == "store"
        assert shown["waits_for"].startswith("the stored position")
        assert math.isnan(capture.metric("cdc_replication_lag_bytes"))
        assert capture.metric("cdc_kafka_waiting") == 1
        assert capture.metric('cdc_pipeline_waiting{on="store"}') == 1
        assert capture.metric("cdc_failed_attempts") > 0
    server.drop_slot("absent")
