"""Whoever reads our output may stop reading, go away or have no room: no command hangs, spins or
pretends that all is well, and a signal ends each of them."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import time

import pytest
from support.capture import binary, clean_environment, run_capture
from support.processes import free_port, wait_until
from support.servers import Capture, PostgresServer

DONE, CONFIGURATION, SINK, STORAGE, INTERRUPTED = 0, 2, 7, 8, 10

# What is said on standard output without anybody else.
ALONE = ["--help", "--version", "config validate", "config show", "config show --output json", "config schema",
         "config reference", "config example", "config example --format toml", "metrics", "metrics --output json"]
# Of a server, of an instance; each says something on standard output.
ASKING = ["check", "check --output json", "lag", "lag --watch 0.2", "lag --watch 0.2 --output json", "peek -n 5",
          "peek", "slots list", "status", "status --output json", "snapshot list", "snapshot list --output json",
          "snapshot wait paused"]


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE t (id int PRIMARY KEY, body text); "
                    "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i", db="shop")
        yield server


@pytest.fixture(scope="module")
def environment(server):
    """Of an instance that runs with a snapshot that waits, and of another slot in which 8 MiB wait."""
    base = server.capture_environment("shop")
    with Capture(base | {"PG_CAPTURE_HTTP_TOKEN": "hush-hush", "PG_CAPTURE_SOURCE_SNAPSHOT_CHUNK_ROWS": "100",
                        "PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND": "100"},
                 slot="instance", sink="discard") as instance:
        instance.wait_streaming()
        env = instance.environment
        with Capture(base, slot="waiting", sink="console", http=False) as other:
            other.wait_streaming()
            other.stop()
        server.psql("INSERT INTO t SELECT i, repeat('y', 400) FROM generate_series(100000, 120000) i", db="shop")
        ordered = run_capture("snapshot", "public.t", "--id", "paused", env=env)
        assert ordered.returncode == 0, ordered.stderr
        paused = run_capture("snapshot", "pause", "paused", env=env)
        assert paused.returncode == 0, paused.stderr
        yield env


def environment_of(command, environment):
    env = dict(environment)
    if command.startswith("peek"):
        env |= {"PG_SLOT_NAME": "waiting", "PG_PUBLICATION": "waiting_pub"}
    return env


def start(command, env, stdout, **more):
    """Signals do what they do by default, also where the tests run in the background of a shell."""
    return subprocess.Popen([str(binary()), *command.split()], env=clean_environment() | env, stdout=stdout,
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **more)


def ended(process, timeout=60):
    try:
        _, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError(f"{process.args[1:]} does not end") from None
    return process.returncode, stderr


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asleep(process):
    return open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()[0] == "S"


def spends_nothing(process, seconds):
    """Whether it hardly uses the processor for a while. On a slow machine it may first have work to do."""
    before = cpu_seconds(process)
    time.sleep(seconds)
    return process.poll() is not None or cpu_seconds(process) - before < 0.3 * seconds


def full_pipe():
    """A pipe that takes nothing more: (its end to read, its end to write)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while os.write(writer, b"x" * 4096):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


def settings(environment):
    return {"PG_DATABASE": "shop", "PG_USERNAME": "u", "PG_PASSWORD": "hush-hush", "PG_CAPTURE_SINK": "console"}


# -- nobody reads any more ---------------------------------------------------------------


def check_closed(command, env):
    reader, writer = os.pipe()
    os.close(reader)
    process = start(command, env, writer)
    os.close(writer)
    code, stderr = ended(process)
    # What a command found out stays its answer; `snapshot wait` says that the snapshot goes on.
    allowed = {DONE, 1} | ({INTERRUPTED} if command.startswith("snapshot wait") else set())
    assert code in allowed, (code, stderr)
    assert "can't be written" not in stderr


@pytest.mark.parametrize("command", ALONE)
def test_a_reader_that_is_gone_ends_a_command_quietly(command):
    check_closed(command, settings(None))


@pytest.mark.parametrize("command", ASKING)
def test_a_reader_that_is_gone_ends_what_asks_quietly(command, environment):
    check_closed(command, environment_of(command, environment))


def test_peek_into_head(environment):
    """The first lines, whole, of much more than a pipe holds."""
    env = environment_of("peek", environment)
    process = start("peek", env, subprocess.PIPE)
    lines = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.stdout.close()
    assert process.wait(60) == DONE and process.stderr.read() == ""
    assert [m["after"]["id"] for m in lines] == [100000, 100001, 100002]


def test_peek_shows_all_of_what_waits_to_a_slow_reader(environment):
    env = environment_of("peek", environment)
    process = start("peek", env, subprocess.PIPE)
    time.sleep(0.5)     # meanwhile the pipe is full
    assert sum(1 for _ in process.stdout) == 20001
    assert ended(process)[0] == DONE


# -- nobody reads now --------------------------------------------------------------------


def test_peek_that_only_waits_for_its_reader_lets_the_slot_go_and_sleeps(environment, server):
    """More than a pipe takes is ready, less than what peek holds back: nothing more is read."""
    env = environment_of("peek", environment) | {"REPLICATION_KEEPALIVE_INTERVAL_SECS": "1"}
    reader, writer = full_pipe()
    earlier = readings(server)
    process = start("peek -n 1000", env, writer)
    os.close(writer)
    try:
        wait_until(lambda: readings(server) > earlier or process.poll() is not None, what="it to begin")
        server.wait_free("waiting")
        time.sleep(2)       # feedback would have been due
        wait_until(lambda: spends_nothing(process, 2), what="it to sleep", interval=0)
        assert process.poll() is None, f"ended by itself: {ended(process)}"
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == INTERRUPTED
    finally:
        process.kill()
        os.close(reader)


def readings(server):
    """How often the slot was read: the server's log keeps what may be over before anybody looks."""
    return server.log.read_text(errors="replace").count('starting logical decoding for slot "waiting"')


def check_full(command, env, number, begun=lambda: True):
    """begun   whether it has got to its work; until then a signal is nobody's but the system's"""
    reader, writer = full_pipe()
    process = start(command, env, writer)
    os.close(writer)
    try:
        wait_until(lambda: begun() or process.poll() is not None, what="it to begin")
        wait_until(lambda: process.poll() is not None or asleep(process), what="the wait")
        time.sleep(0.5)
        wait_until(lambda: spends_nothing(process, 1), what="a second without work", interval=0)
        assert process.poll() is None, f"ended by itself: {ended(process)}"
        process.send_signal(number)
        code, stderr = ended(process)
        assert code in (DONE, 1, INTERRUPTED, -number), (code, stderr)
        return code
    finally:
        process.kill()
        os.close(reader)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["config show", "--help", "metrics"])
def test_a_signal_ends_a_command_that_waits_for_its_reader(command, number):
    check_full(command, settings(None), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["peek", "lag --watch 0.2", "snapshot wait paused", "status --output json"])
def test_a_signal_ends_what_asks_and_waits_for_its_reader(command, number, environment, server):
    if command != "peek":
        check_full(command, environment_of(command, environment), number)
        return
    server.wait_free("waiting")
    earlier = readings(server)
    assert check_full(command, environment_of(command, environment), number,
                      lambda: readings(server) > earlier) == INTERRUPTED


@pytest.mark.parametrize("second", [False, True])
def test_run_into_a_full_pipe_ends_and_confirms_nothing_unwritten(server, second):
    slot = f"full_{int(second)}"
    reader, writer = full_pipe()
    env = server.capture_environment("shop")
    with Capture(env, slot=slot, sink="console", stdout=writer) as capture:
        os.close(writer)
        capture.wait_streaming()
        server.psql("INSERT INTO t SELECT i, repeat('z', 400) FROM generate_series(200000, 210000) i;"
                    "DELETE FROM t WHERE id BETWEEN 200000 AND 210000", db="shop")
        wait_until(lambda: (capture.metric("cdc_buffer_bytes") or 0) > 0, what="something that can't be written")
        capture.signal(signal.SIGTERM)
        if second:
            capture.signal(signal.SIGINT)
        code = capture.wait_exit()
        assert code == (INTERRUPTED if second else DONE), capture.stderr_tail()
    os.close(reader)
    # All of it comes again.
    with Capture(env, slot=slot, sink="console", state=capture.state, http=False) as again:
        again.wait_for(lambda all: sum(m["op"] == "INSERT" for m in all) == 10001, 30)
        again.stop()
    server.drop_slot(slot)


def test_run_into_a_pipe_that_is_closed_says_so_and_confirms_nothing_unwritten(server):
    reader, writer = os.pipe()
    env = server.capture_environment("shop")
    with Capture(env, slot="closed", sink="console", stdout=writer, http=False) as capture:
        os.close(writer)
        capture.wait_streaming()
        os.close(reader)
        server.psql("INSERT INTO t VALUES (300000, 'a'); DELETE FROM t WHERE id = 300000", db="shop")
        assert capture.wait_exit() == SINK, capture.stderr_tail()
        assert "the reader of our output went away" in capture.stderr
    with Capture(env, slot="closed", sink="console", state=capture.state, http=False) as again:
        assert [m["op"] for m in again.wait_for(2)] == ["INSERT", "DELETE"]
        again.stop()
    server.drop_slot("closed")


# -- no room -----------------------------------------------------------------------------


def check_no_room(command, env):
    with open("/dev/full", "w") as full:
        code, stderr = ended(start(command, env, full))
    assert os.strerror(errno.ENOSPC) in stderr, (code, stderr)
    assert code != DONE
    return code


@pytest.mark.parametrize("command", ALONE)
def test_what_cannot_be_written_is_reported(command):
    assert check_no_room(command, settings(None)) == STORAGE


# The first line of `snapshot wait` is due after ten seconds.
@pytest.mark.parametrize("command", ASKING[:-1])
def test_what_asks_and_cannot_write_says_so(command, environment):
    code = check_no_room(command, environment_of(command, environment))
    assert code in (1, SINK if command.startswith("peek") else STORAGE)


def test_run_without_room_stops(server):
    with open("/dev/full", "w") as full:
        with Capture(server.capture_environment("shop"), slot="room", sink="console", stdout=full,
                     http=False) as capture:
            capture.wait_streaming()
            server.psql("INSERT INTO t VALUES (400000, 'a'); DELETE FROM t WHERE id = 400000", db="shop")
            assert capture.wait_exit() == SINK, capture.stderr_tail()
            assert os.strerror(errno.ENOSPC) in capture.stderr
    server.drop_slot("room")


# -- standard error ----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run --until nowhere", "peek --limit none", "lag --watch never", "nonsense",
                                     "config show --postgres.prot 1", "slots drop", "snapshot wait a b c",
                                     "status", "check", "run"])
def test_with_json_logs_every_line_is_json(command):
    # Ports of our own: of another test's instance on the same one there would be nothing to complain about.
    env = {"PG_DATABASE": "shop", "PG_HOST": "127.0.0.1", "PG_PORT": str(free_port()), "PG_USERNAME": "u",
           "PG_CAPTURE_SINK": "console", "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{free_port()}",
           "PG_CONNECT_TIMEOUT_SECS": "1"}
    done = run_capture(*command.split(), "-j", env=env)
    lines = done.stderr.splitlines()
    assert lines or command == "check", done
    for line in lines:
        entry = json.loads(line)
        assert {"time", "level", "message"} <= set(entry), line


def test_with_json_logs_the_last_line_is_json_too(server):
    env = server.capture_environment("shop") | {"PG_PASSWORD": "wrong", "PG_USERNAME": "nobody"}
    for command in ("run", "peek", "lag", "slots list"):
        done = run_capture(command.split()[0], *command.split()[1:], "-j", env=env | {"PG_CAPTURE_HTTP_LISTEN": ""})
        assert done.returncode != 0
        assert [json.loads(line)["level"] for line in done.stderr.splitlines()][-1] == "error", done.stderr
