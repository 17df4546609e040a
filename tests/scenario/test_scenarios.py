"""Every scenario file on every server version it is meant for, and once more on one that streams each
change before its commit: what comes of it must be the same.

VERSION=15,18 and ONLY=toast (a part of the file's name) narrow a run by hand.
"""

import os

import pytest
from support.servers import VERSIONS, PostgresServer

from scenario import Run, rewrite, scenarios

STREAMED = "-streamed"
WANTED = os.environ.get("VERSION", ",".join([*VERSIONS, "15-debian", "18" + STREAMED])).split(",")
ONLY = os.environ.get("ONLY", "")
UPDATE = os.environ.get("PGC_UPDATE") == "1"

CASES = [pytest.param(version, scenario, id=f"{version}-{scenario.name}")
         for version in WANTED for scenario in scenarios()
         if scenario.runs_on(version) and ONLY in scenario.name]


@pytest.fixture(scope="module")
def servers():
    running = {}

    def get(version):
        if version not in running:
            for old in list(running):   # one at a time: the cases come grouped by version
                running.pop(old).close()
            streamed = {"debug_logical_replication_streaming": "immediate"}
            running[version] = PostgresServer(version.removesuffix(STREAMED),
                                              settings=streamed if version.endswith(STREAMED) else None)
        return running[version]
    yield get
    for server in running.values():
        server.close()


@pytest.mark.parametrize("version, scenario", CASES)
def test_scenario(version, scenario, servers):
    with Run(scenario, servers(version), version, UPDATE) as run:
        run.run()
    if UPDATE:
        rewrite(scenario)
