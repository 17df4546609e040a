"""A migration that fills a new column and then makes it NOT NULL, in one transaction: its rows come after the catalog
says NOT NULL, and hold nulls. Every record is read by the schema that it carries."""

import json

import pytest

MIGRATION = """BEGIN; ALTER TABLE m ADD c int; INSERT INTO m VALUES (2, 'b', NULL); UPDATE m SET c = id * 10;
  ALTER TABLE m ALTER c SET NOT NULL; COMMIT"""
ROWS = [(None, {"id": 1, "a": "a"}), (None, {"id": 2, "a": "b", "c": None}),
        ({"id": 1, "a": "a", "c": None}, {"id": 1, "a": "a", "c": 10}),
        ({"id": 2, "a": "b", "c": None}, {"id": 2, "a": "b", "c": 20}),
        (None, {"id": 3, "a": "c", "c": 30})]


def by_its_schema(record):
    """Of JSON with schemas; what the schema calls required is there."""
    message = json.loads(record.value)
    for name, schema in zip(("before", "after"), message["schema"]["fields"]):
        row = message["payload"][name]
        for field in schema["fields"] if row else ():
            assert field["optional"] or row[field["field"]] is not None, field
    return message["payload"]


@pytest.mark.parametrize("encoding", ["avro", "protobuf", "json_schema", "json"])
def test_rows_from_before_a_column_was_not_null_are_read_by_their_schemas(stages, request, encoding):
    plain = {"format_registry_url": None, "format_schemas_enable": "true"} if encoding == "json" else {}
    stage = stages(encoding, **plain)
    stage.sql("CREATE TABLE m (id int PRIMARY KEY, a text); ALTER TABLE m REPLICA IDENTITY FULL")
    with stage.capture() as capture:
        stage.sql("INSERT INTO m VALUES (1, 'a')")
        stage.wait_for("m", 1)
        stage.sql(MIGRATION)
        stage.sql("INSERT INTO m VALUES (3, 'c', 30)")
        records = stage.wait_for("m", len(ROWS))
        capture.stop()
    read = by_its_schema
    if encoding != "json":
        confluent = request.getfixturevalue("confluent")(encoding)
        read = lambda record: confluent.read(record)[1]    # noqa: E731
    assert [(row["before"], row["after"]) for row in map(read, records)] == ROWS
