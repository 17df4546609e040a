"""Line coverage per room: unit tests, simulation and the process suites together.

    tools/coverage.py [--junit FILE] [--report-only]

Builds the coverage preset, runs everything that `make test` runs on it, and lets gcovr add up.
Fails below the thresholds. The lines not reached: build/coverage/report.txt.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "coverage"
THRESHOLDS = {"all": 85.0, "pipeline": 95.0, "postgres/pgoutput": 95.0}
# Folders of tests/ whose suites say nothing about src/.
ASIDE = {"house", "harness", "binary", "support", "fuzz"}


def run(title, command, log, **env):
    """Runs one step; a failing suite is reported and its coverage still counted."""
    start = time.monotonic()
    with open(ROOT / "build" / "logs" / log, "wb") as output:
        code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, check=False,
                              env=dict(os.environ, **env)).returncode
    print(f"{title}: {'done' if code == 0 else f'exit code {code}, see build/logs/{log}'} "
          f"({time.monotonic() - start:.0f} s)", flush=True)
    return code == 0


def measure():
    (ROOT / "build" / "logs").mkdir(parents=True, exist_ok=True)
    if not run("build", ["tools/build.sh", "coverage", "all"], "coverage-build.log"):
        sys.exit(1)
    for old in BUILD.rglob("*.gcda"):
        old.unlink()
    good = run("unit and simulation", ["/usr/bin/ctest", "--test-dir", "build/coverage", "-j", "2",
                                       "--output-on-failure"], "coverage-unit.log",
               PGC_SIMULATION_SEEDS="1000")
    folders = sorted({p.relative_to(ROOT / "tests").parts[0]
                      for p in (ROOT / "tests").rglob("test_*.py")} - ASIDE)
    for folder in folders:
        # With -n the files of several processes are merged by gcov's runtime itself.
        good &= run(folder, ["/usr/bin/python3", "-m", "pytest", "-q", f"tests/{folder}",
                             "-m", "not nightly", "-n", "2"], f"coverage-{folder}.log",
                    PG_CAPTURE_BIN=str(BUILD / "pg-capture"), PG_CAPTURE_COVERAGE="1")
    return good


def add_up():
    """{file below src/: (reached, lines)}"""
    report = BUILD / "report.json"
    subprocess.run(["/usr/bin/gcovr", "-r", str(ROOT), "--object-directory", str(BUILD),
                    "--gcov-executable", "/usr/bin/gcov-12", "-j", "2",
                    "--filter", str(ROOT / "src") + "/", "--exclude", r".*_test\.cc$",
                    "--exclude-throw-branches", "--exclude-unreachable-branches",
                    "--json", str(report), "--txt", str(BUILD / "report.txt"), str(BUILD)],
                   check=True, stdin=subprocess.DEVNULL)
    files = {}
    for entry in json.loads(report.read_text())["files"]:
        lines = [x for x in entry["lines"] if not x.get("gcovr/noncode")]
        files[entry["file"].removeprefix("src/")] = (sum(x["count"] > 0 for x in lines), len(lines))
    return files


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--junit")
    parser.add_argument("--report-only", action="store_true")
    options = parser.parse_args()
    good = True if options.report_only else measure()

    files = add_up()
    groups = {}
    for name, (reached, lines) in files.items():
        parts = name.split("/")
        for group in {"all", parts[0], "/".join(parts[:2]) if len(parts) > 2 else parts[0]}:
            old = groups.get(group, (0, 0))
            groups[group] = (old[0] + reached, old[1] + lines)
    print(f"\n{'part':28} {'lines':>7} {'reached':>8} {'%':>6}  threshold")
    cases = []
    for group in sorted(groups, key=lambda g: (g == "all", g)):
        reached, lines = groups[group]
        percent = 100.0 * reached / max(lines, 1)
        threshold = THRESHOLDS.get(group)
        below = threshold is not None and percent < threshold
        good &= not below
        print(f"{group:28} {lines:7} {reached:8} {percent:6.1f}"
              f"{f'  {threshold:.0f} ' + ('BELOW' if below else 'ok') if threshold else ''}")
        if threshold:
            cases.append(f"<testcase classname='coverage' name='{group}'>"
                         f"{'<failure/>' if below else ''}</testcase>")
    if options.junit:
        pathlib.Path(options.junit).write_text(
            f"<testsuite name='coverage'>{''.join(cases)}</testsuite>\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
