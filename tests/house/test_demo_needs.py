"""What `make demo` has to bring first: no more than what it shows."""

import os
import subprocess
import time

from support.processes import ROOT


def planned(*words):
    """The commands make would run."""
    return subprocess.run(["/usr/bin/make", "-n", *words], cwd=ROOT, check=True, text=True,
                          stdout=subprocess.PIPE,
                          env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "SINK")}
                          ).stdout


def packages(*purposes):
    rows = (line.split() for line in (ROOT / "tools/packages.txt").read_text().splitlines())
    return {row[0] for row in rows if row and row[0] != "#" and row[1] in purposes}


def test_the_demo_without_kafka_needs_neither_java_nor_a_broker():
    plan = planned("demo", "SINK=console")
    assert "setup.sh console" in plan and "kafka.sh" not in plan, plan
    without = packages("build", "console")
    assert not [name for name in without if "jdk" in name or "maven" in name or "venv" in name]
    assert {"python3", "python3-psycopg", "postgresql-15"} <= without


def test_the_demo_with_kafka_fetches_one_broker_while_it_compiles():
    plan = planned("demo")
    together = next(line for line in plan.replace("\\\n", " ").splitlines() if "together.sh" in line)
    assert "build.sh release" in together and "kafka.sh 4." in together, plan
    assert "setup.sh demo" in plan


def test_side_by_side_is_side_by_side_and_reports_a_failure(tmp_path):
    def together(*commands):
        return subprocess.run([ROOT / "tools/together.sh", *commands], cwd=tmp_path, check=False,
                              timeout=60).returncode

    # Each waits for the other: one after the other they would never end.
    meet = "sh -c 'touch {0}; until [ -e {1} ]; do sleep 0.02; done'"
    assert together(meet.format("a", "b"), meet.format("b", "a")) == 0
    started = time.monotonic()
    assert together("false", "sh -c 'sleep 0.2; touch done'") == 1
    assert (tmp_path / "done").exists(), "what another fetched stays"
    assert time.monotonic() - started < 30
