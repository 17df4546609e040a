"""`pg-capture check` of broken Kafka set-ups: each finding's hint, applied as it stands, makes it
pass. Commands among the hints are run with Kafka's own tools."""

import json
import re
import shlex
import time

import pytest
from support.capture import run_capture
from support.kafka import OLD, KafkaBroker
from support.processes import PATIENCE, free_port, wait_until
from support.servers import PostgresServer, certificates

SECRET = "s3cr3t-p1anted"
TOPIC, POSITIONS = "cdc.public.users", "pg-capture.positions"


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE users (id int PRIMARY KEY, name text)", db="shop")
        yield server


@pytest.fixture(scope="module")
def broker():
    with KafkaBroker(secure=True, users={"cdc": SECRET}) as broker:
        yield broker


@pytest.fixture(autouse=True)
def without_topics(request):
    """Each test begins with an empty cluster."""
    yield
    if "broker" in request.fixturenames:
        broker = request.getfixturevalue("broker")
        for topic in broker.topics():
            broker.delete_topic(topic)


def environment(server, brokers, **more):
    return server.capture_environment("shop") | {
        "PG_CAPTURE_SINK": "kafka", "KAFKA_BROKERS": brokers, "PG_CONNECT_TIMEOUT_SECS": "5"} | more


def sasl(server, broker, **more):
    return environment(server, broker.sasl_bootstrap, PG_CAPTURE_KAFKA_SECURITY_PROTOCOL="SASL_SSL",
                       PG_CAPTURE_KAFKA_SECURITY_MECHANISM="SCRAM-SHA-512",
                       PG_CAPTURE_KAFKA_SECURITY_USERNAME="cdc",
                       PG_CAPTURE_KAFKA_SECURITY_PASSWORD=SECRET,
                       PG_CAPTURE_KAFKA_SECURITY_CA=str(certificates() / "ca.crt"), **more)


def check(env, timeout=120):
    """exit code, findings about Kafka"""
    done = run_capture("check", "--output", "json", env=env, timeout=timeout)
    assert done.stdout.startswith("{"), done.stderr
    assert SECRET not in done.stdout + done.stderr
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, [f for f in findings if f["id"].startswith("kafka")]


def only(env, level="blocking"):
    """The one finding that is not ok; it has a hint."""
    code, findings = check(env)
    found = [f for f in findings if f["level"] != "ok"]
    assert len(found) == 1 and found[0]["level"] == level and found[0]["hint"], findings
    assert code == (1 if level == "blocking" else 0)
    return found[0]


def good(env):
    code, findings = check(env)
    wrong = [f for f in findings if f["level"] != "ok"]
    assert code == 0 and not wrong, (code, wrong)
    return findings


def eventually(look, *arguments):
    """look(*arguments), once the broker goes by what it was given: it does so a moment later."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return look(*arguments)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def apply(broker, hint):
    """Runs every command in a hint."""
    commands = re.findall(r"kafka-(\w+)\.sh --bootstrap-server \S+ ([^;()]+?)(?=\)|;|$)", hint)
    assert commands, hint
    for tool, arguments in commands:
        broker.tool(tool, *shlex.split(arguments))


# -- reaching it -----------------------------------------------------------------------

def test_a_good_set_up_passes_for_people_and_programs(server, broker):
    env = environment(server, broker.bootstrap)
    ids = [f["id"] for f in good(env)]
    assert {"kafka_broker", "kafka_cluster", "kafka_topic", "kafka_position_topic"} <= set(ids)
    text = run_capture("check", env=env)
    assert text.returncode == 0 and "Ready to follow" in text.stdout
    assert broker.topics() == []        # it has only looked
    good(sasl(server, broker))


def test_the_old_broker_passes_too(server):
    with KafkaBroker(OLD) as old:
        env = environment(server, old.bootstrap)
        findings = good(env)
        assert any("Kafka 2.8" in f["message"] for f in findings), findings
        old.create_topic(POSITIONS, partitions=3)
        apply(old, eventually(only, env)["hint"])
        eventually(good, env)


def test_wrong_port(server, broker):
    began = time.monotonic()
    finding = only(environment(server, f"127.0.0.1:{free_port()}"))
    assert finding["id"] == "kafka_broker" and "refused" in finding["message"]
    assert "kafka.brokers" in finding["hint"] and time.monotonic() - began < 30
    good(environment(server, broker.bootstrap))


def test_one_of_two_addresses_is_enough_to_begin(server, broker):
    wrong = f"127.0.0.1:{free_port()}"
    finding = only(environment(server, f"{wrong},{broker.bootstrap}"), "warning")
    assert wrong in finding["subject"]


def test_a_name_that_nobody_knows(server):
    finding = only(environment(server, "no-such-host.invalid:9092",
                               PG_CAPTURE_KAFKA_SECURITY_PROTOCOL="SSL"))
    assert "no-such-host.invalid" in json.dumps(finding) and "kafka.brokers" in finding["hint"]


def test_wrong_password(server, broker):
    finding = only(sasl(server, broker) | {"PG_CAPTURE_KAFKA_SECURITY_PASSWORD": "hidden-wrong"})
    assert "hidden" not in json.dumps(finding) and "uthentication" in finding["message"]
    assert "password" in finding["hint"]
    good(sasl(server, broker))


def test_tls_refused(server, broker):
    other = str(certificates() / "other_ca.crt")
    finding = only(sasl(server, broker) | {"PG_CAPTURE_KAFKA_SECURITY_CA": other})
    assert "certificate" in finding["message"] and "kafka.security.ca" in finding["hint"]
    good(sasl(server, broker))


@pytest.mark.parametrize("address, protocol", [("ssl_bootstrap", "PLAINTEXT"), ("bootstrap", "SSL")])
def test_another_protocol_than_the_listener_speaks(server, broker, address, protocol):
    finding = only(environment(server, getattr(broker, address),
                               PG_CAPTURE_KAFKA_SECURITY_PROTOCOL=protocol))
    assert "kafka.security.protocol" in finding["hint"], finding


def test_no_client_certificate(server, broker):
    env = environment(server, broker.ssl_bootstrap, PG_CAPTURE_KAFKA_SECURITY_PROTOCOL="SSL",
                      PG_CAPTURE_KAFKA_SECURITY_CA=str(certificates() / "ca.crt"))
    assert only(env)["hint"]
    good(env | {"PG_CAPTURE_KAFKA_SECURITY_CERTIFICATE": str(certificates() / "client.crt"),
                "PG_CAPTURE_KAFKA_SECURITY_KEY": str(certificates() / "client.key")})


def test_a_broker_that_says_nothing_is_given_up(server):
    with KafkaBroker() as frozen:
        frozen.freeze()
        try:
            began = time.monotonic()
            finding = only(environment(server, frozen.bootstrap, PG_CONNECT_TIMEOUT_SECS="3"))
            assert finding["id"] == "kafka_broker" and time.monotonic() - began < 30
        finally:
            frozen.resume()


def test_addresses_that_the_broker_advertises_but_nobody_reaches(server):
    with KafkaBroker(proxied=True) as broker:
        good(environment(server, broker.address("PROXIED")))
        broker.proxy.close()
        finding = only(environment(server, broker.address("PROXIED")))
        assert finding["id"] == "kafka_advertised" and "advertised.listeners" in finding["hint"]


# -- topics ----------------------------------------------------------------------------

def no_topic_of_positions(env):
    """Beside what else is missing."""
    found = [f for f in check(env)[1] if f["id"] == "kafka_position_topic" and f["level"] != "ok"]
    assert len(found) == 1 and found[0]["level"] == "blocking", found
    return found[0]


def test_a_missing_topic_that_is_not_to_be_created(server, broker):
    env = environment(server, broker.bootstrap, PG_CAPTURE_KAFKA_TOPICS_CREATE="false",
                      PG_CAPTURE_KAFKA_TOPICS_PARTITIONS="3")
    positions = eventually(no_topic_of_positions, env)
    assert "pg-capture adopt" in positions["hint"]
    apply(broker, positions["hint"])
    wait_until(lambda: broker.partitions(POSITIONS) == 1, what="the topic to be known")
    finding = eventually(only, env)
    assert finding["id"] == "kafka_topic" and TOPIC in finding["subject"]
    apply(broker, finding["hint"])
    wait_until(lambda: broker.partitions(TOPIC) == 3, what="the topic to be known")
    eventually(good, env)


def test_more_replicas_than_brokers(server, broker):
    env = environment(server, broker.bootstrap, PG_CAPTURE_KAFKA_TOPICS_REPLICATION_FACTOR="3")
    broker.create_topic(POSITIONS, config={"cleanup.policy": "compact"})
    finding = eventually(only, env)
    assert "kafka.topics.replication_factor" in finding["hint"]
    eventually(good, env | {"PG_CAPTURE_KAFKA_TOPICS_REPLICATION_FACTOR": "1"})


def test_a_topic_configuration_that_is_none(server, broker):
    env = environment(server, broker.bootstrap, PG_CAPTURE_KAFKA_TOPICS_CONFIG="retention.ms=never")
    finding = eventually(only, env)
    assert finding["id"] == "kafka_topic" and "kafka.topics.config" in finding["hint"]
    eventually(good, env | {"PG_CAPTURE_KAFKA_TOPICS_CONFIG": "retention.ms=1000"})


def test_more_replicas_in_sync_asked_for_than_there_are(server, broker):
    broker.create_topic(TOPIC, config={"min.insync.replicas": "2"})
    finding = eventually(only, environment(server, broker.bootstrap))
    assert "min.insync.replicas" in finding["message"]
    apply(broker, finding["hint"])
    eventually(good, environment(server, broker.bootstrap))


def test_a_topic_that_takes_only_small_batches(server, broker):
    broker.create_topic(TOPIC, config={"max.message.bytes": "1000"})
    apply(broker, eventually(only, environment(server, broker.bootstrap), "warning")["hint"])
    eventually(good, environment(server, broker.bootstrap))


def test_a_fixed_partition_that_is_not_there(server, broker):
    broker.create_topic(TOPIC, partitions=2)
    env = environment(server, broker.bootstrap, PG_CAPTURE_KAFKA_PARTITIONER="fixed",
                      PG_CAPTURE_KAFKA_TOPICS_PARTITIONS="5")
    assert "below 2" in eventually(only, env | {"PG_CAPTURE_KAFKA_FIXED_PARTITION": "2"})["hint"]
    eventually(good, env | {"PG_CAPTURE_KAFKA_FIXED_PARTITION": "1"})


def test_positions_in_three_partitions(server, broker):
    broker.create_topic(POSITIONS, partitions=3, config={"cleanup.policy": "compact"})
    env = environment(server, broker.bootstrap)
    finding = eventually(only, env)
    assert finding["id"] == "kafka_position_topic" and "3 partitions" in finding["message"]
    apply(broker, finding["hint"])
    wait_until(lambda: POSITIONS not in broker.topics(), 60, "the topic to be gone")
    assert "pg-capture adopt creates it again" in finding["hint"]
    adopted = run_capture("adopt", env=env)
    assert adopted.returncode == 0, adopted.stderr
    wait_until(lambda: broker.partitions(POSITIONS) == 1, 60, "the new topic to be known")
    eventually(good, env)


def test_positions_that_would_age_away(server, broker, tmp_path):
    broker.create_topic(POSITIONS)
    finding = eventually(only, environment(server, broker.bootstrap))
    assert "cleanup.policy" in finding["message"]
    apply(broker, finding["hint"])
    eventually(good, environment(server, broker.bootstrap))
    # With a file nobody needs the topic.
    broker.set_topic_config(POSITIONS, cleanup_policy="delete")
    eventually(good, environment(server, broker.bootstrap, REPLICATION_CHECKPOINT_FILE=str(tmp_path / "p")))


def test_dead_letters(server, broker):
    env = environment(server, broker.bootstrap, PG_CAPTURE_KAFKA_OVERSIZE="dead_letter")
    assert any(f["id"] == "kafka_dead_letter_topic" for f in good(env))
    broker.create_topic("cdc.dead_letters")
    finding = eventually(only, env, "warning")
    apply(broker, finding["hint"])
    eventually(good, env)


# -- rights ----------------------------------------------------------------------------

@pytest.mark.parametrize("topic", [TOPIC, POSITIONS])
@pytest.mark.parametrize("there", [True, False])
def test_missing_rights(server, broker, topic, there):
    """A topic on which only somebody else has rights is closed to us."""
    if there:
        broker.create_topic(topic, config={"cleanup.policy": "compact"})
    broker.tool("acls", "--add", "--allow-principal", "User:somebody", "--operation", "All",
                "--topic", topic)
    try:
        finding = eventually(only, sasl(server, broker))
        assert topic in finding["subject"] and "kafka-acls.sh" in finding["hint"]
        apply(broker, finding["hint"])
        eventually(good, sasl(server, broker))
    finally:
        broker.allow_again(topic)


# -- what is allowed, but not without a word -------------------------------------------

def test_weak_acks_are_warned_of(server, broker):
    finding = eventually(only, environment(server, broker.bootstrap, KAFKA_ACKS="1"), "warning")
    assert finding["id"] == "kafka_acks" and "may be lost" in finding["message"]
