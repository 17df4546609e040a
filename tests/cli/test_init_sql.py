"""`init --sql`: what it prints, run by psql as it stands, is all that a role needs, and no more."""

import json
import os
import subprocess

import pytest
from support.capture import run_capture
from support.processes import wait_until
from support.servers import CLIENT_BIN, VERSIONS, Capture, PostgresServer

TABLES = """
CREATE SCHEMA "Sales"; CREATE SCHEMA other;
CREATE TABLE "Sales"."Order Lines" (id int PRIMARY KEY, v text);
CREATE TABLE "Sales".plain_one (id int PRIMARY KEY, v text);
CREATE TABLE "Sales".plainXone (id int PRIMARY KEY, v text);
CREATE TABLE "Sales".secret (id int PRIMARY KEY, v text);
CREATE TABLE "Sales".keyless (v text);
CREATE TABLE other.parted (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE other.part_1 PARTITION OF other.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE other.unrelated (id int PRIMARY KEY, v text);
ALTER TABLE other.part_1 ADD PRIMARY KEY (id);
INSERT INTO "Sales"."Order Lines" VALUES (1, 'there');
"""
INCLUDE = 'Sales.*,other.part*'
EXCLUDE = 'Sales.sec*'


def psql(server, sql, database="shop"):
    return subprocess.run(
        [CLIENT_BIN / "psql", "-X", "-q", "-h", server.socket_dir, "-p", str(server.port),
         "-U", server.user, "-d", database, "-f", "-"],
        input=sql, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PG")}, timeout=60)


def environment(server, **more):
    return server.capture_environment("shop") | {
        "PG_USERNAME": "Capture Role", "PG_PUBLICATION": "the pub's", "PG_SLOT_NAME": "dba",
        "PG_CAPTURE_SOURCE_TABLES_INCLUDE": INCLUDE, "PG_CAPTURE_SOURCE_TABLES_EXCLUDE": EXCLUDE,
        "PG_CAPTURE_HTTP_LISTEN": ""} | more


@pytest.mark.parametrize("version", VERSIONS)
def test_what_it_prints_is_enough_and_no_more(version):
    with PostgresServer(version) as server:
        server.psql("CREATE DATABASE shop")
        server.psql(TABLES, db="shop")
        if server.major >= 11:
            server.psql("ALTER TABLE other.part_1 DROP CONSTRAINT part_1_pkey;"
                        "ALTER TABLE other.parted ADD PRIMARY KEY (id)", db="shop")
        env = environment(server)
        del env["PG_PASSWORD"]      # not needed for that
        script = run_capture("init", "--sql", env=env)
        assert script.returncode == 0, script.stderr
        for _ in range(2):          # once more does no harm
            done = psql(server, script.stdout)
            assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
            assert "keyless" in done.stderr and "plain" not in done.stderr, done.stderr
            server.psql("""UPDATE "Sales".keyless SET v = ''""", db="shop")

        attributes = server.query("SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication,"
                                  " rolcanlogin FROM pg_roles WHERE rolname = 'Capture Role'")
        assert attributes == [(False, False, False, True, True)]
        may = server.query(
            "SELECT c.relname, bool_or(has_table_privilege('Capture Role', c.oid,"
            " 'INSERT, UPDATE, DELETE, TRUNCATE'))"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('Sales', 'other') AND c.relkind IN ('r', 'p')"
            " AND has_table_privilege('Capture Role', c.oid, 'SELECT') GROUP BY 1 ORDER BY 1", db="shop")
        assert [name for name, _ in may] == ["Order Lines", "keyless", "part_1", "parted", "plain_one", "plainxone"]
        assert not any(write for _, write in may)

        env = environment(server, PG_PASSWORD="")
        checked = run_capture("check", "--output", "json", env=env)
        findings = json.loads(checked.stdout)["findings"]
        assert checked.returncode == 0, findings
        assert not [f for f in findings if f["level"] == "blocking"], findings

        with Capture(env | {"PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "never"}, http=False) as capture:
            capture.wait_streaming(30)
            server.psql("""INSERT INTO "Sales"."Order Lines" VALUES (2, 'new');
                           INSERT INTO "Sales".secret VALUES (1, 'hidden');
                           INSERT INTO "Sales".keyless VALUES ('a');
                           UPDATE "Sales".keyless SET v = 'b';
                           INSERT INTO other.parted VALUES (3, 'leaf');
                           INSERT INTO "Sales".plain_one VALUES (4, 'last');""", db="shop")
            seen = capture.wait_for(lambda m: any(x["table"] == "plain_one" for x in m), 30)
            capture.stop()
        tables = [m["table"] for m in seen if m["op"] == "INSERT"]
        assert tables == ["Order Lines", "keyless", "part_1", "plain_one"]
        server.psql('ALTER TABLE "Sales".keyless ADD PRIMARY KEY (v)', db="shop")
        done = psql(server, script.stdout)
        assert done.returncode == 0 and "keyless" not in done.stderr, done.stderr
        server.psql("""UPDATE "Sales".keyless SET v = 'c'""", db="shop")
        published = server.query("SELECT pubname FROM pg_publication_tables WHERE tablename = 'keyless'", db="shop")
        assert published == [("the pub's",)]


def test_it_names_what_must_be_fixed_first():
    with PostgresServer("15", settings={"wal_level": "replica"}) as server:
        server.psql("CREATE DATABASE shop")
        script = run_capture("init", "--sql", env=environment(server)).stdout
        done = psql(server, script)
        assert done.returncode != 0 and "wal_level is replica" in done.stderr
        assert "ALTER SYSTEM SET wal_level" in done.stderr
        elsewhere = psql(server, script, database="postgres")
        assert elsewhere.returncode != 0 and "another one" in elsewhere.stderr
        assert server.query("SELECT count(*) FROM pg_roles WHERE rolname = 'Capture Role'") == [(0,)]


def test_no_name_ends_a_quoted_block():
    """A name with the quotes' own tag in it, and SQL behind: it is a name all the same."""
    attack = "$pgc$; CREATE TABLE injected (); DO $pgc$"
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql(f"""CREATE SCHEMA "{attack}"; CREATE TABLE "{attack}"."$pgc_$" (id int PRIMARY KEY)""", db="shop")
        env = environment(server, PG_USERNAME=f"a {attack}", PG_PUBLICATION=f"b {attack} $pgc__$",
                          PG_CAPTURE_SOURCE_TABLES_INCLUDE=f"{attack}.$pgc_$", PG_CAPTURE_SOURCE_TABLES_EXCLUDE="")
        script = run_capture("init", "--sql", env=env)
        assert script.returncode == 0, script.stderr
        done = psql(server, script.stdout)
        assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
        published = server.query("SELECT pubname, schemaname, tablename FROM pg_publication_tables", db="shop")
        assert published == [(f"b {attack} $pgc__$"[:63], attack, "$pgc_$")]
        assert server.query("SELECT count(*) FROM pg_class WHERE relname = 'injected'", db="shop") == [(0,)]


def test_no_password_is_printed():
    env = {"PG_DATABASE": "shop", "PG_USERNAME": "cdc", "PG_PASSWORD": "hush-hush"}
    script = run_capture("init", "--sql", env=env)
    assert script.returncode == 0 and "hush" not in script.stdout
    assert "\\password" in script.stdout


def test_it_writes_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = {"PG_DATABASE": "shop", "PG_USERNAME": "cdc"}
    assert run_capture("init", "--sql", env=env).returncode == 0
    assert run_capture("init", "--sql", "x.yaml", env=env).returncode == 2
    assert list(tmp_path.iterdir()) == []


def files_environment(server, root, **more):
    return environment(server, PG_CAPTURE_SINK="file", PG_CAPTURE_FILE_ROOT=str(root),
                       PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS="1", **more)


def may(server, role, table, what):
    return server.query("SELECT has_table_privilege(%s, %s, %s)", role, f"cdc_registry.{table}", what, db="shop")[0][0]


@pytest.mark.parametrize("version", ["10", "18"])
def test_it_makes_the_registry_of_files_with_its_roles(version, tmp_path):
    with PostgresServer(version) as server:
        server.psql("CREATE DATABASE shop; CREATE ROLE etl LOGIN")
        server.psql(TABLES, db="shop")
        env = files_environment(server, tmp_path / "files")
        script = run_capture("init", "--sql", "--loader", "etl", env=env)
        assert script.returncode == 0, script.stderr
        for _ in range(2):
            done = psql(server, script.stdout)
            assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
        assert may(server, "etl", "file_log", "SELECT") and not may(server, "etl", "file_log", "INSERT")
        assert may(server, "Capture Role", "file_log", "INSERT") and not may(server, "Capture Role", "file_log", "TRUNCATE")
        checked = run_capture("check", "--output", "json", env=env | {"PG_PASSWORD": ""})
        findings = json.loads(checked.stdout)["findings"]
        assert not [f for f in findings if f["level"] == "blocking"], findings
        with Capture(env | {"PG_PASSWORD": "", "PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "never"}, http=False, sink="file") as capture:
            capture.wait_streaming(30)
            server.psql("""INSERT INTO "Sales"."Order Lines" VALUES (2, 'new')""", db="shop")
            wait_until(lambda: server.query("SELECT count(*) FROM cdc_registry.batch_progress", db="shop") == [(1,)], 60,
                       "a registered file")
            capture.stop()


def test_the_registry_is_made_without_a_dba_where_the_role_may(tmp_path):
    with PostgresServer("15") as server:
        server.psql("""CREATE DATABASE shop; CREATE ROLE etl; CREATE ROLE "Capture Role" LOGIN""")
        env = files_environment(server, tmp_path / "files", PG_PASSWORD="")
        refused = run_capture("init", "--registry", env=env)
        assert refused.returncode != 0 and "init --sql --registry" in refused.stderr, refused.stderr
        server.psql("""GRANT CREATE ON DATABASE shop TO "Capture Role" """)
        for _ in range(2):
            made = run_capture("init", "--registry", "--loader", "etl", "--output", "json", env=env)
            assert made.returncode == 0 and json.loads(made.stdout)["database"] == "shop", made.stderr
        assert may(server, "etl", "file_log", "SELECT")
        elsewhere = run_capture("init", "--sql", env=env | {"PG_CAPTURE_FILE_REGISTRY_DATABASE": "other"})
        assert "CREATE TABLE cdc_registry" not in elsewhere.stdout and "--sql --registry" in elsewhere.stdout
        alone = run_capture("init", "--sql", "--registry", env=env | {"PG_CAPTURE_FILE_REGISTRY_DATABASE": "other"})
        server.psql("CREATE DATABASE other")
        done = psql(server, alone.stdout, database="other")
        assert done.returncode == 0 and "PUBLICATION" not in alone.stdout, done.stderr
        assert server.query("SELECT count(*) FROM cdc_registry.file_log", db="other") == [(0,)]


@pytest.mark.parametrize("version", ["15", "18"])
def test_the_slot_has_two_phases_where_that_is_configured(version):
    with PostgresServer(version) as server:
        server.psql("CREATE DATABASE shop")
        server.psql(TABLES, db="shop")
        script = run_capture("init", "--sql", env=environment(server, PG_CAPTURE_SOURCE_TWO_PHASE="true"))
        done = psql(server, script.stdout)
        assert done.returncode == 0, done.stderr
        assert server.slot("dba")["two_phase"]
