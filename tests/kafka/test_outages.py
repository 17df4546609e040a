"""The broker, the network or PostgreSQL goes away under load and comes back.

Each time: streaming again in less than 2 s after the peer answers, nothing missing, order per
key kept, memory within the budget. Outages are short here and 60 s nightly.
"""

import contextlib
import signal
import time

import pytest
from support.kafka import KafkaBroker
from support.processes import wait_until
from support.servers import CutProxy, PostgresServer
from support.stage import strict_json

RATE = 5000
LONG = pytest.param(60, marks=pytest.mark.nightly, id="long")
# 8 MiB are full after some seconds, so that the reading of WAL does stop.
OPTIONS = {"kafka_topics_config": "message.timestamp.type=LogAppendTime",
           "kafka_buffer_memory": 8 << 20}
RECOVERY_MAX_MS = 2000
# For what a client of another make takes to get an answer from the broker: on a slow machine all
# that has to happen takes longer.
TIMES_AN_ANSWER = 20
MEMORY_MAX_MIB = 64


class Outage:
    """Load on a stage; begin() and end() of an outage, and the verdict."""

    def __init__(self, stage, capture, audience, writer):
        self.stage, self.capture, self.audience, self.writer = stage, capture, audience, writer
        self.broken_ms = self.healed_ms = None
        # A broker of several may not know all partitions of a topic that was just made: what was
        # sent then comes again, before anything has failed.
        self.repeats_before = audience.repeats

    def begin(self):
        self.broken_ms = time.time() * 1000 + 200

    def end(self):
        self.healed_ms = time.time() * 1000

    def slack_ms(self):
        """How much longer than on a fast machine it may take: the slowest of some answers counts."""
        slowest = 0.0
        for _ in range(5):
            self.stage.broker.forget_admin()
            began = time.monotonic()
            self.stage.broker.topics()
            slowest = max(slowest, time.monotonic() - began)
        return TIMES_AN_ANSWER * slowest * 1000

    def verdict(self, repeats_allowed=True):
        audience = self.audience
        wait_until(lambda: audience.resumed_after_ms(self.broken_ms, self.healed_ms) is not None,
                   60, f"the stream again\n{self.capture.stderr_tail()}")
        slack = self.slack_ms()
        recovery = audience.resumed_after_ms(self.broken_ms, self.healed_ms)
        repeats = audience.finish(self.writer, self.capture)
        peak = self.capture.resident_mib()
        self.capture.stop()
        print(f"streaming again {recovery:.0f} ms after the peer answered (slack {slack:.0f} ms), {audience.messages} records, "
              f"none missing, {repeats} repeats, peak memory {peak:.0f} MiB")
        assert recovery < RECOVERY_MAX_MS + slack, self.capture.stderr_tail()
        assert peak < MEMORY_MAX_MIB
        assert repeats_allowed or repeats == self.repeats_before
        return repeats


@pytest.fixture
def load():
    """Calls give an Outage on a stage that is streaming under load."""
    opened = []

    def start(stage, **options):
        capture = stage.capture()
        audience = stage.audience()
        opened.append(audience)
        writer = stage.writer(**{"rate": RATE, "batch": 50, "pad": 600, **options})
        audience.wait_for_more(2000)
        return Outage(stage, capture, audience, writer)

    yield start
    for audience in opened:
        with contextlib.suppress(Exception):    # the test has failed for it already
            audience.close()


@pytest.mark.parametrize("seconds", [5, LONG])
def test_the_broker_is_stopped(fragile, stages, load, seconds):
    outage = load(stages(fragile, **OPTIONS))
    fragile.stop()
    outage.begin()
    time.sleep(seconds)
    fragile.start()
    outage.end()
    outage.verdict(repeats_allowed=False)


@pytest.mark.parametrize("seconds", [1, LONG])
def test_the_broker_is_killed(fragile, stages, load, seconds):
    outage = load(stages(fragile, **OPTIONS))
    fragile.crash()
    outage.begin()
    time.sleep(seconds)
    fragile.start()
    outage.end()
    outage.verdict()
    assert "Kafka" in outage.capture.stderr


@pytest.mark.parametrize("seconds", [9, LONG])
def test_7_a_broker_that_stands_still_costs_neither_memory_nor_the_connection(stages, seconds):
    """Frozen for longer than wal_sender_timeout: the feedback to PostgreSQL goes on."""
    with PostgresServer("15", settings={"wal_sender_timeout": "3s"}) as server, KafkaBroker() as broker:
        stage = stages(broker, server, replication_keepalive_interval_secs="1", **OPTIONS)
        with stage.capture() as capture, stage.audience() as audience:
            writer = stage.writer(rate=RATE, batch=50, pad=600)
            audience.wait_for_more(2000)
            pid = server.slot(stage.name)["active_pid"]
            broker.freeze()
            time.sleep(seconds)
            assert server.slot(stage.name)["active_pid"] == pid, "the connection did not survive"
            assert capture.resident_mib() < MEMORY_MAX_MIB
            broker.resume()
            audience.finish(writer, capture)
            assert server.slot(stage.name)["active_pid"] == pid, capture.stderr_tail()
            assert capture.resident_mib() < MEMORY_MAX_MIB
            capture.stop()
        stage.close()


@pytest.mark.parametrize("direction", ["to_client", "to_server", "both"])
def test_9_the_connection_to_the_broker_freezes(fragile, stages, load, direction):
    outage = load(stages(fragile, bootstrap=fragile.proxied_bootstrap, **OPTIONS))
    fragile.proxy.freeze(direction)
    outage.begin()
    time.sleep(3)
    fragile.proxy.resume()
    outage.end()
    outage.verdict(repeats_allowed=False)


def test_9_the_connection_to_the_broker_is_cut_again_and_again(fragile, stages, load):
    outage = load(stages(fragile, bootstrap=fragile.proxied_bootstrap, **OPTIONS))
    for wait in (0.1, 0.6, 0.3, 0.9, 0.2):
        fragile.proxy.cut()
        time.sleep(wait)
    fragile.proxy.refuse()
    fragile.proxy.cut()
    outage.begin()
    time.sleep(2)
    fragile.proxy.accept()
    outage.end()
    outage.verdict(repeats_allowed=False)


def test_12_postgres_crashes(stages, load, broker):
    with PostgresServer("15", settings={"max_wal_size": "4GB"}) as server:
        stage = stages(broker, server, **OPTIONS)
        outage = load(stage)
        server.stop("immediate")
        outage.begin()
        time.sleep(2)
        server.start()
        wait_until(server.accepts_connections, 60, "PostgreSQL")
        outage.end()
        outage.verdict()
        stage.close()


def test_9_the_connection_to_postgres_is_cut(stages, load, broker, postgres):
    with CutProxy(postgres.host, postgres.port) as proxy:
        stage = stages(broker, postgres_host=proxy.host, postgres_port=proxy.port, **OPTIONS)
        outage = load(stage)
        proxy.freeze()
        time.sleep(1)
        proxy.refuse()
        proxy.cut()
        outage.begin()
        time.sleep(1)
        proxy.resume()
        proxy.accept()
        outage.end()
        outage.verdict()


def end_that_stays(broker, topic):
    """The offset after the last record, once it has not moved for a second and a half."""
    ends = []

    def stays():
        ends.append(broker.end_offsets(topic)[0][1])
        return len(ends) > 3 and len(set(ends[-4:])) == 1
    wait_until(stays, what="the topic's end", interval=0.5)
    return ends[-1]


def test_54_a_topic_that_is_deleted_is_made_again_and_misses_nothing_from_then_on(fragile, stages, load):
    """pg-capture stands still while the consumer reads the old topic up: whatever was not in
    it must be in the new one.
    """
    stage = stages(fragile, **OPTIONS)
    outage = load(stage)
    audience, topic = outage.audience, stage.topic("history")
    outage.capture.signal(signal.SIGSTOP)
    old = end_that_stays(fragile, topic)    # whatever lay in sockets is in
    wait_until(lambda: audience.messages >= old, what="the old topic's end")
    fragile.delete_topic(topic)
    audience.reopen()
    outage.begin()
    outage.capture.signal(signal.SIGCONT)
    outage.end()
    wait_until(lambda: fragile.partitions(topic), 60, f"the topic again\n{outage.capture.stderr_tail()}")
    outage.verdict()
    assert fragile.end_offsets(topic)[0][1] >= 200


def test_54_a_topic_deleted_under_load(fragile, stages, load):
    """What was in the topic is gone by the will of whoever deleted it; the stream goes on, and
    from its first record on the new topic lacks nothing.
    """
    stage = stages(fragile, **OPTIONS)
    outage = load(stage)
    topic = stage.topic("history")
    fragile.delete_topic(topic)
    outage.audience.close()
    wait_until(lambda: fragile.partitions(topic), 60, f"the topic again\n{outage.capture.stderr_tail()}")
    wait_until(lambda: fragile.end_offsets(topic)[0][1] >= 2000, what="records in it")
    outage.writer.finish()
    versions = outage.writer.versions
    last = {}

    def see_all():
        last.clear()
        for record in fragile.read_all(topic):
            row = strict_json(record.value)["after"]
            assert row["n"] <= last.get(row["k"], row["n"]) + 1, f"a version of key {row['k']} is missing"
            last[row["k"]] = row["n"]
        return all(last.get(k, n) == n for k, n in versions.items()) and last

    wait_until(see_all, 60, f"the last changes\n{outage.capture.stderr_tail()}", interval=0.3)
    assert len(last) > 100
    outage.capture.stop()


@pytest.fixture(scope="module")
def cluster():
    """Two brokers; the second may go away, the first is also the controller."""
    with KafkaBroker(settings={"replica.lag.time.max.ms": 2000}) as one, \
            KafkaBroker(controller=one, node=2, settings={"replica.lag.time.max.ms": 2000}) as two:
        one.bootstrap_all = f"{one.bootstrap},{two.bootstrap}"
        yield one, two
        if two.running is False:
            two.start()


def in_sync(broker, topic):
    known = broker.metadata().topics.get(topic)
    return sum(len(p.isrs) for p in known.partitions.values()) if known else 0


def test_52_a_rolling_restart_moves_leaders_and_repeats_nothing(cluster, stages, load):
    one, two = cluster
    stage = stages(one, bootstrap=one.bootstrap_all, kafka_topics_partitions="2",
                   kafka_topics_replication_factor="2", **OPTIONS)
    outage = load(stage)
    topic = stage.topic("history")
    for broker, other in ((two, one), (one, two)):
        wait_until(lambda: in_sync(other, topic) == 4, 60, "both replicas in sync")
        outage.begin()
        broker.restart()
        outage.end()
        outage.audience.wait_for_more(2000)
    wait_until(lambda: in_sync(one, topic) == 4, 60, "both replicas in sync")
    outage.verdict(repeats_allowed=False)


def test_52_the_leader_of_a_partition_is_killed(cluster, stages, load):
    one, two = cluster
    stage = stages(one, bootstrap=one.bootstrap_all, kafka_topics_partitions="2",
                   kafka_topics_replication_factor="2", **OPTIONS)
    outage = load(stage)
    wait_until(lambda: in_sync(one, stage.topic("history")) == 4, 60, "both replicas in sync")
    two.crash()
    wait_until(lambda: set(one.leaders(stage.topic("history")).values()) == {1}, 60, "the new leader")
    outage.begin()
    outage.end()
    outage.audience.wait_for_more(2000)
    two.start()
    outage.verdict()


def test_52_a_partition_without_a_leader_is_waited_for(cluster, stages, load):
    one, two = cluster
    stage = stages(one, bootstrap=one.bootstrap_all, kafka_topics_partitions="2",
                   kafka_topics_replication_factor="1", **OPTIONS)
    outage = load(stage)
    two.stop()
    outage.begin()
    time.sleep(3)
    two.start()
    wait_until(lambda: -1 not in one.leaders(stage.topic("history")).values(), 60, "a leader")
    outage.end()
    outage.verdict(repeats_allowed=False)


def test_55_not_enough_replicas_is_waited_for(cluster, stages, load):
    one, two = cluster
    stage = stages(one, bootstrap=one.bootstrap_all, kafka_topics_replication_factor="2",
                   kafka_topics_config=OPTIONS["kafka_topics_config"] + ",min.insync.replicas=2",
                   kafka_buffer_memory=OPTIONS["kafka_buffer_memory"])
    outage = load(stage)
    topic = stage.topic("history")
    wait_until(lambda: in_sync(one, topic) == 2, 60, "both replicas in sync")
    two.crash()
    wait_until(lambda: in_sync(one, topic) == 1, 60, "one replica")
    time.sleep(2)
    outage.begin()
    time.sleep(2)
    assert outage.capture.running, outage.capture.stderr_tail()
    two.start()
    wait_until(lambda: in_sync(one, topic) == 2, 60, "both replicas in sync")
    outage.end()
    outage.verdict()
