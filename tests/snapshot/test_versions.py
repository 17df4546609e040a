"""The snapshot on every version of the server: changes while it reads, and a kill in the middle."""

import os

import pytest
from churn import Churn, Tables
from ground import COMPLETE
from support.replica import Replica
from support.servers import VERSIONS

# What is left for a later group: a row that got a new key without a value that is not sent, a table
# that was truncated before it was opened, a group that was given up.
WAITED = "a row that moved is read once more", "it is read again later", "the snapshot was interrupted"
WANTED = os.environ.get("VERSION", ",".join([*VERSIONS, "15-debian"])).split(",")


@pytest.mark.parametrize("version", WANTED)
def test_rows_changes_and_a_kill_in_the_middle(servers, stages, version):
    stage = stages(servers(version), source_snapshot_chunk_rows=500, source_snapshot_rows_per_second=2000,
                   logging_level="debug")
    tables = Tables(stage, 6, 8_000, truncate=stage.server.major >= 11)     # 10 publishes no TRUNCATE
    with Replica(stage, tables.kinds, tables.keyless) as replica, Churn(stage, tables, 2) as churn:
        capture = stage.capture(wait=False)
        replica.wait_for_reads(2000)
        assert COMPLETE not in capture.stderr
        capture.kill()
        capture.environment["PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND"] = "4000"
        capture.start()
        capture.wait_for_log(COMPLETE, 120)
        replica.wait_for_events(50)
        churn.stop()
        replica.agrees()
        capture.stop()
        keyed = [replica[name] for name in tables.kinds if name not in tables.keyless]
        places = {lsn for table in keyed for lsn in table.reads}
        # One before the kill, one after it, and one more for each row or table that had to wait.
        said = capture.stderr.splitlines()
        waited = [line for line in said if any(why in line for why in WAITED)]
        groups = [line for line in said if "a group of the snapshot is read" in line]
        assert 2 <= len(places) <= 2 + len(waited), "\n".join([f"{len(places)} places", *groups, *waited])
        assert sum(sum(table.read_again.values()) for table in keyed) <= 2 * 500
        assert sum(len(table.read_keys) for table in keyed) > 1000
