"""A server and a broker that the tests of this suite share: one of each a worker."""

import pytest
from support.kafka import KafkaBroker
from support.servers import PostgresServer


@pytest.fixture(scope="session")
def servers():
    """Calls give the shared server of a version, started when it is first wanted."""
    running = {}

    def server(version="15"):
        if version not in running:
            running[version] = PostgresServer(version, settings={
                "max_connections": "400", "max_wal_senders": "100", "max_replication_slots": "100"})
        return running[version]

    yield server
    for one in running.values():
        one.close()


@pytest.fixture(scope="session")
def broker():
    with KafkaBroker() as one:
        yield one
