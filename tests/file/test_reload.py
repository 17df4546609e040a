"""Reloads of whole tables: ordered by command, API, message and EXPORT_START, while rows are written and we are killed.
The loader trusts the registry alone."""

import json
import random
import time
import urllib.error
import urllib.request

import pytest
from place import Place
from support.capture import run_capture
from support.processes import PATIENCE, wait_until
from support.servers import PostgresServer

ROWS = 20_000
TOKEN = "reload-token"
SLOWLY = {"source_snapshot_rows_per_second": "8000", "source_snapshot_chunk_rows": "1000"}


@pytest.fixture(scope="module")
def server_of():
    """Calls give the shared server of a version: one at a time, for the cases come grouped."""
    running = {}

    def server(version):
        for old in [v for v in running if v != version]:
            running.pop(old).close()
        if version not in running:
            running[version] = PostgresServer(version)
        return running[version]

    yield server
    for one in running.values():
        one.close()


class Reloaded(Place):
    """A place with a table t of many rows and one, u, of few, that are in files already."""

    process = None

    def begin(self, rows=ROWS, **options):
        self.sql(f"""CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text);
                     INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, {rows}) i;
                     INSERT INTO u VALUES (1, 'one'); ANALYZE""")
        self.process = self.capture(http_token=TOKEN, **options)
        wait_until(lambda: self.registered() and len(self.file_log("full_reload")) == 2, PATIENCE, "the first files")
        self.process.wait_streaming()
        return self.process

    def slow_down(self):
        """What is read from now on takes its time."""
        self.process.stop()
        self.process.environment |= {"PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND": "100",
                                     "PG_CAPTURE_SOURCE_SNAPSHOT_CHUNK_ROWS": "25"}
        starts = self.process.stderr.count("postgres  streaming")
        self.process.start()
        wait_until(lambda: self.process.stderr.count("postgres  streaming") > starts, PATIENCE, "it streams again")

    def rows_being_written(self):
        return self.value("SELECT coalesce(sum(row_count), 0) FROM cdc_registry.batch_progress WHERE type = 'full_reload'")

    def wait_half_read(self):
        wait_until(lambda: self.rows_being_written() > 0, PATIENCE, "rows of it in a file")

    def command(self, *words, code=0):
        done = run_capture(*words, env=self.process.environment)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stderr}{done.stdout}"
        return done.stdout

    def __exit__(self, *failure):
        if self.process is not None:
            self.process.close()
        super().__exit__(*failure)

    def shown(self):
        return json.loads(self.command("status", "--output", "json"))["tables"]

    def operations(self, table="t"):
        """Rows of reload_operation, the oldest first."""
        names = ("by", "state", "start", "end", "rows", "problem", "started", "finished")
        return [dict(zip(names, row)) for row in self.rows(
            f"""SELECT requested_by, state, start_lsn - '0/0', end_lsn - '0/0', row_count, problem,
                       started_at IS NOT NULL, finished_at IS NOT NULL
                  FROM cdc_registry.reload_operation WHERE table_name = '{table}' ORDER BY id""")]

    def wait_operation(self, state, table="t", count=1, timeout=120):
        wait_until(lambda: [o["state"] for o in self.operations(table)].count(state) >= count, timeout,
                   f"{count} reloads of {table} that are {state}")
        return [o for o in self.operations(table) if o["state"] == state][count - 1]

    def mode(self, table="t"):
        found = self.rows(f"SELECT state FROM cdc_registry.table_state WHERE table_name = '{table}'")
        return found[0][0] if found else None

    def modes_seen(self, table="t"):
        """The states that the table has had, in order, as the audit has them."""
        return [d.rsplit(": ", 1)[1] for (d,) in self.rows(
            "SELECT details FROM cdc_registry.audit WHERE what = 'state of a table' ORDER BY id")
            if d.startswith(f"public.{table}:")]

    def emit(self, prefix, **content):
        self.sql(f"SELECT pg_logical_emit_message(true, '{prefix}', '{json.dumps(content)}')")

    def comment(self, text, table="t"):
        """As the event trigger makes a message of a COMMENT ON TABLE."""
        self.emit("pg_capture.ddl", command="COMMENT", object_type="table", schema="public", name=table, comment=text,
                  statement=f"COMMENT ON TABLE {table} IS ...")

    def files_of(self, operation, table="t"):
        return [f for f in self.file_log("full_reload")
                if f["table"] == table and operation["start"] < f["end"] <= operation["end"]]

    def from_reload(self, operation, table="t"):
        """The table as a loader has it that takes the reload and the changes that committed after it was ordered."""
        newest = {}
        rows = [row for f in self.files_of(operation, table) for row in self.read(f)]
        assert len(rows) == operation["rows"]
        rows += [row for row in self.changes(table, "streaming") if lsn(row["_commit_lsn"]) > operation["start"]]
        for row in rows:
            place = (lsn(row["_commit_lsn"]), int(row["_seq"]))
            if row["id"] not in newest or place >= newest[row["id"]][0]:
                newest[row["id"]] = (place, None if row["_op"] == "DELETE" else row["v"])
        return {key: value for key, (_, value) in newest.items() if value is not None}

    def wait_equal(self, operation, table="t"):
        expected = self.source(table)
        wait_until(lambda: self.from_reload(operation, table) == expected, PATIENCE, "the reload and what came after it")


def lsn(text):
    return int(text, 16)


def write_some(place, rng):
    """A change of each kind."""
    first = rng.randrange(1, ROWS)
    place.sql(f"INSERT INTO t SELECT i, 'new' FROM generate_series({ROWS + first}, {ROWS + first + 20}) i ON CONFLICT DO NOTHING;"
              f"UPDATE t SET v = 'w' || {first} WHERE id BETWEEN {first} AND {first + 50};"
              f"DELETE FROM t WHERE id BETWEEN {first + 60} AND {first + 80}")


def test_a_table_is_reloaded_by_command_while_the_stream_goes_on(server_of, tmp_path):
    with Reloaded(server_of("15"), tmp_path / "files") as place:
        capture = place.begin(**SLOWLY)
        said = json.loads(place.command("reload", "public.t", "--id", "mine", "--output", "json"))
        assert said == {"id": "mine"}
        rng = random.Random(1)
        place.wait_operation("running")
        wait_until(lambda: place.shown() == [{"table": "public.t", "mode": "reloading"}], PATIENCE, "the mode in status")
        assert capture.metric("cdc_table_mode") == 2
        assert place.mode() == "reloading" and place.mode("u") == "streaming"
        while place.operations()[0]["state"] == "running":
            write_some(place, rng)
        done = place.wait_operation("complete")
        assert done["by"] == "request mine" and done["started"] and done["finished"] and done["problem"] is None
        assert done["start"] < done["end"]
        assert place.mode() == "streaming"
        wait_until(lambda: place.shown() == [], PATIENCE, "nothing of it in status")
        assert capture.metric("cdc_table_mode") == 0
        assert place.modes_seen()[-2:] == ["reloading", "streaming"]
        place.wait_equal(done)
        place.wait_loaded("t", place.source("t"))
        capture.stop()


@pytest.mark.parametrize("version", ["15", "18"])
def test_export_start_as_a_comment_or_a_message_orders_one(server_of, tmp_path, version):
    with Reloaded(server_of(version), tmp_path / "files") as place:
        capture = place.begin(rows=2_000)
        place.comment("EXPORT_START for the warehouse")
        by_comment = place.wait_operation("complete")
        assert by_comment["by"].startswith("EXPORT_START reload-") and by_comment["rows"] == 2_000
        place.comment("EXPORT_END")
        place.comment("no marker, though EXPORT_START stands in it", table="u")
        place.emit("pg-capture.reload", marker="EXPORT_START", schema="public", name="t")
        second = place.wait_operation("complete", count=2)
        assert second["start"] > by_comment["end"]
        place.emit("pg-capture.snapshot", command="reload", id="several", tables=["public.?"])
        assert place.wait_operation("complete", count=3)["by"] == "message several"
        assert place.wait_operation("complete", table="u")["rows"] == 1
        assert len(place.operations("u")) == 1
        place.sql("UPDATE t SET v = 'later' WHERE id < 100")
        place.wait_equal(second)
        capture.stop()


def test_the_marker_is_where_the_reload_meets_the_stream(server_of, tmp_path):
    """What the transaction of the marker did is in the reload; its commit is the reload's start."""
    with Reloaded(server_of("15"), tmp_path / "files") as place:
        capture = place.begin(rows=500)
        with place.server.connect(place.db, autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE t SET v = 'of the marker' WHERE id = 7")
            cursor.execute("""SELECT pg_logical_emit_message(true, 'pg-capture.reload',
                              '{"marker":"EXPORT_START","schema":"public","name":"t"}')""")
            connection.commit()
        done = place.wait_operation("complete")
        read = [row for f in place.files_of(done) for row in place.read(f)]
        assert {row["id"]: row["v"] for row in read}["7"] == "of the marker"
        wait_until(lambda: any(row["id"] == "7" for row in place.changes("t", "streaming")), PATIENCE, "the batch with the update")
        update = [row for row in place.changes("t", "streaming") if row["id"] == "7"]
        assert [lsn(row["_commit_lsn"]) for row in update] == [done["start"]]
        assert all(lsn(row["_commit_lsn"]) > done["start"] for row in read)
        capture.stop()


def test_export_end_calls_off_what_a_marker_has_ordered(server_of, tmp_path):
    with Reloaded(server_of("15"), tmp_path / "files") as place:
        capture = place.begin(source_snapshot_rows_per_second="500", source_snapshot_chunk_rows="50", rows=3_000)
        place.comment("EXPORT_START")
        place.wait_operation("running")
        files = len(place.file_log("full_reload"))
        place.comment("EXPORT_END")
        off = place.wait_operation("failed")
        assert off["problem"] == "cancelled" and off["rows"] is None
        assert place.mode() == "streaming"
        place.sql("INSERT INTO t VALUES (-1, 'after it')")
        place.wait_loaded("t", place.source("t"))
        assert len(place.file_log("full_reload")) == files, "nothing of it is to be loaded"
        capture.stop()


def test_what_cant_be_reloaded_is_said(server_of, tmp_path):
    with Reloaded(server_of("15"), tmp_path / "files") as place:
        capture = place.begin(source_snapshot_rows_per_second="500", source_snapshot_chunk_rows="50", rows=5_000)
        assert "no captured table has this name" in place.command("reload", "public.nothing", code=1)
        assert "nothing is not a table" in run_capture("reload", "nothing", env=capture.environment).stderr
        place.command("reload", "public.t", "--id", "first")
        said = place.command("reload", "public.*", "--wait", code=1)
        assert "a reload of public.t is ordered already, first" in said
        place.command("snapshot", "cancel", "first")
        place.wait_operation("failed")
        assert len(place.operations("u")) == 0
        capture.stop()


def test_by_the_api_and_only_with_the_token(server_of, tmp_path):
    with Reloaded(server_of("15"), tmp_path / "files") as place:
        capture = place.begin(rows=100)

        def post(token):
            request = urllib.request.Request(
                f"http://127.0.0.1:{capture.http_port}/snapshots", method="POST", headers={"Authorization": f"Bearer {token}"},
                data=json.dumps({"tables": ["public.t"], "reload": True, "id": "by-api"}).encode())
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                return error.code

        assert post("another") == 401
        assert post(TOKEN) == 202
        assert place.wait_operation("complete")["by"] == "request by-api"
        assert len(place.operations()) == 1
        capture.stop()


def test_messages_may_be_turned_off(server_of, tmp_path):
    with Reloaded(server_of("15"), tmp_path / "files") as place:
        capture = place.begin(rows=100, source_snapshot_messages="false")
        place.comment("EXPORT_START")
        place.sql("INSERT INTO t VALUES (-1, 'after it')")
        place.wait_loaded("t", place.source("t"))
        place.command("reload", "public.u", "--wait")
        assert [len(place.operations(table)) for table in ("t", "u")] == [0, 1]
        capture.stop()


@pytest.mark.parametrize("version", ["10", "15", "18"])
def test_killed_at_each_state_a_reload_is_made_to_its_end(server_of, tmp_path, version):
    """kill -9 while it is pending, while it is read, and as it ends; rows are written all the time."""
    rng = random.Random(int(version))
    with Reloaded(server_of(version), tmp_path / "files") as place:
        capture = place.begin(**SLOWLY)
        for number in range(1, 4):
            # It is pending for as long as somebody else's transaction keeps the slot from being made.
            with place.server.connect(place.db, autocommit=False) as held, held.cursor() as cursor:
                cursor.execute("INSERT INTO u VALUES (%s, 'held')", (100 + number,))
                place.command("reload", "public.t", "--id", f"r-{number}")
                place.wait_operation("requested")
                assert place.mode() == "pending_reload"
                capture.kill()
                capture.start()
                write_some(place, rng)
                assert place.operations()[number - 1]["state"] == "requested"
                held.commit()
            place.wait_operation("running")
            for _ in range(4):
                write_some(place, rng)
                time.sleep(rng.uniform(0.05, 0.6))      # the moments are what is tried out here
                capture.kill()
                write_some(place, rng)
                capture.start()
            done = place.wait_operation("complete", count=number)
            assert place.mode() == "streaming"
            place.wait_equal(done)
        assert [o["state"] for o in place.operations()] == ["complete"] * 3
        assert place.modes_seen() == ["pending_reload", "reloading", "streaming"] * 3
        place.wait_loaded("t", place.source("t"))
        stream = [(row["_commit_lsn"], row["_seq"], row["_op"]) for row in place.changes("t", "streaming")]
        assert len(stream) == len(set(stream)), "nothing twice"
        capture.stop()
