"""Killed at each step of a seal, by name: what a loader has is right after each of them.

die_at.c is preloaded and kills pg-capture before or after a call to the system. That it did is asserted, so a point
that is never reached fails its test."""

import signal

import pytest
from place import ByManifests, newest_rows
from preloaded import preloaded
from support.processes import PATIENCE, wait_until

# CALL WHEN TEXT: of rows and of files, of t, which is reloaded meanwhile.
POINTS = {
    "a file's rows are synced": "fdatasync after streaming.csv",
    "schema.yml is there": "rename after schema.yml",
    "manifest.json is there": "rename after manifest.json",
    "closing.json is about to be there": "rename before closing.json",
    "closing.json is there": "rename after closing.json",
    "a folder is about to be moved": "renameat2 before files/t/",
    "a folder was moved": "renameat2 after files/t/",
    "the folder above it is synced": "fsync after files/t",
    "the commit is about to be sent": "send before INSERT INTO cdc_registry.file_log",
    "the commit was sent, and nobody knows what became of it": "send after INSERT INTO cdc_registry.file_log",
    "the commit was answered": "rename before checkpoint.json",
    "checkpoint.json is there": "rename after checkpoint.json",
}
# What who comes next does with what was moved for a seal that is not committed.
RECOVERY = {
    "a folder is about to be moved back": "renameat2 before open/",
    "a folder was moved back": "renameat2 after open/",
    "the folders that were moved back are synced": "fsync after open",
}


@pytest.fixture(scope="module")
def die_at(tmp_path_factory):
    return preloaded(tmp_path_factory.mktemp("die_at"), "die_at")


class Killed:
    """A table t whose rows are written and that is reloaded, in lives that end at a point."""

    def __init__(self, place, capture, library):
        self.place, self.capture, self.library = place, capture, library
        self.loader = ByManifests(place.root)
        self.written = 0

    def write(self):
        self.place.sql(f"UPDATE t SET v = 'w{self.written}' WHERE id <= 50; INSERT INTO t VALUES ({1000 + self.written}, 'new');"
                       f"UPDATE u SET v = 'w{self.written}'")
        self.written += 1

    def reload(self):
        self.place.sql("SELECT pg_logical_emit_message(true, 'pg-capture.reload', "
                       """'{"marker":"EXPORT_START","schema":"public","name":"t"}')""")

    def dies_at(self, point, count=1):
        """The next life, or this one if it can't be begun before."""
        call, when, text = point.split(" ", 2)
        self.capture.environment |= {"LD_PRELOAD": str(self.library), "PGC_DIE_AT": f"{call} {when} {count} {text}"}
        self.capture.start()
        until = PATIENCE

        def ended():
            self.write()
            return not self.capture.running
        wait_until(ended, until, f"the end at: {point}")
        assert self.capture.wait_exit() == -signal.SIGKILL, self.capture.stderr_tail()
        self.loader.look()

    def lives_on(self):
        for name in ("LD_PRELOAD", "PGC_DIE_AT"):
            self.capture.environment.pop(name, None)
        self.capture.start()

    def check(self):
        place = self.place
        wait_until(lambda: [s for (s,) in place.rows("SELECT DISTINCT state FROM cdc_registry.reload_operation")]
                   in ([], ["complete"]), PATIENCE, "the reload")
        for table in ("t", "u"):
            place.wait_loaded(table, place.source(table))
        self.capture.stop()
        self.loader.look()
        for loader in (place, self.loader):
            changes = loader.changes("t", "streaming")
            places = [(r["_commit_lsn"], int(r["_seq"])) for r in changes]
            assert len(places) == len(set(places)), "nothing twice"
            assert len(places) == 51 * self.written, "nothing missing"
            rows = newest_rows(lambda kind, loader=loader: loader.changes("t", kind))
            assert {key: row["v"] for key, row in rows.items()} == place.source("t")


@pytest.fixture
def killed(place, die_at):
    place.sql("""CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' FROM generate_series(1, 200) i;
                 CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u VALUES (1, 'v'); ANALYZE""")
    with place.capture() as capture:
        wait_until(lambda: place.registered() and len(place.file_log("full_reload")) == 2, PATIENCE, "the first files")
        capture.wait_streaming().stop()
        made = Killed(place, capture, die_at)
        yield made


@pytest.mark.parametrize("name", POINTS)
def test_killed_at_each_step_of_a_seal(killed, name):
    killed.reload()
    for count in (1, 2):
        killed.dies_at(POINTS[name], count)
    killed.lives_on()
    killed.write()
    killed.check()


@pytest.mark.parametrize("name", RECOVERY)
def test_killed_while_a_seal_that_was_lost_is_taken_back(killed, name):
    killed.reload()
    killed.dies_at(POINTS["a folder was moved"])
    killed.dies_at(RECOVERY[name])
    killed.lives_on()
    killed.write()
    killed.check()
