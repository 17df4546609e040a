"""Debezium on Kafka Connect, standalone, with the settings that made it fastest here.

Against the defaults (max.batch.size 2048, max.queue.size 8192, poll.interval.ms 500, the
producer's 16 KiB batches) they raise its drain rate by half and lower its latency twentyfold.
"""

from support.connect import ConnectWorker

VERSION = "3.7.0.Final"

JVM = ["-Xms2G", "-Xmx2G", "-XX:+UseParallelGC"]
WORKER = {
    "producer.linger.ms": 5,
    "producer.batch.size": 1048576,
    "producer.buffer.memory": 134217728,
    "producer.compression.type": "lz4",
    "producer.enable.idempotence": "true",
}
CONNECTOR = {
    "name": "bench",
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": 1,
    "plugin.name": "pgoutput",
    "publication.autocreate.mode": "disabled",
    "tombstones.on.delete": "false",
    "max.batch.size": 16384,
    "max.queue.size": 131072,
    "poll.interval.ms": 5,
    "snapshot.max.threads": 2,
    "snapshot.fetch.size": 20480,
}


class Debezium(ConnectWorker):
    """One worker with one connector that reads `slot` into topics that begin with `prefix`.

    snapshot    its snapshot.mode: "no_data" begins where the slot stands, "initial" makes the
                slot and reads all rows before
    table       the one it captures, if not all: its snapshot does not go by the publication
    """

    def __init__(self, server, broker, *, slot, publication, prefix, snapshot="no_data", table=".*"):
        super().__init__(broker, [CONNECTOR | {
            "database.hostname": server.host, "database.port": server.port,
            "database.user": server.user, "database.password": server.password,
            "database.dbname": "postgres", "topic.prefix": prefix, "slot.name": slot,
            "publication.name": publication, "snapshot.mode": snapshot,
            "table.include.list": f"public.{table}",
        }], settings=WORKER, jvm=JVM)
