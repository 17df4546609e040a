"""Exactly once under torture: pg-capture killed and stopped, the broker and PostgreSQL crashed, at random and under load.

An independent consumer of committed records holds what it reads against what the database says happened:
nothing missing, nothing twice, each key in order; of a snapshot each row at most once, the stable ones exactly once.

    PGC_SEED=7              the plan of faults. Every run prints its own; the long ones have another each time
    PGC_TORTURE_SECS=1800   how long the long one takes
    PGC_KILLS=200           how many faults the long loops have
"""

import dataclasses
import os
import random
import signal
import time

import pytest
from support.figures import figure
from support.kafka import SOUND, KafkaBroker
from support.processes import PATIENCE, wait_until
from support.servers import PostgresServer
from torture_load import CAPTURED, SCHEMA, LargeTransactions, Load, Positions, Requests, final_rows
from torture_reader import Reader

LONG_SECS = int(os.environ.get("PGC_TORTURE_SECS", "1800"))
KILLS = int(os.environ.get("PGC_KILLS", "200"))
RATE = 5000
PARTITIONS = 4
TAKE_OVER_SECONDS_MAX = 10      # by night; by day other suites have the cores, too
TAKE_OVER_SECONDS_MAX_BY_DAY = 40
SECOND = "second"       # the role that the second instance logs in as: so it is known who reads the slot

long_run = pytest.mark.nightly


@pytest.fixture
def servers():
    """A PostgreSQL and a broker that a test may crash: one that keeps its word about transactions then."""
    with (PostgresServer("15", settings={"wal_sender_timeout": "10s", "max_wal_size": "4GB"}) as postgres,
          KafkaBroker(SOUND, settings={"log.segment.bytes": 64 << 20}) as broker):
        yield postgres, broker
        # Shown if the test has failed: then it may be the broker's fault.
        print(*broker.dropped_marks(), sep="\n")


class Torture:
    """The load, the snapshots and the reader, from the beginning to the comparison."""

    def __init__(self, servers, stages, delivery, seed):
        self.postgres, self.broker = servers
        self.seed = seed
        print(f"PGC_SEED={seed}")
        self.stage = stages(self.broker, self.postgres, delivery=delivery, source_tables_include=CAPTURED,
                            source_publish_via_partition_root="true", source_snapshot_mode="initial",
                            source_snapshot_chunk_rows="2000", source_snapshot_rows_per_second="30000",
                            kafka_topics_partitions=PARTITIONS)
        self.stage.sql(SCHEMA)
        self.reader = Reader(self.stage, exactly=delivery == "exactly_once")
        self.positions = Positions(self.stage)
        self.captures = [self.stage.capture(wait=False)]
        # From here on every commit is streamed.
        wait_until(lambda: (self.postgres.slot(self.stage.name) or {}).get("confirmed_flush_lsn"), PATIENCE, "the slot")
        self.load = Load(self.stage, seed, RATE)
        self.sessions = [self.load, LargeTransactions(self.stage, seed, pause=20),
                         Requests(self.stage, seed, self.reader, self.positions)]
        self.began = time.monotonic()
        for session in self.sessions:
            session.start()

    def add_instance(self):
        """One that waits for the slot. While the first reads the initial snapshot, nobody holds it."""
        self.captures[0].wait_streaming()
        self.postgres.psql(f"CREATE ROLE {SECOND} SUPERUSER LOGIN")
        capture = self.stage.capture(start=False)
        capture.environment["PG_USERNAME"] = SECOND
        capture.start()
        capture.wait_for_log("is active for PID")
        self.captures.append(capture)

    def check(self):
        for part in (self.reader, *self.sessions):
            part.check()
        for capture in self.captures:
            assert capture.running, f"it ended with exit code {capture.wait_exit()}\n{capture.stderr_tail()}"

    def finish(self):
        """The load stops, everything comes, and it is what the database says."""
        for session in reversed(self.sessions):     # snapshots end under load
            session.finish()
        took = time.monotonic() - self.began
        end = self.sessions[-1].end_of_log()
        self.stage.sql("INSERT INTO requests VALUES (0)")       # the log goes on after that
        wait_until(lambda: self.check() or self.positions.is_past(end), 3 * PATIENCE, "the last position")
        for capture in self.captures:
            capture.stop()
        self.reader.read_up()
        self.reader.compare(final_rows(self.stage))
        self.reader.compare_snapshots()
        changes = sum(session.changes for session in self.sessions[:2])
        figure(f"torture, seed {self.seed}",
               f"{took:.0f} s under {changes / took:.0f} changes/s: {self.reader.changes} changes, none missing, "
               f"{self.reader.repeats} repeats; {self.reader.completed} snapshots of "
               f"{sum(s.rows for s in self.reader.snapshots)} rows, {self.reader.repeated_rows} twice")

    def close(self):
        for session in self.sessions:
            session.stopping.set()
        self.reader.close()
        self.positions.close()


@pytest.fixture
def tortures(servers, stages, request):
    """Calls begin one: tortures(delivery)."""
    begun = []
    any_seed = random.randrange(10**6) if request.node.get_closest_marker("nightly") else 1

    def begin(delivery="exactly_once"):
        begun.append(Torture(servers, stages, delivery, int(os.environ.get("PGC_SEED", any_seed))))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


# -- faults -------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Fault:
    after: float        # seconds
    kinds: tuple        # what fails, in this order; all of it comes back, in the same order
    lasts: float


def plan(seed, kinds):
    """Faults without end, the same from the same seed."""
    chance = random.Random(seed)
    while True:
        number = min(len(kinds), chance.choice([1, 1, 1, 1, 2, 3]))
        lasts = chance.choice([0, chance.uniform(0, 0.5), chance.uniform(0, 2)])
        if chance.randrange(15) == 0:
            lasts = chance.uniform(10, 15)      # wal_sender_timeout passes
        yield Fault(chance.choice([chance.uniform(0, 0.3), chance.uniform(0.3, 1), chance.uniform(1, 4)]),
                    tuple(chance.sample(kinds, number)), lasts)


class Breaker:
    """Lets a fault happen, and undoes it."""

    KINDS = ("kill", "pause", "broker", "postgres")

    def __init__(self, torture):
        self.capture = torture.captures[0]
        self.postgres, self.broker = torture.postgres, torture.broker
        self.happened = dict.fromkeys(self.KINDS, 0)

    def let_happen(self, fault):
        time.sleep(fault.after)
        for kind in fault.kinds:
            self.happened[kind] += 1
            {"kill": self.capture.kill, "pause": lambda: self.capture.signal(signal.SIGSTOP), "broker": self.broker.crash,
             "postgres": lambda: self.postgres.stop("immediate")}[kind]()
        time.sleep(fault.lasts)
        for kind in fault.kinds:
            {"kill": self.capture.start, "pause": lambda: self.capture.signal(signal.SIGCONT), "broker": self.broker.start,
             "postgres": self.postgres.start}[kind]()

    def __str__(self):
        return ", ".join(f"{number} × {kind}" for kind, number in self.happened.items())


def everything_fails(torture, seconds):
    breaker = Breaker(torture)
    for fault in plan(torture.seed, Breaker.KINDS):
        if time.monotonic() > torture.began + seconds:
            break
        breaker.let_happen(fault)
        torture.check()
    print(breaker)
    torture.finish()


@pytest.mark.parametrize("seconds", [180, pytest.param(LONG_SECS, marks=long_run, id="long")])
def test_whatever_fails_nothing_is_missing_and_nothing_comes_twice(tortures, seconds):
    everything_fails(tortures(), seconds)


@long_run
def test_at_least_once_nothing_is_missing_whatever_fails(tortures):
    everything_fails(tortures("at_least_once"), LONG_SECS)


@pytest.mark.parametrize("kills", [20, pytest.param(KILLS, marks=long_run, id="long")])
def test_killed_again_and_again_nothing_is_missing_and_nothing_comes_twice(tortures, kills):
    torture = tortures()
    chance = random.Random(torture.seed)
    for _ in range(kills):
        # From the first moments of a start to some commits later.
        time.sleep(chance.choice([chance.uniform(0.02, 0.4), chance.uniform(0.4, 2.0)]))
        torture.captures[0].kill()
        torture.captures[0].start()
        torture.reader.check()
    torture.finish()


# -- two instances ------------------------------------------------------------------------------


class Duel:
    """Two instances at one name, of which always one is left alone."""

    FAILED = "interrupted; trying again"

    def __init__(self, torture):
        self.torture = torture
        self.take_overs = []

    def holder(self):
        """(who reads the slot, who waits for it)"""
        def of_slot():
            rows = self.torture.postgres.query(
                "SELECT usename FROM pg_stat_activity JOIN pg_replication_slots ON pid = active_pid WHERE slot_name = %s",
                self.torture.stage.name)
            return rows and rows[0][0]
        first, second = self.torture.captures
        return (second, first) if wait_until(of_slot, PATIENCE, "an instance at the slot") == SECOND else (first, second)

    def wait_for_take_over(self):
        """Until the other has committed a record; returns the seconds that took."""
        began, now_ms = time.monotonic(), time.time() * 1000
        return self.torture.reader.wait_for_produced_after(now_ms) - began

    def kill(self, victim, is_holder):
        victim.kill()
        if is_holder:
            self.take_overs.append(self.wait_for_take_over())
        victim.start()

    def stop(self, victim, is_holder, end_its_session):
        """SIGSTOP. The session of one that has the slot ends by itself, after wal_sender_timeout, or is ended."""
        victim.signal(signal.SIGSTOP)
        if is_holder:
            if end_its_session:
                self.torture.stage.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
            self.wait_for_take_over()
        else:
            time.sleep(1)
        attempts = victim.stderr.count(self.FAILED)
        victim.signal(signal.SIGCONT)
        if is_holder:       # it finds out, and waits for the slot
            victim.wait_for_log(self.FAILED, times=attempts + 1)


@pytest.mark.parametrize("faults", [10, pytest.param(KILLS, marks=long_run, id="long")])
def test_two_instances_fight_over_one_name_and_nothing_is_missing_or_comes_twice(tortures, faults):
    torture = tortures()
    torture.add_instance()
    duel = Duel(torture)
    chance = random.Random(torture.seed)
    for _ in range(faults):
        torture.reader.wait_for_more(chance.randint(1, 5000))
        time.sleep(chance.uniform(0, 1))
        holder, other = duel.holder()
        is_holder = chance.random() < 0.7
        victim = holder if is_holder else other
        if chance.random() < 0.5:
            duel.kill(victim, is_holder)
        else:
            duel.stop(victim, is_holder, end_its_session=chance.random() < 0.7)
        torture.check()
    figure("take-over after kill -9, seconds", " ".join(f"{seconds:.2f}" for seconds in duel.take_overs))
    torture.finish()
    assert max(duel.take_overs) < (TAKE_OVER_SECONDS_MAX if faults == KILLS else TAKE_OVER_SECONDS_MAX_BY_DAY)
