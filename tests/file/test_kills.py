"""Killed at any moment, also while tables are reloaded: loaders end with the source's rows, and have seen each change
once; one trusts the registry alone, the other manifests and checkpoint.json."""

import json
import random
import time

import pytest
from place import ByManifests, newest_rows
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


RELOAD = """SELECT pg_logical_emit_message(true, 'pg-capture.reload', '{"marker":"EXPORT_START","schema":"public","name":"a"}')"""


def check(place, by_manifests, counts, reloads):
    for table in ("a", "b"):
        place.wait_loaded(table, place.source(table), timeout=120)
    wait_until(lambda: len(done_reloads(place)) == reloads, PATIENCE, f"{reloads} reloads")
    seal = place.seal()
    wait_until(lambda: sealed(place) >= seal, PATIENCE, "checkpoint.json of that seal")
    by_manifests.look()
    for loader in (place, by_manifests):
        for table in ("a", "b"):
            places = [(r["_commit_lsn"], int(r["_seq"]), r["_op"]) for r in loader.changes(table, "streaming")]
            assert len(places) == len(set(places)), "nothing twice"
            assert len(places) == counts[table], "nothing missing"
            rows = newest_rows(lambda kind, table=table, loader=loader: loader.changes(table, kind))
            assert {key: row["v"] for key, row in rows.items()} == place.source(table)


def done_reloads(place):
    return place.registry_rows("SELECT id FROM cdc_registry.reload_operation WHERE state = 'complete'")


def sealed(place):
    return json.loads((place.root / "checkpoint.json").read_text(encoding="utf-8"))["seal"]


def kill_for(place, kills, pause, seed):
    rng = random.Random(seed)
    place.sql("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)")
    place.sql("INSERT INTO a SELECT i, 'v' FROM generate_series(1, 3000) i")
    counts = {"a": 0, "b": 0}
    loader = ByManifests(place.root)
    reloads = 0
    with place.capture() as capture:
        wait_until(lambda: place.server.slot(place.slot) is not None, PATIENCE, "the slot")
        for _ in range(kills):
            write_for(place, rng.uniform(0.1, pause), rng, counts)
            if rng.random() < 0.3 and (reloads == 0 or len(done_reloads(place)) == reloads):
                place.sql(RELOAD)
                reloads += 1
                write_for(place, rng.uniform(0, 0.3), rng, counts)
            capture.kill()
            write_for(place, 0.1, rng, counts)
            loader.look()
            capture.start()
        check(place, loader, counts, reloads)
        capture.stop()
    figure("files, kill -9", f"{kills} kills, {reloads} reloads, {sum(counts.values())} changes, none missing, none twice")


def test_killed_again_and_again(place):
    kill_for(place, 12, 1.5, 1)


@pytest.mark.nightly
def test_killed_200_times(place):
    kill_for(place, 200, 2.0, 2)
