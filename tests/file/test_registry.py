"""The registry of files in real databases. What it promises stands in
tests/conformance/file_registry_test.cc and postgres_registry_test.cc, which run here with a server; by night with each version."""

import os
import re
import subprocess

import pytest
from support.processes import ROOT
from support.servers import VERSIONS, PostgresServer

# With AddressSanitizer, as `make test` has it.
CONFORMANCE = ROOT / "build" / "sanitize" / "tests" / "conformance_test"


def run(server, tests):
    assert CONFORMANCE.exists(), "tools/build.sh sanitize conformance_test makes it"
    done = subprocess.run(
        [CONFORMANCE, "--gtest_brief=1", f"--gtest_filter={tests}"],
        env=os.environ | {"PGC_TEST_REGISTRY": f"{server.port} {server.user} shop"},
        capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr + server.log.read_text()[-3000:]
    return int(done.stdout.split("[  PASSED  ]")[1].split()[0])


# Where the server has something new for it: extract() and timestamps (14), and both ends.
SHORT = ["10", "14", "18"]


@pytest.mark.parametrize("version", [
    v if v in SHORT else pytest.param(v, marks=pytest.mark.nightly) for v in VERSIONS])
def test_a_registry_holds_what_it_promises(version):
    with PostgresServer(version) as server:
        server.psql("CREATE DATABASE shop")
        assert run(server, "Postgres/*") >= 36


@pytest.mark.parametrize("version", ["10", "18"])
def test_the_page_for_loaders_says_what_a_loader_may_do(version):
    page = (ROOT / "docs/reference/registry.md").read_text(encoding="utf-8")
    statements = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    grants = [text for text in statements if "GRANT" in text]
    assert len(grants) == 2 and len(statements) >= 8
    with PostgresServer(version) as server:
        server.psql("CREATE DATABASE shop")
        # It leaves a registry with a file in it, and the roles without grants of theirs.
        assert run(server, "Postgres/*ALoaderReads*") == 1
        server.psql("REVOKE ALL ON ALL TABLES IN SCHEMA cdc_registry FROM loader", db="shop")
        for text in grants:
            server.psql(text, db="shop")
        for text in statements:
            if text not in grants:
                server.psql("SET ROLE loader; " + text, db="shop")
