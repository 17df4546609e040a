"""The schema registry is killed while changes come, and comes back: what is known streams on, a new
table waits, PostgreSQL is answered all the while, `status` and /healthz say what is missing, and
in the end each row is there once. Outages are short here and 60 s nightly.
"""

import time

import pytest
from support.capture import run_capture
from support.processes import wait_until
from support.servers import CutProxy
from support.workload import check

from test_registry import Reader, health

RATE = 400
NEW_ROWS = 300
LARGE = 5000        # changes of one transaction: several batches
MEMORY_GROWTH_MIB = 24
REFUSED = 6         # exit code
LONG = pytest.param(60, marks=pytest.mark.nightly, id="long")


@pytest.fixture
def way(registry):
    """The way to the registry, which can be closed: to a client the same as one that was killed."""
    with CutProxy("127.0.0.1", registry.port) as proxy:
        yield proxy


def status(capture):
    env = {k: v for k, v in capture.environment.items() if k.startswith("PG")}
    return run_capture("status", env=env).stdout


class Walsender:
    """How the server sees our stream."""

    def __init__(self, stage):
        self.stage = stage

    def look(self):
        """(pid, when it last heard of us)"""
        (row,) = self.stage.server.query(
            "SELECT r.pid, r.reply_time FROM pg_stat_replication r JOIN pg_replication_slots s"
            " ON s.active_pid = r.pid WHERE s.slot_name = %s", self.stage.name)
        return row


@pytest.mark.parametrize("seconds", [3, LONG])
def test_a_registry_that_is_killed_under_load(stages, registry, way, seconds):
    url = f"http://{way.host}:{way.port}/apis/ccompat/v7"
    stage = stages("avro", format_registry_url=url, replication_keepalive_interval_secs="1")
    stage.sql("CREATE TABLE fresh (id int PRIMARY KEY, t text)")
    with stage.capture(http=True) as capture:
        writer = stage.writer(rate=RATE, batch=10)
        known = len(stage.wait_for("history", 200))
        way.refuse()
        way.cut()
        stage.wait_for("history", known + 200)      # what is known streams on
        here = stage.server.end_of_log()
        stage.server.wait_confirmed(stage.name, here)
        pid, _ = Walsender(stage).look()

        stage.sql(f"INSERT INTO fresh SELECT i, repeat('x', 1000) FROM generate_series(1, {NEW_ROWS}) i")
        for said in (health, status):
            wait_until(lambda: f'{stage.topic("fresh")}-key' in said(capture).replace("\\", ""),
                       what="the subject that is missing")
            text = said(capture)
            for words in ("the schema registry, asked about the subject", url, "onnect",
                          "hint: start the registry, or correct format.registry.url"):
                assert words in text, text
        before, began = capture.resident_mib("VmRSS"), time.monotonic()
        _, heard = Walsender(stage).look()
        time.sleep(seconds)
        wait_until(lambda: Walsender(stage).look()[1] > heard, what="PostgreSQL to hear of us")
        assert Walsender(stage).look()[0] == pid, "the stream was begun again"
        assert capture.running and not stage.broker.partitions(stage.topic("fresh"))
        way.accept()
        fresh = stage.wait_for("fresh", NEW_ROWS)
        back = time.monotonic()
        writer.finish()
        reader, versions = Reader(registry), {k: n for k, n in writer.versions.items() if n}
        assert [reader.avro(r.value)["after"]["id"] for r in fresh] == list(range(1, NEW_ROWS + 1))
        records = stage.wait_for("history", sum(versions.values()))
        check([{"table": "history"} | reader.avro(r.value) for r in records], versions)
        assert len(records) == sum(versions.values()), "something came twice"
        peak = capture.resident_mib()
        print(f"away for {back - began:.0f} s, {len(records)} records, memory {before:.0f} MiB, peak {peak:.0f} MiB")
        assert peak < before + MEMORY_GROWTH_MIB
        wait_until(lambda: "schema registry" not in health(capture), what="no more word of it")
        capture.stop()


def test_readers_of_committed_records_do_not_wait_for_the_registry(stages, registry, way):
    """A transaction that is committed as a whole, and in the middle of it a schema that is not known."""
    stage = stages("avro", format_registry_url=f"http://{way.host}:{way.port}/apis/ccompat/v7",
                   delivery="exactly_once", consistency="transaction")
    stage.sql("CREATE TABLE known (id int PRIMARY KEY); CREATE TABLE fresh (id int PRIMARY KEY)")
    known, fresh = stage.topic("known"), stage.topic("fresh")
    with stage.capture(http=True) as capture:
        stage.sql("INSERT INTO known VALUES (0)")
        stage.wait_for("known", 1)
        way.refuse()
        way.cut()
        stage.sql(f"BEGIN; INSERT INTO known SELECT generate_series(1, {LARGE}); INSERT INTO fresh VALUES (1); COMMIT")
        wait_until(lambda: f"{fresh}-key" in health(capture), what="the subject that is missing")
        written = stage.broker.end_offsets(known)[0][1]
        assert written > 1000, "the first part of it was not written yet"
        assert stage.broker.count_committed(known, timeout=30) == 1
        assert capture.running and "given up" not in capture.stderr
        way.accept()
        wait_until(lambda: stage.broker.partitions(fresh) and stage.broker.end_offsets(fresh)[0][1] > 0,
                   what="the rest of it")
        assert stage.broker.count_committed(known) == 1 + LARGE
        assert stage.broker.count_committed(fresh) == 1
        capture.stop()
        assert capture.stderr.count("is sent again") == 1


class Altered:
    """A table whose next schema its registry calls incompatible."""

    def __init__(self, stage, registry):
        self.stage, self.registry = stage, registry
        self.subject = f"{stage.topic('a')}-value"
        stage.sql("CREATE TABLE a (id int PRIMARY KEY, v int NOT NULL)")

    def alter(self):
        self.stage.sql("INSERT INTO a VALUES (1, 10)")
        self.stage.wait_for("a", 1)
        self.registry.set_level(self.subject, "BACKWARD")
        self.stage.sql("ALTER TABLE a ALTER v TYPE text USING v::text")
        self.stage.sql("INSERT INTO a VALUES (2, 'twenty')")

    def rows(self, count):
        reader = Reader(self.registry)
        return [reader.avro(r.value)["after"] for r in self.stage.wait_for("a", count)]


ROWS = [{"id": 1, "v": 10}, {"id": 2, "v": "twenty"}]


def test_with_fail_an_incompatible_schema_ends_it_with_the_registrys_reason(stages, registry):
    table = Altered(stages("avro", schema_change="fail"), registry)
    with table.stage.capture() as capture:
        table.alter()
        assert capture.wait_exit() == REFUSED
        for words in ("the schema registry refuses the schema of the subject", table.subject,
                      "ncompatib", registry.url, "schema_change=evolve"):
            assert words in capture.stderr, capture.stderr_tail()
    registry.set_level(table.subject, "NONE")
    with table.stage.capture() as capture:
        assert table.rows(2) == ROWS, "the next start goes on"
        capture.stop()


def test_with_pause_the_stream_waits_until_the_registry_accepts_the_schema(stages, registry):
    table = Altered(stages("avro", schema_change="pause",
                           format_registry_retry_backoff_max_ms="300"), registry)
    with table.stage.capture(http=True) as capture:
        table.alter()
        for said in (health, status):
            wait_until(lambda: "to accept a schema" in said(capture), what="that it waits")
            text = said(capture)
            for words in (table.subject, "ncompatib", registry.url):
                assert words in text, text
        assert len(table.rows(1)) == 1 and capture.running
        registry.set_level(table.subject, "NONE")
        assert table.rows(2) == ROWS
        wait_until(lambda: "to accept a schema" not in health(capture), what="no more word of it")
        capture.stop()
        assert capture.stderr.count("waiting until the schema registry accepts a schema") == 1
        assert "the schema registry accepts the schema now" in capture.stderr


def test_by_default_an_incompatible_schema_is_registered_and_the_level_stays(stages, registry):
    table = Altered(stages("avro"), registry)
    with table.stage.capture() as capture:
        table.alter()
        assert table.rows(2) == ROWS
        capture.stop()
        assert "setting the subject's compatibility level to NONE until" in capture.stderr
        assert "ncompatib" in capture.stderr
    assert registry.level(table.subject) == "BACKWARD"
