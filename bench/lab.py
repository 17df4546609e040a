"""The machine that everything is measured on: one PostgreSQL, one Kafka, one registry, slots and topics.

Every run gets a slot of its own, copied from the one that stands before the backlog: so each
drains the very same WAL. Every run into Kafka gets a topic of its own, created before.
"""

import os
import time

from figures import ended_children_cpu_seconds
from support.kafka import KafkaBroker
from support.registry import SchemaRegistry
from support.servers import PostgresServer

# As Kafka's own start script has it, with a gigabyte of memory.
BROKER_JVM = ["-server", "-Xms1G", "-Xmx1G", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
              "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"]
BROKER_SETTINGS = {"num.network.threads": 3, "num.io.threads": 8,
                   "log.segment.delete.delay.ms": 100}  # not in the middle of a later run


class Lab:
    """scale    divides the size of every backlog"""

    def __init__(self, scale):
        self.scale = scale
        self.server = PostgresServer("15-debian", tls=True,
                                     settings={"max_wal_size": "8GB", "shared_buffers": "256MB"})
        self._broker = None
        self._registry = None
        self._runs = 0

    @property
    def broker(self):
        """Started when the first contender needs it. The topic of positions is there from the
        start: without it pg-capture refuses a slot that it has not made itself."""
        if self._broker is None:
            self._broker = KafkaBroker(jvm=BROKER_JVM, settings=BROKER_SETTINGS)
            self._broker.create_topic("pg-capture.positions", config={"cleanup.policy": "compact"})
        return self._broker

    @property
    def registry(self):
        """Started likewise."""
        if self._registry is None:
            self._registry = SchemaRegistry().wait_ready()
        return self._registry

    def close(self):
        for part in (self._registry, self._broker):
            if part is not None:
                part.close()
        self.server.close()

    # -- backlogs and slots ---------------------------------------------------------------

    def make_table(self, name, setup, **size):
        """Table, publication and a slot from here on, all called bench_NAME."""
        table = f"bench_{name}"
        self.server.psql(setup.format(t=table, **size), timeout=900)
        self.server.psql(f"CREATE PUBLICATION {table} FOR TABLE {table};")
        self.server.psql(f"SELECT 1 FROM pg_create_logical_replication_slot('{table}', 'pgoutput')")
        return table

    def make_backlog(self, name, workload):
        """Returns how many changes it has and the LSN after it."""
        size = {kind: count // self.scale for kind, count in workload.size.items()}
        table = self.make_table(name, workload.setup)
        self.server.psql(workload.load.format(t=table, **size), timeout=900)
        self.server.psql("CHECKPOINT")
        return sum(size.values()), self.server.end_of_log()

    def new_run(self):
        """A name for slot and topic prefix that no run had before."""
        self._runs += 1
        return f"run_{self._runs}"

    def copy_slot(self, name, slot):
        """A slot at the beginning of the backlog."""
        self.server.psql(f"SELECT 1 FROM pg_copy_logical_replication_slot('bench_{name}', '{slot}')")

    def new_slot(self, slot):
        """A slot at the present end of the log."""
        self.server.psql(f"SELECT 1 FROM pg_create_logical_replication_slot('{slot}', 'pgoutput')")

    def drop_slot(self, slot):
        self.server.drop_slot(slot)

    def slot_reader(self, slot):
        """The process that serves the slot now, or None."""
        return self.server.query(
            "SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s", slot)[0][0]

    def ended_backends_cpu(self):
        """CPU seconds of all backends that have ended: read before and after a run."""
        return ended_children_cpu_seconds(self.server.pid)

    # -- topics -----------------------------------------------------------------------

    def new_topic(self, name, prefix):
        """The topic that both pg-capture and Debezium give the table bench_NAME."""
        topic = f"{prefix}.public.bench_{name}"
        self.broker.create_topic(topic)
        return topic

    def records(self, topic):
        """How many records the topic's one partition has."""
        begin, end = self.broker.end_offsets(topic)[0]
        return end - begin

    def committed(self, topic):
        """How many a reader of committed records sees, who reads them all: offsets count the marks
        of transactions, too."""
        return self.broker.count_committed(topic)

    def drop_topic(self, topic):
        self.broker.delete_topic(topic)
        time.sleep(0.5)     # until its files are gone, too

    def settle(self):
        """Nothing that the run before left in memory is written under the next one's clock."""
        os.sync()
