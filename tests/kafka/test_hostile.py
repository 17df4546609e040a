"""Rows with everything that a text may hold: each message is JSON by the letter, and says the same.

    PGC_HOSTILE_ROWS=1000000    how many the long test writes
"""

import itertools
import json
import os
import random

import pytest
from support.stage import strict_json

ROWS = int(os.environ.get("PGC_HOSTILE_ROWS", "1000000"))
POOL = 3000
NASTY = ['"', "\\", "\\\\", "\\u0000", "\n", "\r", "\t", "\b", "\f", "\x01", "\x1f", "\x7f", "\x80", "\u2028",
         "\u2029", "\ufeff", "\ufffd", "\ufffe", "\U0010ffff", "𝄞", "é", "e\u0301", "\u202e", "'", "''",
         "</script>", "{", "}", "[", "]", ",", ":", "null", "NaN", "${x}", "%s", "&amp;", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", " ", ""]


def nasty_text(chance):
    parts = [chance.choice(NASTY) for _ in range(chance.randint(0, 12))]
    while chance.random() < 0.3:
        code = chance.choice([chance.randint(1, 0x2FF), chance.randint(0x300, 0xD7FF),
                              chance.randint(0xE000, 0x10FFFF)])
        parts.insert(chance.randint(0, len(parts)), chr(code))
    return "".join(parts)


def nasty_json(chance, depth=3):
    kind = chance.randint(0, 5 if depth else 3)
    if kind == 0:
        return nasty_text(chance)
    if kind == 1:
        return chance.choice([0, -1, 2**53 + 1, 1e308, 1e-308, True, False, None])
    if kind in (2, 3):
        return chance.random()
    if kind == 4:
        return [nasty_json(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    return {nasty_text(chance): nasty_json(chance, depth - 1) for _ in range(chance.randint(0, 4))}


def rows():
    chance = random.Random(50)
    numbers = itertools.cycle(["NaN", "0", "-0.000", "1e100", "123456789012345678901234567890.123", "-1"])
    floats = itertools.cycle(["NaN", "Infinity", "-Infinity", "-0", "1e-310", "0.1", "3.4e38"])
    times = itertools.cycle(["infinity", "-infinity", "4713-01-01 BC", "294276-12-31 23:59:59.999999",
                             "2023-10-15 10:30:00.000001"])
    for number in range(POOL):
        yield (number, nasty_text(chance), [nasty_text(chance) for _ in range(chance.randint(0, 3))] + [None],
               json.dumps(nasty_json(chance)), chance.randbytes(chance.randint(0, 20)),
               next(numbers), next(floats), next(times))


SCHEMA = """
CREATE TABLE pool (i int, t text, a text[], j jsonb, b bytea, n numeric, f float8, ts timestamp);
CREATE TABLE hostile (k text, id int, t text, a text[], j jsonb, b bytea, n numeric, f float8, ts timestamp,
                      PRIMARY KEY (k, id));
"""
MORE = """
INSERT INTO hostile SELECT x.t, s.i, y.t, x.a, y.j, x.b, y.n, x.f, y.ts
FROM generate_series({first}, {last}) AS s (i)
JOIN pool x ON x.i = s.i % {pool} JOIN pool y ON y.i = s.i / {pool} * 7 % {pool}
"""


@pytest.mark.parametrize("count", [50_000, pytest.param(ROWS, marks=pytest.mark.nightly, id="long")])
def test_6_hostile_records_are_valid_json_and_exact(any_broker, stages, count):
    stage = stages(any_broker, kafka_topics_partitions="3", source_tables_include="public.hostile")
    stage.sql(SCHEMA)
    pool = list(rows())
    with stage.server.connect(stage.name) as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO pool VALUES (%s, %s, %s, %s::jsonb, %s, %s, %s, %s)", pool)
    with stage.capture() as capture:
        for first in range(0, count, 100_000):
            stage.sql(MORE.format(first=first, last=min(first + 100_000, count) - 1, pool=POOL))
        records = stage.wait_for("hostile", count, timeout=300 + count / 1000)
        capture.stop()
    seen = set()
    for record in records:
        key, message = strict_json(record.key), strict_json(record.value)
        row = message["after"]
        number = row["id"]
        x, y = pool[number % POOL], pool[number // POOL * 7 % POOL]
        assert key == {"k": x[1], "id": number}
        assert (row["k"], row["t"], row["a"]) == (x[1], y[1], x[2])
        seen.add(number)
    assert len(seen) == len(records) == count
    # Kafka's own consumer shows them unharmed: one line each, because JSON escapes line ends.
    if count <= 50_000:
        lines = any_broker.console_consumer(stage.topic("hostile"), 2000)
        assert len([json.loads(line) for line in lines]) == 2000
