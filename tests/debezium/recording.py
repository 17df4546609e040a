"""Runs cases against the real connector and brings their records home, as they are.

Many connectors share one Java process, one broker and one PostgreSQL server; each case has a
database, a slot, a publication and topics of its own.
"""

import dataclasses
import time

import connector
from support.kafka_client import Record, confluent_kafka, kafka_admin
from support.processes import PATIENCE

TopicPartition = confluent_kafka.TopicPartition
# Of which something comes whatever operations are skipped.
SENTINEL = """
CREATE TABLE sentinel (id int PRIMARY KEY, n int);
INSERT INTO sentinel VALUES (1, 1);
UPDATE sentinel SET n = 2;
"""


@dataclasses.dataclass
class Run:
    """A case on its way: `name` is its database, slot, publication and prefix."""

    case: object
    name: str
    failed: str = ""
    records: list = dataclasses.field(default_factory=list)


def prepare(server, run):
    """The database with what the snapshot finds."""
    before, _ = run.case.sql()
    server.psql(f"CREATE DATABASE {run.name} TEMPLATE template0")
    server.psql(before, db=run.name)
    server.psql(f"CREATE PUBLICATION {run.name} FOR ALL TABLES", db=run.name)


def stream(server, run):
    _, after = run.case.sql()
    server.psql(after, db=run.name)
    server.psql(SENTINEL, db=run.name)


def topics_of(broker, name):
    """Those of a prefix: of tables, messages, transactions, and heartbeats."""
    return sorted(t for t in broker.metadata().topics
                  if t.startswith(f"{name}.") or t == f"__debezium-heartbeat.{name}")


def counts(broker, *names):
    """topic -> how many records it holds, of all that begin with one of the prefixes; asked at once"""
    latest = {TopicPartition(topic, 0): kafka_admin.OffsetSpec.latest()
              for name in names for topic in topics_of(broker, name)}
    if not latest:
        return {}
    found = {}
    for place, answer in broker.admin().list_offsets(latest).items():
        try:
            found[place.topic] = answer.result(PATIENCE).offset
        except confluent_kafka.KafkaException:
            found[place.topic] = 0      # it is just being made
    return found


def wait_settled(broker, *names, seconds=1.0):
    """Until no topic but the heartbeats' has grown for a while: what follows the sentinel is there, too."""
    last, since, deadline = None, time.monotonic(), time.monotonic() + 2 * PATIENCE
    while time.monotonic() < deadline:
        now = {t: n for t, n in counts(broker, *names).items() if not t.startswith("__")}
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since >= seconds:
            return
        time.sleep(0.1)
    raise TimeoutError(f"the topics of {names} go on growing")


def _read_once(broker, name, ends):
    """topic -> its records, as many as came without a long silence"""
    found = {topic: [] for topic in sorted(ends)}
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": broker.bootstrap, "group.id": name, "enable.auto.commit": False,
        "auto.offset.reset": "earliest", "topic.metadata.refresh.interval.ms": 500, "fetch.wait.max.ms": 20})
    try:
        consumer.assign([TopicPartition(topic, 0, 0) for topic in ends])
        last = time.monotonic()
        while any(len(found[topic]) < end for topic, end in ends.items()) and time.monotonic() - last < 10:
            message = consumer.poll(1)
            # A tombstone is false.
            if message is not None and not message.error() and message.offset() < ends[message.topic()]:
                found[message.topic()].append(Record.of(message))
                last = time.monotonic()
    finally:
        consumer.close()
    return found


def read(broker, name) -> list[Record]:
    """Topic by topic, each of which has one partition."""
    ends = {topic: end for topic, end in counts(broker, name).items() if end}
    for _ in range(5):      # a topic that has just been made may not be there for every reader
        found = _read_once(broker, name, ends)
        if all(len(found[topic]) == end for topic, end in ends.items()):
            return [record for records in found.values() for record in records]
    raise TimeoutError(f"of {name} is read: { {t: len(r) for t, r in found.items()} } of {ends}")


def record_all(server, broker, cases, done, first=0):
    """Calls done() with a Run for each of the cases; one that failed holds what came before and why
    it failed. Returns what the worker logged.
    """
    runs = [Run(case, f"dbz{number:03}") for number, case in enumerate(cases, first)]
    for run in runs:
        prepare(server, run)
    connectors = [connector.connector(server, run.name, prefix=run.name, settings=run.case.settings) for run in runs]
    with connector.worker(broker, connectors) as worker:
        for run in runs:
            run.failed = worker.wait_ended_or(
                run.name, lambda: (server.slot(run.name) or {}).get("active"), 300, f"{run.case.name} to stream")
        for run in runs:
            stream(server, run)
        for run in runs:
            sentinel = f"{run.name}.public.sentinel"
            run.failed = run.failed or worker.wait_ended_or(
                run.name, lambda: counts(broker, run.name).get(sentinel), 120,
                f"the last record of {run.case.name}")
        wait_settled(broker, *(run.name for run in runs))
        for run in runs:
            run.records = read(broker, run.name)
            done(run)
        log = worker.log.read_text(errors="replace")
    for run in runs:
        server.drop_slot(run.name)
        server.psql(f"DROP DATABASE {run.name} WITH (FORCE)")
    return log

