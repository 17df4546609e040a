"""Debezium on Kafka Connect, standalone, with the settings that made it fastest here.

Against the defaults (max.batch.size 2048, max.queue.size 8192, poll.interval.ms 500, the
producer's 16 KiB batches) they raise its drain rate by half and lower its latency twentyfold.
"""

import signal

from support.kafka import LOG4J2
from support.processes import ROOT, free_port, remove_directory, run_directory, spawn

HOME = ROOT / ".deps" / "debezium"
VERSION = "3.7.0.Final"

JVM = ["-Xms2G", "-Xmx2G", "-XX:+UseParallelGC"]
WORKER = {
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "plugin.discovery": "service_load",
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


class Debezium:
    """One worker with one connector that reads `slot` into topics that begin with `prefix`.

    snapshot    its snapshot.mode: "no_data" begins where the slot stands, "initial" makes the
                slot and reads all rows before
    table       the one it captures, if not all: its snapshot does not go by the publication
    """

    def __init__(self, server, broker, *, slot, publication, prefix, snapshot="no_data", table=".*"):
        if not (HOME / "key").exists():
            raise FileNotFoundError("no Debezium: run tools/debezium.sh")
        self.directory = run_directory("debezium")
        self._log = self.directory / "connect.log"
        worker = WORKER | {
            "bootstrap.servers": broker.bootstrap,
            "listeners": f"http://127.0.0.1:{free_port()}",
            "plugin.path": HOME / "plugins",
            "offset.storage.file.filename": self.directory / "offsets",
        }
        connector = CONNECTOR | {
            "database.hostname": server.host, "database.port": server.port,
            "database.user": server.user, "database.password": server.password,
            "database.dbname": "postgres", "topic.prefix": prefix, "slot.name": slot,
            "publication.name": publication, "snapshot.mode": snapshot,
            "table.include.list": f"public.{table}",
        }
        self._write("worker.properties", worker)
        self._write("connector.properties", connector)
        (self.directory / "log4j.properties").write_text(LOG4J2.format(level="WARN"))
        with open(self._log, "ab") as log:
            self.process = spawn(
                ["/usr/bin/java", *JVM,
                 f"-Dlog4j2.configurationFile=file:{self.directory}/log4j.properties",
                 "-cp", f"{HOME}/connect/*", "org.apache.kafka.connect.cli.ConnectStandalone",
                 self.directory / "worker.properties", self.directory / "connector.properties"],
                death_signal=signal.SIGKILL, stdout=log, stderr=log, cwd=self.directory)

    def _write(self, name, properties):
        (self.directory / name).write_text("".join(f"{k}={v}\n" for k, v in properties.items()))

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        """Raises if it has ended: it never does by itself."""
        if self.process.poll() is not None:
            raise RuntimeError(f"Debezium ended with exit code {self.process.returncode}\n{self.tail()}")

    def tail(self, lines=30):
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def close(self):
        """Ends it at once: nothing of its state is kept."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        remove_directory(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
