"""Transactions of the source, for consumers who want to know: kafka.transactions and consistency: transaction.

What the marks say is compared with the records that a consumer of committed records finds in the tables' topics.
"""

import collections
import random
import time

import pytest

from support.kafka_client import Follower
from support.processes import PATIENCE, wait_until
from support.stage import strict_json

ONCE = {"delivery": "exactly_once"}


def marks_of(stage):
    return [(strict_json(r.key), strict_json(r.value)) for r in stage.broker.read_all(f"{stage.prefix}.transactions")]


def events_by_xid(stage, tables):
    """How many records of each table each transaction has."""
    found = collections.defaultdict(collections.Counter)
    for table in tables:
        for record in stage.broker.read_all(stage.topic(table)):
            message = strict_json(record.value)
            if message["op"] != "READ":
                found[message["source"]["xid"]][table] += 1
    return found


def counts_in(end):
    return collections.Counter({t["table"]: t["events"] for t in end["tables"]})


def wait_for_marks(stage, xid):
    def there():
        return any(mark["op"] == "END" and mark["source"]["xid"] == xid for _, mark in marks_of(stage))

    wait_until(lambda: stage.broker.partitions(f"{stage.prefix}.transactions"), PATIENCE, "the topic of marks")
    wait_until(there, PATIENCE, f"the end of transaction {xid}")


def write_last(stage):
    """A transaction after all others; its number."""
    return int(stage.sql("BEGIN; INSERT INTO a VALUES (-1, 'last'); SELECT txid_current() % (2^32)::bigint; COMMIT").split()[-1])


def test_marks_say_where_a_transaction_begins_and_what_it_had(broker, stages):
    stage = stages(broker, kafka_transactions="true", kafka_topics_partitions="3", source_tables_exclude="public.hidden")
    stage.sql("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE hidden (id int)")
    with stage.capture() as capture:
        stage.sql("BEGIN; INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (1);"
                  "UPDATE a SET id = 3 WHERE id = 1; DELETE FROM a WHERE id = 2; INSERT INTO hidden VALUES (1); COMMIT")
        stage.sql("INSERT INTO hidden VALUES (2)")
        stage.sql("TRUNCATE b")
        stage.sql("SELECT pg_logical_emit_message(true, 'p', 'inside')")
        stage.sql("SELECT pg_logical_emit_message(false, 'p', 'outside')")
        xid = write_last(stage)
        wait_for_marks(stage, xid)
        capture.stop()
    marks = marks_of(stage)
    assert [m["op"] for _, m in marks] == ["BEGIN", "END"] * 4
    assert [m.get("events") for _, m in marks] == [None, 6, None, 1, None, 1, None, 1]
    assert [counts_in(m) for _, m in marks[1::2]] == [{"a": 5, "b": 1}, {"b": 1}, {}, {"a": 1}]
    assert all(begin[0] == end[0] for begin, end in zip(marks[::2], marks[1::2])), "both have one key"
    assert stage.broker.partitions(f"{stage.prefix}.transactions") == 1
    first = marks[1][1]
    assert first["source"]["db"] == stage.name and first["source"]["xid"] == marks[1][0]["xid"]
    headers = [dict(r.headers) for r in stage.broker.read_all(stage.topic("a"))]
    assert headers[0]["pgc.lsn"].decode() == marks[0][0]["lsn"], "the records of a transaction can be found by its LSN"


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.nightly, id="long")])
def test_marks_and_records_agree_whatever_is_killed(broker, stages, delivery, kills):
    chance = random.Random(kills)
    stage = stages(broker, delivery=delivery, kafka_transactions="true", replication_max_buffer_size="50")
    stage.sql("CREATE TABLE a (id bigint PRIMARY KEY, v text); CREATE TABLE b (id bigint PRIMARY KEY)")
    count = 0
    with stage.capture() as capture:
        for _ in range(kills):
            for _ in range(30):
                count += 1
                rows = chance.choice([1, 3, 20, 400])
                stage.sql(f"BEGIN; INSERT INTO a SELECT {count} * 1000 + i, 'x' FROM generate_series(1, {rows}) i;"
                          f"SAVEPOINT s; INSERT INTO b SELECT {count} * 1000; ROLLBACK TO s;"
                          f"INSERT INTO b SELECT {count} * 1000 + i FROM generate_series(1, {chance.choice([0, 2])}) i; COMMIT")
                if chance.random() < 0.1:
                    capture.kill()
                    capture.start()
            capture.kill()
            capture.start()
        wait_for_marks(stage, write_last(stage))
        capture.stop()
    records = events_by_xid(stage, ["a", "b"])
    marks = [mark for _, mark in marks_of(stage)]
    begins = collections.Counter(m["source"]["xid"] for m in marks if m["op"] == "BEGIN")
    ends = collections.Counter(m["source"]["xid"] for m in marks if m["op"] == "END")
    assert set(begins) == set(ends) == set(records), "each transaction with records has both"
    assert len(records) == count + 1
    for mark in marks:
        if mark["op"] != "END":
            continue
        found = records[mark["source"]["xid"]]
        assert mark["events"] == sum(counts_in(mark).values())
        if delivery == "exactly_once":
            assert counts_in(mark) == found
        else:
            assert set(counts_in(mark)) == set(found) and all(counts_in(mark)[t] <= found[t] for t in found)
    if delivery == "exactly_once":
        assert set(begins.values()) == set(ends.values()) == {1}
    print(f"{delivery}: {count + 1} transactions, {len(marks)} marks, {sum(begins.values()) - len(begins)} repeated")


def test_a_transaction_is_seen_as_a_whole_or_not_at_all(broker, stages):
    """Of many megabytes, with others about, and killed in its middle."""
    rows = 300_000
    stage = stages(broker, **ONCE, consistency="transaction", kafka_transactions="true")
    stage.sql("CREATE TABLE a (id bigint PRIMARY KEY, v text); CREATE TABLE big (id int PRIMARY KEY)")
    counts = set()
    with stage.capture() as capture:
        stage.sql("INSERT INTO a SELECT i, 'x' FROM generate_series(1, 100) i")
        stage.wait_for("a", 100)
        stage.sql(f"INSERT INTO big SELECT generate_series(1, {rows})")
        for _ in range(2):
            wait_until(lambda: stage.broker.partitions(stage.topic("big")), PATIENCE, "topic of big")
            time.sleep(0.3)
            capture.kill()
            counts.add(len(stage.broker.read_all(stage.topic("big"))))
            capture.start()
        seen = []
        follower = Follower(stage.bootstrap, stage.topic("big"), see=seen.append)
        try:
            follower.wait_for(lambda: len(seen) >= rows, 2 * PATIENCE)
        finally:
            follower.stop()
        stage.sql("INSERT INTO a SELECT i, 'x' FROM generate_series(101, 200) i")
        wait_for_marks(stage, write_last(stage))
        capture.stop()
    assert len(seen) == rows
    assert counts <= {0, rows}, "part of it was there to be seen"
    stored = [r.value.decode() for r in stage.broker.read_all(stage.positions)]
    assert not any("within=" in position for position in stored), "a place inside of a transaction was sealed"
    assert events_by_xid(stage, ["big"]).popitem()[1] == {"big": rows}


def test_small_transactions_are_committed_while_others_come_all_the_time(broker, stages):
    stage = stages(broker, **ONCE, consistency="transaction", replication_max_buffer_size="100")
    with stage.capture() as capture, stage.audience() as audience:
        writer = stage.writer(rate=5000, batch=30)
        for _ in range(4):
            audience.wait_for_more(2000)
            capture.kill()
            capture.start()
        # As long as the writer goes on: how many there are by a certain time depends on the machine.
        wait_until(lambda: len(stage.broker.read_all(stage.positions)) > 20, PATIENCE, "commits under load")
        assert audience.finish(writer, capture) == 0
        capture.stop()
    stored = [r.value.decode() for r in stage.broker.read_all(stage.positions)]
    assert not any("within=" in position for position in stored)
    assert len(stored) > 20


def test_what_contradicts_is_refused_with_the_way_out(broker, stages):
    stage = stages(broker)
    for given, words in [({"consistency": "transaction"}, "set delivery to exactly_once"),
                         ({"kafka_transaction_topic": "x"}, "set kafka.transactions to true"),
                         ({"kafka_transactions": "true", "kafka_transaction_topic": "{prefix}.messages"}, "give each its own")]:
        with stage.capture(wait=False, start=False, **given) as capture:
            capture.start()
            capture.wait_exit(2)
            assert words in capture.stderr_tail()
