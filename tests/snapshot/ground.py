"""What a test has for itself on a shared server: a database, a slot, pg-capture on the console.

    ground.sql("CREATE TABLE t …; INSERT …")
    with ground.capture() as capture:
        ground.wait_complete()
        assert ground.rows("t") == …
"""

import itertools
import json
import re

from support.capture import run_capture
from support.processes import remove_directory, run_directory, wait_until
from support.servers import Capture

COMPLETE = "snapshot is complete"
BEGINS = "snapshot begins"
TOKEN = "snapshot-token"

_numbers = itertools.count(1)


class Ground:
    """options become variables: source_snapshot_readers=1 is PG_CAPTURE_SOURCE_SNAPSHOT_READERS."""

    def __init__(self, server, name, **options):
        plain = re.sub(r"\W+", "_", name.lower())[:30].strip("_")
        self.name = f"{plain}_{next(_numbers)}"
        self.server, self.options = server, options
        self.process = None
        self.state = run_directory("state")
        self._messages, self._taken = [], 0
        server.psql(f"CREATE DATABASE {self.name}")
        self.sql("CREATE TABLE fence (n serial PRIMARY KEY)")

    def environment(self, **more):
        given = {"source_snapshot_mode": "initial", "console_with_key": "true", "http_token": TOKEN,
                 "replication_checkpoint_interval_secs": "1", **self.options, **more}
        return self.server.capture_environment(self.name) | {
            f"PG_CAPTURE_{k.upper()}": str(v) for k, v in given.items() if v is not None}

    def capture(self, sink="console", start=True, http=False, **more):
        """pg-capture, begun. One that was there before has ended; its lines are forgotten."""
        self._messages, self._taken = [], 0
        self.process = Capture(self.environment(**more), slot=self.name, sink=sink, http=http, start=start,
                               state=self.state)
        return self.process

    def close(self):
        if self.process is not None:
            self.process.close()
        remove_directory(self.state)
        if self.server.running:
            self.server.drop_slot(self.name)
            self.server.psql(f"DROP DATABASE IF EXISTS {self.name}" +
                             (" WITH (FORCE)" if self.server.major >= 13 else ""))

    # -- the source -------------------------------------------------------------------

    def sql(self, text, **more):
        return self.server.psql(text, db=self.name, **more)

    def query(self, text, *parameters):
        return self.server.query(text, *parameters, db=self.name)

    def connect(self, **options):
        return self.server.connect(self.name, **options)

    # -- what comes -------------------------------------------------------------------

    @property
    def messages(self):
        """All messages so far; `key` is added to each."""
        lines = self.process.raw_lines
        for line in lines[self._taken:]:
            key, _, value = line.partition(b"\t")
            self._messages.append(json.loads(value) | {"key": json.loads(key or "null")})
        self._taken = len(lines)
        return self._messages

    def of(self, table, *operations):
        return [m for m in self.messages
                if m["table"] == table and (not operations or m["op"] in operations)]

    def rows(self, table):
        """The rows that a snapshot sent of the table, in the order of their coming."""
        return [m["after"] for m in self.of(table, "READ")]

    def wait_for(self, condition, timeout=30.0, what="the messages"):
        def there():
            if condition():
                return True
            assert self.process.running, f"it ended before {what} came\n{self.process.stderr_tail()}"
            return False
        try:
            wait_until(there, timeout, what, interval=0.05)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.process.stderr_tail()}") from error

    def wait_complete(self, times=1, timeout=60.0):
        """Waits until the log has said that many times that a snapshot is complete."""
        self.wait_for(lambda: self.process.stderr.count(COMPLETE) >= times, timeout, "the end of the snapshot")

    def wait_streamed(self, timeout=30.0):
        """Waits until everything committed so far has come out."""
        number = int(self.sql("INSERT INTO fence DEFAULT VALUES RETURNING n"))
        self.wait_for(lambda: any(m["after"]["n"] == number for m in self.of("fence", "INSERT", "READ")),
                      timeout, "the last change")

    # -- the command line -------------------------------------------------------------

    def command(self, *words, code=0, timeout=120.0):
        """`pg-capture snapshot …` against the running instance; returns what it says."""
        done = run_capture("snapshot", *words, env=self.process.environment, timeout=timeout)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stderr}{done.stdout}"
        return done.stdout

    def snapshots(self):
        """What the instance reports of its snapshots: id -> report."""
        listed = json.loads(self.command("list", "--output", "json"))
        return {one["id"]: one for one in listed["snapshots"]}

    def wait_state(self, id, *states, timeout=30.0):
        """Waits until the instance reports that a snapshot is in one of the states."""
        self.wait_for(lambda: self.snapshots().get(id, {}).get("state") in states, timeout,
                      f"snapshot {id} to be {' or '.join(states)}")
