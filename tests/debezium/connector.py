"""The real Debezium connector for PostgreSQL, many at once in one Kafka Connect worker.

    with Worker(broker, [connector(server, "db1", prefix="one"), …]) as worker:
        worker.state("one")     # "RUNNING", "FAILED" …
"""

import json
import signal
import urllib.error
import urllib.request

from support.kafka import LOG4J2
from support.processes import ROOT, free_port, remove_directory, run_directory, spawn, wait_until

HOME = ROOT / ".deps" / "debezium"
VERSION = "3.7.0.Final"

_JVM = ["-Xms256m", "-Xmx2G", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
_JSON = "org.apache.kafka.connect.json.JsonConverter"
_WORKER = {
    "key.converter": _JSON, "key.converter.schemas.enable": "false",
    "value.converter": _JSON, "value.converter.schemas.enable": "false",
    "plugin.discovery": "service_load", "offset.flush.interval.ms": 60000,
}
# What has to be said; all else is the connector's default until a case says otherwise.
_CONNECTOR = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": 1,
    "plugin.name": "pgoutput", "publication.autocreate.mode": "disabled", "poll.interval.ms": 50, "errors.max.retries": 0,
    "topic.creation.default.partitions": 1, "topic.creation.default.replication.factor": 1,
}


def connector(server, database, *, prefix, settings):
    """The properties of one that reads `database` into topics that begin with `prefix`.

    Its publication, its slot and itself are called like the prefix. schemas.enable stands for
    the converters of keys and of values.
    """
    settings = dict(settings)
    if "schemas.enable" in settings:
        enabled = settings.pop("schemas.enable")
        for side in ("key", "value"):
            settings |= {f"{side}.converter": _JSON, f"{side}.converter.schemas.enable": enabled}
    return _CONNECTOR | {
        "name": prefix, "topic.prefix": prefix, "slot.name": prefix, "publication.name": prefix,
        "database.hostname": server.host, "database.port": server.port,
        "database.user": server.user, "database.password": server.password,
        "database.dbname": database} | settings


def _property(text):
    """As java.util.Properties reads it: in Latin-1, with backslashes."""
    text = str(text).replace("\\", "\\\\").replace("\n", "\\n")
    return "".join(c if ord(c) < 128 else f"\\u{ord(c):04x}" for c in text)


class Worker:
    """One Java process with all `connectors` (properties) in it."""

    def __init__(self, broker, connectors):
        if not (HOME / "key").exists():
            raise FileNotFoundError("no Debezium: run tools/debezium.sh")
        self.directory = run_directory("debezium")
        self.log = self.directory / "connect.log"
        self._address = f"http://127.0.0.1:{free_port()}"
        files = [self._write("worker.properties", _WORKER | {
            "bootstrap.servers": broker.bootstrap, "listeners": self._address,
            "plugin.path": HOME / "plugins",
            "offset.storage.file.filename": self.directory / "offsets"})]
        files += [self._write(f"{c['name']}.properties", c) for c in connectors]
        (self.directory / "log4j.properties").write_text(LOG4J2.format(level="WARN"))
        with open(self.log, "ab") as log:
            self.process = spawn(
                ["/usr/bin/java", *_JVM, "-XX:-UsePerfData",
                 f"-Dlog4j2.configurationFile=file:{self.directory}/log4j.properties",
                 "-cp", f"{HOME}/connect/*", "org.apache.kafka.connect.cli.ConnectStandalone", *files],
                death_signal=signal.SIGKILL, stdout=log, stderr=log, cwd=self.directory)

    def _write(self, name, properties):
        path = self.directory / name
        path.write_text("".join(f"{k}={_property(v)}\n" for k, v in properties.items()))
        return path

    def check(self):
        """Raises if it has ended: it never does by itself."""
        if self.process.poll() is not None:
            raise RuntimeError(f"Debezium ended with exit code {self.process.returncode}\n{self.tail()}")

    def _ask(self, path):
        self.check()
        try:
            with urllib.request.urlopen(self._address + path, timeout=10) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            return None     # it is starting, or does not know it yet

    def state(self, name):
        """(its task's state, why) or (None, "")"""
        answer = self._ask(f"/connectors/{name}/status")
        for part in [*(answer or {}).get("tasks", []), *([answer["connector"]] if answer else [])]:
            return part["state"], part.get("trace", "")
        return None, ""

    def wait_ended_or(self, name, condition, timeout, what):
        """Waits for the condition, or for the connector's failure; returns why it failed, or ""."""
        def done():
            if condition():
                return "yes"
            state, trace = self.state(name)
            return trace or "failed" if state == "FAILED" else None

        try:
            why = wait_until(done, timeout, what, interval=0.1)
        except TimeoutError as error:
            return str(error)
        return "" if why == "yes" else why

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

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
