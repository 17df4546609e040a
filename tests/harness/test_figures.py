"""What tests count and measure is shown at the end of a run in which all have passed."""

import os
import subprocess
import sys

import pytest
from support.processes import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import run_suites  # noqa: E402

TESTS = """
import pytest
from support.figures import figure

@pytest.mark.parametrize("number", [1, 2])
def test_counts(number):
    figure(f"things of {number}", f"{number * 10}, none missing")

def test_counts_nothing():
    pass

def test_fails():
    figure("before it failed", "7 s")
    assert {fails!r} == "no"
"""


def run(directory, fails, *arguments):
    (directory / "test_it.py").write_text(TESTS.replace("{fails!r}", repr(fails)), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "--rootdir", str(directory), "--junitxml=it.xml",
         *arguments, "test_it.py"],
        cwd=directory, env=os.environ | {"PYTHONPATH": str(ROOT / "tests")}, text=True, timeout=120, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


FIGURES = ["things of 1: 10, none missing", "things of 2: 20, none missing", "before it failed: 7 s"]


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]], ids=["one process", "two workers"])
@pytest.mark.parametrize("fails", ["no", "yes"])
def test_figures_are_shown_whether_tests_pass_or_fail(tmp_path, arguments, fails):
    done = run(tmp_path, fails, *arguments)
    assert done.returncode == (1 if fails == "yes" else 0), done.stdout
    shown = [line for line in done.stdout.splitlines() if line in FIGURES]
    assert sorted(shown) == sorted(FIGURES), done.stdout
    assert sorted(run_suites.figures(tmp_path / "it.xml")) == sorted(FIGURES)


def test_a_suite_without_a_report_has_none(tmp_path):
    assert run_suites.figures(tmp_path / "missing.xml") == []
    (tmp_path / "half.xml").write_text("<testsuites><testsuite>", encoding="utf-8")
    assert run_suites.figures(tmp_path / "half.xml") == []
