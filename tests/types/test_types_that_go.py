"""Types that are gone before their rows are decoded, and types that have no binary form.

The catalog is today's, the log is older; the server encodes what we leave out.
"""

import os
import signal

import pytest
from support.servers import Capture, PostgresServer, wait_until


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as made:
        yield made


def environment(server, database, **more):
    return server.capture_environment(database) | {"PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "never"} | more


def streams(capture, form):
    """How often a stream has begun in that form."""
    return capture.stderr.count(f"binary={'true' if form == 'binary' else 'false'}")


def cut(server, slot):
    """The server ends our stream's session."""
    pid = server.slot(slot)["active_pid"]
    server.psql(f"SELECT pg_terminate_backend({pid})")


def test_an_excluded_type_without_binary_output_does_not_stop_the_stream(server):
    server.psql("CREATE DATABASE acl")
    server.psql("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION everything FOR ALL TABLES", db="acl")
    env = environment(server, "acl", PG_CAPTURE_SOURCE_TABLES_INCLUDE="public.t")
    with Capture(env, slot="acl", publication="everything", http=False) as capture:
        wait_until(lambda: streams(capture, "binary") == 1, 60, "a stream in binary")
        server.psql("CREATE TABLE foreign_one (a aclitem[])", db="acl")
        server.psql("INSERT INTO foreign_one SELECT ARRAY[format('=r/%s', user)::aclitem]; "
                    "INSERT INTO t VALUES (1)", db="acl")
        capture.wait_for(1, timeout=60)
        assert streams(capture, "text") == 1, capture.stderr
        assert "slots drop" not in capture.stderr
        # Gone from the publication, and the log is passed: binary once more.
        server.psql("DROP TABLE foreign_one; INSERT INTO t VALUES (2)", db="acl")
        capture.wait_for(2, timeout=60)
        here = server.psql("SELECT pg_current_wal_lsn()").strip()
        wait_until(lambda: server.psql(f"SELECT confirmed_flush_lsn >= '{here}' FROM pg_replication_slots "
                                       "WHERE slot_name = 'acl'").strip() == "t",
                   60, "the slot to pass the rows without binary form")
        cut(server, "acl")
        wait_until(lambda: streams(capture, "binary") == 2, 60, "a stream in binary")
        server.psql("INSERT INTO t VALUES (3)", db="acl")
        capture.wait_for(3, timeout=60)
        assert [m["after"]["id"] for m in capture.messages] == [1, 2, 3]
    server.drop_slot("acl")


def test_a_column_that_the_publication_leaves_out_decides_nothing(server):
    """Column lists are what is published (15+)."""
    server.psql("CREATE DATABASE listed")
    server.psql("CREATE TABLE g (id int, r regclass GENERATED ALWAYS AS (tableoid::regclass) STORED); "
                "CREATE TABLE t (id int PRIMARY KEY, a aclitem[]); "
                "CREATE PUBLICATION one_column FOR TABLE t (id), g", db="listed")
    with Capture(environment(server, "listed"), slot="listed", publication="one_column", http=False) as capture:
        wait_until(lambda: streams(capture, "binary") == 1, 60, "a stream in binary")
        server.psql("INSERT INTO t VALUES (1, ARRAY[]::aclitem[])", db="listed")
        capture.wait_for(1)
        assert capture.messages[0]["after"] == {"id": 1}
    server.drop_slot("listed")


TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x int, m mood);
CREATE DOMAIN many AS int[];
CREATE TABLE t (id int PRIMARY KEY, m mood[], p pair, d many);
"""
ROW = "ARRAY['sad', NULL]::mood[], ROW(1, 'ok')::pair, '{1,2}'::many"
GO = "DROP TABLE t; DROP DOMAIN many; DROP TYPE pair; DROP TYPE mood;"


@pytest.mark.parametrize("form", ["auto", "never"])
def test_a_type_dropped_before_its_rows_are_decoded_keeps_its_form(server, form):
    """The source is made again meanwhile: what is known outlives it."""
    name = f"gone_{form}"
    server.psql(f"CREATE DATABASE {name}")
    server.psql(TYPES + "CREATE PUBLICATION everything FOR ALL TABLES", db=name)
    env = environment(server, name, PG_CAPTURE_SOURCE_BINARY=form)
    with Capture(env, slot=name, publication="everything", http=False) as capture:
        capture.wait_streaming()
        server.psql(f"INSERT INTO t VALUES (1, {ROW})", db=name)
        capture.wait_for(1, timeout=60)
        os.kill(capture.process.pid, signal.SIGSTOP)
        try:
            cut(server, name)
            wait_until(lambda: not server.slot(name)["active"], 60, "the stream to be cut")
            server.psql(f"INSERT INTO t VALUES (2, {ROW})", db=name)
            server.psql(GO, db=name)
        finally:
            os.kill(capture.process.pid, signal.SIGCONT)
        capture.wait_for(2, timeout=60)
        wait_until(lambda: [m["after"]["id"] for m in capture.messages][-1] == 2, 60, "the second row")
        first, second = capture.messages[0], capture.messages[-1]
        assert first["after"] | {"id": 2} == second["after"]
        assert second["after"]["m"] == ["sad", None] and second["after"]["d"] == [1, 2]
        assert second["after"]["p"] == {"x": 1, "m": "ok"}
        assert "as_text" not in second["source"]
    server.drop_slot(name)


def test_what_nobody_knows_any_more_is_said_to_be_text(server):
    """A first start: of a domain the stream says what it is made of, of others no more than a name."""
    server.psql("CREATE DATABASE unknown")
    server.psql(TYPES + "CREATE PUBLICATION everything FOR ALL TABLES", db="unknown")
    server.psql("SELECT pg_create_logical_replication_slot('unknown', 'pgoutput')", db="unknown")
    server.psql(f"INSERT INTO t VALUES (1, {ROW})", db="unknown")
    server.psql(GO, db="unknown")
    with Capture(environment(server, "unknown"), slot="unknown", publication="everything", http=False) as capture:
        capture.wait_for(1, timeout=60)
        message = capture.messages[0]
        assert message["after"] == {"id": 1, "m": "{sad,NULL}", "p": "(1,ok)", "d": [1, 2]}
        assert message["source"]["as_text"] == ["m", "p"]
    server.drop_slot("unknown")
