"""From a row's own time to a consumer's poll, at 5,000 rows a second, and the CPU of that."""

import json
import pathlib
import statistics
import subprocess
import sys
import time

import contenders
from debezium import Debezium
from figures import cpu_seconds, memory_mib, show_progress
from load import Load
from support.processes import remove_directory, run_directory, spawn, wait_until
from workloads import DEBEZIUM, TIMED_INSERT, TIMED_ROWS, TIMED_ROWS_A_STATEMENT

CONSUMER = pathlib.Path(__file__).resolve().parent / "latency_consumer.py"


class Latency:
    """seconds   measured, after `warm_seconds` that let a Java machine compile"""

    def __init__(self, lab, routes, *, seconds, warm_seconds):
        self.lab = lab
        self.routes = contenders.with_before(routes, lambda route: route != DEBEZIUM)
        self.seconds, self.warm_seconds = seconds, warm_seconds
        self.table = lab.make_table("latency", TIMED_ROWS)

    def rounds(self, number):
        figures = {route: [] for route in self.routes}
        for turn in range(1, number + 1):
            for route in self.routes:
                show_progress(f"latency: round {turn}/{number}, {route}")
                figures[route].append(self.run(route))
        show_progress("")
        return {"seconds": self.seconds, "routes": {
            route: {key: statistics.median(f[key] for f in runs) for key in runs[0]}
            for route, runs in figures.items()}}

    def run(self, route):
        slot = self.lab.new_run()
        topic = self.lab.new_topic("latency", slot)
        self.lab.new_slot(slot)
        if route == DEBEZIUM:
            with Debezium(self.lab.server, self.lab.broker, slot=slot, publication=self.table,
                          prefix=slot) as peer:
                figure = self._measure(route, peer.process, slot, topic)
        else:
            figure = self._capture(route, slot, topic)
        self.lab.drop_slot(slot)
        self.lab.drop_topic(topic)
        return figure

    def _capture(self, route, slot, topic):
        directory = run_directory("bench")
        env = contenders.producing(self.lab, route, "latency", slot, directory)
        with open(directory / "stderr.log", "wb") as stderr:
            process = spawn([contenders.program(route), "run"], env=env, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            return self._measure(route, process, slot, topic)
        except BaseException as error:
            said = (directory / "stderr.log").read_text(errors="replace")
            raise RuntimeError(f"{error}\n{said}") from error
        finally:
            process.kill()
            process.wait()
            remove_directory(directory)

    def _measure(self, route, process, slot, topic):
        wait_until(lambda: self.lab.slot_reader(slot) or process.poll() is not None, 90,
                   f"{route} to stream")
        if process.poll() is not None:
            raise RuntimeError(f"{route} ended with exit code {process.returncode}")
        self._wait_for_a_row(topic)
        consumer = spawn([sys.executable, CONSUMER, self.lab.broker.bootstrap, topic],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert consumer.stdout.readline() == b"ready\n"
            watched = {"cpu": process.pid, "broker": self.lab.broker.pid,
                       "walsender": self.lab.slot_reader(slot)}
            with Load(self.lab.server, self.table) as load:
                time.sleep(self.warm_seconds)
                skipped, before = TIMED_ROWS_A_STATEMENT + load.rows, self._cpu(watched)
                began = time.monotonic()
                time.sleep(self.seconds)
                written, after = TIMED_ROWS_A_STATEMENT + load.rows, self._cpu(watched)
                elapsed = time.monotonic() - began
            rows = TIMED_ROWS_A_STATEMENT + load.rows
            consumer.stdin.write(b"%d %d\n" % (rows, skipped))
            consumer.stdin.flush()
            seen = json.loads(consumer.stdout.readline())
        finally:
            consumer.kill()
            consumer.communicate()
        if seen["records"] != rows:
            raise RuntimeError(f"{route}: {seen['records']} of {rows} rows seen")
        return {key: seen[key] for key in ("p50_ms", "p99_ms", "max_ms")} | {
            f"{key}_cores": (after[key] - before[key]) / elapsed for key in watched} | {
            "rate": (written - skipped) / elapsed, "behind_ms": load.behind_s * 1000,
            "memory_mib": memory_mib(process.pid)}

    def _wait_for_a_row(self, topic):
        """Writes one transaction and waits until it is in the topic: the reader is at work."""
        self.lab.server.psql(TIMED_INSERT.format(t=self.table))
        wait_until(lambda: self.lab.records(topic) >= TIMED_ROWS_A_STATEMENT, 90, "the first rows",
                   interval=0.1)

    @staticmethod
    def _cpu(watched):
        return {key: cpu_seconds(pid) for key, pid in watched.items()}


def show(result):
    print(f"\nlatency: 5,000 rows/s in transactions of 100 for {result['seconds']} s, "
          "row written → seen by a consumer")
    print(f"  {'':22}{'rows/s':>12}{'p50':>10}{'p99':>11}{'max':>11}{'CPU':>12}{'walsender':>11}"
          f"{'broker':>9}{'peak RSS':>11}")
    for route, f in result["routes"].items():
        late = f"   the load came up to {f['behind_ms']:.0f} ms late" if f["behind_ms"] > 50 else ""
        print(f"  {route:22}{f['rate']:>12,.0f}{f['p50_ms']:>7.1f} ms{f['p99_ms']:>8.1f} ms"
              f"{f['max_ms']:>8.1f} ms{f['cpu_cores']:>6.3f} cores{f['walsender_cores']:>11.3f}"
              f"{f['broker_cores']:>9.3f}{f['memory_mib']:>7.1f} MiB{late}")
