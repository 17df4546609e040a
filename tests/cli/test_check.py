"""`pg-capture check` on broken set-ups: each finding's hint, applied as it stands, makes it pass."""

import json
import subprocess

import pytest
from support.capture import run_capture
from support.processes import wait_until
from support.servers import CLIENT_BIN, Capture, PostgresServer

TABLES = """
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, total numeric);
CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'right';
GRANT SELECT ON users, orders TO cdc;
CREATE PUBLICATION cdc_pub FOR TABLE users, orders;
"""


def start(**options):
    server = PostgresServer("15", **options)
    server.psql("CREATE DATABASE shop")
    server.psql(TABLES, db="shop")
    return server


def environment(server, **more):
    return server.capture_environment("shop") | {
        "PG_USERNAME": "cdc", "PG_PASSWORD": "right", "PG_PUBLICATION": "cdc_pub",
        "PG_SLOT_NAME": "cdc_slot", "PG_CONNECT_TIMEOUT_SECS": "5"} | more


def check(env):
    """exit code, findings that are not ok"""
    done = run_capture("check", "--output", "json", env=env)
    assert done.stdout.startswith("{"), done.stderr
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, [f for f in findings if f["level"] != "ok"]


def blocking(env):
    code, findings = check(env)
    found = [f for f in findings if f["level"] == "blocking"]
    assert code == 1 and len(found) == 1, findings
    assert found[0]["hint"], found
    return found[0]


def apply(server, hint):
    """Runs the hint's SQL, part by part, as the owner of everything; restarts if it says so."""
    for part in hint.split(";"):
        part = part.strip()
        if part == "restart the server":
            server.restart()
        elif part:
            server.psql(part, db="shop")


def assert_fixed(env):
    code, findings = check(env)
    assert code == 0 and not [f for f in findings if f["level"] == "blocking"], findings


@pytest.fixture(scope="module")
def server():
    with start() as server:
        yield server


def test_a_good_set_up_passes_for_people_and_programs(server):
    assert_fixed(environment(server))
    text = run_capture("check", env=environment(server))
    assert text.returncode == 0 and "Ready to follow" in text.stdout


def test_wal_level():
    with start(settings={"wal_level": "replica"}) as server:
        finding = blocking(environment(server))
        assert finding["id"] == "wal_level" and "replica" in finding["message"]
        apply(server, finding["hint"])
        assert_fixed(environment(server))


def test_replication(server):
    server.psql("ALTER ROLE cdc NOREPLICATION")
    finding = blocking(environment(server))
    assert finding["id"] == "replication"
    apply(server, finding["hint"])
    assert_fixed(environment(server))


def test_select(server):
    server.psql("REVOKE SELECT ON orders FROM cdc; ", db="shop")
    finding = blocking(environment(server))
    assert finding["id"] == "select" and "orders" in finding["message"]
    apply(server, finding["hint"])
    assert_fixed(environment(server))


def test_slot_in_use_by_somebody_else(server):
    server.psql("SELECT pg_create_logical_replication_slot('cdc_slot', 'pgoutput')", db="shop")
    reader = subprocess.Popen(
        [CLIENT_BIN / "pg_recvlogical", "-d", server.dsn("shop"), "--slot", "cdc_slot", "--start",
         "-f", "/dev/null", "-o", "proto_version=1", "-o", "publication_names=cdc_pub",
         "--no-loop"], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: server.slot("cdc_slot")["active"], what="the slot to be read")
        finding = blocking(environment(server))
        assert finding["id"] == "slot" and "in use" in finding["message"]
        apply(server, finding["hint"])
        reader.wait(60)
        server.wait_free("cdc_slot")
        assert_fixed(environment(server))
    finally:
        reader.kill()
        reader.wait()
        server.drop_slot("cdc_slot")


def test_an_instance_of_ours_is_no_obstacle(server):
    """Looked at beside a healthy instance, by its own configuration and from another machine."""
    with Capture(environment(server), slot="cdc_slot", publication="cdc_pub") as instance:
        wait_until(lambda: (server.slot("cdc_slot") or {}).get("active"), what="the slot to be read")
        own = {"PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{instance.http_port}"}
        code, findings = check(environment(server, **own))
        assert code == 0 and findings == [], findings
        text = run_capture("check", env=environment(server, **own)).stdout
        assert "followed by the running instance" in text and "terminate" not in text, text

        code, findings = check(environment(server, PG_CAPTURE_HTTP_LISTEN=""))
        assert code == 0 and [f["id"] for f in findings] == ["slot"], findings
        assert "another instance of pg-capture" in findings[0]["message"]
        assert "terminate" not in findings[0]["hint"]
        instance.stop()
    server.drop_slot("cdc_slot")


def test_publication_lacking_a_table_that_is_asked_for(server):
    named = {"PG_CAPTURE_SOURCE_TABLES_INCLUDE": "public.users,public.orders"}
    server.psql("ALTER PUBLICATION cdc_pub DROP TABLE orders", db="shop")
    code, findings = check(environment(server, **named))
    assert code == 0 and [f["id"] for f in findings] == ["publication"], findings
    assert "orders" in findings[0]["message"]
    apply(server, findings[0]["hint"])
    code, findings = check(environment(server, **named))
    assert code == 0 and findings == []


@pytest.mark.parametrize("include", ["", "*.*", "public.*", "public.users"])
def test_what_was_published_for_us_is_enough(server, include):
    """A DBA's publication, slot and role: whatever else the patterns match is not our business."""
    server.psql("CREATE TABLE hidden (v text); CREATE PUBLICATION dba_pub FOR TABLE users;"
                "CREATE ROLE least LOGIN REPLICATION PASSWORD 'right'; GRANT SELECT ON users TO least",
                db="shop")
    server.psql("SELECT pg_create_logical_replication_slot('dba_slot', 'pgoutput')", db="shop")
    try:
        code, findings = check(environment(
            server, PG_USERNAME="least", PG_PUBLICATION="dba_pub", PG_SLOT_NAME="dba_slot",
            PG_CAPTURE_HTTP_LISTEN="",
            **({"PG_CAPTURE_SOURCE_TABLES_INCLUDE": include} if include else {})))
        assert code == 0 and findings == [], findings
    finally:
        server.drop_slot("dba_slot")
        server.psql("DROP PUBLICATION dba_pub; DROP TABLE hidden; DROP OWNED BY least;"
                    "DROP ROLE least", db="shop")


def test_a_slot_without_its_publication(server):
    """The run refuses it, so check does: the slot finds no publication that is made after it."""
    server.psql("SELECT pg_create_logical_replication_slot('alone', 'pgoutput')", db="shop")
    env = environment(server, PG_SLOT_NAME="alone", PG_PUBLICATION="none_yet",
                      PG_USERNAME="postgres", PG_PASSWORD=server.password)
    try:
        finding = blocking(env)
        assert finding["id"] == "publication" and "is lost" in finding["hint"]
        assert "slots drop alone" in finding["hint"]
        with Capture(env, http=False) as capture:
            assert capture.wait_exit() == 5
    finally:
        server.drop_slot("alone")


def test_publication_missing(server):
    finding = blocking(environment(server, PG_PUBLICATION="none_yet"))
    assert finding["id"] == "publication"
    apply(server, finding["hint"])
    assert_fixed(environment(server, PG_PUBLICATION="none_yet"))


def test_no_replica_identity(server):
    server.psql("CREATE TABLE keyless (v text); GRANT SELECT ON keyless TO cdc;"
                "ALTER PUBLICATION cdc_pub ADD TABLE keyless", db="shop")
    finding = blocking(environment(server))
    assert finding["id"] == "replica_identity" and "keyless" in finding["subject"]
    apply(server, finding["hint"])
    assert_fixed(environment(server))
    server.psql("DROP TABLE keyless", db="shop")


def test_wrong_password():
    with start(auth="scram-sha-256") as server:
        finding = blocking(environment(server, PG_PASSWORD="hidden-wrong"))
        assert "password" in finding["message"] and "hidden" not in json.dumps(finding)
        assert "postgres.password" in finding["hint"] or "PG_PASSWORD" in finding["hint"]
        assert_fixed(environment(server))


def test_tls_refused(server):
    finding = blocking(environment(server, PG_SSL_MODE="require"))
    assert "SSL" in finding["message"] or "TLS" in finding["message"]
    assert "ssl" in finding["hint"]
    assert_fixed(environment(server, PG_SSL_MODE="disable"))


def test_tls_required():
    with start(tls="required") as server:
        finding = blocking(environment(server))
        assert finding["hint"]
        assert_fixed(environment(server, PG_SSL_MODE="require"))


def test_nobody_listens():
    finding = blocking({"PG_HOST": "127.0.0.1", "PG_PORT": "1", "PG_DATABASE": "shop",
                        "PG_USERNAME": "cdc", "PG_PASSWORD": "right"})
    assert "127.0.0.1:1" in json.dumps(finding)


def test_a_state_folder_that_cant_be_used_is_a_warning_and_nothing_is_made(tmp_path):
    with start() as server:
        taken = tmp_path / "state"
        taken.write_text("a file")
        env = environment(server, PG_CAPTURE_STATE_DIR=str(taken))
        spill = [f for f in check(env)[1] if f["id"] == "spill"]
        assert len(spill) == 1 and spill[0]["level"] == "warning" and str(taken) in spill[0]["message"]
        assert not [f for f in check(env | {"PG_CAPTURE_STATE_SPILL_LIMIT": "0"})[1] if f["id"] == "spill"]
        taken.unlink()
        assert not [f for f in check(env)[1] if f["id"] == "spill"]
        assert not taken.exists()
