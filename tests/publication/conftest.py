"""Publications and filters: a database on a shared server, and what pg-capture makes of it."""

import itertools
import json
import re

import pytest
from support.capture import run_capture
from support.processes import remove_directory, run_directory, wait_until
from support.servers import Capture, PostgresServer

_numbers = itertools.count(1)


class Site:
    """One database. Pipelines on it are distinguished by their slots."""

    def __init__(self, server, name):
        plain = re.sub(r"\W+", "_", name.lower())[:30].strip("_")
        self.name = f"{plain}_{next(_numbers)}"
        self.server = server
        self._state = run_directory("state")
        self.captures = []
        server.psql(f"CREATE DATABASE {self.name}")
        self.sql("CREATE TABLE fence (n serial PRIMARY KEY)")

    def sql(self, text):
        return self.server.psql(text, db=self.name)

    def query(self, text, *parameters):
        return self.server.query(text, *parameters, db=self.name)

    def environment(self, user=None, **options):
        """include="a.*" is PG_CAPTURE_SOURCE_TABLES_INCLUDE; other names are paths in full."""
        given = {"source_snapshot_mode": "initial", "source_tables_refresh_secs": "1",
                 "replication_checkpoint_interval_secs": "1", **options}
        short = {"include": "source_tables_include", "exclude": "source_tables_exclude"}
        return self.server.capture_environment(self.name) | (
            {"PG_USERNAME": user} if user else {}) | {
            f"PG_CAPTURE_{short.get(k, k).upper()}": str(v)
            for k, v in given.items() if v is not None}

    def capture(self, pipeline="a", publication=None, wait=True, start_names=False, **options):
        """A pipeline with a slot and a stored position of its own, streaming."""
        slot = None if start_names else f"{self.name}_{pipeline}"
        made = Capture(self.environment(**options), slot=slot, publication=publication, http=False,
                       state=self._state)
        self.captures.append(made)
        return self.settled(made) if wait else made

    @staticmethod
    def settled(capture):
        """It streams, and has read what it found to read at its start."""
        capture.wait_streaming()
        wait_until(lambda: capture.stderr.count("snapshot begins") <= capture.stderr.count("snapshot is complete"),
                   what="the end of the snapshot")
        return capture

    def check(self, pipeline="a", publication=None, **options):
        """exit code, findings that are not ok"""
        slot = f"{self.name}_{pipeline}"
        env = self.environment(**options) | {"PG_SLOT_NAME": slot,
                                             "PG_PUBLICATION": publication or f"{slot}_pub",
                                             "PG_CAPTURE_STATE_DIR": str(self._state)}
        done = run_capture("check", "--output", "json", env=env)
        assert done.stdout.startswith("{"), done.stderr
        return done.returncode, [f for f in json.loads(done.stdout)["findings"] if f["level"] != "ok"]

    def publication(self, pipeline="a"):
        return f"{self.name}_{pipeline}_pub"

    def streamed(self, capture, timeout=60.0):
        """Waits until everything committed so far has come out; the messages, without fences."""
        number = int(self.sql("INSERT INTO fence DEFAULT VALUES RETURNING n"))
        capture.wait_for(lambda messages: any(
            m["table"] == "fence" and m["after"]["n"] == number for m in messages[-50:]), timeout)
        return [m for m in capture.messages if m["table"] != "fence"]

    def published(self, *names):
        """table names that the publications publish, and what with: name -> set of letters"""
        found = {}
        for table, *operations in self.query(
                "SELECT t.tablename::text, p.pubinsert, p.pubupdate, p.pubdelete "
                "FROM pg_publication_tables t JOIN pg_publication p USING (pubname) "
                "WHERE p.pubname = ANY (%s::text[])", list(names)):
            found.setdefault(table, set()).update(
                letter for letter, on in zip("IUD", operations) if on)
        found.pop("fence", None)
        return found

    def wait_published(self, condition, *names, timeout=60.0):
        wait_until(lambda: condition(self.published(*names)), timeout, "the publication to change",
                   interval=0.1)

    def close(self):
        for capture in self.captures:
            capture.close()
        if self.server.running:
            for slot, in self.query("SELECT slot_name::text FROM pg_replication_slots "
                                    "WHERE database = current_database()"):
                self.server.drop_slot(slot)
            force = " WITH (FORCE)" if self.server.major >= 13 else ""
            self.server.psql(f"DROP DATABASE IF EXISTS {self.name}{force}")
        remove_directory(self._state)


@pytest.fixture(scope="session")
def servers():
    """Calls give the shared server of a version, started when it is first wanted."""
    running = {}

    def server(version):
        if version not in running:
            running[version] = PostgresServer(version)
        return running[version]

    yield server
    for one in running.values():
        one.close()


@pytest.fixture
def sites(servers, request):
    """Makes Sites: sites(version)."""
    made = []

    def site(version="15"):
        made.append(Site(servers(version), request.node.name))
        return made[-1]

    yield site
    for one in made:
        one.close()


@pytest.fixture
def site(sites):
    return sites()
