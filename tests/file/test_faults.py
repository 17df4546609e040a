"""What files meet: a disk that is full, read-only, slow or stands still, and a registry that is away. Nothing is lost,
nothing is seen half, and it goes on by itself where nobody has to do anything."""

import contextlib
import json
import time

import pytest
from disks import LIMIT, LoopDisk
from place import Place
from support.processes import PATIENCE, wait_until
from support.servers import PostgresServer

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
# Whatever a compressor does, about a kilobyte each.
ROWS = ("INSERT INTO t SELECT i, (SELECT string_agg(md5(random()::text || i || n), '') FROM generate_series(1, 32) n) "
        "FROM generate_series({}, {}) i")


@pytest.fixture
def disk(tmp_path):
    with LoopDisk(tmp_path) as made:
        yield made


@pytest.fixture
def on_disk(postgres, disk):
    with Place(postgres, disk.root) as made:
        made.sql(TABLE)
        yield made


@pytest.fixture
def registry():
    with PostgresServer("15") as server:
        yield server


@pytest.fixture
def apart(postgres, registry, tmp_path):
    """The registry is on a server of its own."""
    with Place(postgres, tmp_path / "files", registry=registry) as made:
        made.sql(TABLE)
        yield made


def status(place, capture):
    done = place.run("status", "--output", "json", http_listen=f"127.0.0.1:{capture.http_port}")
    return json.loads(done.stdout) if done.stdout else {}


def wait_status(place, capture, holds, what):
    seen = []

    def there():
        seen.append(status(place, capture))
        return holds(seen[-1])
    try:
        wait_until(there, PATIENCE, what, interval=0.05)
    except TimeoutError as error:
        raise AssertionError(f"{error}: {seen[-1]}\n{capture.stderr_tail()}") from None
    return seen[-1]


def wait_all(place, capture, *tables):
    """Until a loader has what the source has; then each change was seen once, and disk and registry agree."""
    for table in tables or ("t",):
        expected = place.source(table)
        try:
            place.wait_loaded(table, expected, timeout=120)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{capture.stderr_tail()}") from None
        places = [(r["_commit_lsn"], int(r["_seq"]), r["_op"]) for r in place.changes(table, "streaming")]
        assert len(set(places)) == len(places), "nothing twice"
        assert len(place.loaded(table)) == len(expected)
    verified = place.run("files", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


@contextlib.contextmanager
def running(place):
    """pg-capture, which has all there is before what happens meanwhile and has it all again after that."""
    place.sql(ROWS.format(1, 50))
    with place.capture() as capture:
        wait_all(place, capture)
        yield capture
        wait_all(place, capture)
        capture.stop()


def expect_whole(place):
    """What a loader finds meanwhile is whole."""
    for file in place.file_log():
        place.read(file)


# -- the disk ----------------------------------------------------------------------------------


def test_5_a_full_disk_is_waited_for(on_disk, disk):
    place = on_disk
    with running(place) as capture:
        disk.fill()
        place.sql(ROWS.format(1000, 3000))
        end = place.server.end_of_log()
        capture.wait_for_log("No space left on device", times=2)
        assert "hint" in capture.stderr and "free space on the file system of" in capture.stderr
        seen = wait_status(place, capture, lambda s: s.get("waits_on") == "sink", "the disk to be named")
        assert seen["waits_for"] == "the sink's disk: the next attempt" and seen["state"] == "waiting", seen
        assert "No space left on device" in seen["last_error"]["text"], seen
        assert seen["live"], "it goes on by itself"
        expect_whole(place)
        confirmed = place.server.query("SELECT confirmed_flush_lsn < %s::pg_lsn FROM pg_replication_slots "
                                       "WHERE slot_name = %s", end, place.slot)
        assert confirmed == [(True,)], "what is not on the disk is not confirmed"
        assert capture.running
        disk.make_room()


def test_5_killed_while_the_disk_is_full(on_disk, disk):
    place = on_disk
    with running(place) as capture:
        disk.fill()
        place.sql(ROWS.format(1000, 3000))
        for times in (1, 2, 3):
            capture.wait_for_log("No space left on device", times=times)
            capture.kill()
            expect_whole(place)
            capture.start()
        disk.make_room()


def test_5_a_disk_that_becomes_read_only_stops_it_and_loses_nothing(on_disk, disk):
    place = on_disk
    with running(place) as capture:
        place.sql(ROWS.format(100, 200))
        disk.find_an_error()
        place.sql(ROWS.format(1000, 2000))
        assert capture.wait_exit() == 8, capture.stderr_tail()
        assert "Read-only file system" in capture.stderr and "writable" in capture.stderr, capture.stderr_tail()
        expect_whole(place)
        disk.repair()
        place.sql(ROWS.format(3000, 3010))
        capture.start()


def test_5_a_disk_that_is_read_only_from_the_start_is_named(on_disk, disk):
    place = on_disk
    with running(place) as capture:
        capture.stop()
        disk.unmount()
        disk.mount("ro")
        checked = place.run("check", "--output", "json")
        findings = {f["id"]: f for f in json.loads(checked.stdout)["findings"]}
        assert checked.returncode == 1 and findings["file_root"]["level"] == "blocking", checked.stdout
        capture.start()
        assert capture.wait_exit() == 8, capture.stderr_tail()
        assert place.run("files", "verify").returncode == 0, "looking needs no writing"
        disk.unmount()
        disk.mount()
        place.sql(ROWS.format(3000, 3010))
        capture.start()


@pytest.mark.parametrize("way", ["writes", *(["device"] if LIMIT.exists() else [])])
def test_7_a_slow_disk_costs_neither_memory_nor_the_connection(on_disk, disk, way):
    place = on_disk
    slow = {"device": disk.throttle, "writes": disk.throttle_writer}[way]
    place.more_environment = disk.slow_writer() if way == "writes" else {}
    with running(place) as capture:
        began = time.monotonic()
        slow(256 << 10)
        try:
            for first in range(1000, 5000, 500):
                place.sql(ROWS.format(first, first + 499))
            wait_all(place, capture)
        finally:
            disk.unthrottle()
        assert time.monotonic() - began > 4, "the disk was not slow"
        assert capture.resident_mib() < 96
        assert "interrupted" not in capture.stderr, "neither the connection nor the disk was given up"


def test_7_a_disk_that_stands_still_is_named_and_waited_for(on_disk, disk):
    place = on_disk
    with running(place) as capture:
        disk.freeze()
        try:
            place.sql(ROWS.format(1000, 1500))
            capture.wait_for_log("the stream is blocked")
            seen = wait_status(place, capture, lambda s: (s.get("stream") or {}).get("state") == "blocked", "the word for it")
            assert seen["waits_on"] == "sink", seen
            assert seen["waits_for"].startswith(f"the disk of {place.root}: no answer"), seen
            assert place.server.slot(place.slot)["active"], "feedback goes on"
        finally:
            disk.thaw()     # nobody who waits for it can be killed
        capture.wait_for_log("the stream moves again")
        wait_all(place, capture)
        assert "interrupted" not in capture.stderr


# -- the registry ------------------------------------------------------------------------------


def outage(place, registry, seconds, end, begin):
    with running(place) as capture:
        end()
        until = time.monotonic() + seconds
        written = 1000
        while time.monotonic() < until:
            place.sql(ROWS.format(written, written + 9))
            written += 10
        seen = wait_status(place, capture, lambda s: "cdc_registry" in (s.get("waits_for") or ""),
                           "the registry to be named")
        assert seen["waits_on"] == "store" and seen["live"], seen
        assert f"{registry.port}" in seen["last_error"]["text"], seen
        listed = place.run("files", "list")
        assert listed.returncode == 3 and "cdc_registry" in listed.stderr, listed.stderr
        assert capture.running
        begin()


ENDS = ["fast", "immediate", "crash"]


@pytest.mark.parametrize("how", ENDS)
def test_5_a_registry_that_is_away_is_waited_for(apart, registry, how):
    end = registry.crash if how == "crash" else lambda: registry.stop(how)
    outage(apart, registry, 10, end, registry.start)


@pytest.mark.nightly
@pytest.mark.parametrize("how", ENDS)
def test_5_a_registry_that_is_away_for_a_minute(apart, registry, how):
    end = registry.crash if how == "crash" else lambda: registry.stop(how)
    outage(apart, registry, 60, end, registry.start)


def test_5_a_registry_that_is_restarted_between_two_seals(apart, registry):
    place = apart
    with place.capture(file_batch_interval_secs="3600") as capture:
        capture.wait_streaming()
        place.sql("INSERT INTO t VALUES (1, 'a')")
        seal = place.seal()
        wait_until(lambda: place.seal() > seal, PATIENCE, "a seal")
        registry.restart()
        place.sql("INSERT INTO t VALUES (2, 'b')")
        capture.stop()
    with place.capture() as capture:
        wait_all(place, capture)
        capture.stop()


def test_5_a_registry_that_is_silent_is_named(apart, registry):
    place = apart
    with running(place) as capture:
        registry.freeze()
        place.sql(ROWS.format(1000, 1010))
        seen = wait_status(place, capture, lambda s: "no answer for" in (s.get("waits_for") or ""), "the silence")
        assert seen["waits_on"] == "sink" and seen["waits_for"].startswith("the registry of files"), seen
        registry.resume()
        wait_all(place, capture)
        assert "interrupted" not in capture.stderr


# Its server waits with its end until everything is confirmed, and takes no commit of ours any more.
@pytest.mark.parametrize("load", [False, True], ids=["idle", "under load"])
def test_11_a_fast_shutdown_of_the_server_that_has_both_does_not_hang(load, tmp_path):
    with PostgresServer("15") as server, Place(server, tmp_path / "files", replication_checkpoint_interval_secs="10",
                                               file_batch_interval_secs="5") as place:
        place.sql(TABLE)
        place.sql(ROWS.format(1, 50))
        with place.capture() as capture:
            wait_all(place, capture)
            for round_ in (1, 2):
                first = round_ * 10_000
                if load:
                    place.sql(ROWS.format(first, first + 300))
                began = time.monotonic()
                server.stop("fast", timeout=PATIENCE)
                assert time.monotonic() - began < 20, "it waited for what can't be confirmed"
                server.start()
                place.sql(ROWS.format(first + 500, first + 510))
                wait_all(place, capture)
            capture.stop()
