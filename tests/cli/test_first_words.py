"""What a newcomer reads: help, a missing variable, variables of other programs, the first lines."""

import pytest
from support.capture import run_capture
from support.servers import Capture, PostgresServer


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
                    "INSERT INTO a VALUES (1)", db="shop")
        yield server


def test_help_of_a_command_is_about_that_command():
    peek = run_capture("peek", "--help")
    assert peek.returncode == 0 and "--limit" in peek.stdout
    assert "PG_HOST" not in peek.stdout and len(peek.stdout.splitlines()) < 30
    everything = run_capture("peek", "--help", "all").stdout
    assert "--limit" in everything and "PG_HOST" in everything
    assert "--help all" in peek.stdout, "it says how to see the rest"
    assert run_capture("help", "peek").stdout == peek.stdout


def test_a_variable_that_is_missing_is_named(tmp_path):
    (tmp_path / "c.yaml").write_text('postgres: {database: shop, username: cdc, password: "${env:SHOP_PASSWORD}"}\n')
    done = run_capture("config", "validate", "-c", str(tmp_path / "c.yaml"))
    assert done.returncode == 2
    assert "there is no variable SHOP_PASSWORD in the environment" in done.stderr, done.stderr


def libpq_words(server, database="shop"):
    return {"PGHOST": server.host, "PGPORT": str(server.port), "PGUSER": server.user,
            "PGPASSWORD": server.password, "PGDATABASE": database, "PGSSLMODE": "disable"}


def test_variables_of_libpq_are_understood_and_weaker_than_everything_of_ours(server, tmp_path):
    done = run_capture("check", env=libpq_words(server))
    assert done.returncode == 0, done.stdout + done.stderr

    file = tmp_path / "c.yaml"
    file.write_text("postgres: {database: from_file}\n")
    shown = run_capture("config", "show", "-c", str(file), env=libpq_words(server)).stdout
    assert "environment PGHOST" in shown and "from_file" in shown
    assert f"= {server.password}" not in shown
    shown = run_capture("config", "show", env=libpq_words(server) | {"PG_DATABASE": "ours"}).stdout
    assert "environment PG_DATABASE" in shown and "environment PGUSER" in shown

    empty = run_capture("check", env=libpq_words(server) | {"PGDATABASE": ""})
    assert empty.returncode == 2 and "postgres.database" in empty.stderr


def test_a_connection_uri_is_said_to_be_ignored(server):
    uri = {"DATABASE_URL": "postgres://app:hush@db/shop"}
    done = run_capture("check", env=uri)
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr and "connection URI is not read" in done.stderr
    assert "PG_HOST" in done.stderr and "hush" not in done.stderr
    assert "DATABASE_URL" not in run_capture("check", env=libpq_words(server) | uri).stderr
    with Capture(server.capture_environment("shop") | uri, slot="uri", http=False) as capture:
        capture.wait_for_log("connection URI is not read")
        capture.wait_streaming()
        assert "hush" not in capture.stderr
        capture.stop()
    server.drop_slot("uri")


def test_the_first_lines_say_what_is_done_and_streaming_is_said_once(server):
    with Capture(server.capture_environment("shop") | {"PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "initial"},
                 slot="words", http=False) as capture:
        capture.wait_for_log(" streaming ")
        capture.wait_for(1)
        capture.stop()
        lines = capture.stderr.splitlines()
    starting = next(line for line in lines if " starting " in line)
    for word in ("version=", f"server={server.host}", "database=shop", "publication=words_pub",
                 "slot=words", "tables=*.*", "snapshot=initial", "sink=console"):
        assert word in starting, starting
    connected = next(line for line in lines if " connected " in line)
    for word in ("server=15.", "tables=2", "public", "publication=words_pub"):
        assert word in connected, connected
    assert sum("  streaming  " in line for line in lines) == 1, lines
    server.drop_slot("words")
