"""What a consumer that is not ours finds in the topics, on the present and on an old broker."""

import collections
import json
import re

import pytest
from support.processes import wait_until
from support.stage import strict_json
from support.workload import check


def values(records):
    return [strict_json(r.value) if r.value is not None else None for r in records]


def test_changes_are_records_that_every_consumer_reads(any_broker, stages):
    stage = stages(any_broker)
    stage.sql("CREATE TABLE users (id int PRIMARY KEY, name text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO users VALUES (1, 'Jane'), (2, 'Jörg \"the\" 日本'); "
                  "UPDATE users SET name = 'Jane Roe' WHERE id = 1; DELETE FROM users WHERE id = 2")
        records = stage.wait_for("users", 4)
        capture.stop()
    assert [strict_json(r.key) for r in records] == [{"id": 1}, {"id": 2}, {"id": 1}, {"id": 2}]
    messages = values(records)
    assert [m["op"] for m in messages] == ["INSERT", "INSERT", "UPDATE", "DELETE"]
    assert messages[1]["after"] == {"id": 2, "name": 'Jörg "the" 日本'}
    assert messages[2]["after"] == {"id": 1, "name": "Jane Roe"}
    assert all((m["schema"], m["table"]) == ("public", "users") for m in messages)

    lines = any_broker.console_consumer(stage.topic("users"), 4, "print.key=true",
                                        "print.headers=true", "key.separator=|")
    for line, record in zip(lines, records, strict=True):
        headers, key, value = line.split("|") if "|" in line else line.split("\t")
        headers = headers.split("\t")[0]
        assert f"pgc.lsn:{record.headers['pgc.lsn'].decode()}" in headers
        assert (key.encode(), value.encode()) == (record.key, record.value)


def test_headers_are_the_commit_and_the_ordinal_in_it(any_broker, stages):
    stage = stages(any_broker)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t SELECT generate_series(1, 3); INSERT INTO t VALUES (4)")
        records = stage.wait_for("t", 4)
        capture.stop()
    assert all(set(r.headers) == {"pgc.lsn", "pgc.seq"} for r in records)
    lsns = [r.headers["pgc.lsn"].decode() for r in records]
    assert all(re.fullmatch(r"[0-9A-F]+/[0-9A-F]+", lsn) for lsn in lsns)
    assert lsns[0] == lsns[1] == lsns[2] != lsns[3]
    order = [(int(a, 16) << 32 | int(b, 16)) for a, b in (lsn.split("/") for lsn in lsns)]
    assert order[3] > order[0]
    ordinals = [int(r.headers["pgc.seq"]) for r in records]
    assert ordinals[1] == ordinals[0] + 1 and ordinals[2] == ordinals[0] + 2
    places = [(o, s) for o, s in zip(order, ordinals)]
    assert len(set(places)) == 4


def test_without_headers_there_are_none(broker, stages):
    stage = stages(broker, format_headers="false")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        assert stage.wait_for("t", 1)[0].headers == {}
        capture.stop()


def test_order_per_key_holds_over_partitions(any_broker, stages):
    stage = stages(any_broker, kafka_topics_partitions="3")
    with stage.capture() as capture:
        with stage.audience() as audience:
            writer = stage.writer(rate=3000, batch=30)
            audience.wait_for_more(3000)
            repeats = audience.finish(writer, capture)
            capture.stop()
        records = stage.broker.read_all(stage.topic("history"))
    assert repeats == 0
    assert {r.partition for r in records} == {0, 1, 2}
    # The messages of one partition stand in the order of their commits.
    for partition in range(3):
        places = [tuple(int(x, 16) for x in r.headers["pgc.lsn"].split(b"/")) + (int(r.headers["pgc.seq"]),)
                  for r in records if r.partition == partition]
        assert places == sorted(places)
    assert check(values(records), writer.versions) == 0


def test_tombstones_follow_deletes_when_asked(any_broker, stages):
    stage = stages(any_broker, format_tombstones="true",
                   kafka_topics_config="cleanup.policy=compact")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1, 'a'); DELETE FROM t; INSERT INTO t VALUES (2, 'b'); "
                  "UPDATE t SET id = 3")
        records = stage.wait_for("t", 7)
        capture.stop()
    assert any_broker.topic_config(stage.topic("t"))["cleanup.policy"] == "compact"
    seen = [(strict_json(r.key)["id"], m["op"] if m else None) for r, m in zip(records, values(records))]
    assert seen == [(1, "INSERT"), (1, "DELETE"), (1, None), (2, "INSERT"), (2, "DELETE"), (2, None),
                    (3, "INSERT")]


def test_keyless_tables_truncate_and_messages(broker, stages):
    stage = stages(broker, kafka_topics_partitions="4")
    stage.sql("CREATE TABLE k (id int PRIMARY KEY); CREATE TABLE n (v text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO n SELECT 'row ' || i FROM generate_series(1, 20) i; "
                  "INSERT INTO k VALUES (1); TRUNCATE n; "
                  "SELECT pg_logical_emit_message(true, 'note', 'hello')")
        keyless = stage.wait_for("n", 24)
        messages = stage.wait_for(f"{stage.prefix}.messages", 1)
        capture.stop()
    assert {r.key for r in keyless} == {None}
    rows = [r for r in keyless if strict_json(r.value)["op"] == "INSERT"]
    assert len(rows) == 20 and len({r.partition for r in rows}) == 1, "without a key a table keeps its order"
    ends = [r for r in keyless if strict_json(r.value)["op"] == "TRUNCATE"]
    assert sorted(r.partition for r in ends) == [0, 1, 2, 3]
    assert all(e.offset > r.offset for e in ends for r in rows if e.partition == r.partition)
    assert values(messages)[0]["op"] == "MESSAGE"


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""])
def test_a_truncate_reaches_every_partition_in_its_place(any_broker, stages, key):
    """A consumer of each partition ends with what the table holds."""
    stage = stages(any_broker, kafka_topics_partitions="3", kafka_partitioner="key" if key else "round_robin")
    stage.sql(f"CREATE TABLE t (id int {key})")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t SELECT generate_series(1, 60)")
        stage.wait_for("t", 60)
        any_broker.add_partitions(stage.topic("t"), 5)
        stage.sql("TRUNCATE t; INSERT INTO t SELECT generate_series(101, 130)")
        stage.wait_for("t", 60 + 3 + 30)
        capture.stop()
        capture.start()     # counts the partitions again
        stage.sql("INSERT INTO t SELECT generate_series(201, 230); TRUNCATE t; INSERT INTO t VALUES (301)")
        records = stage.wait_for("t", 60 + 3 + 30 + 30 + 5 + 1)
        capture.stop()
    held, truncates = {}, collections.Counter()
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        message = strict_json(record.value)
        if message["op"] == "TRUNCATE":
            held[record.partition] = []
            truncates[(record.headers["pgc.lsn"], record.headers["pgc.seq"])] += 1
        else:
            held.setdefault(record.partition, []).append(message["after"]["id"])
    assert sorted(truncates.values()) == [3, 5]
    assert sorted(x for ids in held.values() for x in ids) == [301]


def test_names_that_kafka_cannot_hold_are_made_safe(any_broker, stages):
    stage = stages(any_broker)
    stage.sql('CREATE TABLE "Order Details" (id int PRIMARY KEY); CREATE TABLE "Order_Details" (id int PRIMARY KEY);'
              f'CREATE TABLE "{"ü" * 31}" (id int PRIMARY KEY)')
    with stage.capture() as capture:
        stage.sql('INSERT INTO "Order Details" VALUES (1); INSERT INTO "Order_Details" VALUES (2);'
                  f'INSERT INTO "{"ü" * 31}" VALUES (3)')
        stage.wait_for("Order_Details", 1)

        def three():
            return [t for t in any_broker.topics() if t.startswith(stage.prefix + ".public.")]
        wait_until(lambda: len(three()) == 3, what="three topics")
        tables = {}
        for topic in three():
            assert re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic)
            found = stage.wait_for(topic, 1)
            tables[values(found)[0]["table"]] = topic
        capture.stop()
    assert set(tables) == {"Order Details", "Order_Details", "ü" * 31}
    assert tables["Order_Details"] == stage.topic("Order_Details")
    assert re.fullmatch(re.escape(stage.topic("Order_Details")) + "-[0-9a-f]{8}", tables["Order Details"])


def test_two_tables_never_share_a_topic_by_accident(broker, stages):
    stage = stages(broker, kafka_topic="{prefix}.{table}")
    stage.sql("CREATE SCHEMA other; CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other.t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for(f"{stage.prefix}.t", 1)
        stage.sql("INSERT INTO other.t VALUES (1)")
        assert capture.wait_exit() == 2, capture.stderr_tail()
        assert "public.t" in capture.stderr and "other.t" in capture.stderr
        assert len(broker.read_all(f"{stage.prefix}.t")) == 1


def test_topics_are_made_as_configured_and_left_as_they_are(any_broker, stages):
    stage = stages(any_broker, kafka_topics_partitions="5",
                   kafka_topics_config="retention.ms=3600000,max.message.bytes=2000000")
    any_broker.create_topic(stage.topic("old"), partitions=2)
    stage.sql("CREATE TABLE old (id int PRIMARY KEY); CREATE TABLE new (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO old VALUES (1); INSERT INTO new VALUES (1)")
        stage.wait_for("old", 1)
        stage.wait_for("new", 1)
        capture.stop()
    assert any_broker.partitions(stage.topic("old")) == 2
    assert any_broker.partitions(stage.topic("new")) == 5
    config = any_broker.topic_config(stage.topic("new"))
    assert (config["retention.ms"], config["max.message.bytes"]) == ("3600000", "2000000")


def test_the_position_topic_is_compacted_and_has_one_partition(any_broker, stages):
    stage = stages(any_broker)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for("t", 1)
        capture.stop()
    assert any_broker.partitions(stage.positions) == 1
    assert any_broker.topic_config(stage.positions)["cleanup.policy"] == "compact"
    with stage.capture() as capture:    # and it goes on from there
        stage.sql("INSERT INTO t VALUES (2)")
        assert [strict_json(r.key)["id"] for r in stage.wait_for("t", 2)] == [1, 2]
        capture.stop()
        assert not list(capture.state.glob("*.position"))


def test_nothing_of_the_first_moments_of_a_topic_is_lost(any_broker, stages):
    """A broker refuses a new partition's first requests until it knows that it leads it. What
    follows must not overtake them: it would be taken, and they for repeats when they come again."""
    stage = stages(any_broker, kafka_partitioner="round_robin", kafka_topics_partitions="4")
    tables = [f"t{i}" for i in range(12)]
    stage.sql(";".join(f"CREATE TABLE {t} (id int PRIMARY KEY)" for t in tables))
    with stage.capture() as capture:
        for table in tables:
            stage.sql(f"INSERT INTO {table} SELECT generate_series(1, 200)")
        for table in tables:
            records = stage.wait_for(table, 200)
            assert sorted(strict_json(r.key)["id"] for r in records) == list(range(1, 201))
        capture.stop()


def test_a_hundred_new_tables_at_once(broker, stages):
    stage = stages(broker)
    stage.sql("".join(f"CREATE TABLE t{i} (id int PRIMARY KEY);" for i in range(100)))
    with stage.capture() as capture:
        stage.sql("BEGIN;" + "".join(f"INSERT INTO t{i} VALUES ({i});" for i in range(100)) + "COMMIT;")
        stage.wait_for("t99", 1)
        capture.stop()
    for i in range(0, 100, 33):
        assert values(broker.read_all(stage.topic(f"t{i}")))[0]["after"] == {"id": i}


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_codec_is_read_by_all(any_broker, stages, codec):
    stage = stages(any_broker, kafka_compression=codec)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t SELECT i, repeat('value ' || i, 20) FROM generate_series(1, 2000) i")
        records = stage.wait_for("t", 2000)
        capture.stop()
    assert [m["after"]["id"] for m in values(records)] == list(range(1, 2001))
    assert all(m["after"]["v"] == f"value {m['after']['id']}" * 20 for m in values(records))
    lines = any_broker.console_consumer(stage.topic("t"), 2000)
    assert [json.loads(line)["after"]["id"] for line in lines] == list(range(1, 2001))


@pytest.mark.parametrize("acks", ["0", "1"])
def test_fewer_acknowledgements_are_warned_about(broker, stages, acks):
    stage = stages(broker, kafka_acks=acks)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t SELECT generate_series(1, 100)")
        assert len(stage.wait_for("t", 100)) == 100
        capture.stop()
        assert "may be lost" in capture.stderr


def partitioned(stage, partitioner, **more):
    stage.sql("CREATE TABLE t (id int, part text, PRIMARY KEY (id, part)); CREATE TABLE u (id int PRIMARY KEY)")
    with stage.capture(kafka_partitioner=partitioner, kafka_topics_partitions="4", **more) as capture:
        stage.sql("INSERT INTO t SELECT i, 'part ' || i % 10 FROM generate_series(1, 200) i;"
                  "INSERT INTO u SELECT generate_series(1, 200)")
        found = stage.wait_for("t", 200), stage.wait_for("u", 200)
        capture.stop()
    return found


def test_partitioner_table(broker, stages):
    for records in partitioned(stages(broker), "table"):
        assert len({r.partition for r in records}) == 1


def test_partitioner_fixed(broker, stages):
    for records in partitioned(stages(broker), "fixed", kafka_fixed_partition="2"):
        assert {r.partition for r in records} == {2}


def test_partitioner_round_robin(broker, stages):
    for records in partitioned(stages(broker), "round_robin"):
        assert collections.Counter(r.partition for r in records) == {0: 50, 1: 50, 2: 50, 3: 50}


def test_partitioner_columns(broker, stages):
    records, others = partitioned(stages(broker), "columns", kafka_partition_columns="public.t=part")
    of_value = collections.defaultdict(set)
    for record in records:
        of_value[strict_json(record.key)["part"]].add(record.partition)
    assert all(len(partitions) == 1 for partitions in of_value.values())
    assert len({r.partition for r in records}) > 1
    assert len({r.partition for r in others}) == 4, "a table that is not named goes by its key"
