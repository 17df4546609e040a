"""Messages of Protobuf, read by Confluent's deserializer through protoc's classes of the schema that the registry has
under their number. What it reads is what the same SQL gives as JSON; numbers of fields stay for ever."""

import json
import re
import urllib.request

import pytest
from test_registry import ROW, TABLE, the_same

MORE = """
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE place AS (street text, number int);
CREATE TABLE t2 (id uuid, at timestamptz(3), PRIMARY KEY (at, id), h hstore, c circle, pl place, places place[],
  grid int[][], box box, vb varbit, x xml, lsn pg_lsn, "Weird name" int, "weird-Name" int);
"""
MORE_ROW = """('11111111-2222-3333-4444-555555555555', '2024-02-29 10:30:00+02', 'a=>1,b=>NULL', '<(1,2),3>', '(High,7)',
  '{"(a,1)","(,)",NULL}', '{{1,2},{3,4}}', '(1,1),(0,0)', B'101', '<a/>', '0/16B3748', 5, NULL)"""


@pytest.mark.parametrize("form", ["debezium", "flat"])
def test_what_a_reader_reads_is_what_json_says(stages, registry, confluent, form):
    options = {"format_debezium_hstore_handling_mode": "map", "format_debezium_field_name_adjustment_mode": "avro",
               "format_flat_add_fields": "op,source.lsn", "format_flat_delete_tombstone_handling_mode": "rewrite"}
    if form == "debezium":
        options = {k: v for k, v in options.items() if "flat" not in k} | {
            "format_debezium_provide_transaction_metadata": "true"}
    stage = stages("protobuf", form, **options)
    as_json = stages("json", form, format_registry_url=None, format_schemas_enable="true", **options)
    for one in (stage, as_json):
        one.sql(TABLE + MORE)
        with one.capture():
            one.sql(f"INSERT INTO t VALUES {ROW % 1}; INSERT INTO t2 VALUES {MORE_ROW}")
            one.sql("INSERT INTO t (id, big) VALUES (2, 1)")
            one.sql("UPDATE t SET v = 'y' WHERE id = 1; UPDATE t2 SET h = NULL, places = '{}'")
            one.sql("UPDATE t SET id = 3 WHERE id = 2")
            one.sql("DELETE FROM t WHERE id = 1")
            one.wait_for("t2", 2)
            one.wait_for("t", 6 if form == "flat" else 8)
    for table in ("t", "t2"):
        found, expected = (one.broker.read_all(one.topic(table)) for one in (stage, as_json))
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected):
            key, value = confluent("protobuf").read(ours)
            assert key == json.loads(theirs.key)["payload"]
            if theirs.value is None:
                assert ours.value is None
                continue
            assert comparable(value) == comparable(json.loads(renamed(theirs.value))["payload"])
    assert {f"{stage.topic('t')}-value", f"{stage.topic('t')}-key"} <= set(registry.subjects())


def renamed(text):
    """Of two names that Protobuf's JSON confuses, the second has a number."""
    return text.replace(b'"weird_Name"', b'"weird_Name_2"')


def comparable(message):
    """Without what differs from run to run."""
    left = {k: v for k, v in the_same(message).items() if not k.startswith("__source")}
    return left | {"transaction": None} if "transaction" in left else left


def numbers(registry, record, message="Value"):
    """{field: (number, type)} of a message, and what it reserves, by the schema of a record."""
    text = registry.schema(int.from_bytes(record.value[1:5], "big"))[1]
    body = re.search(rf"message {message} {{(.*?)(?:message|}})", text, re.S).group(1)
    fields = {name: (int(number), kind) for kind, name, number in re.findall(r"(\w+) (\w+) = (\d+);", body)}
    listed = re.search(r"reserved ([\d, to]+);", body)
    return fields, listed.group(1) if listed else ""


def reserved_numbers(listed):
    """Of the text "3, 5 to 7"."""
    ranges = re.findall(r"(\d+)(?: to (\d+))?", listed)
    return {number for first, last in ranges for number in range(int(first), int(last or first) + 1)}


def only_numbers(fields):
    return {name: number for name, (number, _) in fields.items()}


def the_same_column(one, other):
    return one[0] == other[0] and (one[1] == other[1] or {one[1], other[1]} == {"int32", "int64"})


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.nightly)])
def test_numbers_stay_whatever_becomes_of_the_table(stages, registry, confluent, every):
    stage = stages("protobuf")
    stage.sql("CREATE TABLE e (id int PRIMARY KEY, a text)")
    used = {}       # number -> (name, type): what it ever was
    steps = [
        ("SELECT 1", "INSERT INTO e VALUES (1, 'a')", {"id": 1, "a": 2}),
        ("ALTER TABLE e ADD b int", "INSERT INTO e VALUES (2, 'a', 2)", {"id": 1, "a": 2, "b": 3}),
        ("ALTER TABLE e ADD c text NOT NULL DEFAULT 'new'", "INSERT INTO e VALUES (3, 'a', 2)",
         {"id": 1, "a": 2, "b": 3, "c": 4}),
        ("ALTER TABLE e DROP b", "INSERT INTO e VALUES (4, 'a')", {"id": 1, "a": 2, "c": 4}),
        ("ALTER TABLE e RENAME a TO d", "INSERT INTO e VALUES (5, 'a')", {"id": 1, "d": 5, "c": 4}),
        ("ALTER TABLE e ALTER id TYPE bigint", "INSERT INTO e VALUES (6, 'a')", {"id": 1, "d": 5, "c": 4}),
        ("ALTER TABLE e ALTER c DROP DEFAULT, ALTER c TYPE int USING 7", "INSERT INTO e VALUES (7, 'a', 1)",
         {"id": 1, "d": 5, "c": 6}),
        ("ALTER TABLE e ADD b int", "INSERT INTO e VALUES (8, 'a', 1, 9)", {"id": 1, "d": 5, "c": 6, "b": 3}),
        ("ALTER TABLE e ALTER c TYPE text", "INSERT INTO e VALUES (9, 'a', 'x')", {"id": 1, "d": 5, "c": 4, "b": 3}),
        ("ALTER TABLE e ALTER c TYPE int USING 1", "INSERT INTO e VALUES (10, 'a', 5)",
         {"id": 1, "d": 5, "c": 6, "b": 3}),
        ("ALTER TABLE e DROP b; ALTER TABLE e ADD b boolean", "INSERT INTO e VALUES (11, 'a', 5, true)",
         {"id": 1, "d": 5, "c": 6, "b": 7}),
    ]
    capture = stage.capture()
    for done, (sql, insert, expected) in enumerate(steps):
        if done % every == every - 1:
            capture.stop()
            capture.close()
            capture = stage.capture()
        stage.sql(sql)
        stage.sql(insert)
        fields, reserved = numbers(registry, stage.wait_for("e", done + 1)[-1])
        assert only_numbers(fields) == expected, insert
        for name, (number, kind) in fields.items():
            assert the_same_column(used.setdefault(number, (name, kind)), (name, kind)), (number, used[number])
        assert reserved_numbers(reserved) == set(used) - set(expected.values())
    rows = [confluent("protobuf").read(r)[1]["after"] for r in stage.wait_for("e", len(steps))]
    assert [r["id"] for r in rows] == list(range(1, 12))
    assert rows[10] == {"id": 11, "d": "a", "c": 5, "b": True}
    assert rows[3] == {"id": 4, "a": "a", "c": "new"} and rows[8] == {"id": 9, "d": "a", "c": "x", "b": None}


def register(registry, subject, text):
    body = json.dumps({"schemaType": "PROTOBUF", "schema": text}).encode()
    request = urllib.request.Request(f"{registry.url}/subjects/{subject}/versions", data=body,
                                     headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["id"]


def test_numbers_of_versions_that_others_registered_are_kept_and_never_used_again(stages, registry, confluent):
    stage = stages("protobuf", "flat")
    stage.sql("CREATE TABLE e (id int PRIMARY KEY, a text, b text)")
    subject = f"{stage.topic('e')}-value"
    register(registry, subject, 'syntax = "proto3"; message Value { int32 id = 4; optional int32 gone = 9; }')
    register(registry, subject, 'syntax = "proto3"; message Value { int32 id = 4; optional string a = 2; }')
    with stage.capture():
        stage.sql("INSERT INTO e VALUES (1, 'x', 'y')")
        (record,) = stage.wait_for("e", 1)
    fields, reserved = numbers(registry, record)
    assert (only_numbers(fields), reserved) == ({"id": 4, "a": 2, "b": 10}, "9")
    assert confluent("protobuf").read(record)[1] == {"id": 1, "a": "x", "b": "y"}


MANUAL = """syntax = "proto3";
package by.hand;
message Other { string x = 1; }
message Value { string extra = 1; optional string a = 7; int64 id = 20; }
"""


def test_without_auto_register_the_schema_that_is_there_is_used(stages, registry, confluent):
    stage = stages("protobuf", "flat", format_registry_auto_register="false")
    stage.sql("CREATE TABLE e (id int PRIMARY KEY, a text)")
    key = register(registry, f"{stage.topic('e')}-key", 'syntax = "proto3"; message Key { int32 id = 3; }')
    value = register(registry, f"{stage.topic('e')}-value", MANUAL)
    with stage.capture():
        stage.sql("INSERT INTO e VALUES (-1, 'x'), (2, NULL)")
        records = stage.wait_for("e", 2)
    assert [int.from_bytes(records[0].key[1:5], "big"), int.from_bytes(records[0].value[1:5], "big")] == [key, value]
    assert records[0].value[5:7] == b"\2\2", "the second of the file's messages"
    assert [confluent("protobuf").read(r) for r in records] == [
        ({"id": -1}, {"extra": "", "a": "x", "id": -1}), ({"id": 2}, {"extra": "", "a": None, "id": 2})]
    assert registry.versions(f"{stage.topic('e')}-value") == [1]


def test_without_auto_register_a_schema_that_loses_something_is_refused(stages, registry):
    stage = stages("protobuf", "flat", format_registry_auto_register="false")
    stage.sql("CREATE TABLE e (id int PRIMARY KEY, a text)")
    register(registry, f"{stage.topic('e')}-key", 'syntax = "proto3"; message Key { int32 id = 1; }')
    register(registry, f"{stage.topic('e')}-value", 'syntax = "proto3"; message Value { int32 id = 1; string a = 2; }')
    with stage.capture() as capture:
        stage.sql("INSERT INTO e VALUES (1, 'x')")
        assert capture.wait_exit() != 0
        said = capture.stderr_tail()
    assert "has a field a that is not optional" in said and "optional string a = 2;" in said


def test_a_composite_type_may_be_called_as_a_word_of_protobuf(stages, confluent):
    words = ["string", "double", "message", "optional"]
    stage = stages("protobuf", "flat")
    stage.sql("".join(f'CREATE TYPE public."{word}" AS (x int);' for word in words))
    stage.sql("CREATE TABLE w (id int PRIMARY KEY, t text, " + ", ".join(f'"{w}" public."{w}"' for w in words) + ")")
    with stage.capture():
        stage.sql("INSERT INTO w VALUES (1, 'text', '(1)', '(2)', '(3)', '(4)')")
        (record,) = stage.wait_for("w", 1)
    assert confluent("protobuf").read(record)[1] == {
        "id": 1, "t": "text", **{word: {"x": i} for i, word in enumerate(words, 1)}}
