"""Builds what the suites need, runs them, two cores' worth at a time, and counts cases.

    tools/run_suites.py [--nightly] [--list] [SUITE…]

Every suite writes build/logs/<suite>.log and is counted from JUnit XML, so a suite that
silently ran nothing fails. The last line is "N passed, N failed"; the exit code says the same.
"""

import argparse
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / "build" / "logs"
CORES = max(2, os.cpu_count() or 2)
HANG_MIN = 1800
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-ra"]
# Threads of our own live here; the rest of the code has none. (That of postgres/ runs in the
# pipeline's alone.)
THREADED = "^(observe|sink|http|server|pipeline|cli|pgclient|kafka)_test$"


@dataclasses.dataclass
class Build:
    preset: str
    targets: list

    @property
    def name(self):
        return f"build {self.preset}"


@dataclasses.dataclass
class Suite:
    """One row of the table. `needs` names builds; `budget` is what it may take, in seconds, on a
    machine with two cores: above that it is remarked on, and what takes `limit` is taken for a hang."""

    name: str
    what: str
    command: list
    budget: int
    needs: tuple = ()
    cores: int = 1
    nightly: bool = False
    environment: dict = dataclasses.field(default_factory=dict)

    @property
    def limit(self):
        return max(HANG_MIN, 10 * self.budget)


BUILDS = {
    "release": Build("release", ["pg-capture", "simulation_test"]),
    "sanitize": Build("sanitize", ["unit_tests", "fuzz_targets"]),
    "sanitize-simulation": Build("sanitize", ["simulation_test"]),
    "tsan": Build("tsan", ["observe_test", "sink_test", "http_test", "server_test", "pipeline_test",
                           "cli_test", "pgclient_test", "kafka_test"]),
}


def ctest(preset, *args):
    return ["/usr/bin/ctest", "--test-dir", f"build/{preset}", "--output-on-failure",
            "--output-junit", "{junit}", "--no-tests=error", "--timeout", "7200", *args]


def pytest(path, workers=0, marker="not nightly"):
    parallel = ["-n", str(workers), "--dist", "load"] if workers else []
    return [*PYTEST, path, "-m", marker, *parallel, "--junitxml={junit}"]


SUITES = [
    Suite("house", "house rules, clang-format, each rule proven to fire",
          pytest("tests/house"), 60),
    Suite("unit", "unit and conformance tests under ASan and UBSan",
          ctest("sanitize", "-E", "^(simulation_test|fuzz_)", "-j", "2"), 180, ("sanitize",), 2),
    Suite("corpus", "every kept fuzz input, under ASan and UBSan",
          ctest("sanitize", "-R", "^fuzz_"), 60, ("sanitize",)),
    Suite("tsan", "what has threads, under ThreadSanitizer",
          ["/usr/bin/setarch", "-R", *ctest("tsan", "-R", THREADED)], 120, ("tsan",),
          environment={"TSAN_OPTIONS": f"suppressions={ROOT}/tests/support/tsan_suppressions.txt "
                                       "external_symbolizer_path=/usr/bin/addr2line"}),
    Suite("simulation", "10,000 seeded runs of the whole engine",
          ctest("release", "-R", "^simulation_test$"), 300, ("release",),
          environment={"PGC_SIMULATION_SEEDS": "10000"}),
    Suite("fuzz", "each parser, some seconds from its corpus",
          ["/usr/bin/python3", "tools/run_fuzz.py", "--seconds", "10", "--seed", "1", "--junit",
           "{junit}"], 180, ("sanitize",)),
    Suite("simulation-sanitized", "2,000 seeds under ASan and UBSan",
          ctest("sanitize", "-R", "^simulation_test$"), 600, ("sanitize-simulation",), nightly=True,
          environment={"PGC_SIMULATION_SEEDS": "2000"}),
    Suite("simulation-long", "300,000 seeds",
          ctest("release", "-R", "^simulation_test$"), 3600, ("release",), nightly=True,
          environment={"PGC_SIMULATION_SEEDS": "300000"}),
    Suite("fuzz-long", "each parser, ten minutes",
          ["/usr/bin/python3", "tools/run_fuzz.py", "--seconds", "600", "--junit", "{junit}"],
          4 * 3600, ("sanitize",), nightly=True),
    Suite("tidy", "clang-tidy over the tree",
          ["/bin/sh", "tools/clang_tidy.sh", "--junit", "{junit}"], 1800, nightly=True),
    Suite("coverage", "line coverage per room, with thresholds",
          ["/usr/bin/python3", "tools/coverage.py", "--junit", "{junit}"], 2400, nightly=True),
]

# Suites of Python: one a folder below tests/, found by itself. Here stands only what
# differs from (text from the folder's conftest or name, 120 s, one core).
FOLDERS = {
    "bench": ("the benchmark, small: it runs, and loses nothing", 120, 0),
    "binary": ("the release binary: size, libraries, version", 30, 0),
    "debezium": ("beside the real Debezium connector: its recorded records, the connector itself by night", 300, 2),
    "harness": ("the test servers, brokers, the proxy and the runner themselves", 90, 2),
    "house": None,
    "scenario": ("SQL in, events out, on PostgreSQL 10 to 18", 420, 2),
    "fault": ("kill -9, cuts, freezes, crashes, wrong set-ups", 360, 2),
    "kafka": ("into real brokers: delivery, exactly once, torture, kills, outages, refusals, security", 840, 2),
    "registry": ("Avro, Protobuf and JSON Schema with a real registry, read by other people's readers", 180, 2),
    "file": ("batches of files and their registry: exact, private, once, whatever is killed or full", 420, 2),
    "snapshot": ("rows that were there before: exact, resumed, on request, whatever happens meanwhile", 420, 2),
    "publication": ("publications and filters: whose they are, what they hold, what they break", 180, 2),
    "connection": ("TLS, certificates, passwords, sockets, several hosts", 120, 2),
    "first_hour": ("what the pages have a newcomer type, typed line by line", 120, 0),
    "types": ("every type, text and binary, PostgreSQL as the oracle", 300, 2),
    "cli": ("command line, configuration, check, exit codes", 120, 2),
}

# What a folder needs built, where that is not the release alone.
NEEDS = {"harness": (), "file": ("release", "sanitize")}


def folder_suites():
    suites = []
    for folder in sorted(p.parent for p in (ROOT / "tests").glob("*/conftest.py")) + sorted(
            {p.parent for p in (ROOT / "tests").rglob("test_*.py")}):
        name = folder.relative_to(ROOT / "tests").parts[0]
        if any(s.name == name for s in suites) or FOLDERS.get(name, ()) is None:
            continue
        if not any((ROOT / "tests" / name).rglob("test_*.py")):
            continue
        what, budget, workers = FOLDERS.get(name, (f"tests/{name}", 120, 0))
        needs = NEEDS.get(name, ("release",))
        path = f"tests/{name}"
        suites.append(Suite(name, what, pytest(path, workers), budget, needs))
        if has_nightly(ROOT / path):
            suites.append(Suite(f"{name}-long", f"{what}: the long ones",
                                pytest(path, workers, "nightly"), 3600, needs, nightly=True))
    return suites


def has_nightly(folder):
    return any("mark.nightly" in p.read_text(encoding="utf-8") for p in folder.rglob("*.py"))


class Outcome:
    def __init__(self, suite):
        self.suite = suite
        self.passed = self.failed = self.skipped = 0
        self.seconds = 0.0
        self.note = ""


def count_cases(paths):
    """(passed, failed, skipped) over JUnit files of GoogleTest, ctest and pytest."""
    passed = failed = skipped = 0
    for path in paths:
        try:
            root = ElementTree.parse(path).getroot()
        except (ElementTree.ParseError, OSError):
            failed += 1  # half a file: its writer crashed
            continue
        for case in root.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif (case.find("skipped") is not None or case.get("status") in ("notrun", "disabled")
                  or case.get("result") in ("skipped", "suppressed")):
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def count_suite(suite, junit, gtest_directory):
    """GoogleTest's own files where there are any; ctest's entry counts for the others."""
    own = sorted(gtest_directory.glob("*.xml"))
    if not own:
        return count_cases([junit] if junit.exists() else [])
    passed, failed, skipped = count_cases(own)
    if junit.exists():
        try:
            entries = ElementTree.parse(junit).getroot().iter("testcase")
        except ElementTree.ParseError:
            return passed, failed + 1, skipped
        wrote = {p.stem for p in own}
        for entry in entries:
            crashed = entry.find("failure") is not None or entry.get("status") == "fail"
            if entry.get("name") not in wrote:
                passed, failed = passed + (not crashed), failed + crashed
            elif crashed and failed == 0:
                failed += 1  # died after its cases: a sanitizer's report at exit
    return passed, failed, skipped


def figures(junit):
    """What tests of pytest have counted and measured (tests/support/figures.py)."""
    try:
        properties = ElementTree.parse(junit).getroot().iter("property")
    except (ElementTree.ParseError, OSError):
        return []
    return [p.get("value") for p in properties if p.get("name") == "figure"]


class Runner:
    def __init__(self, suites, nightly):
        self.suites = suites
        self.nightly = nightly
        self.outcomes = {}
        self.started = time.monotonic()
        self.lock = threading.Condition()
        self.free = CORES
        self.built = {}
        self.children = set()

    def say(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    # -- one process --------------------------------------------------------------------

    def run_process(self, command, log, timeout, environment):
        env = dict(os.environ, **environment)
        with open(log, "wb") as output:
            child = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                                     stdout=output, stderr=subprocess.STDOUT,
                                     start_new_session=True)
        self.children.add(child)
        try:
            return child.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGTERM)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            return None
        finally:
            self.children.discard(child)

    def stop_children(self):
        for child in list(self.children):
            try:
                os.killpg(child.pid, signal.SIGTERM)
            except OSError:
                pass

    def tail(self, log, lines=60):
        try:
            text = log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            text = []
        with self.lock:
            print(f"---- the last lines of {log.relative_to(ROOT)}")
            print("\n".join(text[-lines:]))
            print("----", flush=True)

    # -- builds, one after the other, each on all cores ---------------------------------

    def build_all(self):
        wanted = [b for b in BUILDS if any(b in s.needs for s in self.suites)]
        for name in wanted:
            build = BUILDS[name]
            log = LOGS / f"build-{name}.log"
            targets = [t for t in build.targets if self.known_target(name, t)]
            self.say(f"{build.name} …")
            start = time.monotonic()
            code = self.run_process(["/usr/bin/nice", "tools/build.sh", name, *targets], log,
                                    4 * 3600, {})
            self.say(f"{build.name} {'done' if code == 0 else 'FAILED'} "
                     f"in {time.monotonic() - start:.0f} s")
            if code != 0:
                self.tail(log)
            with self.lock:
                self.built[name] = code == 0
                self.lock.notify_all()

    def known_target(self, preset, target):
        """A room without tests yet has no test target."""
        if not target.endswith("_test"):
            return True
        room = target.removesuffix("_test")
        return (any((ROOT / "src" / room).rglob("*_test.cc"))
                or any((ROOT / "tests" / room).rglob("*.cc")))

    # -- suites -------------------------------------------------------------------------

    def run_suite(self, suite):
        junit = LOGS / f"{suite.name}.xml"
        gtest = LOGS / f"{suite.name}.gtest"
        shutil.rmtree(gtest, ignore_errors=True)
        gtest.mkdir(parents=True)
        junit.unlink(missing_ok=True)
        environment = {
            # Not where pytest counts: what its cases run is theirs.
            **({} if suite.command[:len(PYTEST)] == PYTEST else {"GTEST_OUTPUT": f"xml:{gtest}/"}),
            "GTEST_COLOR": "no",
            "GTEST_BRIEF": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
            **({"PGC_NIGHTLY": "1"} if self.nightly else {}),
            **suite.environment,
        }
        command = [part.replace("{junit}", str(junit)) for part in suite.command]
        log = LOGS / f"{suite.name}.log"
        self.say(f"{suite.name} …")
        outcome = Outcome(suite)
        start = time.monotonic()
        code = self.run_process(command, log, suite.limit, environment)
        outcome.seconds = time.monotonic() - start
        outcome.passed, outcome.failed, outcome.skipped = count_suite(suite, junit, gtest)
        if code is None:
            outcome.note = f"stopped after {suite.limit} s"
            outcome.failed += 1
        elif code != 0 and outcome.failed == 0:
            outcome.note = f"exit code {code}"
            outcome.failed = 1
        elif code == 0 and outcome.passed == 0:
            outcome.note = "ran nothing"
            outcome.failed = 1
        elif outcome.seconds > suite.budget:
            outcome.note = f"over its budget of {suite.budget} s"
        verdict = "FAILED" if outcome.failed else "passed"
        self.say(f"{suite.name} {verdict}: {outcome.passed} passed, {outcome.failed} failed, "
                 f"{outcome.seconds:.0f} s {outcome.note}".rstrip())
        for line in figures(junit):
            self.say(f"  {suite.name}: {line}")
        if outcome.failed:
            self.tail(log)
        return outcome

    def suite_thread(self, suite):
        try:
            if all(self.built.get(n, False) for n in suite.needs):
                outcome = self.run_suite(suite)
            else:
                outcome = Outcome(suite)
                outcome.failed, outcome.note = 1, "not built"
        except Exception as error:  # a bug here must not look like success
            outcome = Outcome(suite)
            outcome.failed, outcome.note = 1, repr(error)
        with self.lock:
            self.outcomes[suite.name] = outcome
            self.free += min(suite.cores, CORES)
            self.lock.notify_all()

    def run(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        builder = threading.Thread(target=self.build_all, daemon=True)
        builder.start()
        # The longest first, so that no core is idle in the end for the sake of one that began late.
        waiting = sorted(self.suites, key=lambda s: -s.budget)
        while waiting:
            with self.lock:
                # While the builds use the cores, one suite at a time runs beside them.
                building = builder.is_alive()
                for suite in list(waiting):
                    idle = self.free == CORES
                    fits = idle if building else self.free >= min(suite.cores, CORES)
                    if fits and all(n in self.built for n in suite.needs):
                        waiting.remove(suite)
                        self.free -= min(suite.cores, CORES)
                        threading.Thread(target=self.suite_thread, args=(suite,),
                                         daemon=True).start()
                self.lock.wait(0.5)
        with self.lock:
            while len(self.outcomes) < len(self.suites):
                self.lock.wait(0.5)
        builder.join()

    def report(self):
        rows = [("suite", "passed", "failed", "skipped", "seconds", "budget", "")]
        for suite in self.suites:
            o = self.outcomes[suite.name]
            rows.append((suite.name, str(o.passed), str(o.failed), str(o.skipped),
                         f"{o.seconds:.0f}", str(suite.budget), o.note))
        widths = [max(len(r[i]) for r in rows) for i in range(6)]
        print()
        for row in rows:
            cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:6], widths[1:])]
            print("  ".join([*cells, row[6]]).rstrip())
        passed = sum(o.passed for o in self.outcomes.values())
        failed = sum(o.failed for o in self.outcomes.values())
        print(f"\n{time.monotonic() - self.started:.0f} s in all; logs in build/logs\n")
        print(f"{passed} passed, {failed} failed", flush=True)
        return 0 if failed == 0 and passed > 0 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*")
    parser.add_argument("--nightly", action="store_true", help="the long suites too")
    parser.add_argument("--list", action="store_true", help="print the table of suites")
    options = parser.parse_args()

    suites = SUITES + folder_suites()
    if options.list:
        print("| suite | what | budget, s | when |\n|---|---|---|---|")
        for s in suites:
            print(f"| {s.name} | {s.what} | {s.budget} | {'nightly' if s.nightly else 'test'} |")
        return 0
    unknown = set(options.suites) - {s.name for s in suites}
    if unknown:
        parser.error(f"no suite {', '.join(sorted(unknown))}; see --list")
    if options.suites:
        suites = [s for s in suites if s.name in options.suites]
    elif not options.nightly:
        suites = [s for s in suites if not s.nightly]

    # One place for the servers of all suites.
    sys.path.insert(0, str(ROOT / "tests"))
    from support import processes  # noqa: PLC0415

    processes.server_base()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    runner = Runner(suites, options.nightly)
    try:
        runner.run()
        return runner.report()
    finally:
        runner.stop_children()


if __name__ == "__main__":
    sys.exit(main())
