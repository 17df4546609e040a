"""Reads and runs the scenario files: see README.md for what may stand in one."""

import dataclasses
import json
import pathlib
import re
import subprocess

from support.processes import wait_until
from support.servers import CLIENT_BIN, Capture

HERE = pathlib.Path(__file__).resolve().parent
RANGE = re.compile(r"\s*\[(\d*)-(\d*)\]\s*$")
SYNC_TABLE = "public.pgc_sync"


def in_range(text, major):
    low, _, high = text.strip().partition("-")
    return (not low or major >= int(low)) and (not high or major <= int(high))


@dataclasses.dataclass
class Block:
    verb: str
    arguments: list
    versions: str
    body: str
    line: int


@dataclasses.dataclass
class Scenario:
    path: pathlib.Path
    versions: str
    options: dict
    database: str
    server: str
    blocks: list

    @property
    def name(self):
        return self.path.stem

    def runs_on(self, version):
        major = int(version.split("-")[0])
        if self.server == "debian":
            return version == "15-debian"
        return version != "15-debian" and in_range(self.versions, major)


def parse(path):
    head = {"versions": "-", "database": "", "server": ""}
    options, blocks = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("== "):
            versions = RANGE.search(line)
            words = RANGE.sub("", line[3:]).split()
            blocks.append(Block(words[0], words[1:],
                                f"{versions[1]}-{versions[2]}" if versions else "-", "", number))
        elif blocks:
            blocks[-1].body += line + "\n"
        elif line.startswith("option "):
            key, _, value = line[7:].partition("=")
            options[key.strip()] = value.strip()
        elif line.partition(" ")[0] in head:
            key, _, value = line.partition(" ")
            head[key] = value.strip()
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"{path.name}:{number}: not understood: {line}")
    return Scenario(path, head["versions"], options, head["database"], head["server"], blocks)


def scenarios():
    return [parse(path) for path in sorted(HERE.glob("*.scenario"))]


class Session:
    """One psql that stays open."""

    DONE = "pgc-scenario-done"

    def __init__(self, server, database):
        self.process = subprocess.Popen(
            [str(CLIENT_BIN / "psql"), "-X", "-q", "-A", "-t", "-d", server.dsn(database)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            encoding="utf-8", errors="surrogateescape")
        self.run("SET client_min_messages = warning; SET application_name = 'scenario';")

    def run(self, sql):
        self.process.stdin.write(f"{sql}\n\\echo {self.DONE}\n")
        self.process.stdin.flush()
        said = []
        for line in self.process.stdout:
            if line.strip() == self.DONE:
                break
            said.append(line)
        else:
            raise AssertionError(f"psql ended:\n{''.join(said)}")
        return "".join(said)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


class Run:
    """One scenario on one server."""

    def __init__(self, scenario, server, version, update=False):
        self.scenario = scenario
        self.server = server
        self.major = int(version.split("-")[0])
        self.update = update
        self.database = "s_" + re.sub(r"\W", "_", scenario.name)[:50]
        self.sessions = {}
        self.capture = None
        self.syncs = 0
        self.taken = 0          # raw lines already looked at
        self.seen = set()       # events before a kill, to recognize repeats
        self.transactions = {}
        self.events = []
        self.log_from = 0
        self.ended = True       # as a block said it should

    def __enter__(self):
        self.server.psql(f'DROP DATABASE IF EXISTS "{self.database}"')
        self.server.psql(f'CREATE DATABASE "{self.database}" TEMPLATE template0 '
                         f"{self.scenario.database}")
        self.session().run(f"CREATE TABLE {SYNC_TABLE} (n int PRIMARY KEY);")
        environment = self.server.capture_environment(self.database)
        environment["PG_CAPTURE_CONSOLE_WITH_KEY"] = "true"
        environment["PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS"] = "1"
        for key, value in self.scenario.options.items():
            name = "PG_CAPTURE_" + key.upper().replace(".", "_")
            environment[name] = value.replace("{database}", self.database)
        self.capture = Capture(environment, slot=self.database, http=False, start=False)
        return self

    def __exit__(self, *_):
        for session in self.sessions.values():
            session.close()
        self.capture.close()
        def free():
            self.server.psql(f"SELECT pg_drop_replication_slot(slot_name) FROM "
                             f"pg_replication_slots WHERE database = '{self.database}' AND NOT active")
            return not self.server.query("SELECT 1 FROM pg_replication_slots WHERE database = %s",
                                         self.database)
        wait_until(free, what="the slot to be free")
        self.server.psql(f'DROP DATABASE "{self.database}"')

    def session(self, name=""):
        if name not in self.sessions:
            self.sessions[name] = Session(self.server, self.database)
        return self.sessions[name]

    # -- events -------------------------------------------------------------------------

    def take_events(self):
        """Moves what has come on stdout into self.events; true when the last sync is there."""
        raw = self.capture.raw_lines
        found = False
        for line in raw[self.taken:]:
            key, _, value = line.decode("utf-8").partition("\t")
            message = json.loads(value)
            if (message["schema"], message["table"]) == ("public", "pgc_sync"):
                found = found or message["after"]["n"] == self.syncs
                continue
            identity = (message["source"]["lsn"], message["op"], key,
                        json.dumps([message["before"], message["after"], message["table"]]))
            if identity in self.seen:
                continue
            self.events.append(self.describe(key, message))
            if self.scenario_kills:
                self.seen.add(identity)
        self.taken = len(raw)
        return found

    @property
    def scenario_kills(self):
        return any(b.verb in ("kill", "crash") for b in self.scenario.blocks)

    def describe(self, key, message):
        source = message["source"]
        number = self.transactions.setdefault(source["xid"], len(self.transactions) + 1)
        parts = [message["op"], f'{message["schema"]}.{message["table"]}', f"tx{number}"]
        if key and key != "null":
            parts.append(f"key={key}")
        known = {"schema", "table", "op", "ts_ms", "source"}
        extra = {k: v for k, v in message.items() if k not in known and v is not None}
        usual = {"version", "connector", "ts_ms", "db", "schema", "table", "lsn", "xid"}
        extra.update({f"source.{k}": v for k, v in source.items() if k not in usual})
        for name, value in extra.items():
            parts.append(f"{name}={json.dumps(value, ensure_ascii=False)}")
        return " ".join(parts)

    def sync(self):
        """Waits until everything committed so far has come out."""
        if self.ended:
            self.take_events()
            return
        self.syncs += 1
        self.session("sync").run(f"INSERT INTO {SYNC_TABLE} VALUES ({self.syncs});")

        def arrived():
            if self.take_events():
                return True
            if not self.capture.running:
                raise AssertionError(f"pg-capture ended\n{self.capture.stderr_tail()}")
            return False
        wait_until(arrived, what="the events")

    # -- verbs --------------------------------------------------------------------------

    def run(self):
        for block in self.scenario.blocks:
            if not in_range(block.versions, self.major):
                continue
            if block.verb != "setup" and self.capture.process is None and block.verb != "start":
                self.verb_start(block)
            try:
                getattr(self, "verb_" + block.verb)(block)
            except AssertionError as error:
                raise AssertionError(f"{self.scenario.path.name}:{block.line}: {error}") from None
        self.sync()
        assert not self.events, "events at the end that no block expects:\n" + "\n".join(self.events)

    def verb_setup(self, block):
        self.verb_sql(block)

    def verb_sql(self, block):
        words = [w for w in block.arguments if w != "fails"]
        said = self.session(words[0] if words else "").run(
            block.body.replace("{database}", self.database))
        failed = "ERROR:" in said or "FATAL:" in said
        assert failed == ("fails" in block.arguments), f"psql said:\n{said}"

    def verb_start(self, _block):
        self.log_from = len(self.capture.stderr) if self.capture.process else 0
        self.capture.start()
        self.ended = False

        def streams_or_ended():     # an end is for a later block to expect
            return "  streaming  " in self.capture.stderr[self.log_from:] or not self.capture.running
        wait_until(streams_or_ended, what="it to stream")

    def verb_stop(self, _block):
        self.sync()
        self.capture.stop()
        self.ended = True

    def verb_restart(self, block):
        self.verb_stop(block)
        self.verb_start(block)

    def verb_kill(self, block):
        self.capture.kill()
        self.take_events()
        self.verb_start(block)

    def verb_crash(self, _block):
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()
        self.server.restart("immediate")

    def verb_expect(self, block):
        self.sync()
        wanted = [line for line in block.body.split("\n") if line.strip()]
        got, self.events = self.events, []
        if self.update:
            block.body = "".join(line + "\n" for line in got) + "\n"
            return
        assert got == wanted, "expected:\n  " + "\n  ".join(wanted) + \
            "\nbut came:\n  " + "\n  ".join(got)

    def check_log(self, block):
        log = self.capture.stderr[self.log_from:]
        for line in filter(None, map(str.strip, block.body.splitlines())):
            text = line.replace("{database}", self.database)
            assert text in log, f"the log does not hold {text!r}:\n{log}"

    def verb_log(self, block):
        def there():
            try:
                self.check_log(block)
                return True
            except AssertionError:
                return False
        try:
            wait_until(there, what="the log")
        except Exception:
            self.check_log(block)

    def verb_exits(self, block):
        code = self.capture.wait_exit()
        self.ended = True
        assert code == int(block.arguments[0]), f"exit code {code}\n{self.capture.stderr_tail()}"
        self.take_events()
        self.check_log(block)


def rewrite(scenario):
    """Writes the bodies of the expect blocks back into the file."""
    lines = scenario.path.read_text(encoding="utf-8").split("\n")
    head = lines[:scenario.blocks[0].line - 1]
    text = "\n".join(head) + "\n" if head else ""
    for block in scenario.blocks:
        text += lines[block.line - 1] + "\n" + block.body
    scenario.path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
