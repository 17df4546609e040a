"""Alterations of every kind between any two chunks of a snapshot, among changes of rows and kills.

A gate stands before each chunk, so that the place of an alteration is no matter of time. Every READ must be the
row exactly as it was at its place, under the names of that place, and what a consumer has at the end must be
each row as it was when a change last touched it, or later.
"""

import collections
import random
import re

import pytest
from alterations import Altered, Consumer
from gate import Gate
from ground import COMPLETE
from support.figures import figure
from support.processes import wait_until

ROWS = 60
CHUNK = 8           # a statement reads half of it
ACTS = 18
KILLS = 2


def unfinished(log):
    """Snapshots that this life of the process has begun: the first one, and those of tables that
    have joined. One whose order died with a process before is ordered again.
    """
    life = log[log.rindex(" starting "):]
    return (set(re.findall(r"snapshot begins .*\bid=(\S+)", life)) -
            set(re.findall(r"snapshot (?:is complete|failed|cancelled) .*\bid=(\S+)", life)))


class Case:
    def __init__(self, ground, gate, seed, readers=1):
        self.ground, self.gate, self.chance = ground, gate, random.Random(seed)
        ground.sql(f"CREATE PUBLICATION {ground.name}_pub FOR ALL TABLES")
        major = ground.server.major
        self.tables = [Altered(ground, "t", ROWS, seed, major), Altered(ground, "u", ROWS // 2, seed + 1, major)]
        self.options = {"postgres_host": gate.host, "postgres_port": gate.port, "source_manage_publication": "false",
                        "source_snapshot_chunk_rows": CHUNK, "source_snapshot_readers": readers}
        self.acts = self.kills = self.changes = 0
        self.log = ""

    def act(self):
        table = self.chance.choice([self.tables[0], self.tables[0], self.tables[1]])
        for _ in range(self.chance.randint(0, 3)):
            self.changes += bool(table.change())
        table.alter()
        for _ in range(self.chance.randint(0, 2)):
            self.changes += bool(table.change())
        self.acts += 1

    def step(self, capture):
        """True once the snapshot is through."""
        opening = self.gate.wait(0.03)
        if self.acts < ACTS and self.chance.random() < (0.6 if opening else 0.1):
            self.act()
        if opening is None:
            assert capture.running, "it ended"
            return COMPLETE in capture.stderr and not unfinished(capture.stderr)
        if self.kills < KILLS and self.chance.random() < 0.06:
            self.kills += 1
            capture.kill()
            self.gate.drop()
            opening.release()
            if self.chance.random() < 0.5:
                self.act()
            capture.start()
            return False
        opening.release()
        return False

    def run(self):
        with self.ground.capture(**self.options) as capture:
            try:
                wait_until(lambda: self.step(capture), 180, "the end of the snapshot", interval=0)
                self.gate.open()    # a table may have joined by what was altered at last: its turn comes
                for table in self.tables:
                    table.change()
                self.ground.wait_streamed(60)
                wait_until(lambda: not unfinished(capture.stderr), 60, "the end of every snapshot")
                capture.stop()
            finally:
                self.log = capture.stderr
            return self.check()

    def check(self):
        wrong, reads, events = [], 0, 0
        for table in self.tables:
            consumer = Consumer(table)
            for message in self.ground.messages:
                if message["table"] in (table.first_name, f"other_{table.first_name}"):
                    consumer.hear(message)
            wrong += consumer.differences()
            reads, events = reads + consumer.reads, events + consumer.events
        return wrong, reads, events


def run_cases(server, grounds, seeds, **more):
    counts, kinds = collections.Counter(), collections.Counter()
    for seed in seeds:
        ground = grounds(server)
        with Gate(server.host, server.port) as gate:
            case = Case(ground, gate, seed, **more)
            try:
                wrong, reads, events = case.run()
            except BaseException:
                print(f"seed {seed}: {[table.done for table in case.tables]}")
                raise
        done = [kind for table in case.tables for kind in table.done]
        assert not wrong, f"seed {seed}, after {[t.done for t in case.tables]}:\n" + "\n".join(wrong) + "\n" + case.log
        kinds.update(done)
        counts.update(cases=1, alterations=len(done), chunks=gate.stops, reads=reads, events=events, kills=case.kills,
                      changes=case.changes, refused=sum(len(table.failed) for table in case.tables))
        for table in case.tables:
            table.close()
        ground.close()
    figure(f"altered at random, PostgreSQL {server.major}", ", ".join(f"{n} {what}" for what, n in counts.items()) +
           f"; {len(kinds)} kinds of alterations")
    return counts


@pytest.mark.parametrize("version, seeds", [("10", range(100, 102)), ("15", range(200, 202)), ("18", range(300, 302))])
def test_rows_are_what_they_were_whatever_is_altered_between_two_chunks(servers, grounds, version, seeds):
    counts = run_cases(servers(version), grounds, seeds)
    assert counts["alterations"] and counts["reads"] and counts["events"]


@pytest.mark.nightly
@pytest.mark.parametrize("readers", [1, 2])
@pytest.mark.parametrize("version", ["10", "15", "18"])
def test_rows_are_what_they_were_at_length(servers, grounds, version, readers):
    counts = run_cases(servers(version), grounds, range(1000 * readers, 1000 * readers + 25), readers=readers)
    assert counts["cases"] == 25
