"""DDL: an event trigger reports it, and the registry and the batches have it, each statement once."""

import contextlib
import json

import pytest
from place import Place, crc32c
from support.processes import PATIENCE, wait_until
from support.servers import PostgresServer

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')"


@pytest.fixture(scope="module", params=["14", "18"])
def server(request):
    with PostgresServer(request.param) as made:
        yield made


@pytest.fixture
def reporting(server, tmp_path):
    """A place whose DDL is reported."""
    with Place(server, tmp_path / "files") as place:
        place.sql(TABLE)
        done = place.run("init", "--ddl")
        assert done.returncode == 0, done.stderr
        yield place


@contextlib.contextmanager
def role(place, name, rights):
    place.sql(f"CREATE ROLE {name} LOGIN; {rights}")
    try:
        yield
    finally:
        place.sql(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


@contextlib.contextmanager
def session(place, **kw):
    """A connection, and the severity and text of each notice it is given."""
    said = []
    with place.server.connect(place.db, **kw) as connection:
        connection.add_notice_handler(lambda d: said.append((d.severity, d.message_primary)))
        yield connection, said


def history(place):
    rows = place.rows("SELECT command, object_type, object_schema, object_name, statement"
                      "  FROM cdc_registry.ddl_history ORDER BY id")
    return [(*row[:4], row[4] and row[4].rstrip(";")) for row in rows]


def wait_history(place, count):
    def there():
        return place.registered() and len(history(place)) >= count
    wait_until(there, PATIENCE, f"{count} statements in ddl_history")
    return history(place)


def batches(place, table):
    """What the registry has of a table's batches beside its snapshots, in their order: the text of ddl.sql and what
    its comments say, and whether there are rows. All is as registered."""
    rows = place.server.query(
        "SELECT batch, path, type, bytes, checksum, row_count, has_ddl FROM cdc_registry.file_log"
        " WHERE table_name = %s AND type <> 'full_reload' ORDER BY id", table, db=place.db)
    found = {}
    for batch, path, kind, size, checksum, count, has_ddl in rows:
        folder = (place.root / path).parent
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["has_ddl"] == has_ddl == (folder / "ddl.sql").exists(), path
        entry = found.setdefault(batch, {"ddl": None, "rows": False, "heads": []})
        if kind == "streaming":
            entry["rows"] = True
            continue
        data = (place.root / path).read_bytes()
        assert (len(data), f"crc32c:{crc32c(data):08x}") == (size, checksum), path
        assert manifest["ddl"]["meta"] == {"content_length": size, "record_count": count, "checksum": checksum}
        heads = [json.loads(line[3:]) for line in data.decode().split("\n") if line.startswith("-- {")]
        assert len(heads) == count
        entry.update(ddl=data.decode(), heads=heads)
    assert list(found) == sorted(found), "batches rise"
    return list(found.values())


def commands(place, table):
    return [head["command"] for entry in batches(place, table) for head in entry["heads"]]


def checked(place):
    found = json.loads(place.run("check", "--output", "json").stdout)["findings"]
    return next(f for f in found if f["id"] == "ddl_trigger")


def test_each_statement_is_reported_once_and_stands_with_its_batch(reporting):
    again = reporting.run("init", "--ddl", "--output", "json")
    assert again.returncode == 0 and json.loads(again.stdout)["ddl_trigger_version"] == 1, again.stderr
    with reporting.capture() as capture:
        reporting.wait_loaded("t", {"1": "a"})
        reporting.sql("ALTER TABLE t ADD COLUMN note text")
        reporting.sql("INSERT INTO t VALUES (2, 'b', 'noted')")
        reporting.sql("BEGIN; ALTER TABLE t ADD COLUMN never int; ROLLBACK")
        reporting.sql("CREATE TABLE later (id int PRIMARY KEY, v text)")
        reporting.sql("COMMENT ON TABLE t IS 'nothing to do'")
        reporting.sql("CREATE TEMP TABLE passing (id int); CREATE INDEX ON t (v); CREATE TYPE mood AS ENUM ('ok')")
        reporting.sql("ALTER TABLE t DROP COLUMN note")
        reporting.sql("INSERT INTO t VALUES (3, 'c')")
        reporting.sql("DROP TABLE later; DROP TYPE mood")
        seen = wait_history(reporting, 7)
        wait_until(lambda: len(commands(reporting, "t")) == 3 and len(commands(reporting, "later")) == 2, PATIENCE, "ddl.sql")
        reporting.wait_loaded("t", {"1": "a", "2": "b", "3": "c"})
        assert capture.metric("cdc_ddl_statements_total") == len(seen)
        capture.stop()
    assert seen == [
        ("ALTER TABLE", "table", "public", "t", "ALTER TABLE t ADD COLUMN note text"),
        ("CREATE TABLE", "table", "public", "later", "CREATE TABLE later (id int PRIMARY KEY, v text)"),
        ("COMMENT", "table", "public", "t", "COMMENT ON TABLE t IS 'nothing to do'"),
        ("CREATE TYPE", "type", "public", "mood", "CREATE TYPE mood AS ENUM ('ok')"),
        ("ALTER TABLE", "table", "public", "t", "ALTER TABLE t DROP COLUMN note"),
        ("DROP TABLE", "table", "public", "later", "DROP TABLE later"),
        ("DROP TYPE", "type", "public", "mood", "DROP TYPE mood"),
    ]
    assert commands(reporting, "t") == ["ALTER TABLE", "COMMENT", "ALTER TABLE"]
    assert commands(reporting, "later") == ["CREATE TABLE", "DROP TABLE"]
    first = next(entry["ddl"] for entry in batches(reporting, "t") if entry["ddl"])
    assert "\nALTER TABLE t ADD COLUMN note text\n;\n" in first

    removed = reporting.run("init", "--ddl", "--remove")
    assert removed.returncode == 0, removed.stderr
    assert reporting.rows("SELECT evtname FROM pg_event_trigger") == []
    assert reporting.value("SELECT to_regnamespace('cdc_ddl') IS NULL")
    assert reporting.run("init", "--ddl", "--remove").returncode == 0, "once more does no harm"


def test_what_is_printed_does_the_same(server, tmp_path):
    with Place(server, tmp_path / "files") as place:
        place.sql(TABLE)
        script = place.run("init", "--sql", "--ddl")
        assert script.returncode == 0
        for _ in range(2):
            place.sql(script.stdout)
            assert place.rows("SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1") == [
                ("pg_capture_ddl", "A"), ("pg_capture_drop", "A")]
        place.sql(place.run("init", "--sql", "--ddl", "--remove").stdout)
        assert place.rows("SELECT evtname FROM pg_event_trigger") == []


# All that the function calls, before what it means in the search path.
SHADOWS = """
CREATE SCHEMA evil;
CREATE FUNCTION evil.pg_logical_emit_message(boolean, text, bytea) RETURNS text LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'called'; END$$;
CREATE FUNCTION evil."left"(text, int) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'called'; END$$;
CREATE FUNCTION evil.matches(text, text) RETURNS boolean LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'called'; END$$;
CREATE OPERATOR evil.~* (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.matches);
"""
NAME = 'a "b"\n;DROP TABLE t;-- \\ $pgc$ \N{GREEK SMALL LETTER ALPHA}'
QUOTED = '"' + NAME.replace('"', '""') + '"'


def test_whoever_does_it_and_whatever_it_is_called(reporting):
    """A role without rights, a search path that shadows everything, replica mode, names that hurt."""
    reporting.sql(SHADOWS)
    rights = "GRANT USAGE ON SCHEMA evil TO bob; GRANT ALL ON SCHEMA public TO bob"
    with role(reporting, "bob", rights), reporting.capture() as capture:
        reporting.wait_loaded("t", {"1": "a"})
        with session(reporting, user="bob") as (bob, said):
            bob.execute("SET search_path = evil, pg_catalog, public")
            bob.execute(f"CREATE TABLE public.{QUOTED} (id int PRIMARY KEY, v text)")
            bob.execute(f"COMMENT ON TABLE public.{QUOTED} IS 'EXPORT_START now'")
            assert said == []
        with session(reporting) as (boss, said):
            boss.execute("SET session_replication_role = replica")
            boss.execute("ALTER TABLE t ADD COLUMN in_replica int")
            boss.execute("SET standard_conforming_strings = off; SET escape_string_warning = off")
            boss.execute("ALTER TABLE t ADD COLUMN off_standard text DEFAULT 'token'")
            assert said == []
        seen = wait_history(reporting, 4)
        wait_until(lambda: len(commands(reporting, NAME)) == 2, PATIENCE, "ddl.sql")
        capture.stop()
        assert [row[0:1] + row[3:4] for row in seen] == [
            ("CREATE TABLE", NAME), ("COMMENT", NAME), ("ALTER TABLE", "t"), ("ALTER TABLE", "t")]
        assert seen[1][4] == f"COMMENT ON TABLE public.{QUOTED} IS 'EXPORT_START now'"
        assert seen[3][4] is None, "a text beside a suspicious word may be a secret"
        heads = [head for entry in batches(reporting, NAME) for head in entry["heads"]]
        assert [head["name"] for head in heads] == [NAME, NAME], "a name stays in its comment"


def test_the_message_has_what_reloads_go_by(reporting):
    reporting.sql("SELECT pg_create_logical_replication_slot('looker', 'test_decoding')")
    try:
        reporting.sql("COMMENT ON TABLE t IS 'EXPORT_START now'; COMMENT ON COLUMN t.v IS 'x'; COMMENT ON TABLE t IS NULL")
        lines = [row[0] for row in reporting.rows("SELECT data FROM pg_logical_slot_get_changes('looker', NULL, NULL)")]
    finally:
        reporting.sql("SELECT pg_drop_replication_slot('looker')")
    messages = [json.loads(line.split("content:", 1)[1]) for line in lines if "prefix: pg_capture.ddl" in line]
    assert messages[0] == {"command": "COMMENT", "object_type": "table", "schema": "public", "name": "t",
                           "comment": "EXPORT_START now", "statement": "COMMENT ON TABLE t IS 'EXPORT_START now';"}
    assert [(m["object_type"], m["name"], m.get("comment")) for m in messages[1:]] == [
        ("table column", "t", None), ("table", "t", None)]


SECRETS = [
    "CREATE ROLE cara PASSWORD 'hush'; ALTER TABLE t ADD COLUMN a int",
    "ALTER TABLE t ADD COLUMN b int; CREATE/**/ROLE carl LOGIN PASSWORD/**/ 'hush'",
    "DO $$BEGIN EXECUTE 'CREATE ROLE carm PASSWORD ' || quote_literal('hush'); ALTER TABLE t ADD c int; END$$",
    "ALTER TABLE t ADD COLUMN d text DEFAULT 'postgres://me:hush@db/shop'",
]


def test_no_password_is_recorded(reporting):
    with reporting.capture() as capture:
        reporting.wait_loaded("t", {"1": "a"})
        with reporting.server.connect(reporting.db) as boss:
            for text in [*SECRETS, "ALTER TABLE t ADD COLUMN password text", "ALTER TABLE t ADD COLUMN f int DEFAULT 7"]:
                boss.execute(text)
        reporting.sql("INSERT INTO t VALUES (2, 'b')")
        seen = wait_history(reporting, 6)
        wait_until(lambda: len(commands(reporting, "t")) == 6, PATIENCE, "ddl.sql")
        capture.stop()
    reporting.sql("DROP ROLE cara; DROP ROLE carl; DROP ROLE carm")
    assert [row[4] for row in seen] == [None] * 4 + [
        "ALTER TABLE t ADD COLUMN password text", "ALTER TABLE t ADD COLUMN f int DEFAULT 7"]
    texts = [path.read_bytes() for path in reporting.root.rglob("ddl.sql")]
    assert texts and not any(b"hush" in text for text in texts)
    assert reporting.value("SELECT count(*) FROM cdc_registry.batch_progress WHERE details LIKE '%hush%'") == 0


def test_a_long_statement_is_cut_and_says_so(reporting):
    with reporting.capture() as capture:
        reporting.wait_loaded("t", {"1": "a"})
        reporting.sql("CREATE TABLE wide (" + ",\n".join(f"column_{i} int" for i in range(700)) + ")")
        seen = wait_history(reporting, 1)
        wait_until(lambda: commands(reporting, "wide"), PATIENCE, "ddl.sql")
        capture.stop()
    assert len(seen[0][4]) == 8000
    text = batches(reporting, "wide")[0]["ddl"]
    assert "too long" in text and all(line.startswith("--") for line in text.split("\n") if line)


def test_a_trigger_that_fails_lets_the_statement_pass(reporting):
    signature = "boolean, text, bytea" + (", boolean" if reporting.server.major >= 17 else "")
    reporting.sql(f"REVOKE EXECUTE ON FUNCTION pg_catalog.pg_logical_emit_message({signature}) FROM PUBLIC")
    with role(reporting, "bob", "GRANT ALL ON SCHEMA public TO bob"):
        with session(reporting, user="bob") as (bob, said):
            bob.execute("CREATE TABLE bobs (id int PRIMARY KEY)")
            bob.execute("DROP TABLE bobs")
        assert [severity for severity, _ in said] == ["WARNING", "WARNING"]
        assert all("pg-capture does not record this" in text for _, text in said), said
    finding = checked(reporting)
    assert finding["level"] == "warning" and "pg_logical_emit_message" in finding["message"]
    reporting.sql(finding["hint"])
    assert checked(reporting)["level"] == "ok"


def test_check_says_what_is_there(reporting):
    assert checked(reporting)["level"] == "ok" and "version 1" in checked(reporting)["message"]
    reporting.sql("COMMENT ON FUNCTION cdc_ddl.report_ddl() IS 'pg-capture, version 0: old'")
    assert checked(reporting)["level"] == "warning" and "version 0" in checked(reporting)["message"]
    assert reporting.run("init", "--ddl").returncode == 0
    reporting.sql("ALTER EVENT TRIGGER pg_capture_drop DISABLE")
    assert checked(reporting)["level"] == "warning"
    assert reporting.run("init", "--ddl").returncode == 0
    assert checked(reporting)["level"] == "ok"
    assert reporting.run("init", "--ddl", "--remove").returncode == 0
    assert checked(reporting)["level"] == "ok" and "init --ddl" in checked(reporting)["message"]


def test_only_those_who_may_install_it_do(reporting):
    assert reporting.run("init", "--ddl", "--remove").returncode == 0
    with role(reporting, "bob", f"GRANT CREATE ON DATABASE {reporting.db} TO bob"):
        refused = reporting.run("init", "--ddl", postgres_username="bob")
        assert refused.returncode != 0 and "init --sql --ddl" in refused.stderr, refused.stderr
        # Who owns the schema could put another function into every session's way.
        reporting.sql("CREATE SCHEMA cdc_ddl AUTHORIZATION bob")
        refused = reporting.run("init", "--ddl")
        assert refused.returncode != 0 and "bob" in refused.stderr, refused.stderr


def test_it_outlives_a_kill_and_is_in_one_batch(reporting):
    with reporting.capture(file_batch_interval_secs="86400") as capture:
        reporting.wait_loaded("t", {"1": "a"})
        reporting.sql("ALTER TABLE t ADD COLUMN note text; INSERT INTO t VALUES (2, 'b', 'n')")
        wait_history(reporting, 1)
        capture.kill()
        reporting.sql("ALTER TABLE t ADD COLUMN more int")
        capture.start()
        wait_history(reporting, 2)
        capture.kill()
    reporting.server.wait_free(reporting.slot)
    with reporting.capture() as capture:
        reporting.sql("INSERT INTO t VALUES (3, 'c', 'n', 4)")
        wait_until(lambda: len(commands(reporting, "t")) == 2, PATIENCE, "ddl.sql")
        reporting.wait_loaded("t", {"1": "a", "2": "b", "3": "c"})
        capture.stop()
    assert len(history(reporting)) == 2
    texts = [entry["ddl"] for entry in batches(reporting, "t") if entry["ddl"]]
    assert [("note text" in text, "more int" in text) for text in texts] == [(True, False), (False, True)]


def test_a_message_that_is_no_ddl_is_left_out(reporting):
    with reporting.capture() as capture:
        reporting.wait_loaded("t", {"1": "a"})
        reporting.sql("SELECT pg_logical_emit_message(true, 'pg_capture.ddl', 'nonsense');"
                 "SELECT pg_logical_emit_message(false, 'pg_capture.ddl', '{}')")
        reporting.sql("ALTER TABLE t ADD COLUMN note text; INSERT INTO t VALUES (2, 'b', 'n')")
        assert len(wait_history(reporting, 1)) == 1
        capture.wait_for_log("can't be read", times=2)
        capture.stop()


@pytest.mark.parametrize("version", ["10", "13"])
def test_before_14_it_is_a_table_that_is_captured(version, tmp_path):
    with PostgresServer(version) as server, Place(server, tmp_path / "files") as place:
        place.sql(TABLE)
        for _ in range(2):
            done = place.run("init", "--ddl")
            assert done.returncode == 0 and "cdc_ddl.statements" in done.stdout, done.stderr
        assert "cdc_ddl.statements" in checked(place)["message"] and checked(place)["level"] == "ok"
        with place.capture() as capture:
            place.wait_loaded("t", {"1": "a"})
            wait_until(lambda: any(f["table"] == "statements" for f in place.file_log()), PATIENCE, "its export")
            with role(place, "bob", "GRANT ALL ON SCHEMA public TO bob"), session(place, user="bob") as (bob, said):
                bob.execute("CREATE TABLE bobs (id int PRIMARY KEY); COMMENT ON TABLE bobs IS 'of bob'")
                bob.execute("ALTER TABLE bobs ADD COLUMN note text")
                bob.execute("BEGIN; ALTER TABLE bobs ADD COLUMN other text; ROLLBACK")
                bob.execute("DROP TABLE bobs")
                assert not said, "whoever changes a table may write into it"
            place.sql("CREATE ROLE carol PASSWORD 'secret'; ALTER TABLE t ADD COLUMN note text; DROP ROLE carol")
            place.sql("INSERT INTO t VALUES (2, 'b', 'n')")
            place.wait_loaded("t", {"1": "a", "2": "b"})
            wait_until(lambda: len(place.changes("statements", "streaming")) >= 5, PATIENCE, "the statements")
            capture.stop()
        rows = place.changes("statements", "streaming")
        assert [(r["command"], r["object_schema"], r["object_name"]) for r in rows] == [
            ("CREATE TABLE", "public", "bobs"), ("COMMENT", "public", "bobs"), ("ALTER TABLE", "public", "bobs"),
            ("DROP TABLE", "public", "bobs"), ("ALTER TABLE", "public", "t")]
        assert rows[1]["comment"] == "of bob" and rows[2]["statement"] == "ALTER TABLE bobs ADD COLUMN note text"
        assert history(place) == [] and not any("secret" in r["statement"] for r in rows)
        assert place.run("init", "--ddl", "--remove").returncode == 0
        assert place.rows("SELECT evtname FROM pg_event_trigger") == []
        assert place.value("SELECT to_regnamespace('cdc_ddl')") is None


def test_a_trigger_that_an_upgrade_has_carried_over_is_noticed(place):
    """pg_upgrade and dumps bring the function as it was made on the version before, which reports to where nobody looks."""
    script = place.run("init", "--sql", "--ddl").stdout
    script = script[script.index("DO $pgc$"):]
    assert ">= 140000" in script
    has_messages = place.server.major >= 14
    place.sql(script.replace(">= 140000", ">= 990000" if has_messages else ">= 0"))
    carried = checked(place)
    assert carried["level"] == "warning" and "init --ddl" in carried["hint"], carried
    assert ("13 and before" if has_messages else "14 and later") in carried["message"]
    assert place.run("init", "--ddl").returncode == 0
    assert checked(place)["level"] == "ok"
