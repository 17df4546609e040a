"""Commands that only look write nothing: neither into the catalogs nor into any table.

Each is run in every set-up. What was written since is seen by three witnesses: an event trigger
that notes every DDL, the contents of the catalogs and of all tables, and the server's counter of
transactions that wrote (reading takes no number).
"""

import json

import pytest
from support.capture import run_capture
from support.processes import free_port, wait_until
from support.servers import Capture, PostgresServer

# These are meant to change something, or watch what was ordered. A new command is taken for one
# that only looks, and is run here, unless it is named.
THESE_WRITE = {"run", "adopt", "position reset", "reload", "slots drop", "snapshot", "snapshot wait",
               "snapshot pause", "snapshot resume", "snapshot cancel"}

TABLES = """
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, total numeric);
CREATE TABLE signals (id text PRIMARY KEY, type text, data text);
CREATE TABLE beat (id int PRIMARY KEY, at timestamptz);
INSERT INTO users SELECT i, 'u' FROM generate_series(1, 5) i;
INSERT INTO beat VALUES (1, NULL);
CREATE SCHEMA audit;
CREATE TABLE audit.ddl (tag text);
CREATE FUNCTION audit.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
  $$BEGIN INSERT INTO audit.ddl VALUES (tg_tag); END$$;
"""
WATCH = """
CREATE EVENT TRIGGER made ON ddl_command_end EXECUTE FUNCTION audit.note();
CREATE EVENT TRIGGER gone ON sql_drop EXECUTE FUNCTION audit.note();
"""
# What there is to see in a slot that is there.
WAITING = """
INSERT INTO users SELECT i, 'new' FROM generate_series(10, 15) i;
INSERT INTO orders SELECT i, i FROM generate_series(10, 15) i;
INSERT INTO signals VALUES ('s', 'execute-snapshot', '{"data-collections":["public.users"]}');
SELECT pg_logical_emit_message(true, 'pg-capture.snapshot', '{"tables":["public.users"]}');
"""
# A word of each of what a pipeline may do by itself while it runs.
LIVELY = {
    "PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "initial",
    "PG_CAPTURE_SOURCE_SNAPSHOT_SIGNAL_TABLE": "public.signals",
    "PG_CAPTURE_SOURCE_TABLES_REFRESH_SECS": "1",
    "PG_CAPTURE_SOURCE_HEARTBEAT_INTERVAL_SECS": "1",
    "PG_CAPTURE_SOURCE_HEARTBEAT_SQL": "UPDATE public.beat SET at = now()",
}
NO_BEAT = {"PG_CAPTURE_SOURCE_HEARTBEAT_INTERVAL_SECS": "86400"}
OF_USERS = {"PG_CAPTURE_SOURCE_TABLES_INCLUDE": "public.users,public.signals"}


class Ground:
    """A database with a slot, a publication, an instance, or none of it."""

    def __init__(self, server, name, env=None):
        self.server, self.name = server, name
        server.psql(f"CREATE DATABASE {name}")
        self.psql(TABLES)
        self.env = server.capture_environment(name) | {
            "PG_SLOT_NAME": name, "PG_PUBLICATION": f"{name}_pub",
            "PG_CONNECT_TIMEOUT_SECS": "20", "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{free_port()}"} | LIVELY | (env or {})
        self.capture = None

    def psql(self, sql):
        return self.server.psql(sql, db=self.name)

    def ran(self, env=None):
        """An instance has been here, with these filters of its own, and is gone."""
        with Capture(self.env | NO_BEAT | (env or {}),
                     http=False) as capture:
            capture.wait_for(lambda seen: sum(m["op"] == "READ" for m in seen) >= 5)
            capture.wait_streaming()
            capture.stop()
        self.server.wait_free(self.name)
        self.psql(WAITING)
        return self

    def close(self):
        if self.capture:
            self.capture.close()
        self.server.drop_slot(self.name)

    def seen(self):
        """Whatever could have been written."""
        catalogs = ["SELECT * FROM pg_publication", "SELECT * FROM pg_publication_rel",
                    "SELECT * FROM pg_publication_namespace", "SELECT * FROM pg_description",
                    "SELECT * FROM pg_shdescription", "SELECT * FROM audit.ddl",
                    "SELECT oid, relname, relreplident, relacl FROM pg_class",
                    "SELECT oid, rolname, rolreplication FROM pg_roles",
                    "SELECT * FROM users", "SELECT * FROM orders", "SELECT * FROM beat",
                    "SELECT slot_name, plugin, temporary FROM pg_replication_slots",
                    "SELECT pg_snapshot_xmax(pg_current_snapshot())"]
        if not self.capture:    # one that is running moves it
            catalogs.append("SELECT slot_name, confirmed_flush_lsn FROM pg_replication_slots")
        with self.server.connect(self.name) as connection:
            return {sql: sorted(map(str, connection.execute(sql).fetchall())) for sql in catalogs}


def nothing_there(server):
    return Ground(server, "nothing")


def a_slot(server):
    return Ground(server, "slot").ran()


def narrower_filters(server):
    ground = Ground(server, "narrower").ran()
    ground.env |= OF_USERS
    return ground


def wider_filters(server):
    return Ground(server, "wider").ran(OF_USERS)


def a_foreign_publication(server):
    ground = Ground(server, "foreign_one")
    ground.psql("CREATE PUBLICATION foreign_one_pub FOR TABLE users, signals")
    ground.psql("SELECT pg_create_logical_replication_slot('foreign_one', 'pgoutput')")
    ground.psql(WAITING)
    return ground


def a_slot_without_publication(server):
    ground = Ground(server, "lonely")
    ground.psql("SELECT pg_create_logical_replication_slot('lonely', 'pgoutput')")
    return ground


def a_running_instance(server, name="running"):
    ground = Ground(server, name)
    ground.capture = Capture(ground.env | NO_BEAT)
    ground.capture.wait_for(lambda seen: sum(m["op"] == "READ" for m in seen) >= 5)
    wait_until(lambda: server.slot(name)["active"], what="the slot to be read")
    return ground


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15", settings={"autovacuum": "off"}) as server:
        yield server


@pytest.fixture(scope="module", params=[
    nothing_there, a_slot, narrower_filters, wider_filters, a_foreign_publication,
    a_slot_without_publication, a_running_instance], ids=lambda make: make.__name__)
def ground(server, request):
    made = request.param(server)
    try:
        made.psql(WATCH)
        yield made
    finally:
        made.close()


def commands():
    """Their names, as --help lists them."""
    lines = run_capture("--help").stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("  run "))
    names = []
    for line in lines[start:]:
        if not line:
            return names
        words = line.split("  ")[1].split()
        names.append(" ".join(word for word in words if word.islower() and word.isalpha()))
    raise AssertionError("no end of the list of commands")


LOOKING = [name for name in commands() if name not in THESE_WRITE]


def test_every_command_is_known_here():
    assert {"check", "lag", "peek", "slots list", "status", "init", "config show"} <= set(LOOKING)
    assert {"run", "snapshot", "slots drop"} <= set(commands())


# Without a COUNT it ends when there is no more.
@pytest.mark.parametrize("command", LOOKING + ["peek -n 3", "peek --output json", "init --sql"])
def test_a_command_that_only_looks_writes_nothing(ground, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)     # init writes its file here
    before = ground.seen()
    done = run_capture(*command.split(), env=ground.env)
    # Those about files say that this sink has none; tests/file has what they look at.
    expected = (2,) if command.startswith("files ") else (0, 1, 3, 4, 5)
    assert done.returncode in expected, done.stderr
    after = ground.seen()
    assert after == before, f"{command} wrote (it said: {done.stdout[:500]} {done.stderr[:500]})"


def test_what_peek_shows_are_the_changes_its_filters_choose(server):
    """A look through narrower filters is no reason to alter what the running pipeline gets."""
    ground = Ground(server, "choice").ran()
    try:
        narrow = run_capture("peek", env=ground.env | OF_USERS)
        assert narrow.returncode == 0, narrow.stderr
        tables = {json.loads(line)["table"] for line in narrow.stdout.splitlines()}
        assert "users" in tables and "orders" not in tables
        with Capture(ground.env | NO_BEAT,
                     http=False) as capture:
            capture.wait_for(lambda seen: sum(m["table"] == "orders" and m["op"] == "INSERT"
                                              for m in seen) == 6)
            capture.stop()
    finally:
        ground.close()


def test_peek_shows_values_of_a_type_that_has_changed(server):
    """What no longer fits its binary form is asked for as text, without showing again what was shown."""
    ground = Ground(server, "altered")
    ground.psql("CREATE TYPE pair AS (x int, y text); CREATE TABLE boxes (id int PRIMARY KEY, p pair)")
    ground.ran()
    try:
        before = server.slot("altered")["confirmed_flush_lsn"]
        ground.psql("INSERT INTO boxes VALUES (1, '(1,one)')")
        ground.psql("ALTER TYPE pair ADD ATTRIBUTE z int; INSERT INTO boxes VALUES (2, '(2,two,3)')")
        for _ in range(2):      # nothing is taken
            done = run_capture("peek", env=ground.env)
            assert done.returncode == 0, done.stderr
            shown = [json.loads(line) for line in done.stdout.splitlines()]
            assert [m["after"]["id"] for m in shown if m["table"] == "boxes"] == [1, 2]
            assert sum(m["table"] == "orders" for m in shown) == 6
        assert server.slot("altered")["confirmed_flush_lsn"] == before
    finally:
        ground.close()


def test_peek_before_the_first_run_says_what_makes_a_slot(server):
    ground = Ground(server, "early")
    done = run_capture("peek", "-n", "5", env=ground.env)
    assert done.returncode == 3 and "no slot" in done.stderr, done.stderr
    assert "pg-capture run" in done.stderr and "init --sql" in done.stderr
    assert "drop" not in done.stderr
    assert server.slot("early") is None


def test_peek_beside_a_running_instance_leaves_it_alone(server):
    ground = a_running_instance(server, "beside")
    try:
        done = run_capture("peek", env=ground.env)
        assert done.returncode == 3, done.stderr
        assert "another instance of pg-capture" in done.stderr, done.stderr
        assert "terminate" not in done.stderr
        ground.psql("INSERT INTO users VALUES (900, 'still here')")
        ground.capture.wait_for(lambda seen: any(
            m["op"] == "INSERT" and m["after"]["id"] == 900 for m in seen))
        ground.capture.stop()
    finally:
        ground.close()
