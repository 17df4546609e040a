"""A PostgreSQL server, a broker and a schema registry that the tests of this suite share."""

import pytest
from support.kafka import KafkaBroker
from support.readers import ConfluentReader
from support.registry import SchemaRegistry
from support.servers import PostgresServer
from support.stage import Stage


@pytest.fixture(scope="session")
def postgres():
    with PostgresServer("15") as server:
        yield server


@pytest.fixture(scope="session")
def broker():
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def registry():
    with SchemaRegistry() as registry:
        yield registry


@pytest.fixture(scope="session")
def confluent(registry):
    """confluent("avro") is Confluent's own reader, started when it is first wanted."""
    running = {}

    def reader(encoding):
        if encoding not in running:
            running[encoding] = ConfluentReader(registry, encoding)
        return running[encoding]

    yield reader
    for one in running.values():
        one.close()


@pytest.fixture
def stages(postgres, broker, request):
    """stage = stages(encoding="avro"): a database and topics of its own."""
    made = []

    def stage(encoding="avro", form="debezium", **options):
        if "format_registry_url" not in options:    # the real one takes its time to start
            options["format_registry_url"] = request.getfixturevalue("registry").url
        stage = Stage(postgres, broker, request.node.name, **{
            "format_type": form, "format_encoding": encoding,
            "kafka_topics_partitions": "1", **options})
        made.append(stage)
        return stage

    yield stage
    for one in made:
        one.close()
