"""Killed at any moment: the loader ends with the source's rows, and has seen each change once."""

import random
import time

import pytest
from support.figures import figure
from support.processes import PATIENCE, wait_until


def write_for(place, seconds, rng, counts):
    """Random changes; counts how many each table has had."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        table = rng.choice(("a", "b"))
        first = rng.randrange(10_000)
        kind = rng.random()
        with place.server.connect(place.db) as connection, connection.cursor() as cursor:
            if kind < 0.6:
                cursor.execute(f"INSERT INTO {table} SELECT i, 'i' || random() FROM generate_series(%s::int, %s::int) i "
                               "ON CONFLICT (id) DO UPDATE SET v = 'u' || random()", (first, first + rng.randrange(50)))
            elif kind < 0.8:
                cursor.execute(f"UPDATE {table} SET v = 'w' || random() WHERE id BETWEEN %s AND %s", (first, first + 100))
            else:
                cursor.execute(f"DELETE FROM {table} WHERE id BETWEEN %s AND %s", (first, first + 50))
            counts[table] += cursor.rowcount


def check(place, counts):
    for table in ("a", "b"):
        place.wait_loaded(table, place.source(table), timeout=120)
        stream = place.changes(table, "streaming")
        places = [(r["_commit_lsn"], int(r["_seq"]), r["_op"]) for r in stream]
        assert len(places) == len(set(places)), "nothing twice"
        assert len(places) == counts[table], "nothing missing"


def kill_for(place, kills, pause, seed):
    rng = random.Random(seed)
    place.sql("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)")
    place.sql("INSERT INTO a SELECT i, 'v' FROM generate_series(1, 3000) i")
    counts = {"a": 0, "b": 0}
    with place.capture() as capture:
        wait_until(lambda: place.server.slot(place.slot) is not None, PATIENCE, "the slot")
        for _ in range(kills):
            write_for(place, rng.uniform(0.1, pause), rng, counts)
            capture.kill()
            write_for(place, 0.1, rng, counts)
            capture.start()
        check(place, counts)
        capture.stop()
    figure("files, kill -9", f"{kills} kills, {sum(counts.values())} changes, none missing, none twice")


def test_killed_again_and_again(place):
    kill_for(place, 12, 1.5, 1)


@pytest.mark.nightly
def test_killed_200_times(place):
    kill_for(place, 200, 2.0, 2)
