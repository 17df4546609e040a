"""`partitioner: key` puts a record where Kafka's own Java producer would put it."""

from support.stage import strict_json

KEYS = """
CREATE TABLE t (k text PRIMARY KEY);
"""
PARTITIONS = 17


def keys():
    """Of every length from 0 on, so that every tail of the hash is met, and of every alphabet."""
    for length in range(70):
        yield "x" * length
        yield "".join(chr(33 + (7 * i + length) % 90) for i in range(length + 1))
        yield "äöü€𝄞日本語"[: 1 + length % 9] * (1 + length // 9)
    for i in range(800):
        yield f"user-{i}"


def test_partitions_are_those_of_kafkas_java_producer(any_broker, stages):
    stage = stages(any_broker, kafka_topics_partitions=PARTITIONS)
    stage.sql(KEYS)
    wanted = sorted(set(keys()))
    with stage.capture() as capture:
        with stage.server.connect(stage.name) as connection:
            connection.execute("INSERT INTO t SELECT unnest(%s::text[])", (wanted,))
        ours = stage.wait_for("t", len(wanted))
        capture.stop()
    assert sorted(strict_json(r.key)["k"] for r in ours) == wanted

    # The same keys, byte by byte, through the producer that comes with the broker.
    theirs = f"{stage.prefix}.theirs"
    any_broker.create_topic(theirs, partitions=PARTITIONS)
    any_broker.console_producer(theirs, [r.key.decode() + "\x02v" for r in ours],
                                "parse.key=true", "key.separator=\x02")
    expected = {r.key: r.partition for r in any_broker.read_all(theirs)}
    assert len(expected) == len(ours)
    assert {r.key: r.partition for r in ours} == expected
    assert len(set(expected.values())) == PARTITIONS
