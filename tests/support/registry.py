"""A real schema registry for the tests: Apicurio with Confluent's API, private, on loopback.

    with SchemaRegistry() as registry:
        …                                   # pg-capture uses registry.url
        registry.schema(5)                  # the text under a number
        registry.subjects()
"""

import json
import shutil
import signal
import urllib.error
import urllib.request

from support.processes import (
    ROOT, RUN, as_server_user, exclusive, free_port, remove_directory, run_directory, server_base, spawn, wait_until,
)
from support.servers import own

HOME = ROOT / ".deps" / "registry"
HOST = "127.0.0.1"
_JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms64m", "-Xmx384m"]


def application():
    """Its jar, in a place that the registry's user can read."""
    folder = HOME
    if server_base() != RUN:
        folder = server_base() / "registry"
        with exclusive(server_base() / "registry.lock"):
            if not folder.exists():
                making = folder.with_suffix(".new")
                shutil.copytree(HOME, making, ignore=shutil.ignore_patterns("python"))
                making.rename(folder)
    return next(folder.glob("apicurio-registry-app-*-runner.jar"))


class SchemaRegistry:
    """Keeps what is registered in memory: a new one is empty."""

    def __init__(self):
        if not (HOME / "key").exists():
            raise FileNotFoundError("no schema registry: run tools/registry.sh")
        self.port = free_port()
        self.directory = run_directory("registry", server_base())
        own(self.directory)
        self._log = self.directory / "registry.log"
        with open(self._log, "ab") as log:
            self.process = spawn(
                [*as_server_user(), "/usr/bin/java", *_JVM, f"-Dquarkus.http.host={HOST}",
                 f"-Dquarkus.http.port={self.port}", "-jar", application()],
                death_signal=signal.SIGKILL, stdout=log, stderr=log, cwd=self.directory)

    @property
    def url(self):
        return f"http://{HOST}:{self.port}/apis/ccompat/v7"

    @property
    def native_url(self):
        """Of its own API, which its own clients speak."""
        return f"http://{HOST}:{self.port}/apis/registry/v2"

    def wait_ready(self):
        wait_until(self._answers, timeout=300, what="the schema registry")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the registry ended\n{self._log.read_text(errors='replace')[-3000:]}")
        try:
            return self.subjects() is not None
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            return json.load(answer)

    def schema(self, number):
        """(type, text) of what is registered under a number."""
        answer = self.get(f"/schemas/ids/{number}")
        return answer.get("schemaType", "AVRO"), answer["schema"]

    def subjects(self):
        return self.get("/subjects")

    def versions(self, subject):
        return self.get(f"/subjects/{subject}/versions")

    def level(self, subject):
        return self.get(f"/config/{subject}")["compatibilityLevel"]

    def set_level(self, subject, level):
        request = urllib.request.Request(f"{self.url}/config/{subject}", method="PUT",
                                         data=json.dumps({"compatibility": level}).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def signal(self, number):
        self.process.send_signal(number)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        remove_directory(self.directory)

    def __enter__(self):
        return self.wait_ready()

    def __exit__(self, *_):
        self.close()
