"""A table that changes while pg-capture is down, step by step: what was written before and after each change is read
by the schema that it carries, and has the row that PostgreSQL had then. Numbers of Protobuf's fields stay for ever.
What a registry refuses, it says why.
"""

import collections
import json

import pytest
from support.processes import wait_until
from test_protobuf import numbers, reserved_numbers, the_same_column

BEFORE = "CREATE TABLE e (id int PRIMARY KEY, a text, n int, gone text)"

# name -> what happens to the table
STEPS = {
    "add nullable": "ALTER TABLE e ADD b int",
    "add with default": "ALTER TABLE e ADD d text NOT NULL DEFAULT 'it''s'",
    "drop": "ALTER TABLE e DROP gone",
    "rename": "ALTER TABLE e RENAME a TO renamed",
    "widen": "ALTER TABLE e ALTER n TYPE bigint",
    "widen the key": "ALTER TABLE e ALTER id TYPE bigint",
    "change type": "ALTER TABLE e ALTER n TYPE text",
    "drop b": "ALTER TABLE e DROP b",
    "re-add": "ALTER TABLE e ADD b int",
    "drop again": "ALTER TABLE e DROP b",
    "re-add again": "ALTER TABLE e ADD b int",
    "type back": "ALTER TABLE e ALTER n TYPE bigint USING n::bigint",
    "type there again": "ALTER TABLE e ALTER n TYPE text",
    "name back": "ALTER TABLE e RENAME renamed TO a",
    "name there again": "ALTER TABLE e RENAME a TO renamed",
}
BY_DAY = {
    "add with default": STEPS["add with default"],
    "drop": STEPS["drop"],
    "change type": STEPS["change type"],
    "re-add gone": "ALTER TABLE e ADD gone text",
}
# After both the table is as it was: and so is the schema, and its number.
THE_SAME = [("re-add", "re-add again"), ("drop b", "drop again"), ("re-add again", "type there again"),
            ("type there again", "name there again")]
# What a reader with the newer schema could not read, says the registry: a text where it expects a number or, in JSON
# Schema, a property that older messages may have had with any value. A schema that the subject has already is not asked
# about, so it is with the number that `name back` is compared.
# Of Protobuf this registry takes added fields and nothing else, whatever is reserved.
REFUSED = {"avro": {"change type", "type back", "name back"},
           "protobuf": {"drop", "rename", "widen", "widen the key", "change type", "drop b", "re-add", "type back", "name back"},
           "json_schema": {"add nullable", "add with default", "rename", "change type", "re-add", "type back", "name back"}}
BACKWARD = {"format_registry_compatibility": "BACKWARD", "schema_change": "fail"}
REASONS = {"avro": ["reader union lacking writer type"],
           "protobuf": ["The new version of the protobuf artifact is not backward compatible"],
           "json_schema": ["OBJECT_TYPE_PROPERTY_SCHEMAS_NARROWED", "COMBINED_TYPE_SUBSCHEMA_NOT_COMPATIBLE"]}


class JsonWithSchemas:
    """Reads messages that bring their schemas along, and looks whether these have a field for each value."""

    @staticmethod
    def _payload(raw):
        message = raw and json.loads(raw)
        if message:
            assert JsonWithSchemas._fits(message["schema"], message["payload"]), message
        return message and message["payload"]

    @staticmethod
    def _fits(schema, value):
        if value is None or schema["type"] != "struct":
            return value is not None or schema["optional"]
        fields = {field["field"]: field for field in schema["fields"]}
        return fields.keys() == value.keys() and all(JsonWithSchemas._fits(fields[name], value[name]) for name in fields)

    def read(self, record):
        return self._payload(record.key), self._payload(record.value)


class Table:
    """e, and what PostgreSQL had in each row that was inserted: id -> (step, row)."""

    def __init__(self, stage):
        self.stage, self.rows = stage, {}

    def insert(self, step):
        number = len(self.rows) + 1
        self.stage.sql(f"INSERT INTO e (id, n) VALUES ({number}, {number * 10})")
        row, = self.stage.server.query(f"SELECT to_jsonb(e) FROM e WHERE id = {number}", db=self.stage.name)
        self.rows[number] = (step, row[0])

    def begin(self):
        """While it streams, so that the slot is there when it is down."""
        with self.stage.capture() as capture:
            self.insert("first")
            self.stage.wait_for("e", 1)
            capture.stop()

    def change(self, step, sql):
        """A row by the old definition and one by the new, which nobody has seen when pg-capture comes back."""
        self.insert(f"before {step}")
        self.stage.sql(sql)
        self.insert(step)


def number_of(raw):
    return int.from_bytes(raw[1:5], "big")


def after(value):
    """The row, of either form."""
    row = value.get("after", value)
    return {name: column for name, column in row.items() if not name.startswith("__")}


def delivered(stage):
    """How many rows: one that was delivered before a refusal may come again afterwards."""
    return len({record.key for record in stage.broker.read_all(stage.topic("e"))})


def run(stage, table, **options):
    """Streams what has not been streamed yet, and ends."""
    with stage.capture(**options) as capture:
        wait_until(lambda: delivered(stage) == len(table.rows), what=f"{len(table.rows)} rows")
        capture.stop()


def refusal(stage, table, subject):
    """Streams up to a schema that the registry refuses, if it does; returns the line that says so, or ""."""
    with stage.capture(wait=False, **BACKWARD) as capture:
        wait_until(lambda: not capture.running or delivered(stage) == len(table.rows), what="a refusal or all")
        if capture.running:
            capture.stop()
            return ""
        return next(line for line in capture.stderr.splitlines() if line.startswith("pg-capture:") and subject in line)


def check(stage, table, reader):
    """Every record by its own schema; returns step -> number of the value's schema."""
    schemas = collections.defaultdict(set)
    seen = set()
    for record in stage.broker.read_all(stage.topic("e")):
        key, value = reader.read(record)
        step, row = table.rows[key["id"]]
        assert after(value) == row, (step, value)
        schemas[step].add(number_of(record.value))
        seen.add(key["id"])
    assert seen == table.rows.keys()
    return schemas


def reader_of(request, encoding):
    return JsonWithSchemas() if encoding == "json" else request.getfixturevalue("confluent")(encoding)


def named(encoding):
    return {"format_registry_url": None, "format_schemas_enable": "true"} if encoding == "json" else {}


def check_field_numbers(stage, registry):
    """Whatever a number was given to, it never is anything else; while its column is away it is reserved."""
    used = {}       # number -> (name, type)
    for record in stage.broker.read_all(stage.topic("e")):
        fields, reserved = numbers(registry, record)
        for name, (number, kind) in fields.items():
            assert the_same_column(used.setdefault(number, (name, kind)), (name, kind)), (number, used[number])
        assert reserved_numbers(reserved) == used.keys() - {number for number, _ in fields.values()}
    assert len(used) > 4, "nothing was added"


REGISTERED = [(encoding, form) for encoding in ("avro", "protobuf", "json_schema") for form in ("debezium", "flat")]
CASES = [*REGISTERED, ("json", "debezium"), ("json", "flat")]


def take_steps(stages, request, encoding, form, steps):
    """step -> number of the value's schema, of a table that took them."""
    stage = stages(encoding, form, **named(encoding))
    stage.sql(BEFORE)
    table = Table(stage)
    table.begin()
    for step, sql in steps.items():
        table.change(step, sql)
        run(stage, table)
    seen = check(stage, table, reader_of(request, encoding))
    if encoding == "protobuf":
        check_field_numbers(stage, request.getfixturevalue("registry"))
    if encoding != "json":
        for one, other in zip(["first", *steps], (f"before {step}" for step in steps)):
            assert seen[one] == seen[other], (one, other)
    return seen


@pytest.mark.parametrize("encoding, form", [
    ("avro", "debezium"), ("protobuf", "debezium"), ("json_schema", "flat"), ("json", "debezium")])
def test_some_changes_are_read_by_the_schema_of_their_time(stages, request, encoding, form):
    seen = take_steps(stages, request, encoding, form, BY_DAY)
    assert encoding == "json" or len(set.union(*seen.values())) == 1 + len(BY_DAY)


@pytest.mark.nightly
@pytest.mark.parametrize("encoding, form", CASES)
def test_each_change_is_read_by_the_schema_of_its_time(stages, request, encoding, form):
    seen = take_steps(stages, request, encoding, form, STEPS)
    if encoding != "json":
        for one, other in THE_SAME:
            assert seen[one] == seen[other], (one, other)
        assert len(set.union(*seen.values())) == 1 + len(STEPS) - len(THE_SAME)


@pytest.mark.nightly
@pytest.mark.parametrize("encoding, form", REGISTERED)
def test_what_the_registry_refuses_is_refused_with_its_reason(stages, request, encoding, form):
    stage = stages(encoding, form)
    stage.sql(BEFORE)
    table = Table(stage)
    table.begin()
    refused = {}
    for step, sql in STEPS.items():
        table.change(step, sql)
        if said := refusal(stage, table, f"{stage.topic('e')}-value"):
            refused[step] = said
            run(stage, table, format_registry_compatibility="NONE")
    assert set(refused) == REFUSED[encoding]
    for said in refused.values():
        assert "Incompatible artifact" in said and any(reason in said for reason in REASONS[encoding]), said
    check(stage, table, reader_of(request, encoding))
