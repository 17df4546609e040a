"""Long runs: hours of use in minutes. The short soak runs always, the others nightly.

    PGC_SOAK_SECS=600      how long the soak lasts
    PGC_KILLS=200          how often the kill loop kills
    PGC_HUGE_ROWS=10000000 rows of the huge transaction
"""

import json
import os
import random
import statistics
import time

import pytest
from support.processes import wait_until
from support.servers import Capture, CutProxy, PostgresServer
from support.workload import SCHEMA, Witness, Writer

DATABASE = "faults"
SOAK_SECS = int(os.environ.get("PGC_SOAK_SECS", "600"))
KILLS = int(os.environ.get("PGC_KILLS", "200"))
HUGE_ROWS = int(os.environ.get("PGC_HUGE_ROWS", "10000000"))


@pytest.fixture
def server():
    with PostgresServer("15", settings={"max_wal_size": "4GB"}) as server:
        server.psql(f"CREATE DATABASE {DATABASE}")
        server.psql(SCHEMA, db=DATABASE)
        yield server


def environment(server, **more):
    return server.capture_environment(DATABASE) | {
        "PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"} | more


def see_all(capture, witness):
    for line in capture.take():
        witness.see(json.loads(line))


def see_the_end(capture, witness, writer, timeout=120):
    writer.finish()

    def there():
        see_all(capture, witness)
        return witness.has(writer.versions)
    wait_until(there, timeout, f"the last changes\n{capture.stderr_tail()}", interval=0.05)
    witness.attest(writer.versions)


class Gauge:
    """Samples of something that must stay flat."""

    def __init__(self):
        self.samples = []

    def thirds(self):
        third = max(1, len(self.samples) // 3)
        return self.samples[:third], self.samples[-third:]

    def grew(self):
        """From the first third to the last, by their medians."""
        first, last = self.thirds()
        return statistics.median(last) - statistics.median(first)

    def leaks(self):
        """How far the last third lies above all of the first; what comes and goes is no leak."""
        first, last = self.thirds()
        return min(last) - max(first)


def disturb(chance, proxy, server):
    """One of the things networks and administrators do."""
    kind = chance.choice(["cut", "cut", "cut_after", "freeze", "terminate"])
    if kind == "cut":
        proxy.cut()
    elif kind == "cut_after":
        proxy.cut_after(chance.randint(1, 100_000))
    elif kind == "freeze":
        proxy.freeze(chance.choice(["both", "to_client", "to_server"]))
        time.sleep(chance.uniform(0.1, 1.0))
        proxy.resume()
    else:
        server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")


def soak(server, seconds, pause, rate=1000, seed=11):
    """One process, steady load, a disturbance every `pause` seconds or so."""
    chance, witness, memory, files = random.Random(seed), Witness(), Gauge(), Gauge()
    with CutProxy("127.0.0.1", server.port) as proxy:
        env = environment(server, PG_HOST="127.0.0.1", PG_PORT=str(proxy.port))
        with Capture(env, slot="s") as capture:
            capture.wait_streaming()
            writer = Writer(server, DATABASE, rate=rate)
            writer.start()
            started = time.monotonic()
            disturb_at, sample_at = started + 2 * pause, started + seconds / 5
            while (now := time.monotonic()) < started + seconds:
                if now >= disturb_at:
                    disturb(chance, proxy, server)
                    disturb_at = time.monotonic() + chance.uniform(0.5, 1.5) * pause
                elif now >= sample_at and disturb_at - now < pause / 3:    # settled again
                    memory.samples.append(capture.resident_mib("VmRSS"))
                    files.samples.append(capture.open_files())
                    sample_at = now + seconds / 100
                see_all(capture, witness)
                time.sleep(0.02)
            see_the_end(capture, witness, writer)
            peak = capture.resident_mib()
            capture.stop()
    print(f"{seconds} s, {witness.messages} messages, {witness.repeats} repeats, memory grew "
          f"{memory.grew():+.2f} MiB to a peak of {peak:.1f}, open files {files.leaks():+g}, "
          f"{len(memory.samples)} samples")
    assert memory.grew() < 2, memory.samples
    assert files.leaks() <= 0, files.samples
    assert peak <= 32
    return witness


def test_a_short_soak_keeps_everything_and_grows_nowhere(server):
    witness = soak(server, 40, pause=1.5)
    assert witness.messages > 2000, "nearly nothing was written: this shows nothing"


@pytest.mark.nightly
def test_a_long_soak_keeps_everything_and_grows_nowhere(server):
    witness = soak(server, SOAK_SECS, pause=5)
    assert witness.messages > SOAK_SECS * 300


@pytest.mark.nightly
def test_hundreds_of_kills_lose_nothing(server):
    chance, witness = random.Random(5), Witness()
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        writer = Writer(server, DATABASE, rate=1000)
        writer.start()
        for _ in range(KILLS):
            time.sleep(chance.choice([chance.uniform(0, 0.1), chance.uniform(0, 1.5)]))
            capture.kill()
            see_all(capture, witness)
            capture.start()
        see_the_end(capture, witness, writer)
        capture.stop()
    print(f"{KILLS} kills, {witness.messages} messages, {witness.repeats} of them repeats")
    assert witness.messages > KILLS * 100


@pytest.mark.nightly
def test_a_table_altered_thousands_of_times_does_not_fill_memory(server):
    server.psql("CREATE TABLE turned (id int PRIMARY KEY, v int)", db=DATABASE)
    memory = Gauge()
    with Capture(environment(server), slot="s", sink="discard") as capture:
        capture.wait_streaming()
        for turn in range(60):
            server.psql("".join(
                f"ALTER TABLE turned ALTER v TYPE {kind};"
                f"INSERT INTO turned VALUES ({turn * 100 + i}, 1);"
                for i, kind in enumerate(["bigint", "numeric", "text", "int USING v::int"] * 12)),
                db=DATABASE)
            server.wait_confirmed("s")
            if turn >= 10:
                memory.samples.append(capture.resident_mib("VmRSS"))
        print(f"memory grew {memory.grew():+.2f} MiB over {48 * 50} versions of a table")
        assert memory.grew() < 1, memory.samples
        assert capture.metric("cdc_schema_changes_total") > 2000
        capture.stop()


@pytest.mark.nightly
def test_23_a_transaction_of_ten_million_rows_keeps_memory_flat(server):
    server.psql("CREATE TABLE huge (id int, pad text)", db=DATABASE)
    with Capture(environment(server), slot="s", sink="discard") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE) as connection:
            connection.execute("INSERT INTO huge SELECT i, repeat('x', 40) FROM "
                               "generate_series(1, %s::int) i", (HUGE_ROWS,))
        wait_until(lambda: (capture.metric("cdc_changes_total") or 0) >= HUGE_ROWS,
                   60 + HUGE_ROWS / 20_000, "all changes", interval=0.5)
        server.wait_confirmed("s", timeout=120)
        peak = capture.resident_mib()
        print(f"{HUGE_ROWS} rows, peak {peak:.1f} MiB")
        assert peak <= 32
        capture.stop()
