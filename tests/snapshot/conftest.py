"""Servers that the tests of this suite share, one of each a worker, and what a test has on them."""

import pytest
from ground import Ground
from support.kafka import KafkaBroker
from support.servers import PostgresServer
from support.stage import Stage


@pytest.fixture(scope="session")
def postgres():
    with PostgresServer("15", settings={"max_wal_size": "4GB"}) as server:
        yield server


@pytest.fixture(scope="session")
def servers():
    """Calls give the shared server of a version, started when it is first wanted."""
    running = {}

    def server(version):
        for old in [v for v in running if v != version]:    # one at a time: the cases come grouped
            running.pop(old).close()
        if version not in running:
            running[version] = PostgresServer(version)
        return running[version]

    yield server
    for one in running.values():
        one.close()


@pytest.fixture
def own_server():
    """A server that a test may stop and break."""
    with PostgresServer("15", settings={"max_wal_size": "4GB"}) as server:
        yield server


@pytest.fixture(scope="session")
def broker():
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture
def stages(postgres, broker, request):
    """Makes Stages on Kafka that take an initial snapshot: stages(option=value …)."""
    made = []

    def stage(server=postgres, on=broker, **options):
        made.append(Stage(server, on, request.node.name, **{"source_snapshot_mode": "initial", **options}))
        return made[-1]

    yield stage
    for one in made:
        one.close()


@pytest.fixture
def grounds(postgres, request):
    """Makes Grounds on the console: grounds(option=value …)."""
    made = []

    def ground(server=postgres, **options):
        made.append(Ground(server, request.node.name, **options))
        return made[-1]

    yield ground
    for one in made:
        one.close()


@pytest.fixture
def ground(grounds):
    return grounds()
