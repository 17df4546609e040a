"""Servers that the tests of this suite share: one of each a worker."""

import pytest
from support.kafka import CURRENT, OLD, KafkaBroker
from support.servers import PostgresServer
from support.stage import Stage


@pytest.fixture(scope="session")
def postgres():
    with PostgresServer("15", settings={"wal_sender_timeout": "60s", "max_wal_size": "4GB"}) as server:
        yield server


@pytest.fixture(scope="session")
def brokers():
    """Calls give the shared broker of a kind, started when it is first wanted.

    These must not be stopped: brokers(CURRENT), brokers(OLD), brokers(CURRENT, secure=True …).
    """
    running = {}

    def broker(version=CURRENT, **options):
        key = (version, repr(sorted(options.items())))
        if key not in running:
            running[key] = KafkaBroker(version, **options)
        return running[key]

    yield broker
    for one in running.values():
        one.close()


@pytest.fixture
def broker(brokers):
    return brokers()


@pytest.fixture(params=[CURRENT, OLD])
def any_broker(request, brokers):
    return brokers(request.param)


@pytest.fixture(scope="session")
def shared_fragile():
    with KafkaBroker(proxied=True) as broker:
        yield broker


@pytest.fixture
def fragile(shared_fragile):
    """A broker that a test may stop, kill, freeze and cut off; it runs again afterwards."""
    yield shared_fragile
    if shared_fragile.running:
        shared_fragile.resume()
    else:
        shared_fragile.start()
    shared_fragile.proxy.accept()
    shared_fragile.proxy.resume()


@pytest.fixture
def stages(postgres, request):
    """Makes Stages: stages(broker, option=value …). Their ends are seen to."""
    made = []

    def stage(broker, server=postgres, **options):
        made.append(Stage(server, broker, request.node.name, **options))
        return made[-1]

    yield stage
    for one in made:
        one.close()
