"""adopt, position show and position reset, with the position in a file (tests/kafka: in a topic)."""

import errno
import json
import os
import subprocess

import pytest
from support.capture import binary, clean_environment, run_capture
from support.processes import wait_until
from support.servers import CLIENT_BIN, Capture, PostgresServer

ROWS = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5)"


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        yield server


class Place:
    """A database with rows, a publication and a slot of somebody else's, and a file for the position."""

    def __init__(self, server, name, directory, slot=True, mode="initial"):
        self.server, self.name, self.path = server, name, directory / "position"
        server.psql(f"CREATE DATABASE {name}")
        server.psql(ROWS, db=name)
        if slot:
            server.psql(f"CREATE PUBLICATION {name}_pub FOR TABLE t", db=name)
            server.psql(f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')", db=name)
        self.env = server.capture_environment(name) | {
            "PG_SLOT_NAME": name, "PG_PUBLICATION": f"{name}_pub", "PG_CAPTURE_SOURCE_SNAPSHOT_MODE": mode,
            "PG_CAPTURE_SINK": "console", "PG_CAPTURE_REPLICATION_CHECKPOINT_FILE": str(self.path)}

    def run(self, *arguments):
        return run_capture(*arguments, env=self.env)

    def show(self):
        done = self.run("position", "show", "--output", "json")
        return done.returncode, json.loads(done.stdout)

    def capture(self):
        return Capture(self.env, slot=self.name, http=False)

    def slot_at(self):
        return self.server.slot(self.name)["confirmed_flush_lsn"]

    def insert(self, *numbers):
        for number in numbers:
            self.server.psql(f"INSERT INTO t VALUES ({number})", db=self.name)


@pytest.fixture
def place(server, tmp_path):
    made = []

    def make(name, **options):
        made.append(Place(server, name, tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        server.drop_slot(one.name)


def operations(capture):
    return [(m["op"], m["after"]["id"]) for m in capture.messages]


READS = [("READ", number) for number in range(1, 6)]


@pytest.mark.parametrize("flags, mode, snapshot", [
    ([], "initial", True), (["--no-snapshot"], "initial", False),
    ([], "never", False), (["--snapshot"], "never", True)])
def test_adopt_stores_where_the_slot_stands_and_what_is_to_be_read(place, flags, mode, snapshot):
    at = place(f"adopt_{mode}_{snapshot}".lower(), mode=mode)
    done = at.run("adopt", *flags)
    assert done.returncode == 0, done.stderr
    assert at.slot_at() in done.stdout
    assert ("reads all captured tables" in done.stdout) == snapshot
    code, shown = at.show()
    assert code == 0 and shown["continues"] and shown["stored"]["resume_at"] == at.slot_at()
    assert shown["stored"]["snapshot_left"] == snapshot
    at.insert(6)
    with at.capture() as capture:
        expected = [("INSERT", 6)] + (READS + [("READ", 6)] if snapshot else [])
        capture.wait_for(len(expected))
        capture.stop()
        at.server.wait_free(at.name)
        assert sorted(operations(capture)) == sorted(expected)
    again = at.run("adopt")
    assert again.returncode == 5 and "stored already" in again.stderr


def test_adopt_without_a_slot_says_that_the_start_makes_it(place):
    at = place("adopt_no_slot", slot=False)
    done = at.run("adopt")
    assert done.returncode == 0 and "There is no slot adopt_no_slot yet" in done.stdout, done.stderr
    assert not at.path.exists()
    assert at.server.slot("adopt_no_slot") is None


def test_adopt_takes_no_slot_that_could_not_be_read(place):
    at = place("adopt_other", slot=False)
    at.server.psql("SELECT pg_create_logical_replication_slot('adopt_other', 'test_decoding')", db="adopt_other")
    done = at.run("adopt")
    assert done.returncode == 2 and "test_decoding" in done.stderr
    assert at.run("adopt", "--snapshot", "--no-snapshot").returncode == 2
    assert not at.path.exists()


def test_show_says_what_is_stored_and_what_a_start_makes_of_it(place):
    at = place("shown")
    code, shown = at.show()
    assert code == 0 and shown["stored"] is None and shown["slot"]["confirmed"] == at.slot_at()
    assert "all captured tables are read" in shown["next_start"]
    assert at.run("adopt", "--no-snapshot").returncode == 0
    at.insert(6)
    at.server.psql("SELECT pg_replication_slot_advance('shown', pg_current_wal_lsn())", db=at.name)
    code, shown = at.show()
    assert code == 1 and not shown["continues"] and "ahead of our position" in shown["next_start"]
    assert "pg-capture position reset --yes" in shown["hint"]
    text = at.run("position", "show")
    assert text.returncode == 1
    for word in ("kept in", str(at.path), "a start now", "ahead of our position", at.slot_at()):
        assert word in text.stdout


def test_reset_says_what_it_costs_does_it_and_the_next_start_reads_everything(place):
    at = place("resets")
    assert at.run("adopt", "--no-snapshot").returncode == 0
    at.server.psql("DELETE FROM t WHERE id = 5", db="resets")
    at.server.psql("SELECT pg_replication_slot_advance('resets', pg_current_wal_lsn())", db=at.name)
    refused = at.run("position", "reset")
    assert refused.returncode == 2 and "nothing is done without --yes" in refused.stderr
    assert "what was deleted in between is not reported" in refused.stderr
    assert at.path.exists()
    done = at.run("position", "reset", "--yes")
    assert done.returncode == 0 and at.slot_at() in done.stdout, done.stderr
    assert not at.path.exists()
    assert at.run("position", "reset", "--yes").returncode == 1
    with at.capture() as capture:
        capture.wait_for(4)
        assert sorted(operations(capture)) == READS[:4]
        capture.stop()


def test_reset_with_never_says_that_changes_are_lost(place):
    at = place("resets_never", mode="never")
    assert at.run("adopt").returncode == 0
    refused = at.run("position", "reset")
    assert refused.returncode == 2 and "changes in between are lost" in refused.stderr


def test_reset_takes_an_unreadable_position_away_but_not_another_pipelines(place):
    at = place("spoilt")
    assert at.run("adopt").returncode == 0
    content = at.path.read_text()
    at.path.write_text(content[:40])
    assert at.run("position", "show").returncode == 5
    assert at.run("position", "reset", "--yes").returncode == 0
    assert not at.path.exists()
    assert at.run("adopt").returncode == 0
    at.env["PG_CAPTURE_NAME"] = "another"
    done = at.run("position", "reset", "--yes")
    assert done.returncode == 5 and "belongs to pipeline spoilt" in done.stderr
    assert at.path.exists()


def test_reset_drops_the_slot_if_asked_to(place):
    at = place("dropped")
    assert at.run("adopt").returncode == 0
    done = at.run("position", "reset", "--drop-slot", "--yes", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert {"reset": True, "slot_dropped": True}.items() <= json.loads(done.stdout).items()
    assert at.server.slot("dropped") is None and not at.path.exists()


def test_nothing_is_changed_beside_an_instance_that_runs(place):
    at = place("running")
    with at.capture() as capture:
        capture.wait_for(5)
        capture.wait_streaming()
        for command in (["adopt"], ["position", "reset", "--yes"]):
            done = at.run(*command)
            assert done.returncode == 3 and "is active for PID" in done.stderr, done.stderr
            assert "stop it first" in done.stderr
        code, shown = at.show()
        assert code == 0 and shown["slot"]["active"]
        capture.stop()


def opened_for_writing(fifo):
    """Once somebody reads it."""
    def attempt():
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return None

    return wait_until(attempt, 60, "nobody reads the position")


@pytest.mark.parametrize("command, code", [
    (["adopt"], 5), (["position", "reset", "--yes"], 0), (["position", "reset", "--yes", "--drop-slot"], 0)])
def test_nobody_can_follow_the_slot_between_the_look_and_the_write(place, command, code):
    """The position is looked up, and what comes of it written, while the slot is held."""
    at = place("_".join(command).replace("--", "").replace("-", "_") + "_held")
    at.insert(6)
    before = at.slot_at()
    os.mkfifo(at.path)      # whose reader waits for us
    with subprocess.Popen([str(binary()), *command], env=clean_environment() | at.env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        fifo = opened_for_writing(at.path)
        try:
            taken = subprocess.run(
                [CLIENT_BIN / "pg_recvlogical", "-d", at.name, "-h", at.server.socket_dir, "-p", str(at.server.port),
                 "-U", at.server.user, "--slot", at.name, "--start", "--endpos", "0/1", "-n", "-f", "-",
                 "-o", "proto_version=1", "-o", f"publication_names={at.name}_pub"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
            assert taken.returncode != 0 and f'"{at.name}" is active for PID' in taken.stderr, taken.stderr
            assert at.slot_at() == before
        finally:
            at.path.unlink()
            at.path.write_text("not a position")
            os.close(fifo)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == code, errors
    assert at.path.exists() == (code != 0)
    at.server.wait_free(at.name)
    slot = at.server.slot(at.name)
    assert slot is None if "--drop-slot" in command else slot["confirmed_flush_lsn"] == before
