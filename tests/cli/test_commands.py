"""The program as a process: exit codes, generated files, peek, slots, health, secrets."""

import json
import subprocess
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.capture import binary, run_capture
from support.processes import ROOT, wait_until
from support.servers import Capture, PostgresServer

SECRET = "s3cr3t-p1anted"
BASE = {"PG_DATABASE": "shop", "PG_USERNAME": "cdc", "PG_PASSWORD": SECRET}


@pytest.fixture(scope="module")
def server():
    with PostgresServer("15") as server:
        server.psql("CREATE DATABASE shop")
        server.psql("CREATE TABLE t (id int PRIMARY KEY, v text)", db="shop")
        yield server


def environment(server):
    return server.capture_environment("shop")


# -- what is generated is current ------------------------------------------------------

@pytest.mark.parametrize("path, arguments", [
    ("docs/reference/configuration.md", ["config", "reference"]),
    ("docs/reference/configuration.schema.json", ["config", "schema"]),
    ("docs/reference/metrics.md", ["metrics"]),
    ("examples/pg-capture.yaml", ["config", "example", "--format", "yaml"]),
    ("examples/pg-capture.toml", ["config", "example", "--format", "toml"]),
    (".envrc.example", ["config", "example", "--format", "env"]),
])
def test_generated_files_are_current(path, arguments):
    done = run_capture(*arguments)
    assert done.returncode == 0, done.stderr
    assert (ROOT / path).read_text() == done.stdout, f"{path} is stale: make generated"


def test_kafka_is_the_default_and_wants_its_brokers():
    done = run_capture("config", "validate", env=BASE | {"PG_CAPTURE_SINK": "kafka"})
    assert done.returncode == 2 and "KAFKA_BROKERS" in done.stderr, done.stderr
    done = run_capture("config", "show", env=BASE | {"KAFKA_BROKERS": "kafka", "PG_CAPTURE_SINK": "kafka"})
    assert done.returncode == 0 and "kafka.acks = all" in done.stdout, done.stderr


@pytest.mark.parametrize("path", sorted(p.name for p in (ROOT / "examples").glob("*.*")
                                        if p.suffix in (".toml", ".yaml")))
def test_every_example_loads(path):
    done = run_capture("config", "validate", "-c", ROOT / "examples" / path, env=BASE)
    assert done.returncode == 0, done.stderr


def test_the_environment_example_names_only_what_exists():
    names = {}
    for line in (ROOT / ".envrc.example").read_text().splitlines():
        if line.startswith("export ") and "=" in line:
            name, _, value = line[7:].partition("=")
            names[name] = value.strip('"')
    done = run_capture("config", "validate", env=names)
    assert done.returncode == 0, done.stderr


# -- exit codes ------------------------------------------------------------------------

def test_a_wrong_configuration_costs_2_and_reports_everything(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("[postgres]\nport = 'x'\nhots = 'y'\n[sinc]\na = 1\n")
    done = run_capture("run", "-c", path)
    assert done.returncode == 2
    for part in ("c.toml:2", "c.toml:3", "postgres.host", "postgres.database", "PG_DATABASE", "sinc"):
        assert part in done.stderr, done.stderr


@pytest.mark.parametrize("text, suffix, part", [
    ("postgres: [", ".yaml", ":1"), ("a: 1\na: 2\n", ".yaml", ":2"), ("[postgres\n", ".toml", ":1"),
    ("x = 1\nx = 2\n", ".toml", ":2"), ("sink: 'kafkaa'\n", ".yaml", "sink"),
    ("name: '${env:NOT_THERE}'\n", ".yaml", "NOT_THERE"), ("name: '${file:/not/there}'\n", ".yaml", "/not/there"),
])
def test_broken_files_are_reported_with_their_line(tmp_path, text, suffix, part):
    path = tmp_path / f"c{suffix}"
    path.write_text(text)
    done = run_capture("config", "validate", "-c", path, env=BASE)
    assert done.returncode == 2 and part in done.stderr and f"c{suffix}" in done.stderr, done.stderr


def test_a_missing_file_costs_2():
    assert run_capture("run", "-c", "/not/there.yaml", env=BASE).returncode == 2


def test_a_port_in_use_is_reported(server):
    with Capture(environment(server), slot="port") as one:
        one.wait_streaming()
        env = environment(server) | {"PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{one.http_port}",
                                     "PG_CAPTURE_STATE_DIR": str(one.directory)}
        done = run_capture("run", env=env)
        assert done.returncode != 0 and str(one.http_port) in done.stderr
        one.stop()
    server.drop_slot("port")


def test_a_reader_that_goes_away_ends_it_with_7(server):
    with Capture(environment(server), slot="gone", http=False, start=False) as capture:
        process = subprocess.Popen([str(binary())], env=capture.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdout.close()
        server.psql("INSERT INTO t SELECT generate_series(100, 105)", db="shop")

        def ended():
            server.psql("UPDATE t SET v = 'x'", db="shop")
            return process.poll() is not None
        try:
            wait_until(ended, what="it to notice", interval=0.1)
            assert process.wait() == 7, process.stderr.read()
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
    server.drop_slot("gone")


# -- peek, slots -----------------------------------------------------------------------

def test_peek_shows_what_waits_and_takes_nothing(server):
    with Capture(environment(server), slot="peek", http=False) as capture:
        capture.wait_streaming()
        capture.stop()
        server.wait_free("peek")
        server.psql("DELETE FROM t", db="shop")
        server.psql("INSERT INTO t SELECT i, 'v' FROM generate_series(1, 7) i", db="shop")
        for _ in range(2):
            done = run_capture("peek", "--with-key", env=capture.environment)
            assert done.returncode == 0, done.stderr
            server.wait_free("peek")
            lines = [line.partition("\t") for line in done.stdout.splitlines() if "INSERT" in line]
            assert [json.loads(key) for key, _, _ in lines] == [{"id": i} for i in range(1, 8)]
        limited = run_capture("peek", "-n", "2", env=capture.environment)
        assert limited.returncode == 0 and len(limited.stdout.splitlines()) == 2
        capture.start()
        capture.wait_for(lambda seen: sum(m["op"] == "INSERT" for m in seen) == 7)
        capture.stop()
    server.drop_slot("peek")


def test_slots_are_listed_and_dropped(server):
    server.psql("SELECT pg_create_logical_replication_slot('idle', 'pgoutput')", db="shop")
    env = environment(server) | {"PG_SLOT_NAME": "idle"}
    listed = json.loads(run_capture("slots", "list", "--output", "json", env=env).stdout)["slots"]
    mine = [slot for slot in listed if slot["name"] == "idle"]
    assert mine and mine[0]["ours"] and not mine[0]["active"] and mine[0]["database"] == "shop"
    assert "idle" in run_capture("slots", "list", env=env).stdout
    assert run_capture("slots", "drop", "idle", env=env).returncode == 0
    assert run_capture("slots", "drop", "idle", env=env).returncode == 1


def test_a_slot_in_use_is_not_dropped(server):
    with Capture(environment(server), slot="used", http=False) as capture:
        capture.wait_streaming()
        done = run_capture("slots", "drop", "used", env=environment(server))
        assert done.returncode == 3 and "PID" in done.stderr
        capture.stop()
    server.drop_slot("used")


def test_until_ends_by_itself_when_everything_before_is_out(server):
    with Capture(environment(server), slot="until", http=False) as capture:
        capture.wait_streaming()
        capture.stop()
        server.psql("INSERT INTO t SELECT generate_series(1000, 1099)", db="shop")
        end = server.query("SELECT pg_current_wal_lsn()::text")[0][0]
        server.psql("INSERT INTO t VALUES (2000)", db="shop")
        capture.arguments = ["run", "--until", end]
        capture.start()
        assert capture.wait_exit() == 0
        assert sum(m["after"]["id"] in range(1000, 1100) for m in capture.messages) == 100
    server.drop_slot("until")


# -- health and metrics ----------------------------------------------------------------

def get(capture, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{capture.http_port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def value(text, name):
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if line.startswith((name + " ", name + "{")))


def test_health_and_metrics_show_how_it_goes(server):
    with Capture(environment(server), slot="health") as capture:
        capture.wait_streaming()
        wait_until(lambda: get(capture, "/readyz")[0] == 200, what="it to be ready")
        assert get(capture, "/livez")[0] == 200
        server.psql("INSERT INTO t SELECT generate_series(5000, 5009)", db="shop")
        capture.wait_for(10)
        # Each is there sooner or later, and stays.
        for name, least in (("cdc_changes_total", 10), ("cdc_sink_records_total", 10), ("cdc_transactions_total", 1),
                            ("cdc_end_to_end_latency_seconds_count", 1)):
            wait_until(lambda: value(get(capture, "/metrics")[1], name) >= least, what=name)  # noqa: B023
        text = get(capture, "/metrics")[1]
        assert value(text, "cdc_changes_total") == 10
        assert 'cdc_changes_total{pipeline="health",table="public.t",op="INSERT"} 10' in text
        assert value(text, "cdc_sink_records_total") == 10
        assert value(text, "cdc_transactions_total") >= 1
        assert value(text, "cdc_end_to_end_latency_seconds_count") >= 1
        assert get(capture, "/nothing")[0] == 404
        families = {family.name for family in text_string_to_metric_families(text)}
        assert {"cdc_changes", "cdc_end_to_end_latency_seconds", "process_resident_memory_bytes"} <= families
        server.stop("immediate")
        capture.wait_for_log("trying again")
        wait_until(lambda: get(capture, "/readyz")[0] == 503, what="it to be unready")     # until the server is back
        assert get(capture, "/livez")[0] == 200
        server.start()
        capture.stop()
    server.drop_slot("health")


# -- secrets ---------------------------------------------------------------------------

def test_a_planted_secret_shows_nowhere():
    with PostgresServer("15", auth="scram-sha-256") as server:
        server.psql(f"ALTER USER postgres PASSWORD '{SECRET}'")
        server.password = SECRET
        env = server.capture_environment("postgres") | {"PG_CAPTURE_LOG": "trace"}
        with Capture(env, slot="secret") as capture:
            capture.wait_streaming()
            shown = [get(capture, path)[1] for path in ("/metrics", "/healthz", "/livez", "/readyz")]
            listing = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(capture.process.pid)],
                                     capture_output=True, text=True, check=True).stdout
            server.stop("immediate")
            capture.wait_for_log("trying again")
            server.start()
            capture.stop()
            show = run_capture("config", "show", env=capture.environment)
            everything = "".join(shown) + listing + capture.stderr + show.stdout + show.stderr
            assert SECRET not in everything


def test_json_logs_are_json(server):
    with Capture(environment(server), args=["-j"], slot="jlogs", http=False) as capture:
        capture.wait_for_log("streaming")
        capture.stop()
        for line in capture.stderr.splitlines():
            assert {"time", "level", "module", "message"} <= set(json.loads(line))
    server.drop_slot("jlogs")
