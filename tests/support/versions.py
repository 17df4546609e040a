"""What versions of a wide table, and tables that come and go, cost of memory."""

import time

from support.processes import wait_until

COLUMNS = ", ".join(f"c{i:050d} text" for i in range(1000))
VERSIONS = 120
TABLES = 120
WAVE = 60
GROWTH_MAX_MIB = 30  # a version of such a table has taken 0.4 to 1 MiB


def _taken(capture, changes):
    wait_until(lambda: (capture.metric("cdc_changes_total") or 0) >= changes, 120, f"{changes} changes to be taken")


def _published(connection, like, number):
    """Before that nobody would send what is written into them."""
    count = "SELECT count(*) FROM pg_publication_tables WHERE pubname !~ '_inserts$' AND tablename ~ %s"
    wait_until(lambda: connection.execute(count, (like,)).fetchone()[0] >= number, 60, f"{number} tables to join")


def growth_by_versions(server, db, capture):
    """By how much memory grows while a table is altered, in MiB."""
    taken = capture.metric("cdc_changes_total") or 0
    with server.connect(db) as connection:
        connection.execute(f"CREATE TABLE wide (id int PRIMARY KEY, k0 text, {COLUMNS})")
        _published(connection, "^wide$", 1)
        for n in range(1, VERSIONS + 51):
            connection.execute(f"ALTER TABLE wide RENAME COLUMN k{n - 1} TO k{n}")
            connection.execute(f"INSERT INTO wide (id) VALUES ({n})")
            if n == 50:
                _taken(capture, taken + n)
                before = capture.resident_mib("VmRSS")
        _taken(capture, taken + n)
    return capture.resident_mib("VmRSS") - before


def growth_by_tables(server, db, capture):
    """By how much it grows while tables are made, written and dropped, some at a time; it looks for tables every
    second."""
    taken = capture.metric("cdc_changes_total") or 0
    with server.connect(db) as connection:
        for n in range(0, TABLES + WAVE * 2, WAVE):
            for i in range(n, n + WAVE):
                connection.execute(f"CREATE TABLE t{i} (id int PRIMARY KEY, {COLUMNS})")
            _published(connection, "^t[0-9]+$", WAVE)
            for i in range(n, n + WAVE):
                connection.execute(f"INSERT INTO t{i} (id) VALUES (1)")
            _taken(capture, taken + n + WAVE)
            for i in range(n, n + WAVE):
                connection.execute(f"DROP TABLE t{i}")
            time.sleep(4)  # two looks: it asks what has become of them, and goes past that
            if n == WAVE:
                before = capture.resident_mib("VmRSS")
    return capture.resident_mib("VmRSS") - before
