"""What one test has for itself on shared servers: a database, a slot, topics, pg-capture.

    stage = stages(broker)
    stage.sql("CREATE TABLE t …")
    with stage.capture() as capture:
        stage.sql("INSERT …")
        records = stage.wait_for("t", 3)
"""

import itertools
import json
import re

from support.kafka_client import Follower
from support.processes import PATIENCE, wait_until
from support.servers import Capture
from support.workload import SCHEMA, Witness, Writer

_numbers = itertools.count(1)


def strict_json(raw):
    """The value of a text that is JSON by the letter of RFC 8259."""
    def refuse(word):
        raise ValueError(f"{word} is not JSON")
    return json.loads(raw.decode("utf-8"), parse_constant=refuse)


class Stage:
    """options become variables: kafka_partitioner="table" is PG_CAPTURE_KAFKA_PARTITIONER."""

    def __init__(self, server, broker, name, bootstrap=None, **options):
        # Servers are shared by the tests of a worker, never by workers: a number is enough.
        plain = re.sub(r"\W+", "_", name.lower())[:30].strip("_")
        self.name = f"{plain}_{next(_numbers)}"
        self.server, self.broker = server, broker
        self.bootstrap = bootstrap or broker.bootstrap
        self.prefix = self.name
        self.positions = f"{self.name}.positions"
        self.options = options
        self._captures = []
        server.psql(f"CREATE DATABASE {self.name}")
        self.sql(SCHEMA)

    def environment(self, **more):
        given = {"kafka_topic_prefix": self.prefix, "state_topic": self.positions,
                 "kafka_brokers": self.bootstrap, "replication_checkpoint_interval_secs": "1",
                 **self.options, **more}
        if self.broker.version.startswith("2."):
            given.setdefault("kafka_topics_replication_factor", "1")
        return self.server.capture_environment(self.name) | {
            f"PG_CAPTURE_{k.upper()}": str(v) for k, v in given.items() if v is not None}

    def capture(self, wait=True, http=False, start=True, **more):
        """pg-capture into Kafka, streaming."""
        capture = Capture(self.environment(**more), slot=self.name, sink="kafka", http=http, start=start)
        self._captures.append(capture)
        if wait and start:
            capture.wait_streaming()
        return capture

    def close(self):
        while self._captures:
            self._captures.pop().close()
        if self.server.running:
            self.server.drop_slot(self.name)
            force = " WITH (FORCE)" if self.server.major >= 13 else ""
            self.server.psql(f"DROP DATABASE IF EXISTS {self.name}{force}")

    # -- the source -------------------------------------------------------------------

    def sql(self, text):
        return self.server.psql(text, db=self.name)

    def writer(self, **options):
        """The workload of support.workload, begun."""
        writer = Writer(self.server, self.name, **options)
        writer.start()
        return writer

    # -- the topics ---------------------------------------------------------------------

    def topic(self, table, schema="public"):
        return f"{self.prefix}.{schema}.{table}"

    def wait_for(self, table, count, timeout=PATIENCE):
        """Waits until a table's topic holds `count` records; returns all it holds."""
        topic = table if table.startswith(self.prefix) else self.topic(table)

        def there():
            return (self.broker.partitions(topic)
                    and sum(e - b for b, e in self.broker.end_offsets(topic).values()) >= count)

        try:
            wait_until(there, timeout, f"{count} records in {topic}", interval=0.05)
        except TimeoutError as error:
            tail = self._captures[-1].stderr_tail() if self._captures else ""
            raise AssertionError(f"{error}\n{tail}") from error
        return self.broker.read_all(topic)

    def audience(self, **config):
        return Audience(self.broker, self.topic("history"), **config)


class Audience(Witness):
    """An independent consumer of the workload's topic: sees every record as it comes, objects
    to a missing one and to a key in two partitions, and knows when the broker took each.
    """

    def __init__(self, broker, topic, **config):
        super().__init__()
        self.partition_of = {}
        self.taken_ms = []      # by the broker's clock, with message.timestamp.type=LogAppendTime
        self.open = lambda: Follower(broker.bootstrap, topic, see=self.hear, **config)
        self.follower = self.open()

    def hear(self, record):
        if record.value is None:
            return
        message = strict_json(record.value)
        self.see(message)
        key = message["after"]["k"]
        assert strict_json(record.key) == {"k": key}
        assert self.partition_of.setdefault(key, record.partition) == record.partition, \
            f"key {key} is in partitions {self.partition_of[key]} and {record.partition}"
        self.taken_ms.append(record.timestamp_ms)

    def wait_for_more(self, count=200, timeout=PATIENCE):
        goal = self.messages + count
        self.follower.wait_for(lambda: self.messages >= goal, timeout)

    def finish(self, writer, capture, timeout=2 * PATIENCE):
        """Ends the writer, waits for its last change, and swears that none is missing."""
        writer.finish()
        versions = {k: n for k, n in writer.versions.items() if n}
        try:
            self.follower.wait_for(lambda: self.has(versions), timeout)
        except AssertionError as error:
            missing = {k: (self.last.get(k), n) for k, n in versions.items() if self.last.get(k) != n}
            raise AssertionError(f"{error}; key: (seen, written) {dict(list(missing.items())[:5])}\n"
                                 f"{capture.stderr_tail()}") from error
        self.attest(versions)
        assert self.messages >= 100, "nearly nothing was written: this shows nothing"
        return self.repeats

    def resumed_after_ms(self, broken_ms, healed_ms):
        """From `healed_ms` until the broker took the first record after the outage."""
        later = [t for t in list(self.taken_ms) if t > broken_ms]
        return min(later) - healed_ms if later else None

    def reopen(self):
        """Reads on from the beginning of a topic that is made again: at the offset where it was,
        a consumer would skip what the new topic holds by then.
        """
        self.follower.stop()
        self.follower = self.open()

    def close(self):
        self.follower.stop()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.close()
        except BaseException:
            if kind is None:
                raise
