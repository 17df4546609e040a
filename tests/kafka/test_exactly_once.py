"""delivery: exactly_once: whatever is killed, a reader of committed records sees each change once.

The independent consumer reads committed records only, as librdkafka does by default.
"""

import random
import signal
import time

import confluent_kafka
import pytest

from support.figures import figure
from support.kafka import OLD, SOUND, KafkaBroker
from support.kafka_client import Follower
from support.processes import PATIENCE, wait_until
from support.stage import strict_json

RATE = 5000
EXACTLY = {"delivery": "exactly_once", "kafka_topics_partitions": "4"}


def test_a_second_instance_takes_over_without_a_repeat(broker, two_instances):
    two = two_instances(broker, **EXACTLY)
    two.first.kill()
    two.audience.wait_for_more(1000)
    assert two.audience.finish(two.writer, two.second) == 0
    two.second.stop()


def test_a_start_does_not_wait_for_what_a_dead_instance_left_open(broker, stages):
    """Killed between its position and the commit: whoever takes its name ends that, and need not wait before."""
    stage = stages(broker, **EXACTLY, kafka_transactional_id="of_the_dead")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        committed(stage, "t", lambda ids: ids == [1])
        capture.stop()
        dead = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "of_the_dead",
                                         "transaction.timeout.ms": 600_000})
        dead.init_transactions(PATIENCE)
        dead.begin_transaction()
        dead.produce(stage.positions, key=stage.name, value="never committed", partition=0)
        dead.flush(PATIENCE)
        stage.sql("INSERT INTO t VALUES (2)")
        capture.start()
        capture.wait_streaming(times=2)
        assert committed(stage, "t", lambda ids: 2 in ids) == [1, 2]
        capture.stop()


def test_a_broker_that_dies_brings_no_repeat(stages):
    with KafkaBroker(SOUND) as fragile:
        stage = stages(fragile, **EXACTLY)
        with stage.capture() as capture, stage.audience() as audience:
            writer = stage.writer(rate=RATE, batch=50)
            for _ in range(2):
                audience.wait_for_more(1000)
                fragile.crash()
                time.sleep(1)
                fragile.start()
            assert audience.finish(writer, capture) == 0
            capture.stop()


@pytest.mark.parametrize("kills", [6, pytest.param(40, marks=pytest.mark.nightly, id="long")])
def test_killed_in_a_snapshot_no_row_is_read_twice(broker, stages, kills):
    rows = 60_000
    chance = random.Random(kills)
    stage = stages(broker, **EXACTLY, source_snapshot_mode="initial", source_snapshot_chunk_rows="2000")
    stage.sql(f"CREATE TABLE big (id int PRIMARY KEY, pad text);"
              f"INSERT INTO big SELECT i, repeat('x', 200) FROM generate_series(1, {rows}) i")
    with stage.capture() as capture:
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.5))
            capture.kill()
            capture.start()
        stage.sql("UPDATE big SET pad = 'y' WHERE id = 1")
        committed(stage, "big", lambda ids: len(set(ids)) == rows, op="READ")
        capture.stop()
    records = [strict_json(r.value) for r in stage.broker.read_all(stage.topic("big"))]
    seen = [r["after"]["id"] for r in records if r["op"] == "READ"]
    figure("killed in a snapshot", f"{kills} kills, {rows} rows read, {len(seen) - rows} twice")
    assert sorted(seen) == list(range(1, rows + 1))


def test_a_row_of_a_snapshot_that_is_too_large_is_put_aside(broker, stages):
    """Its transaction is lost by it; read again, it stands at another place."""
    stage = stages(broker, **EXACTLY, source_snapshot_mode="initial", kafka_oversize="dead_letter")
    stage.sql("CREATE TABLE big (id int PRIMARY KEY, pad text);"
              "INSERT INTO big SELECT i, 'x' FROM generate_series(1, 100) i;"
              "INSERT INTO big SELECT 101, string_agg(md5(i::text), '') FROM generate_series(1, 70000) i")
    with stage.capture() as capture:
        wait_until(lambda: "snapshot=" not in stage.broker.read_all(stage.positions)[-1].value.decode(),
                   PATIENCE, "the end of the snapshot")
        capture.stop()
    seen = [strict_json(r.value) for r in stage.broker.read_all(stage.topic("big"))]
    assert sorted(m["after"]["id"] for m in seen if m["op"] == "READ") == list(range(1, 101))


def test_a_large_transaction_is_cut_by_kills_and_comes_once(broker, stages):
    """The filters change in between, which changes nothing in what was cut before."""
    rows = 500_000
    stage = stages(broker, **EXACTLY)
    stage.sql("CREATE TABLE big (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql(f"BEGIN; INSERT INTO big SELECT generate_series(1, {rows});"
                  "INSERT INTO other SELECT generate_series(1, 100); COMMIT")
        committed(stage, "big", lambda ids: len(ids) > 5_000)
        capture.kill()
        assert len(committed(stage, "big", len)) < rows, "the kill came too late to cut it"
        capture.environment["PG_CAPTURE_SOURCE_TABLES_EXCLUDE"] = "public.other"
        capture.start()
        committed(stage, "big", lambda ids: len(ids) > rows // 2)
        capture.kill()
        capture.start()
        stage.sql(f"INSERT INTO big VALUES ({rows + 1})")
        committed(stage, "big", lambda ids: len(ids) > rows)
        capture.stop()
    seen = [strict_json(r.value)["after"]["id"] for r in stage.broker.read_all(stage.topic("big"))]
    assert (len(seen), len(set(seen))) == (rows + 1, rows + 1)


def test_a_prepared_transaction_comes_once_however_often_we_are_killed(broker, stages):
    """And so does what commits while it is undecided, though the server sends that again after each kill."""
    stage = stages(broker, **EXACTLY, source_two_phase="true")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql(f"BEGIN; INSERT INTO t SELECT generate_series(1, 500); PREPARE TRANSACTION '{stage.name}'")
        for step in range(1000, 1004):
            stage.sql(f"INSERT INTO t VALUES ({step})")
            committed(stage, "t", lambda ids, step=step: step in ids)
            capture.kill()
            stage.sql(f"BEGIN; INSERT INTO t VALUES (1{step}); PREPARE TRANSACTION '{stage.name}_{step}'")
            stage.sql(f"COMMIT PREPARED '{stage.name}_{step}'")
            capture.start()
        stage.sql(f"COMMIT PREPARED '{stage.name}'")
        committed(stage, "t", lambda ids: 500 in ids)
        capture.kill()
        capture.start()
        stage.sql("INSERT INTO t VALUES (2000)")
        committed(stage, "t", lambda ids: 2000 in ids)
        capture.stop()
    seen = [strict_json(r.value)["after"]["id"] for r in stage.broker.read_all(stage.topic("t"))]
    assert sorted(seen) == [*range(1, 501), *range(1000, 1004), 2000, *range(11000, 11004)]


def test_the_place_in_a_large_transaction_is_kept_until_the_server_sends_it_again(broker, stages):
    """Asked how far it is, a server that looks for the commit names places before: nothing is done by that."""
    stage = stages(broker, **EXACTLY, source_snapshot_mode="initial", source_snapshot_chunk_rows="1000")
    stage.sql("CREATE TABLE big (id int PRIMARY KEY); CREATE TABLE old (id int PRIMARY KEY, pad text);"
              "INSERT INTO old SELECT i, repeat('x', 100) FROM generate_series(1, 300000) i")
    with stage.capture(wait=False) as capture:
        committed(stage, "old", lambda ids: len(ids) > 1000, op="READ")
        capture.kill()                      # with a snapshot left, the server is asked often
        stage.sql("INSERT INTO big SELECT generate_series(1, 3000000)")     # seconds to decode
        capture.start()
        cut = len(committed(stage, "big", lambda ids: len(ids) > 5_000))
        capture.kill()
        capture.start()
        seen = committed(stage, "big", lambda ids: len(ids) > cut + 50_000, timeout=2 * PATIENCE)
        capture.kill()
    assert len(seen) == len(set(seen))
    stored = [place(r.value.decode()) for r in stage.broker.read_all(stage.positions)]
    assert any(within for _, within in stored), "the kill came too late to cut it"
    for (_, before), (resume_at, within) in zip(stored, stored[1:]):
        assert not before or within or resume_at > before, "the place in it is forgotten"


def test_another_publication_leaves_nothing_out_of_a_transaction_that_was_cut(broker, stages):
    """Ordinals count what the server sends, and that is up to the publications we name."""
    stage = stages(broker, **EXACTLY)
    stage.sql("CREATE TABLE big (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY);"
              "CREATE PUBLICATION p1 FOR TABLE big, other; CREATE PUBLICATION p2 FOR TABLE other")
    with stage.capture(start=False) as capture:
        capture.environment["PG_PUBLICATION"] = "p1"
        capture.start()
        capture.wait_streaming()
        stage.sql("BEGIN; INSERT INTO big SELECT generate_series(1, 300000);"
                  "INSERT INTO other SELECT generate_series(1, 50000); COMMIT")
        committed(stage, "big", lambda ids: len(ids) > 5_000)
        capture.kill()
        capture.environment["PG_PUBLICATION"] = "p2"
        capture.start()
        committed(stage, "other", lambda ids: len(ids) == 50_000)
        capture.stop()


def test_what_reaches_a_broker_after_our_end_is_never_seen(stages):
    """Brokers before 3.6 take it into a transaction that nobody ends, unless the epoch was raised."""
    with KafkaBroker(OLD, proxied=True) as broker:
        stage = stages(broker, bootstrap=broker.proxied_bootstrap,
                       **{**EXACTLY, "kafka_topics_partitions": "1", "kafka_compression": "none"})
        stage.sql("CREATE TABLE t (id int PRIMARY KEY, pad text)")
        with stage.capture() as capture:
            stage.sql("INSERT INTO t SELECT i, repeat('x', 3000) FROM generate_series(1, 50) i")
            committed(stage, "t", lambda ids: len(ids) == 50)
            broker.proxy.freeze_busiest()   # that of the records, not that of the transactions
            stage.sql("INSERT INTO t SELECT i, 'late' FROM generate_series(51, 60) i")
            capture.wait_for_log("waiting for Kafka")
            capture.stop()
            broker.proxy.resume()
            capture.start()
            committed(stage, "t", lambda ids: 60 in ids, timeout=2 * PATIENCE)
            stage.sql("INSERT INTO t VALUES (61)")
            committed(stage, "t", lambda ids: 61 in ids)
            capture.stop()
        seen = [strict_json(r.value)["after"]["id"] for r in broker.read_all(stage.topic("t"))]
    assert seen == list(range(1, 62))


def test_one_that_stood_still_commits_nothing_more(broker, two_instances):
    """SIGSTOP: its walsender is ended, another one takes over, and then it wakes up."""
    two = two_instances(broker, **EXACTLY)
    two.first.signal(signal.SIGSTOP)
    two.stage.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                  f"WHERE slot_name = '{two.stage.name}'")
    two.audience.wait_for_more(1000)
    two.first.signal(signal.SIGCONT)
    two.audience.wait_for_more(1000)
    two.second.kill()                       # and back again
    two.audience.wait_for_more(1000)
    assert two.audience.finish(two.writer, two.first) == 0
    two.first.stop()


def place(position):
    """Where it resumes, and the commit of the transaction that is sealed in part; 0: none is."""
    lines = dict(line.split("=", 1) for line in position.splitlines() if "=" in line)

    def lsn(text):
        high, low = text.split("#")[0].split("/")
        return int(high, 16) << 32 | int(low, 16)

    return lsn(lines["resume_at"]), lsn(lines.get("within", "0/0"))


def committed(stage, table, enough, op="INSERT", timeout=PATIENCE):
    """The ids in a table's topic, in the order of each partition, once they are enough."""
    ids = []

    def see(record):
        if record.value is not None:
            message = strict_json(record.value)
            if message["op"] == op:
                ids.append(message["after"]["id"])

    wait_until(lambda: stage.broker.partitions(stage.topic(table)), timeout, f"topic of {table}")
    follower = Follower(stage.bootstrap, stage.topic(table), see=see)
    try:
        follower.wait_for(lambda: enough(ids), timeout)
    finally:
        follower.stop()
    return ids
