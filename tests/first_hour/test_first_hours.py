"""Three first hours: what a page has a newcomer type is typed, line by line, as it stands there.

Only what a page can't know is put in its place: addresses, passwords. Each streams within a
minute of its first command, and that is from a row that was there to a change made meanwhile.
"""

import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import time

import pytest
from support.capture import binary, clean_environment
from support.figures import figure
from support.kafka import KafkaBroker
from support.processes import ROOT, free_port, remove_directory, short_directory, spawn, wait_until
from support.servers import CLIENT_BIN, PostgresServer

MINUTE = 60.0
# So much of a minute a machine may need that is slow, and busy with other tests.
TIMES = 3
HIDDEN = "first-hour-secret"


@pytest.fixture(scope="module")
def broker():
    """As brokers are by default: they make a topic that somebody asks for."""
    with KafkaBroker(settings={"auto.create.topics.enable": "true"}) as broker:
        yield broker


@pytest.fixture
def place():
    """A directory with pg-capture on its path, for everybody to read."""
    directory = short_directory("pgc-first-")
    directory.chmod(0o755)
    for name in ("bin", "work"):
        (directory / name).mkdir()
        (directory / name).chmod(0o755)
    shutil.copy(binary(), directory / "bin" / "pg-capture")
    (directory / "bin" / "pg-capture").chmod(0o755)
    yield directory
    remove_directory(directory)


def blocks(page, after):
    """The lines of each block of commands of a page behind this sentence, without their comments."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert after in text, f"{page} has lost: {after}"
    return [[re.sub(r"\s{2,}#.*$", "", line) for line in block.splitlines() if line.strip()]
            for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text[text.index(after):], re.M | re.S)
            if not language]


class Terminal:
    """Where lines of a page are typed. `facts` are the values of variables that a page can only
    make up, `words` the same within a line."""

    def __init__(self, place, facts, words=()):
        self.place, self.facts, self.words = place, facts, dict(words)
        self.environment = clean_environment() | {
            "PATH": f"{place / 'bin'}:{CLIENT_BIN}:/usr/bin:/bin",
            "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{free_port()}"}
        self.started = time.monotonic()
        self.running = None
        self.log = place / "work" / "log"

    def type(self, line):
        """Returns what the command said; a bare pg-capture goes on running."""
        for made_up, real in self.words.items():
            line = line.replace(made_up, real)
        if line.startswith("export "):
            for word in shlex.split(line)[1:]:
                name, _, value = word.partition("=")
                self.environment[name] = self.facts.get(name, value)
                assert "…" not in self.environment[name], f"nobody knows the value of {name}"
            return ""
        if line == "pg-capture":
            self.run([self.place / "bin" / "pg-capture"])
            return ""
        done = subprocess.run(["/bin/bash", "-c", line], env=self.environment, text=True, timeout=TIMES * MINUTE,
                              cwd=self.place / "work", stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}\n{self.said()}"
        return done.stdout

    def run(self, command):
        with open(self.log, "ab") as log:
            self.running = spawn(command, env=self.environment, stdout=log, stderr=log,
                                 stdin=subprocess.DEVNULL, cwd=self.place / "work",
                                 death_signal=signal.SIGKILL)

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def stop(self):
        self.running.send_signal(signal.SIGTERM)
        assert self.running.wait(60) == 0, self.said()
        self.running = None

    def close(self):
        if self.running is not None:
            self.running.kill()
            self.running.wait()


def rows(broker, topic):
    """What a consumer sees: operation and id."""
    if topic not in broker.topics():
        return []
    messages = (json.loads(record.value) for record in broker.read_all(topic) if record.value)
    return [(message["op"], message["after"]["id"]) for message in messages]


def assert_streams(terminal, server, broker, table):
    """The row that was there and one that is written now arrive, and all this in time."""
    topic = f"cdc.public.{table}"

    def arrives(row):
        def there():
            assert terminal.running.poll() is None, terminal.said()
            return row in rows(broker, topic)
        wait_until(there, TIMES * MINUTE, f"{row} in {topic}", interval=0.3)

    arrives(("READ", 1))
    server.psql(f"INSERT INTO {table} VALUES (2, 'now')", db="shop")
    arrives(("INSERT", 2))
    took = time.monotonic() - terminal.started
    figure(f"first hour, {table}", f"streaming {took:.1f} s after the first command")
    assert took < TIMES * MINUTE


def shop(server, table):
    server.psql("CREATE DATABASE shop")
    server.psql(f"CREATE TABLE {table} (id int PRIMARY KEY, v text);"
                f"INSERT INTO {table} VALUES (1, 'there')", db="shop")


def facts_of(server, broker, password):
    return {"PG_HOST": server.host, "PG_PORT": str(server.port), "KAFKA_BROKERS": broker.bootstrap,
            "PG_PASSWORD": password}


def test_the_readme_line_by_line(broker, place):
    with PostgresServer("15", auth="scram-sha-256") as server:
        shop(server, "readers")
        terminal = Terminal(place, facts_of(server, broker, server.password))
        first, beside = blocks("README.md", "Against a database of your own")[:2]
        try:
            for line in first:
                terminal.type(line)
            assert_streams(terminal, server, broker, "readers")
            for line in beside:
                if line.startswith("pg-capture peek"):      # once it has ended
                    terminal.stop()
                    wait_until(lambda: not server.query("SELECT 1 FROM pg_replication_slots WHERE active"),
                               what="the slot to be free")
                    server.psql("INSERT INTO readers VALUES (3, 'waits')", db="shop")
                    assert json.loads(terminal.type(line).splitlines()[-1])["after"]["id"] == 3
                else:
                    said = terminal.type(line)
                    assert "terminate" not in said and "blocking" not in said, said
            assert [line.split()[1] for line in beside] == ["check", "status", "lag", "peek"]
            assert ("INSERT", 3) not in rows(broker, "cdc.public.readers"), "a look takes nothing"
            terminal.type("pg-capture")     # and on it goes
            wait_until(lambda: ("INSERT", 3) in rows(broker, "cdc.public.readers"), MINUTE,
                       "what waited", interval=0.3)
            terminal.stop()
        finally:
            terminal.close()


def test_the_way_of_a_dba_line_by_line(broker, place):
    with PostgresServer("15", auth="scram-sha-256") as server:
        shop(server, "ledgers")
        server.psql("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.t (id int);"
                    "CREATE TABLE keyless (v text)", db="shop")
        terminal = Terminal(place, facts_of(server, broker, HIDDEN), {
            "-h localhost -p 5432": f"-h {server.socket_dir} -p {server.port}",
            "PASSWORD '…'": f"PASSWORD '{HIDDEN}'"})
        try:
            for block in blocks("docs/dba.md", "## The configuration"):
                for line in block:
                    said = terminal.type(line)
                    assert HIDDEN not in said and "blocking" not in said, said
            assert terminal.running is not None, "the page ends before the start"
            assert_streams(terminal, server, broker, "ledgers")
            terminal.stop()
        finally:
            terminal.close()
        assert server.query("SELECT count(*) FROM pg_publication WHERE pubowner = 'cdc'::regrole",
                            db="shop") == [(0,)], "nothing is made by the role"
        # The application's own statements go on working.
        server.psql("INSERT INTO keyless VALUES ('x'); UPDATE keyless SET v = 'y'; DELETE FROM keyless",
                    db="shop")


def as_nobody_without_a_place_to_write():
    """Words before a command: nobody in particular runs it, and the whole tree is read-only.

    Where the machine does not let a test seal it, a file may at least not grow.
    """
    if os.geteuid() != 0:
        return []
    user = ["/usr/bin/setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--no-new-privs"]
    seal = f'mount -o remount,bind,ro / && exec {shlex.join(user)} "$@"'
    sealed = ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", seal, "sh"]
    probe = subprocess.run([*sealed, "/bin/true"], check=False, stderr=subprocess.DEVNULL)
    return sealed if probe.returncode == 0 else user


def no_file_may_grow():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


class Box(Terminal):
    """Variables alone, a read-only tree, any user."""

    def __init__(self, place, environment):
        super().__init__(place, {})
        self.before = as_nobody_without_a_place_to_write()
        self.environment = {"PATH": "/usr/bin:/bin"} | environment
        self.lines = b""

    def check(self):
        return subprocess.run([*self.before, self.place / "bin" / "pg-capture", "check"], cwd="/",
                              env=self.environment, check=False, text=True, timeout=TIMES * MINUTE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              preexec_fn=no_file_may_grow)

    def start(self):
        """What it says comes through a pipe: a log could not grow either."""
        self.running = subprocess.Popen([*self.before, self.place / "bin" / "pg-capture"], cwd="/",
                                        env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        preexec_fn=no_file_may_grow)
        os.set_blocking(self.running.stderr.fileno(), False)

    def said(self):
        self.lines += self.running.stderr.read() or b""
        return self.lines.decode()


def test_variables_alone_on_a_read_only_tree_as_any_user(broker, place):
    with PostgresServer("15", auth="scram-sha-256") as server:
        shop(server, "boxes")
        server.psql(f"CREATE ROLE boxed LOGIN SUPERUSER PASSWORD '{HIDDEN}'")
        box = Box(place, facts_of(server, broker, HIDDEN) | {
            "PG_DATABASE": "shop", "PG_USERNAME": "boxed", "PG_SLOT_NAME": "boxes",
            "PG_CAPTURE_KAFKA_TOPICS_PARTITIONS": "3",
            "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{free_port()}"})
        checked = box.check()
        assert checked.returncode == 0 and HIDDEN not in checked.stdout, checked.stdout
        box.start()
        try:
            wait_until(lambda: "streaming" in box.said() or box.running.poll() is not None, MINUTE,
                       "it to stream", interval=0.1)
            assert_streams(box, server, broker, "boxes")
            assert broker.partitions("cdc.public.boxes") == 3, "as we say, not as the broker would"
            assert HIDDEN not in box.said()
            process = box.running
            box.stop()
            process.stderr.close()
        finally:
            box.close()
