"""Tables without a primary key: a unique index makes the key of messages in Debezium's forms, where it distinguishes all rows.

What the connector makes of indexes of every shape: workloads/unique_keys.sql.
"""

import json

import pytest
from support.capture import run_capture
from support.processes import wait_until
from support.stage import Stage, strict_json


@pytest.fixture
def stages(servers, broker):
    """stage = stages(format_type="flat"): a database and topics of its own."""
    made = []

    def stage(**options):
        made.append(Stage(servers(), broker, "unique", **{"format_type": "debezium", "kafka_topics_partitions": "1", **options}))
        return made[-1]

    yield stage
    for one in made:
        one.close()


def keys(records):
    return [strict_json(r.key) if r.key is not None else None for r in records]


def operations(records):
    return [strict_json(r.value)["op"] if r.value is not None else None for r in records]


def test_an_index_that_is_made_or_dropped_while_it_streams_counts_from_then_on(stages):
    stage = stages()
    stage.sql("CREATE TABLE t (a int NOT NULL, v text); ALTER TABLE t REPLICA IDENTITY FULL")
    rows = 0

    def next_key():
        nonlocal rows
        rows += 1
        stage.sql(f"INSERT INTO t VALUES ({rows}, 'v')")
        return keys(stage.wait_for("t", rows))[-1]

    with stage.capture() as capture:
        assert next_key() is None
        # The server announces the table as it was: nothing but the catalog knows of the index.
        stage.sql("CREATE UNIQUE INDEX t_a ON t (a)")
        wait_until(lambda: next_key() == {"a": rows}, what="the index's column to be the key")
        stage.sql("DROP INDEX t_a")
        wait_until(lambda: next_key() is None, what="messages without a key")
        capture.stop()


@pytest.mark.parametrize("form", ["debezium", "flat"])
def test_a_changed_key_is_two_messages_and_a_tombstone(stages, form):
    deletes = {"format_flat_delete_tombstone_handling_mode": "rewrite-with-tombstone"} if form == "flat" else {}
    stage = stages(format_type=form, source_snapshot_mode="initial", **deletes)
    stage.sql("CREATE TABLE t (v text, a int NOT NULL UNIQUE); ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES ('v', 1)")
    with stage.capture() as capture:
        stage.wait_for("t", 1)
        stage.sql("UPDATE t SET v = 'w'; UPDATE t SET a = 2; DELETE FROM t")
        records = stage.wait_for("t", 7)
        capture.stop()
    assert keys(records) == [{"a": 1}] * 4 + [{"a": 2}] * 3
    assert [r.value is None for r in records] == [False, False, False, True, False, False, True]
    assert strict_json(records[2].headers["__debezium.newkey"]) == {"a": 2}


# What an UPDATE or DELETE brings of the old row is up to each partition.
ROOT = """
CREATE TABLE root (a int NOT NULL, b int NOT NULL, c int, v text, UNIQUE (b, a)) PARTITION BY LIST (a);
CREATE TABLE full_one PARTITION OF root FOR VALUES IN (1);
ALTER TABLE full_one REPLICA IDENTITY FULL;
CREATE TABLE index_one PARTITION OF root FOR VALUES IN (2);
ALTER TABLE index_one REPLICA IDENTITY USING INDEX index_one_b_a_key;
"""
CHANGES = "INSERT INTO root VALUES ({0}, 10); UPDATE root SET v = 'w' WHERE a = {0}; UPDATE root SET b = 20 WHERE a = {0}; DELETE FROM root WHERE a = {0};"


def test_partitions_shown_as_their_root_have_the_key_of_its_index(stages):
    stage = stages(source_publish_via_partition_root="true")
    stage.sql(ROOT)
    with stage.capture() as capture:
        stage.sql(CHANGES.format(1) + CHANGES.format(2))
        records = stage.wait_for("root", 14)
        capture.stop()
    for a in (1, 2):
        old, new = {"b": 10, "a": a}, {"b": 20, "a": a}
        assert keys(records[(a - 1) * 7:a * 7]) == [old] * 4 + [new] * 3
    assert operations(records) == ["c", "u", "d", None, "c", "d", None] * 2


def test_an_index_that_a_partition_does_not_send_makes_no_key(stages):
    stage = stages(source_publish_via_partition_root="true")
    stage.sql(ROOT + """
        CREATE TABLE other_one PARTITION OF root FOR VALUES IN (3);
        ALTER TABLE other_one ALTER c SET NOT NULL;
        CREATE UNIQUE INDEX other_index ON other_one (c);
        ALTER TABLE other_one REPLICA IDENTITY USING INDEX other_index;""")
    with stage.capture() as capture:
        stage.sql(CHANGES.format(1) + CHANGES.format(3).replace("10)", "10, 1)"))
        records = stage.wait_for("root", 8)
        capture.stop()
    assert keys(records) == [None] * 8
    assert operations(records) == ["c", "u", "u", "d"] * 2


def test_configured_columns_win_and_the_native_format_goes_by_the_replica_identity(stages):
    table = ("CREATE TABLE t (a int NOT NULL UNIQUE, v text); ALTER TABLE t REPLICA IDENTITY FULL; "
             "INSERT INTO t VALUES (1, 'v')")
    for options, key in (({"format_debezium_message_key_columns": "(.*).t:v"}, {"v": "v"}),
                         ({"format_type": "native"}, None)):
        stage = stages(source_snapshot_mode="initial", **options)
        stage.sql(table)
        with stage.capture() as capture:
            assert keys(stage.wait_for("t", 1)) == [key]
            capture.stop()


def test_inserts_into_a_table_that_logs_no_old_rows_have_it_too(stages):
    stage = stages()
    stage.sql("CREATE TABLE t (a int NOT NULL UNIQUE, v text)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1, 'v'); UPDATE t SET a = 2; DELETE FROM t; INSERT INTO t VALUES (3, 'v')")
        assert keys(stage.wait_for("t", 2)) == [{"a": 1}, {"a": 3}]
        capture.stop()


def test_check_says_which_columns_make_the_key_and_why_some_do_not(stages):
    stage = stages()
    stage.sql("""
        CREATE TABLE keyed (a int NOT NULL, b int NOT NULL, UNIQUE (b, a));
        CREATE TABLE nullable (a int UNIQUE);
        CREATE TABLE partial (a int NOT NULL); CREATE UNIQUE INDEX partial_a ON partial (a) WHERE a > 0;
        CREATE TABLE plain (a int);
        CREATE TABLE primary_one (id int PRIMARY KEY, a int UNIQUE);
        ALTER TABLE keyed REPLICA IDENTITY FULL; ALTER TABLE nullable REPLICA IDENTITY FULL; ALTER TABLE partial REPLICA IDENTITY FULL;
        ALTER TABLE plain REPLICA IDENTITY FULL""")

    def findings(**more):
        env = stage.environment(**more) | {"PG_SLOT_NAME": stage.name, "PG_PUBLICATION": f"{stage.name}_pub",
                                           "PG_CAPTURE_SINK": "discard"}
        done = run_capture("check", "--output", "json", env=env)
        return {f["subject"]: f for f in json.loads(done.stdout)["findings"] if f["id"] == "unique_keys"}

    found = findings()
    assert found["tables"]["level"] == "ok"
    assert '"public"."keyed" ("b", "a")' in found["tables"]["message"]
    nullable, partial = found['table "public"."nullable"'], found['table "public"."partial"']
    assert nullable["level"] == partial["level"] == "warning" and len(found) == 3
    assert 'may hold NULL in "a"' in nullable["message"] and "is not of all rows" in partial["message"]
    assert nullable["hint"] == 'ALTER TABLE "public"."nullable" ALTER COLUMN "a" SET NOT NULL'
    stage.sql(nullable["hint"])
    left = findings(source_message_keys="public.partial=a")
    assert list(left) == ["tables"] and '"public"."nullable" ("a")' in left["tables"]["message"]
    assert findings(format_type="native") == {}
