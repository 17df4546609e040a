"""Makes docs/reference/types-debezium.md: each type of PostgreSQL as Debezium writes it and as pg-capture does.

    tools/types_page.py > docs/reference/types-debezium.md

What Debezium makes stands in tests/debezium/golden, as the connector itself wrote it. Ours is what the binary
(PG_CAPTURE_BIN) writes of the same rows in debezium JSON, Avro and JSON Schema, into a broker of the tests.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "debezium")]

import golden  # noqa: E402
from support.kafka import KafkaBroker  # noqa: E402
from support.kafka_client import Follower  # noqa: E402
from support.processes import wait_until  # noqa: E402
from support.servers import PostgresServer  # noqa: E402
from support.stage import Stage  # noqa: E402
from support.troubled_registry import TroubledRegistry  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "types-debezium.md"
GOLDEN = ROOT / "tests" / "debezium" / "golden"
WORKLOADS = ROOT / "tests" / "debezium" / "workloads"
# workload -> what its tables are called on the page
SECTIONS = {
    "numbers": "Numbers", "text": "Texts, JSON, XML", "binary": "Bits and bytes", "times": "Dates and times",
    "intervals": "Intervals", "network_geometry": "Networks and geometry", "ranges": "Ranges", "hstore": "hstore",
    "arrays": "Arrays", "named_types": "Domains and composites", "system_types": "Of the system",
}
ENCODINGS = {"json": {"format_schemas_enable": "true"}, "avro": {}, "json_schema": {}}
# Tables that show how values differ, not types; columns that are there to distinguish rows.
LEFT_OUT = {"not_finite", "counters", "far", "infinite", "midnight"}
PLAIN = {"id", "rest"}
HEAD = """# Types: Debezium's and ours

This page is made by `tools/types_page.py` (`make generated`): Debezium's side is what its connector wrote
([differences](debezium.md#what-differs-on-purpose)), ours is what this build writes of the same row, with the options at their defaults.
A schema is its type and, where there is one, its logical name; `!` says that it may not be null. Values are JSON's; Avro and JSON Schema hold the
same, Avro with its own bytes and decimals. Long values are cut. `same`: as Debezium.
"""


class Ours:
    """What we make of the rows, by encoding: records of all tables, schemas in them or in a registry."""

    def __init__(self, server, broker):
        self.types, self.printed = {}, {}
        self._columns = {}      # (encoding, table) -> column -> (schema, value)
        for encoding, options in ENCODINGS.items():
            with TroubledRegistry() as registry:
                self._run(server, broker, encoding, registry, options)

    def _run(self, server, broker, encoding, registry, options):
        if encoding != "json":
            options = options | {"format_registry_url": registry.url}
        stage = Stage(server, broker, f"types_{encoding}", format_type="debezium", format_encoding=encoding,
                      source_snapshot_mode="initial", source_snapshot_readers="1", kafka_topics_partitions="1", **options)
        try:
            for workload in SECTIONS:
                stage.sql(_in_a_schema(workload))
            tables = self._look(stage)
            with stage.capture() as capture:
                for (workload, table), record in _first_records(broker, stage, tables).items():
                    self._columns[encoding, workload, table] = _READ[encoding](record.value, registry)
                capture.stop()
        finally:
            stage.close()

    def _look(self, stage):
        """(workload, table) of all, whose types and texts are noted."""
        found = stage.server.query(
            "SELECT nspname::text, relname::text, attname::text, format_type(atttypid, atttypmod) FROM pg_attribute a"
            " JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND nspname = ANY(%s) ORDER BY c.oid, attnum",
            [list(SECTIONS)], db=stage.name)
        for workload, table, column, kind in found:
            if table not in LEFT_OUT:
                self.types.setdefault((workload, table), {})[column] = kind.replace(f"{workload}.", "")
        for workload, table in self.types:
            texts = ", ".join(f'"{column}"::text' for column in self.types[workload, table])
            row, = stage.server.query(f'SELECT {texts} FROM "{workload}".{table} WHERE id = 1', db=stage.name)
            self.printed[workload, table] = dict(zip(self.types[workload, table], row))
        return list(self.types)

    def column(self, encoding, workload, table, column):
        return self._columns[encoding, workload, table][column]


def _in_a_schema(workload):
    """Its SQL before the stream begins, in a schema of its own, so that all are in one database."""
    sql = (WORKLOADS / f"{workload}.sql").read_text(encoding="utf-8").partition("-- stream\n")[0]
    lines = [line.replace("CREATE EXTENSION ", "CREATE EXTENSION IF NOT EXISTS ").replace(";", " SCHEMA public;")
             if line.startswith("CREATE EXTENSION") else line for line in sql.splitlines()]
    return "\n".join([f'CREATE SCHEMA "{workload}"; SET search_path = "{workload}", public;', *lines])


def _first_records(broker, stage, tables):
    """(workload, table) -> the record of the row with id 1, which is the key's first"""
    topics = {stage.topic(table, workload): (workload, table) for workload, table in tables}
    found = {}
    with Follower(broker.bootstrap, *topics) as follower:
        def there():
            found.update({topics[r.topic]: r for r in follower.records if r.offset == 0})
            return len(found) == len(topics)
        wait_until(there, what="a row of each table")
    return found


# -- schemas in words -----------------------------------------------------------------------


def _of_json(raw, _):
    message = json.loads(raw)
    after = next(field for field in message["schema"]["fields"] if field["field"] == "after")
    return {field["field"]: (_connect(field), message["payload"]["after"][field["field"]]) for field in after["fields"]}


def _connect(schema):
    """`int32 io.debezium.time.Date`"""
    kind = schema["type"]
    if kind == "array":
        kind = f"array of {_connect({**schema['items'], 'optional': True})}"
    elif kind == "map":
        kind = f"map of {_connect({**schema['values'], 'optional': True})}"
    parameters = {k: v for k, v in schema.get("parameters", {}).items() if k != "allowed"}
    return " ".join([kind, *_name(schema.get("name")), *(f"{k}={v}" for k, v in parameters.items())]) + "!" * (
        not schema["optional"])


def _name(name):
    """That of a composite begins with its table's."""
    return [name.partition(".Value.")[2] or name] if name else []


def _of_avro(raw, registry):
    envelope = json.loads(registry.schema(int.from_bytes(raw[1:5], "big"))[1])
    named = {}
    after = next(field["type"] for field in envelope["fields"] if field["name"] == "before")
    record = next(branch for branch in after if isinstance(branch, dict))
    return {field["name"]: (_avro(field["type"], named), None) for field in record["fields"]}


def _avro(schema, named):
    """A type that was described before stands under its name: `named` is what that was."""
    if isinstance(schema, list):
        return _avro(next(branch for branch in schema if branch != "null"), named).removesuffix("!")
    if isinstance(schema, str):
        return f"{named.get(schema, schema)}!"
    kind = schema["type"]
    if kind == "array":
        kind = f"array of {_avro(schema['items'], named)}"
    for field in schema.get("fields", []):
        _avro(field["type"], named)
    logical = [schema["logicalType"]] if "logicalType" in schema else []
    scale = [f"({schema.get('precision')}, {schema.get('scale', 0)})"] if logical == ["decimal"] else []
    text = " ".join([kind, *logical, *scale, *_name(schema.get("connect.name"))])
    if "name" in schema:
        named[f"{schema['namespace']}.{schema['name']}" if "namespace" in schema else schema["name"]] = text
    return text + "!"


def _of_json_schema(raw, registry):
    envelope = json.loads(registry.schema(int.from_bytes(raw[1:5], "big"))[1])
    properties = next(branch for branch in envelope["properties"]["after"]["oneOf"] if branch.get("type") == "object")["properties"]
    return {name: (_json_schema(schema), None) for name, schema in properties.items()}


def _json_schema(schema):
    if "oneOf" in schema:
        return _json_schema(next(branch for branch in schema["oneOf"] if branch.get("type") != "null")).removesuffix("!")
    kind = schema["type"]
    if kind == "array":
        kind = f"array of {_json_schema(schema['items'])}"
    return " ".join([kind, *([schema["connect.type"]] if "connect.type" in schema else []), *_name(schema.get("title"))]) + "!"


_READ = {"json": _of_json, "avro": _of_avro, "json_schema": _of_json_schema}


# -- Debezium's -----------------------------------------------------------------------------


def theirs(workload):
    """table -> column -> (schema, value)"""
    found = {}
    _, lines = golden.read_text((GOLDEN / f"{workload}-schemas.jsonl").read_text(encoding="utf-8"))
    for line in lines:
        table, value = line["topic"].rpartition(".")[2], line["value"]
        if line["key"] == {"id": 1} and value and value["op"] == "r":
            after = next(field for field in line["value_schema"]["fields"] if field["field"] == "after")
            found[table] = {field["field"]: (_connect(field), value["after"][field["field"]]) for field in after["fields"]}
    return found


# -- the page -------------------------------------------------------------------------------


def _cell(text, most=90):
    text = text if len(text) <= most else text[:most - 2] + " …"
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", "\\n") + "`" if text else ""


def _shown(value):
    return _cell(json.dumps(value, ensure_ascii=False))


def section(ours, workload):
    """A table of each type in the workload, once."""
    lines = [f"## {SECTIONS[workload]}", "",
             "| type, in PostgreSQL's text | Debezium: schema, value | ours: schema, value | Avro | JSON Schema |", "|---|---|---|---|---|"]
    debezium, seen = theirs(workload), set()
    for (of, table), types in ours.types.items():
        for column, kind in types.items() if of == workload else ():
            line = _line(ours, workload, table, column, kind, debezium.get(table, {}).get(column))
            if column not in PLAIN and line not in seen:
                seen.add(line)
                lines.append(line)
    return "\n".join([*lines, ""])


def _line(ours, workload, table, column, kind, their):
    schema, value = our = ours.column("json", workload, table, column)
    their_cell = f"{_cell(their[0])} {_shown(their[1])}" if their else "left out"
    parts = ["same"] if our == their else [
        "same" if their and schema == their[0] else _cell(schema), "same" if their and value == their[1] else _shown(value)]
    registered = (_cell(ours.column(encoding, workload, table, column)[0]) for encoding in ("avro", "json_schema"))
    printed = ours.printed[workload, table][column]
    return " | ".join(["| " + kind + " " + ("" if printed is None else _cell(printed, 60)), their_cell, " ".join(parts), *registered]) + " |"


def page(ours):
    return "\n".join([HEAD, *(section(ours, workload) for workload in SECTIONS)])


def main():
    with PostgresServer("15") as server, KafkaBroker() as broker:
        sys.stdout.write(page(Ours(server, broker)))


if __name__ == "__main__":
    main()
