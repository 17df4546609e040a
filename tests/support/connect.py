"""Kafka Connect, standalone: one Java process with connectors in it, private, on loopback.

    with ConnectWorker(broker, [properties, …]) as worker:
        worker.state("name")    # ("RUNNING", "") or ("FAILED", why) …
"""

import json
import signal
import urllib.error
import urllib.request

from support.kafka import LOG4J2
from support.processes import ROOT, free_port, remove_directory, run_directory, spawn, wait_until

HOME = ROOT / ".deps" / "debezium"
PLUGINS = HOME / "plugins"
MODEST = ["-Xms256m", "-Xmx2G", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
JSON = "org.apache.kafka.connect.json.JsonConverter"


def json_converters(schemas):
    """Keys and values as JSON, with or without their schemas."""
    return {f"{side}.converter{option}": value for side in ("key", "value")
            for option, value in (("", JSON), (".schemas.enable", str(schemas).lower()))}


def _property(text):
    """As java.util.Properties reads it: in Latin-1, with backslashes."""
    text = str(text).replace("\\", "\\\\").replace("\n", "\\n")
    return "".join(c if ord(c) < 128 else f"\\u{ord(c):04x}" for c in text)


class ConnectWorker:
    """The properties of each of `connectors` name it; `settings` are the worker's own."""

    def __init__(self, broker, connectors, *, settings=None, jvm=MODEST, plugins=(PLUGINS,)):
        if not (HOME / "key").exists():
            raise FileNotFoundError("no Kafka Connect: run tools/debezium.sh")
        self.directory = run_directory("connect")
        self.log = self.directory / "connect.log"
        self._address = f"http://127.0.0.1:{free_port()}"
        files = [self._write("worker.properties", {
            **json_converters(schemas=False), "plugin.discovery": "service_load", **(settings or {}),
            "bootstrap.servers": broker.bootstrap, "listeners": self._address,
            "plugin.path": ",".join(str(path) for path in plugins),
            "offset.storage.file.filename": self.directory / "offsets"})]
        files += [self._write(f"{c['name']}.properties", c) for c in connectors]
        (self.directory / "log4j.properties").write_text(LOG4J2.format(level="WARN"))
        with open(self.log, "ab") as log:
            self.process = spawn(
                ["/usr/bin/java", *jvm, "-XX:-UsePerfData",
                 f"-Dlog4j2.configurationFile=file:{self.directory}/log4j.properties",
                 "-cp", f"{HOME}/connect/*", "org.apache.kafka.connect.cli.ConnectStandalone", *files],
                death_signal=signal.SIGKILL, stdout=log, stderr=log, cwd=self.directory)

    def _write(self, name, properties):
        path = self.directory / name
        path.write_text("".join(f"{k}={_property(v)}\n" for k, v in properties.items()))
        return path

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        """Raises if it has ended: it never does by itself."""
        if self.process.poll() is not None:
            raise RuntimeError(f"Kafka Connect ended with exit code {self.process.returncode}\n{self.tail()}")

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
