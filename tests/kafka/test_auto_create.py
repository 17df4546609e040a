"""Brokers that create topics by themselves when they are asked for one (auto.create.topics.enable, Kafka's
default): they never make one of ours with settings of theirs. Theirs here are 2 partitions."""

import pytest
from support.capture import run_capture
from support.kafka import CURRENT, OLD
from support.processes import wait_until
from support.stage import strict_json

AUTO = {"auto.create.topics.enable": "true", "num.partitions": "2"}


@pytest.fixture(params=[CURRENT, OLD])
def eager(request, brokers):
    return brokers(request.param, settings=AUTO)


def ours(stage):
    return [t for t in stage.broker.topics() if t.startswith(stage.name)]


def test_every_kind_of_topic_is_made_as_configured(eager, stages):
    stage = stages(eager, kafka_topics_partitions="3", kafka_oversize="dead_letter", kafka_compression="none",
                   kafka_topics_config="retention.ms=3600000,max.message.bytes=20000")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY, body text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1, 'small'); INSERT INTO t "
                  "SELECT 2, string_agg(md5(i::text), '') FROM generate_series(1, 1000) i; "
                  "SELECT pg_logical_emit_message(true, 'note', 'hello')")
        stage.wait_for("t", 1)
        stage.wait_for(f"{stage.prefix}.messages", 1)
        letters = stage.wait_for(f"{stage.prefix}.dead_letters", 1)
        capture.stop()
    assert [strict_json(r.key) for r in letters] == [{"id": 2}]
    made = {t: eager.partitions(t) for t in ours(stage)}
    assert made == {stage.topic("t"): 3, f"{stage.prefix}.messages": 3, f"{stage.prefix}.dead_letters": 3,
                    stage.positions: 1}
    for topic in (stage.topic("t"), f"{stage.prefix}.messages"):
        config = eager.topic_config(topic)
        assert (config["retention.ms"], config["max.message.bytes"]) == ("3600000", "20000")
    assert eager.topic_config(f"{stage.prefix}.dead_letters")["max.message.bytes"] == str(64 << 20)
    assert eager.topic_config(stage.positions)["cleanup.policy"] == "compact"


def test_a_topic_that_is_not_to_be_made_is_not_made_by_looking_for_it(eager, stages):
    stage = stages(eager, kafka_topics_create="false")
    eager.create_topic(stage.positions, config={"cleanup.policy": "compact"})
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        for _ in range(2):      # the second start finds what the first one left
            assert capture.wait_exit(120) == 7, capture.stderr_tail()
            assert stage.topic("t") in capture.stderr_tail(2)
            assert ours(stage) == [stage.positions]
            capture.start()
        capture.wait_exit(120)
        eager.create_topic(stage.topic("t"), partitions=5)
        capture.start()
        assert len(stage.wait_for("t", 1)) == 1
        capture.stop()
    assert eager.partitions(stage.topic("t")) == 5


def test_a_topic_that_is_deleted_is_made_again_as_configured(eager, stages):
    stage = stages(eager, kafka_topics_partitions="3")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture(kafka_properties="topic.metadata.refresh.interval.ms=200") as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for("t", 1)
        eager.delete_topic(stage.topic("t"))
        stage.sql("INSERT INTO t VALUES (2)")
        wait_until(lambda: eager.partitions(stage.topic("t")), 60, "the topic again")
        stage.wait_for("t", 1, timeout=60)
        capture.stop()
    assert eager.partitions(stage.topic("t")) == 3


def test_a_deleted_topic_of_positions_is_not_made_by_storing_into_it(eager, stages):
    stage = stages(eager)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture(kafka_properties="topic.metadata.refresh.interval.ms=200,"
                                        "topic.metadata.propagation.max.ms=1000") as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for("t", 1)
        wait_until(lambda: any(e for _, e in eager.end_offsets(stage.positions).values()), what="a position")
        eager.delete_topic(stage.positions)
        stage.sql("INSERT INTO t VALUES (2)")
        assert capture.wait_exit(120) == 5, capture.stderr_tail()
        assert "its topic was deleted while we ran" in capture.stderr
    assert stage.positions not in ours(stage)


@pytest.mark.parametrize("command", ["check", "peek", "status", "lag", "slots list"])
def test_who_only_looks_leaves_no_topic(eager, stages, command):
    stage = stages(eager)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture(http=True) as capture:
        capture.wait_streaming()
        before = ours(stage)
        env = capture.environment
        if command == "peek":       # it reads from the slot, which must be free
            capture.stop()
            stage.server.wait_free(stage.name)
        run_capture(*command.split(), env=env)
        if command == "peek":
            stage.server.wait_free(stage.name)
        again = run_capture(*command.split(), env=env)
        assert again.returncode in (0, 1), again.stderr
    # Where nothing is there yet, too.
    fresh = {k: v.replace(stage.name, f"{stage.name}_not") if "TOPIC" in k else v for k, v in env.items()}
    run_capture(*command.split(), env=fresh)
    assert ours(stage) == before
