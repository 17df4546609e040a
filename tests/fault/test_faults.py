"""What goes wrong in real life, on a real server: kills, cuts, freezes, crashes.

The numbers in the names of tests are those of the scenarios in docs/SCENARIOS.md.
"""

import os
import random
import re
import shutil
import signal
import time

import pytest
from support.figures import figure
from support.processes import wait_until
from support.servers import Capture, CutProxy, PostgresServer
from support.workload import SCHEMA, Writer, caught_up, check

DATABASE = "faults"
LONG = os.environ.get("PGC_NIGHTLY") == "1"


@pytest.fixture
def server():
    with PostgresServer("15", settings={"wal_sender_timeout": "60s"}) as server:
        server.psql(f"CREATE DATABASE {DATABASE}")
        server.psql(SCHEMA, db=DATABASE)
        yield server


def environment(server, **more):
    return server.capture_environment(DATABASE) | {
        "PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"} | more


def pauses_ms(log):
    """How long it meant to wait before each attempt. That, and no machine's speed, decides how soon it is back."""
    return [int(pause) for pause in re.findall(r"trying again .*? in_ms=(\d+)", log)]


def through(proxy, env):
    return env | {"PG_HOST": "127.0.0.1", "PG_PORT": str(proxy.port)}


def finish(capture, writer, timeout=120):
    """Ends the writer, waits for the stream, checks it; returns the repeats."""
    writer.finish()
    capture.wait_for(caught_up(writer.versions), timeout=timeout)
    return check(capture.messages, writer.versions)


def test_1_kill_9_at_random_moments_loses_nothing(server):
    chance = random.Random(7)
    kills = 40 if LONG else 12
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        writer = Writer(server, DATABASE)
        writer.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.8))
            capture.kill()
            capture.start()
        repeats = finish(capture, writer)
        total = len(capture.raw_lines)
        capture.stop()
    figure("kill -9 into a pipe", f"{kills} kills, {total} messages, none missing, {repeats} of them repeats")
    assert sum(writer.versions.values()) > 200


def test_8_sigterm_drains_and_confirms_so_nothing_comes_twice(server):
    with Capture(environment(server, PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS="60"), slot="s",
                 http=False) as capture:
        capture.wait_streaming()
        writer = Writer(server, DATABASE)
        writer.start()
        for _ in range(3):
            time.sleep(0.7)
            assert capture.stop() < 10     # 5 s by our own clock: pipeline_test.cc
            capture.start()
        assert finish(capture, writer) == 0
        capture.stop()


def test_8_a_second_signal_ends_it_at_once(server):
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        capture.signal(signal.SIGSTOP)
        capture.signal(signal.SIGTERM)
        capture.signal(signal.SIGINT)
        capture.signal(signal.SIGCONT)
        assert capture.wait_exit() in (0, 10)


@pytest.mark.parametrize("direction", ["both", "to_client", "to_server"])
def test_9_a_half_open_connection_is_noticed_and_made_anew(server, direction):
    with CutProxy("127.0.0.1", server.port) as proxy:
        env = through(proxy, environment(server, PG_CAPTURE_REPLICATION_KEEPALIVE_INTERVAL_SECS="1"))
        with Capture(env, slot="s", http=False) as capture:
            capture.wait_streaming()
            writer = Writer(server, DATABASE, rate=500)
            writer.start()
            time.sleep(0.5)
            proxy.freeze(direction)
            capture.wait_for_log("trying again")
            proxy.resume()
            proxy.cut()
            assert finish(capture, writer) >= 0
            capture.stop()


def test_9_cuts_at_random_bytes_lose_nothing_and_recovery_is_quick(server):
    chance = random.Random(3)
    with CutProxy("127.0.0.1", server.port) as proxy:
        with Capture(through(proxy, environment(server)), slot="s", http=False) as capture:
            capture.wait_streaming()
            writer = Writer(server, DATABASE)
            writer.start()
            for _ in range(8):
                proxy.cut_after(chance.randint(1, 40_000))
                time.sleep(chance.uniform(0.2, 0.9))
            said, before = len(capture.stderr), len(capture.raw_lines)
            proxy.cut()
            wait_until(lambda: len(capture.raw_lines) > before + 50, what="the stream again")
            capture.wait_for_log("trying again")
            pauses = pauses_ms(capture.stderr[said:])
            finish(capture, writer)
            capture.stop()
    assert sum(pauses) < 2000, f"it waited {pauses} ms before its attempts"


def settled_mib(capture):
    """Resident memory once it has stopped growing."""
    seen = []

    def settled():
        seen.append(capture.resident_mib("VmRSS"))
        return len(seen) > 3 and max(seen[-4:]) - min(seen[-4:]) < 0.5
    wait_until(settled, what="its memory to stand still", interval=0.5)
    return seen[-1]


def test_10_a_reader_that_stops_costs_neither_connection_nor_memory(server):
    """The console's pipe is full for longer than wal_sender_timeout."""
    with server.connect() as connection:
        connection.execute("ALTER SYSTEM SET wal_sender_timeout = '4s'")
        connection.execute("SELECT pg_reload_conf()")
    env = environment(server, PG_CAPTURE_REPLICATION_KEEPALIVE_INTERVAL_SECS="1")
    read, write = os.pipe()
    with Capture(env, slot="s", http=False, stdout=write) as capture, os.fdopen(read, "rb") as pipe:
        os.close(write)
        capture.wait_streaming()
        server.psql("INSERT INTO history SELECT i, 1, repeat('x', 500) FROM generate_series(1, 400000) i",
                    db=DATABASE)
        early = settled_mib(capture)
        pid = server.slot("s")["active_pid"]
        assert pid
        time.sleep(10)
        assert server.slot("s")["active_pid"] == pid, "the connection did not survive"
        late = capture.resident_mib("VmHWM")
        assert late < early + 24 and late < 96, f"memory went from {early:.0f} to {late:.0f} MiB"
        lines = sum(1 for _ in zip(range(400_000), pipe))
        capture.signal(signal.SIGTERM)
        assert pipe.read() == b"" and lines == 400_000
        assert capture.wait_exit() == 0


def test_11_a_fast_shutdown_of_an_idle_server_does_not_hang(server):
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        server.stop("fast", timeout=50)     # wal_sender_timeout would end it after 60 s
        server.start()
        server.psql("INSERT INTO history VALUES (1, 1, '')", db=DATABASE)
        capture.wait_for(1)
        capture.stop()


def test_12_server_crashes_lose_nothing(server):
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        writer = Writer(server, DATABASE)
        writer.start()
        for _ in range(3):
            time.sleep(1.0)
            server.stop("immediate")
            server.start()
        finish(capture, writer)
        capture.stop()


def test_12_streaming_again_two_seconds_after_the_server_is_back(server):
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        server.stop("immediate")
        time.sleep(4)       # long enough for the back-off to grow
        server.start()
        server.psql("INSERT INTO history VALUES (1, 1, '')", db=DATABASE)
        capture.wait_for(1)
        capture.stop()
        pauses = pauses_ms(capture.stderr)
    assert pauses and max(pauses) <= 2000, f"it waits {pauses} ms before its attempts"


def test_14_another_cluster_is_refused(server):
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        server.psql("INSERT INTO history VALUES (1, 1, '')", db=DATABASE)
        capture.wait_for(1)
        capture.stop()
        with PostgresServer("15", fresh=True) as other:
            other.psql(f"CREATE DATABASE {DATABASE}")
            other.psql(SCHEMA, db=DATABASE)
            capture.environment |= {k: v for k, v in environment(other).items()}
            capture.start()
            assert capture.wait_exit() == 5
            assert "system" in capture.stderr_tail()


def test_16_17_a_slot_that_is_ahead_of_us_is_refused(server):
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        server.psql("INSERT INTO history VALUES (1, 1, '')", db=DATABASE)
        capture.wait_for(1)
        capture.stop()
        server.psql("INSERT INTO history VALUES (2, 1, '')", db=DATABASE)
        server.psql("SELECT pg_replication_slot_advance('s', pg_current_wal_lsn())", db=DATABASE)
        capture.start()
        assert capture.wait_exit() == 5
        assert len(capture.raw_lines) == 1


def test_18_a_lost_slot_is_terminal(server):
    with server.connect() as connection:
        connection.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        connection.execute("ALTER SYSTEM SET max_wal_size = '32MB'")
        connection.execute("SELECT pg_reload_conf()")
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        server.psql("INSERT INTO history VALUES (0, 1, '')", db=DATABASE)
        capture.wait_for(1)
        capture.stop()
        for _ in range(6):
            server.psql("CREATE TABLE junk AS SELECT repeat('x', 1000) FROM generate_series(1, 20000);"
                        "DROP TABLE junk;", db=DATABASE)
            server.psql("SELECT pg_switch_wal()")
            server.psql("CHECKPOINT")
        wait_until(lambda: server.slot("s")["wal_status"] == "lost", what="the slot to be lost")
        capture.start()
        assert capture.wait_exit() == 5
        assert "lost" in capture.stderr_tail()


def test_20_an_idle_database_beside_a_busy_one_keeps_no_wal(server):
    server.psql("CREATE DATABASE neighbour")
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        before = server.slot("s")["confirmed_flush_lsn"]
        server.psql("CREATE TABLE n AS SELECT generate_series(1, 100000)", db="neighbour")
        end = server.query("SELECT pg_current_wal_lsn()")[0][0]
        server.wait_confirmed("s", end)
        assert server.slot("s")["confirmed_flush_lsn"] != before
        capture.stop()


def test_22_a_rotated_password_is_read_again(tmp_path):
    with PostgresServer("15", auth="scram-sha-256") as server:
        server.psql(f"CREATE DATABASE {DATABASE}")
        server.psql(SCHEMA, db=DATABASE)
        secret = tmp_path / "password"
        secret.write_text(server.password + "\n")
        env = environment(server, PG_PASSWORD_FILE=str(secret))
        env.pop("PG_PASSWORD", None)
        with Capture(env, slot="s", http=False) as capture:
            capture.wait_streaming()
            server.psql("ALTER USER postgres PASSWORD 'another'")
            secret.write_text("another\n")
            server.password = "another"
            server.psql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
            server.psql("INSERT INTO history VALUES (1, 1, '')", db=DATABASE)
            capture.wait_for(1)
            assert "another" not in capture.stderr and "secret" not in capture.stderr
            capture.stop()


def test_a_wrong_password_stops_with_the_hint():
    with PostgresServer("15", auth="scram-sha-256") as server:
        server.psql(f"CREATE DATABASE {DATABASE}")
        with Capture(environment(server, PG_PASSWORD="wrong-secret"), slot="s", http=False) as capture:
            assert capture.wait_exit() == 3
            assert "password" in capture.stderr
            assert "wrong-secret" not in capture.stderr


def test_a_stopped_process_goes_on_where_it_was(server):
    with Capture(environment(server), slot="s", http=False) as capture:
        capture.wait_streaming()
        writer = Writer(server, DATABASE)
        writer.start()
        for _ in range(3):
            time.sleep(0.4)
            capture.signal(signal.SIGSTOP)
            time.sleep(1.0)
            capture.signal(signal.SIGCONT)
        finish(capture, writer)
        capture.stop()


def test_3_the_second_of_two_instances_waits_for_the_slot(server):
    with Capture(environment(server), slot="s", http=False) as first:
        first.wait_streaming()
        with Capture(environment(server), slot="s", http=False, state=first.state) as second:
            second.wait_for_log("is active for PID")
            server.psql("INSERT INTO history VALUES (1, 1, '')", db=DATABASE)
            first.wait_for(1)
            first.stop()
            server.psql("INSERT INTO history VALUES (2, 1, '')", db=DATABASE)
            second.wait_for(1)
            assert second.messages[-1]["after"]["k"] == 2
            second.stop()


def test_a_full_disk_stops_confirmation_and_says_so(server, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    with Capture(environment(server, PG_CAPTURE_STATE_DIR=str(state)), slot="s", http=False) as capture:
        capture.wait_streaming()
        server.psql("INSERT INTO history VALUES (1, 1, '')", db=DATABASE)
        capture.wait_for(1)
        server.wait_confirmed("s")
        capture.signal(signal.SIGSTOP)      # it stores nothing meanwhile
        shutil.rmtree(state)
        state.write_text("not a directory")
        confirmed = server.slot("s")["confirmed_flush_lsn"]
        capture.signal(signal.SIGCONT)
        server.psql("INSERT INTO history VALUES (2, 1, '')", db=DATABASE)
        assert capture.wait_exit() == 8
        assert str(state) in capture.stderr
        assert server.slot("s")["confirmed_flush_lsn"] == confirmed
