"""Keys that the configuration names: one partition for each, a change of one is two records, a table
without a primary key gets one, and what old rows don't bring is never guessed."""

import json

import pytest
from support.capture import run_capture
from support.stage import strict_json

REFUSED = 6


def keys_and_operations(records):
    """[(key, op or None of a tombstone)] in the order of the only partition, or of all."""
    return [(strict_json(r.key), strict_json(r.value)["op"] if r.value is not None else None)
            for r in records]


def test_a_keyless_table_has_the_key_that_is_configured(any_broker, stages):
    stage = stages(any_broker, source_message_keys="public.visits=host+page", format_tombstones="true")
    stage.sql("CREATE TABLE visits (page text, host int, seen int); ALTER TABLE visits REPLICA IDENTITY FULL")
    with stage.capture() as capture:
        stage.sql("INSERT INTO visits VALUES ('a', 1, 0); "
                  "UPDATE visits SET seen = 1; "            # the key stays
                  "UPDATE visits SET page = 'b'; "          # it changes
                  "UPDATE visits SET page = NULL; "         # to one with a NULL
                  "DELETE FROM visits")
        records = stage.wait_for("visits", 10)
        capture.stop()
    a, b, none = ({"host": 1, "page": page} for page in ("a", "b", None))
    assert keys_and_operations(records) == [
        (a, "INSERT"), (a, "UPDATE"), (a, "DELETE"), (a, None), (b, "INSERT"),
        (b, "DELETE"), (b, None), (none, "INSERT"), (none, "DELETE"), (none, None)]
    assert list(strict_json(records[0].key)) == ["host", "page"], "in the order that was given"
    assert strict_json(records[4].value)["after"] == {"page": "b", "host": 1, "seen": 1}


def test_rows_of_one_key_share_a_partition_and_snapshots_have_it_too(broker, stages):
    stage = stages(broker, source_message_keys="*.orders=customer", kafka_topics_partitions="5",
                   source_snapshot_mode="initial", source_snapshot_chunk_rows="50")
    stage.sql("CREATE TABLE orders (id int PRIMARY KEY, customer int); "
              "ALTER TABLE orders REPLICA IDENTITY FULL; "
              "INSERT INTO orders SELECT i, i % 20 FROM generate_series(1, 200) i")
    with stage.capture() as capture:
        stage.wait_for("orders", 200)
        stage.sql("UPDATE orders SET id = -id; DELETE FROM orders WHERE customer = 3")
        records = stage.wait_for("orders", 410)
        capture.stop()
    partition_of = {}
    for record in records:
        key = strict_json(record.key)
        assert list(key) == ["customer"]
        assert partition_of.setdefault(key["customer"], record.partition) == record.partition
    assert len(partition_of) == 20 and len(set(partition_of.values())) > 1
    operations = [op for _, op in keys_and_operations(records)]
    assert {op: operations.count(op) for op in set(operations)} == {
        "READ": 200, "UPDATE": 200, "DELETE": 10}, "a primary key that is not the key may change"


@pytest.mark.parametrize("form", ["debezium", "flat"])
def test_debeziums_spelling(broker, stages, form):
    stage = stages(broker, format_type=form,
                   format_debezium_message_key_columns=r"public\.(x|log):host,id;(.*).nothing:a")
    stage.sql("CREATE TABLE log (id int, host text, line text); ALTER TABLE log REPLICA IDENTITY FULL")
    with stage.capture() as capture:
        stage.sql("INSERT INTO log VALUES (1, 'h', 'x'); UPDATE log SET host = 'i'; DELETE FROM log")
        records = stage.wait_for("log", 6 if form == "debezium" else 4)
        capture.stop()
    h, i = {"id": 1, "host": "h"}, {"id": 1, "host": "i"}
    assert [strict_json(r.key) for r in records] == (
        [h, h, h, i, i, i] if form == "debezium" else [h, h, i, i])
    assert list(strict_json(records[0].key)) == ["host", "id"], "in the order that was given"
    empty = [r.value is None for r in records]
    assert empty == ([False, False, True, False, False, True] if form == "debezium" else
                     [False, True, False, True])
    if form == "debezium":
        assert strict_json(records[1].headers["__debezium.newkey"]) == i
        assert strict_json(records[3].headers["__debezium.oldkey"]) == h


@pytest.mark.parametrize("change", ["UPDATE t SET v = 2", "DELETE FROM t", "UPDATE t SET id = 2"])
def test_what_the_old_row_does_not_bring_is_refused_and_check_warns(broker, stages, change):
    stage = stages(broker, source_message_keys="public.t=region")
    stage.sql("CREATE TABLE t (id int PRIMARY KEY, region text, v int)")
    env = stage.environment() | {"PG_SLOT_NAME": stage.name, "PG_PUBLICATION": f"{stage.name}_pub"}

    def findings():
        done = run_capture("check", "--output", "json", env=env | {"PG_CAPTURE_SINK": "kafka"})
        return [f for f in json.loads(done.stdout)["findings"] if f["id"] == "named_columns"]

    warning, = findings()
    assert warning["level"] == "warning" and '"region"' in warning["message"]
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1, 'eu', 1)")
        stage.wait_for("t", 1)
        stage.sql(change)
        assert capture.wait_exit(60) == REFUSED, capture.stderr_tail()
        for word in ("message key: region", "public.t", 'ALTER TABLE "public"."t" REPLICA IDENTITY FULL'):
            assert word in capture.stderr, f"{word} is not said"
        assert len(stage.wait_for("t", 1)) == 1, "nothing was guessed"
        stage.sql(warning["hint"])
        assert findings()[0]["level"] == "ok"
        # What was logged before stays refused, until the table goes by its primary key meanwhile.
        keys = capture.environment.pop("PG_CAPTURE_SOURCE_MESSAGE_KEYS")
        capture.start()
        passed = len(stage.wait_for("t", 3 if change.endswith("id = 2") else 2))
        stage.server.wait_confirmed(stage.name)
        capture.stop()
        capture.environment["PG_CAPTURE_SOURCE_MESSAGE_KEYS"] = keys
        capture.start()
        stage.sql("INSERT INTO t VALUES (3, 'us', 1); DELETE FROM t WHERE id = 3")
        records = stage.wait_for("t", passed + 2)
        capture.stop()
    assert [strict_json(r.key) for r in records[1:passed]] in ([{"id": 1}], [{"id": 1}, {"id": 2}])
    assert keys_and_operations(records[passed:]) == [
        ({"region": "us"}, "INSERT"), ({"region": "us"}, "DELETE")]


@pytest.mark.nightly
def test_a_key_that_the_server_leaves_out_of_new_rows(broker, stages):
    """A large value that did not change is in the old row only."""
    stage = stages(broker, source_message_keys="public.big=k", format_tombstones="true")
    stage.sql("CREATE TABLE big (id int PRIMARY KEY, k text, v int); ALTER TABLE big ALTER k SET STORAGE EXTERNAL; "
              "ALTER TABLE big REPLICA IDENTITY FULL")
    with stage.capture() as capture:
        stage.sql("INSERT INTO big VALUES (1, repeat('k', 5000), 0); UPDATE big SET v = 1; UPDATE big SET id = 2; "
                  "UPDATE big SET k = repeat('l', 5000); DELETE FROM big")
        records = stage.wait_for("big", 8)
        capture.stop()
    k, changed = {"k": "k" * 5000}, {"k": "l" * 5000}
    assert keys_and_operations(records) == [
        (k, "INSERT"), (k, "UPDATE"), (k, "UPDATE"), (k, "DELETE"), (k, None), (changed, "INSERT"), (changed, "DELETE"), (changed, None)]


def test_a_column_that_is_not_there_or_excluded_stops_and_is_named(broker, stages):
    stage = stages(broker)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY, secret text)")
    for column, more in (("nothing", {}), ("secret", {"source_columns_exclude": "public.t.secret"})):
        with stage.capture(source_message_keys=f"public.t={column}", **more) as capture:
            stage.sql("INSERT INTO t SELECT count(*) FROM t")
            assert capture.wait_exit(60) != 0
            assert f"source.message_keys names the column {column}" in capture.stderr
            assert "public.t" in capture.stderr
