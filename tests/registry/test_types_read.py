"""Every type, in every encoding with a registry, in Debezium's form and flat: what other people's readers read is what
PostgreSQL prints. Confluent's deserializers read all (Protobuf by protoc's classes, JSON Schema through jsonschema's
validator); fastavro and fastjsonschema read what is theirs as well, by the schema as the registry has it.
"""

import json

import pytest
from support.processes import ROOT

from postgres_text import columns_of, expression
from test_registry import Reader

WORKLOADS = ROOT / "tests" / "debezium" / "workloads"
BY_DAY = ["numbers", "times", "arrays", "named_types"]
BY_NIGHT = ["text", "binary", "intervals", "network_geometry", "ranges", "hstore", "system_types", "negative_scale",
            "defaults"]
# What is compared where a message does not have the whole text: the moment of a time with a zone, the number that
# varying bits are, a number of any scale without its last zeros.
COMPARED = {"timetz": "{} AT TIME ZONE 'UTC'", "varbit": "ltrim({}::text, '0')", "numeric": "trim_scale({})"}
# JSON has no such numbers: a text stands for them, as Jackson writes it, whatever the schema says.
NO_NUMBERS = {"json_schema": {"not_finite"}}


def tables(stage):
    return [name for name, in stage.server.query(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname <> 'history' ORDER BY 1", db=stage.name)]


def compared(kind):
    """SQL around a value, as text."""
    if kind.element and kind.element.name in COMPARED:
        return f"(SELECT array_agg({COMPARED[kind.element.name].format('e')}) FROM unnest({{}}) e)::text"
    return f"({COMPARED.get(kind.name, '{}')})::text"


def differences(connection, table, rows):
    """(column, id, what PostgreSQL prints, what was read)"""
    kinds = columns_of(connection, table)
    for row in rows:
        asked = ", ".join(compared(kind).format(value) for name, kind in kinds.items()
                          for value in (f'"{name}"', expression(kind, row[name])))
        texts = connection.execute(f"SELECT {asked} FROM {table} WHERE id = {row['id']}".replace("%", "%%")).fetchone()
        for name, printed, read in zip(kinds, texts[::2], texts[1::2]):
            if printed != read:
                yield name, row["id"], printed, read


class Readers:
    """All who read an encoding, of whom it is asked that they agree."""

    def __init__(self, registry, confluent, encoding):
        self.confluent = confluent(encoding)
        one = Reader(registry)
        self.other = {"avro": one.avro, "json_schema": one.json}.get(encoding)

    def read(self, record):
        """(key, value)"""
        read = self.confluent.read(record)
        if self.other:
            found = tuple(side and self.other(side) for side in (record.key, record.value))
            assert json.dumps(found) == json.dumps(read), record.topic      # as text: NaN is not NaN
        return read


def row_of(value, form):
    return value["after"] if form == "debezium" else value


@pytest.mark.parametrize("encoding", ["avro", "protobuf", "json_schema"])
@pytest.mark.parametrize("form, workload", [
    *(("debezium", name) for name in BY_DAY), *(pytest.param(form, name, marks=pytest.mark.nightly)
      for form, names in (("debezium", BY_NIGHT), ("flat", BY_DAY + BY_NIGHT)) for name in names)])
def test_every_value_is_as_postgresql_prints_it(stages, registry, confluent, encoding, form, workload):
    stage = stages(encoding, form, source_snapshot_mode="initial", format_debezium_interval_handling_mode="string")
    stage.sql((WORKLOADS / f"{workload}.sql").read_text(encoding="utf-8").partition("-- stream\n")[0])
    wrong, seen = [], 0
    readers = Readers(registry, confluent, encoding)
    with stage.capture() as capture, stage.server.connect(stage.name) as connection:
        for table in set(tables(stage)) - NO_NUMBERS.get(encoding, set()):
            count = stage.server.query(f"SELECT count(*) FROM {table}", db=stage.name)[0][0]
            if not count:
                continue
            rows = [row_of(readers.read(record)[1], form) for record in stage.wait_for(table, count)]
            wrong += differences(connection, table, rows)
            seen += len(rows)
        capture.stop()
    assert seen and not wrong, "\n".join(map(str, wrong))


def test_numbers_that_json_does_not_have_are_texts(stages, registry, confluent):
    stage = stages("json_schema")
    stage.sql("CREATE TABLE not_finite (id int PRIMARY KEY, a float8)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO not_finite VALUES (1, 'NaN'), (2, '-Infinity')")
        records = stage.wait_for("not_finite", 2)
        capture.stop()
    assert [json.loads(record.value[5:])["after"]["a"] for record in records] == ["NaN", "-Infinity"]
    with pytest.raises(ValueError, match="'NaN'.* is not valid"):
        confluent("json_schema").read(records[0])
