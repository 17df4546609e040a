"""What a broker refuses: waited for where waiting helps, else reported with everything needed to fix it."""

import time

import pytest
from support.kafka import KafkaBroker
from support.servers import certificates
from support.stage import strict_json

PASSWORD = "refusals-secret"


def ended(capture):
    code = capture.wait_exit(120)
    assert code != 0, capture.stderr_tail()
    return code, capture.stderr


def test_50_a_record_that_is_too_large_stops_and_is_named(any_broker, stages):
    stage = stages(any_broker, kafka_topics_config="max.message.bytes=20000", kafka_compression="none")
    stage.sql("CREATE TABLE docs (id int, part int, body text, PRIMARY KEY (id, part))")
    with stage.capture() as capture:
        stage.sql("INSERT INTO docs VALUES (1, 1, 'small'); "
                  "INSERT INTO docs SELECT 77881, 2, string_agg(md5(i::text), '') FROM generate_series(1, 1000) i;"
                  "INSERT INTO docs VALUES (3, 3, 'after it')")
        code, said = ended(capture)
        records = stage.wait_for("docs", 1)
    assert code == 7
    assert [strict_json(r.key)["id"] for r in records] == [1], "nothing after it may be delivered"
    for word in ("public.docs", "id", "part", "20000", "max.message.bytes", "dead_letter"):
        assert word in said, f"{word} is not said"
    assert "77881" not in said and "c4ca4238a0b9" not in said, "a value of the row is shown"


def test_50_a_record_that_is_too_large_goes_to_the_dead_letters(any_broker, stages):
    stage = stages(any_broker, kafka_oversize="dead_letter", kafka_compression="none",
                   kafka_topics_config="max.message.bytes=20000")
    any_broker.create_topic(f"{stage.prefix}.dead_letters")
    stage.sql("CREATE TABLE docs (id int PRIMARY KEY, body text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO docs SELECT i, CASE WHEN i % 100 = 50 THEN (SELECT string_agg(md5(j::text), '') "
                  "FROM generate_series(1, 1000) j) ELSE 'small' END FROM generate_series(1, 1000) i")
        records = stage.wait_for("docs", 990)
        letters = stage.wait_for(f"{stage.prefix}.dead_letters", 10)
        stage.server.wait_confirmed(stage.name)
        capture.stop()
    # A batch that was sent again for its neighbour's sake may repeat, never miss.
    assert {strict_json(r.key)["id"] for r in records} == {i for i in range(1, 1001) if i % 100 != 50}
    assert {strict_json(r.key)["id"] for r in letters} == set(range(50, 1001, 100))
    for letter in letters:
        assert letter.headers["pgc.topic"].decode() == stage.topic("docs")
        assert b"docs" in letter.headers["pgc.table"]
        assert letter.headers["pgc.reason"] and int(letter.headers["pgc.size"]) > 32000
        assert letter.headers["pgc.lsn"] and letter.headers["pgc.seq"]
        assert len(strict_json(letter.value)["after"]["body"]) == 32000, "it can be replayed"


def test_50_large_records_that_fit_are_delivered(broker, stages):
    stage = stages(broker)
    stage.sql("CREATE TABLE docs (id int PRIMARY KEY, body text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO docs SELECT i, repeat(md5(i::text), 31000) FROM generate_series(1, 30) i")
        records = stage.wait_for("docs", 30)
        capture.stop()
    assert [len(strict_json(r.value)["after"]["body"]) for r in records] == [32 * 31000] * 30


def test_54_a_topic_that_is_missing_and_may_not_be_made_stops(any_broker, stages):
    stage = stages(any_broker, kafka_topics_create="false")
    any_broker.create_topic(stage.positions, config={"cleanup.policy": "compact"})
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        _, said = ended(capture)
        assert stage.topic("t") in said and "kafka.topics.create" in said
        any_broker.create_topic(stage.topic("t"))
        capture.start()
        assert len(stage.wait_for("t", 1)) == 1
        capture.stop()


def test_a_topic_configuration_that_kafka_refuses_stops(broker, stages):
    stage = stages(broker, kafka_topics_config="no.such.setting=1")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        code, said = ended(capture)
    assert code == 2 and "no.such.setting" in said and "kafka.topics.config" in said


@pytest.fixture
def guarded(brokers):
    return brokers(secure=True, users=(("pgc", PASSWORD),))


def as_user(broker):
    return {"bootstrap": broker.sasl_bootstrap, "kafka_security_protocol": "SASL_SSL",
            "kafka_security_mechanism": "SCRAM-SHA-256", "kafka_security_username": "pgc",
            "kafka_security_password": PASSWORD, "kafka_security_ca": certificates() / "ca.crt"}


def test_55_a_right_that_is_taken_away_stops_and_is_named(guarded, stages):
    stage = stages(guarded, **as_user(guarded))
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for("t", 1)
        guarded.deny("pgc", "WRITE", stage.topic("t"))
        stage.sql("INSERT INTO t VALUES (2)")
        _, said = ended(capture)
        assert stage.topic("t") in said and "Write" in said and PASSWORD not in said
        guarded.allow_again(stage.topic("t"))
        capture.start()
        records = stage.wait_for("t", 2)
        assert [strict_json(r.key)["id"] for r in records][-1] == 2
        capture.stop()


def test_55_a_quota_slows_and_loses_nothing(fragile, stages):
    stage = stages(fragile, kafka_buffer_memory=8 << 20, kafka_compression="none")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY, pad text)")
    quota = ["--alter", "--entity-type", "clients", "--entity-default"]
    with stage.capture() as capture:
        fragile.tool("configs", *quota, "--add-config", "producer_byte_rate=400000")
        try:
            stage.sql("INSERT INTO t SELECT i, repeat('x', 400) FROM generate_series(1, 10000) i")
            time.sleep(3)
            assert capture.running and capture.resident_mib() < 64
            topic = stage.topic("t")
            ends = fragile.end_offsets(topic) if fragile.partitions(topic) else {0: (0, 0)}
            assert ends[0][1] < 10000, "the quota did not slow it"
        finally:
            fragile.tool("configs", *quota, "--delete-config", "producer_byte_rate")
        records = stage.wait_for("t", 10000, timeout=120)
        capture.stop()
    assert [strict_json(r.key)["id"] for r in records] == list(range(1, 10001))


def test_58_a_lost_position_topic_stops(any_broker, stages):
    stage = stages(any_broker)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for("t", 1)
        capture.stop()
        any_broker.delete_topic(stage.positions)
        capture.start()
        code, said = ended(capture)
    assert code == 5 and stage.positions in said
