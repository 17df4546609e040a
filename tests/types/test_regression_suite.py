"""PostgreSQL's own regression suite as the workload: some 200 files of DDL and types nobody would think of.

It runs against a private Debian 15 with a publication for all tables, while one pg-capture takes
values as text and another as binary where it may; neither may stop. Some of its files fail by the
publication and the event trigger: that is no matter of ours. Afterwards every row of every table is
updated to itself, so that its values go through the stream (in binary over a slot whose publication
holds the tables that can be: reg* and types of the suite's own can't), and must be the very JSON
that a snapshot's READ, as text, has of it.
"""

import collections
import pathlib
import re
import shutil
import subprocess
import time

import pytest
from support.servers import CLIENT_BIN, ROOT, Capture, PostgresServer, own, wait_until

pytestmark = pytest.mark.nightly

BUILT = ROOT / ".deps" / "regression"
FULL = """
CREATE SCHEMA pgc;
CREATE TABLE pgc.mark (id int PRIMARY KEY);
CREATE FUNCTION pgc.identify() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
    FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', made.object_identity);
    END LOOP;
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
CREATE EVENT TRIGGER pgc_identify ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') EXECUTE FUNCTION pgc.identify();
CREATE PUBLICATION everything FOR ALL TABLES;
"""
# A column that may be set to itself, if the table has one.
UPDATABLE = """
SELECT format('%I.%I', n.nspname, c.relname), quote_ident(min(a.attname)), bool_and(t.known)
  FROM pg_publication_tables p
  JOIN pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename AND c.relkind = 'r'
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attgenerated = '' AND a.attidentity <> 'a'
  JOIN LATERAL (SELECT y.oid < 16384 AND y.typname !~ '^_?(reg|aclitem|gtsvector)' AS known
                  FROM pg_type y WHERE y.oid = a.atttypid) t ON true
 WHERE p.pubname = 'everything' AND n.nspname <> 'pgc'
 GROUP BY n.nspname, c.relname
"""
ROW = re.compile(rb'^\{"schema":("(?:[^"\\]|\\.)*"),"table":("(?:[^"\\]|\\.)*"),"op":"(\w+)"')


class File:
    """A pg-capture whose lines go into a file."""

    def __init__(self, server, name, publication, form, **more):
        self.path = pathlib.Path(server.directory) / f"{name}.jsonl"
        self._out = open(self.path, "wb")
        # A C function of the suite's makes text that is not valid.
        env = {"PG_CAPTURE_SOURCE_BINARY": form, "PG_CAPTURE_FORMAT_INVALID_UTF8": "base64"} | more
        self.capture = Capture(server.capture_environment("regression") | env, slot=name,
                               publication=publication, http=False, stdout=self._out)

    def rows(self, start=0):
        """table → the rows after `start` as JSON text, how often each"""
        rows = collections.defaultdict(collections.Counter)
        with open(self.path, "rb") as lines:
            lines.seek(start)
            for line in lines:
                met = ROW.match(line)
                if met and met[1] != b'"pgc"':
                    row = line[line.index(b'"after":'):line.rindex(b',"source":{')]
                    rows[met[1] + b"." + met[2]][row] += 1
        return rows

    def pass_mark(self, server, number):
        """Everything before it has arrived; returns where the file ends."""
        server.psql(f"INSERT INTO pgc.mark VALUES ({number})", db="regression")
        wanted = b'"after":{"id":%d}' % number

        def arrived():
            assert self.capture.running, self.capture.stderr_tail()
            with open(self.path, "rb") as lines:
                lines.seek(max(0, self.path.stat().st_size - 4096))
                return wanted in lines.read()
        wait_until(arrived, 900, "the mark to arrive", interval=0.5)
        return self.path.stat().st_size

    def end(self):
        self.capture.close()
        self._out.close()


def run_suite(server):
    """PostgreSQL's driver over the files of its source package; what it prints."""
    place = pathlib.Path(server.directory) / "regress"
    shutil.copytree(BUILT, place)
    own(place)
    for module in ("autoinc.so", "refint.so"):
        shutil.copy(f"/usr/lib/postgresql/15/lib/{module}", place / "lib" / module)
    done = subprocess.run(
        [place / "pg_regress", "--use-existing", f"--host={server.socket_dir}", f"--port={server.port}",
         f"--user={server.user}", "--dbname=regression", f"--bindir={CLIENT_BIN}", f"--inputdir={place}",
         f"--outputdir={place}", f"--dlpath={place / 'lib'}", "--max-connections=4",
         f"--schedule={place / 'parallel_schedule'}"],
        cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800, check=False)
    return done.stdout


def tables_to_update(server):
    """The tables, of them those all of whose types have a binary form, and those that refuse."""
    touched, binary, refused = [], [], {}
    with server.connect("regression") as connection:
        tables = connection.execute(UPDATABLE).fetchall()
        for name, column, known in tables:
            try:
                connection.execute(f"ALTER TABLE {name} REPLICA IDENTITY FULL")
            except Exception as error:
                refused[name] = str(error).splitlines()[0]
                continue
            touched.append((name, column))
            if known:
                binary.append(name)
    return touched, binary, refused


def update_all(server, tables):
    refused = {}
    with server.connect("regression") as connection:
        connection.execute("SET session_replication_role = replica")
        for name, column in tables:
            try:
                connection.execute(f"UPDATE ONLY {name} SET {column} = {column}")
            except Exception as error:
                refused[name] = str(error).splitlines()[0]
    return refused


def named(name):
    """As in the messages: quoted JSON of both parts; enough for the suite's own names."""
    parts = re.findall(r'"((?:[^"]|"")*)"|([^".]+)', name)
    return b".".join(b'"%s"' % (quoted.replace('""', '\\"') or plain).encode() for quoted, plain in parts)


@pytest.fixture(scope="module")
def outcome():
    subprocess.run([ROOT / "tools" / "third_party.sh", "regression"], check=True)
    with PostgresServer("15-debian", settings={"max_prepared_transactions": "10", "max_wal_senders": "10",
                                               "max_replication_slots": "10"}) as server:
        server.psql("CREATE DATABASE regression TEMPLATE template0")
        server.psql(FULL, db="regression")
        files = {form: File(server, f"suite_{form}", "everything", form) for form in ("never", "auto")}
        for file in files.values():
            file.capture.wait_streaming(60)
        begun = time.monotonic()
        printed = run_suite(server)
        took = time.monotonic() - begun
        ends = {form: file.pass_mark(server, number) for number, (form, file) in enumerate(files.items(), 1)}
        changes = {form: sum(1 for _ in open(file.path, "rb")) for form, file in files.items()}
        touched, binary, refused = tables_to_update(server)
        server.psql("CREATE PUBLICATION binary_pub FOR TABLE pgc.mark, " +
                    ", ".join(f"ONLY {name}" for name in binary), db="regression")
        files["binary"] = File(server, "suite_binary", "binary_pub", "auto")
        wait_until(lambda: "binary=" in files["binary"].capture.stderr, 60, "the stream in binary")
        ends["binary"] = 0
        refused |= update_all(server, touched)
        for number, file in enumerate(files.values(), 11):
            file.pass_mark(server, number)
        streamed = {form: file.rows(ends[form]) for form, file in files.items()}
        logs = {form: file.capture.stderr for form, file in files.items()}
        for file in files.values():
            file.end()
        reading = File(server, "suite_read", "everything", "never", PG_CAPTURE_SOURCE_SNAPSHOT_MODE="only")
        assert reading.capture.wait_exit(900) == 0, reading.capture.stderr_tail()
        read = reading.rows()
        reading.end()
        yield {"printed": printed, "took": took, "changes": changes, "streamed": streamed, "logs": logs,
               "read": read, "touched": [named(name) for name, _ in touched], "refused": refused,
               "binary": [named(name) for name in binary]}


def test_nobody_stops_and_every_value_of_every_table_is_the_same(outcome):
    """One test: workers side by side would each build and run the whole suite."""
    check_that_nobody_stopped(outcome)
    wrong = {form: differences(outcome, form) for form in ("never", "auto", "binary")}
    assert not any(wrong.values()), "\n".join(f"{form}: {len(each)} tables differ\n" + "\n".join(each[:20])
                                              for form, each in wrong.items())


def check_that_nobody_stopped(outcome):
    print(outcome["printed"][-3000:], f"{outcome['took']:.0f} s,", outcome["changes"], outcome["refused"])
    assert len(re.findall(r"(?m)\bok\b", outcome["printed"])) > 150, outcome["printed"][-3000:]
    assert min(outcome["changes"].values()) > 100_000
    for form, log in outcome["logs"].items():
        assert " error " not in log.replace("category=", ""), f"{form}\n{log[-5000:]}"
    assert len(outcome["refused"]) < 15, outcome["refused"]


def differences(outcome, form):
    """The tables whose rows of the stream, decoded in `form`, aren't the rows that a snapshot reads."""
    refused = {named(name) for name in outcome["refused"]}
    tables = set(outcome["binary" if form == "binary" else "touched"]) - refused
    streamed, read = outcome["streamed"][form], outcome["read"]
    wrong = []
    values = 0
    for table in sorted(tables):
        values += sum(row.count(b'":') * often for row, often in read[table].items())
        if streamed[table] != read[table]:
            one, other = streamed[table] - read[table], read[table] - streamed[table]
            wrong.append(f"{table.decode()}: {sum(one.values())} differ, as\n  {next(iter(one), b'')[:300]}\n  "
                         f"{next(iter(other), b'')[:300]}")
    print(f"{form}: {len(tables)} tables, {sum(bool(read[t]) for t in tables)} with rows, some {values} values")
    assert len(tables) > (200 if form == "binary" else 400) and values > 100_000
    if form == "binary":
        assert "binary=false" not in outcome["logs"]["binary"], outcome["logs"]["binary"]
    return wrong
