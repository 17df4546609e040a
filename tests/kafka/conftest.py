"""Servers that the tests of this suite share: one of each a worker."""

import dataclasses

import pytest
from support.capture import Capture
from support.kafka import CURRENT, OLD, KafkaBroker
from support.servers import PostgresServer
from support.stage import Audience, Stage
from support.workload import Writer


def pytest_collection_modifyitems(items):
    """The longest first: the other worker has the rest."""
    items.sort(key=lambda item: item.path.name != "test_torture.py")


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


@dataclasses.dataclass
class TwoInstances:
    """Under load: the first streams, the second waits for the slot."""

    stage: Stage
    first: Capture
    second: Capture
    audience: Audience
    writer: Writer


@pytest.fixture
def two_instances(stages):
    """Makes TwoInstances: two_instances(broker, option=value …)."""
    begun = []

    def begin(broker, **options):
        stage = stages(broker, **options)
        first, audience = stage.capture(), stage.audience()
        begun.append(audience)
        writer = stage.writer(rate=5000, batch=50)
        audience.wait_for_more(1000)
        second = stage.capture(wait=False)
        second.wait_for_log("is active for PID")
        return TwoInstances(stage, first, second, audience, writer)

    yield begin
    for audience in begun:
        audience.close()
