"""The benchmark can't rot: it runs, small, and its figures are there."""

import json
import subprocess

import pytest
from support.capture import binary
from support.processes import ROOT


def bench(tmp_path, *arguments):
    """Runs bench/run with a round of a tenth of the size; returns its figures and its text."""
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [ROOT / "bench" / "run", "--small", "--rounds", "1", "--json", figures, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        check=False, timeout=1800)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(figures.read_text()), done.stdout


def test_a_backlog_is_drained_into_kafka_and_every_change_is_there(tmp_path):
    figures, text = bench(tmp_path, "--only", "backlog", "--route", "kafka snappy")
    routes = figures["backlog"]["routes"]
    # The drain counted their records.
    assert set(routes) == {"pg_recvlogical", "kafka snappy", "kafka snappy once"}
    assert figures["backlog"]["changes"] == 140_000
    assert routes["kafka snappy"]["rate"] > routes["pg_recvlogical"]["rate"] / 100
    assert 1 < routes["kafka snappy"]["memory_mib"] < 128
    assert routes["kafka snappy"]["broker_us"] > 0
    assert "exactly once: " in text


def test_a_snapshot_is_measured_beside_copy(tmp_path):
    figures, text = bench(tmp_path, "--only", "snapshot", "--route", "reader,kafka snappy")
    routes = figures["snapshot"]["routes"]
    assert set(routes) == {"psql COPY", "1 reader", "2 readers", "kafka snappy",
                           "kafka snappy once"}
    assert figures["snapshot"]["rows"] == 300_000
    assert all(figure["rate"] > routes["psql COPY"]["rate"] / 1000 for figure in routes.values())
    assert all(1 < routes[ours]["memory_mib"] < 128 for ours in ("1 reader", "2 readers", "kafka snappy"))
    assert "rows/s" in text


def test_files_are_measured_beside_pg_recvlogical_and_copy(tmp_path):
    figures, text = bench(tmp_path, "--only", "files", "--route", "file csv")
    files = figures["files"]
    # Their rows were counted in the registry.
    ours = {"file csv", "file csv 1 writer", "file csv zlib", "file csv zstd"}
    assert set(files["routes"]) == {"pg_recvlogical"} | ours
    assert set(files["export"]) == {"COPY | gzip -1", "file csv", "file csv zlib"}
    assert (files["changes"], files["rows"]) == (140_000, 300_000)
    base = files["routes"]["pg_recvlogical"]["rate"]
    for route in ours:
        assert files["routes"][route]["rate"] > base / 100
        assert 1 < files["routes"][route]["memory_mib"] < 128
        assert 1 < files["routes"][route]["bytes_a_row"] < 200
    assert list(files["memory"]) == ["1", "500"]
    assert all(1 < one["memory_mib"] < 128 for one in files["memory"].values())
    assert "ratio: to COPY piped through gzip -1" in text


def test_what_a_commit_of_many_tables_costs_is_measured(tmp_path):
    figures, text = bench(tmp_path, "--only", "commits")
    routes = figures["commits"]["routes"]
    assert set(routes) == {"kafka snappy", "kafka snappy once"}
    for sizes in routes.values():
        assert list(sizes) == ["1", "10", "200"]
        assert all(0 < f["p50_ms"] <= f["p99_ms"] and f["broker_ms"] >= 0 for f in sizes.values())
    assert "exactly once, p50: " in text


def test_an_older_build_is_measured_in_the_same_run(tmp_path):
    figures, text = bench(tmp_path, "--only", "start,backlog", "--route", "tcp binary",
                          "--against", binary())
    assert set(figures["start_ms"]) == {"console", "console before"}
    assert set(figures["backlog"]["routes"]) == {"pg_recvlogical", "tcp binary", "tcp binary before"}
    compared = text.split("against the build before")[1]
    assert "start to first change" in compared
    assert [line.split()[3] for line in compared.splitlines() if "backlog" in line] == ["rate", "CPU", "peak"]


def test_another_build_that_is_none_is_refused(tmp_path):
    done = subprocess.run([ROOT / "bench" / "run", "--against", tmp_path / "nothing"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "is not a program" in done.stderr


def test_an_unknown_workload_is_refused():
    done = subprocess.run([ROOT / "bench" / "run", "--only", "backlogg"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=120)
    assert done.returncode == 2
    assert "no workload 'backlogg'" in done.stderr


@pytest.mark.nightly
def test_latency_and_an_outage_are_measured(tmp_path):
    figures, text = bench(tmp_path, "--only", "latency,outage", "--route", "kafka snappy")
    latency = figures["latency"]["routes"]["kafka snappy"]
    assert 0 < latency["p50_ms"] <= latency["p99_ms"] <= latency["max_ms"]
    assert figures["outage"]["connection_kept"]
    assert figures["outage"]["peak_mib"] < 128
    assert "outage: the broker stopped for 6 s" in text


@pytest.mark.nightly
def test_a_huge_transaction_is_measured_beside_one_that_the_server_keeps(tmp_path):
    figures, text = bench(tmp_path, "--only", "huge", "--route", "snappy")
    assert figures["huge"]["rows"] == 1_000_000
    assert set(figures["huge"]["routes"]) == {"kafka snappy", "kafka snappy once"}
    for ways in figures["huge"]["routes"].values():
        assert all(0 < f["seconds"] < 600 and 1 < f["memory_mib"] < 96 for f in ways.values())
    assert "taken while it runs" in text


@pytest.mark.nightly
def test_messages_with_a_registry_are_measured_beside_native_ones(tmp_path):
    figures, _ = bench(tmp_path, "--only", "formats", "--route", "tcp binary")
    routes = figures["formats"]["routes"]
    for encoding in ("avro", "protobuf", "json_schema"):
        assert routes[f"tcp binary {encoding}"]["rate"] > routes["tcp binary"]["rate"] / 10
