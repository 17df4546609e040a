"""`pg-capture check` on broken set-ups: each finding's mend, applied as it stands, makes it pass."""

import json
import time

import pytest
from support.capture import run_capture
from support.servers import Capture, PostgresServer

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
    assert found[0]["mend"], found
    return found[0]


def apply(server, mend):
    """Runs the mend's SQL, part by part, as the owner of everything; restarts if it says so."""
    for part in mend.split(";"):
        part = part.strip()
        if part == "restart the server":
            server.restart()
        elif part:
            server.psql(part, db="shop")


def assert_mended(env):
    code, findings = check(env)
    assert code == 0 and not [f for f in findings if f["level"] == "blocking"], findings


@pytest.fixture(scope="module")
def server():
    with start() as server:
        yield server


def test_a_good_set_up_passes_for_people_and_programs(server):
    assert_mended(environment(server))
    text = run_capture("check", env=environment(server))
    assert text.returncode == 0 and "Ready to follow" in text.stdout


def test_wal_level():
    with start(settings={"wal_level": "replica"}) as server:
        finding = blocking(environment(server))
        assert finding["id"] == "wal_level" and "replica" in finding["message"]
        apply(server, finding["mend"])
        assert_mended(environment(server))


def test_replication(server):
    server.psql("ALTER ROLE cdc NOREPLICATION")
    finding = blocking(environment(server))
    assert finding["id"] == "replication"
    apply(server, finding["mend"])
    assert_mended(environment(server))


def test_select(server):
    server.psql("REVOKE SELECT ON orders FROM cdc; ", db="shop")
    finding = blocking(environment(server))
    assert finding["id"] == "select" and "orders" in finding["message"]
    apply(server, finding["mend"])
    assert_mended(environment(server))


def test_slot_in_use(server):
    with Capture(environment(server), slot="cdc_slot", publication="cdc_pub", http=False) as other:
        other.wait_for_log("streaming")
        finding = blocking(environment(server))
        assert finding["id"] == "slot" and "in use" in finding["message"]
        other.kill()            # what the mend ends would otherwise come back
        time.sleep(0.2)
        apply(server, finding["mend"])
        assert_mended(environment(server))
    server.psql("SELECT pg_drop_replication_slot('cdc_slot')")


def test_publication_lacking_a_table(server):
    server.psql("ALTER PUBLICATION cdc_pub DROP TABLE orders", db="shop")
    finding = blocking(environment(server))
    assert finding["id"] == "publication" and "orders" in finding["message"]
    apply(server, finding["mend"])
    assert_mended(environment(server))


def test_publication_missing(server):
    finding = blocking(environment(server, PG_PUBLICATION="none_yet"))
    assert finding["id"] == "publication"
    apply(server, finding["mend"])
    assert_mended(environment(server, PG_PUBLICATION="none_yet"))


def test_no_replica_identity(server):
    server.psql("CREATE TABLE keyless (v text); GRANT SELECT ON keyless TO cdc;"
                "ALTER PUBLICATION cdc_pub ADD TABLE keyless", db="shop")
    finding = blocking(environment(server))
    assert finding["id"] == "replica_identity" and "keyless" in finding["subject"]
    apply(server, finding["mend"])
    assert_mended(environment(server))
    server.psql("DROP TABLE keyless", db="shop")


def test_wrong_password():
    with start(auth="scram-sha-256") as server:
        finding = blocking(environment(server, PG_PASSWORD="hidden-wrong"))
        assert "password" in finding["message"] and "hidden" not in json.dumps(finding)
        assert "postgres.password" in finding["mend"] or "PG_PASSWORD" in finding["mend"]
        assert_mended(environment(server))


def test_tls_refused(server):
    finding = blocking(environment(server, PG_SSL_MODE="require"))
    assert "SSL" in finding["message"] or "TLS" in finding["message"]
    assert "ssl" in finding["mend"]
    assert_mended(environment(server, PG_SSL_MODE="disable"))


def test_tls_required():
    with start(tls="required") as server:
        finding = blocking(environment(server))
        assert finding["mend"]
        assert_mended(environment(server, PG_SSL_MODE="require"))


def test_nobody_listens():
    finding = blocking({"PG_HOST": "127.0.0.1", "PG_PORT": "1", "PG_DATABASE": "shop",
                        "PG_USERNAME": "cdc", "PG_PASSWORD": "right"})
    assert "127.0.0.1:1" in json.dumps(finding)
