"""Reads a table that was there before, by every contender in turn.

The baseline is PostgreSQL's own way to read all of a table: psql and COPY TO STDOUT into
/dev/null, over TCP as everybody else. pg-capture takes a snapshot and ends by itself; its time
and CPU include start and slot. Debezium's begin with its first record in the topic.
"""

import time

import contenders
from debezium import Debezium
from figures import alternating, cpu_seconds, measured, memory_mib, print_once, show_progress
from support.processes import remove_directory, run_directory
from workloads import DEBEZIUM, ONCE, SNAPSHOT_BASELINE, SNAPSHOT_ROWS, SNAPSHOT_SETUP

NAME = "snapshot"
STILL_SECONDS_MAX = 90


class Snapshot:
    """The table is made here; run() reads it by one contender."""

    def __init__(self, lab, routes):
        self.lab = lab
        self.routes = [SNAPSHOT_BASELINE, *contenders.with_before(routes, lambda route: route != DEBEZIUM)]
        self.rows = SNAPSHOT_ROWS // lab.scale
        show_progress(f"{NAME}: making {self.rows:,} rows")
        self.table = lab.make_table(NAME, SNAPSHOT_SETUP, rows=self.rows)
        lab.drop_slot(self.table)
        lab.server.psql(f"VACUUM (FREEZE, ANALYZE) {self.table}", timeout=600)
        lab.server.psql("CHECKPOINT", timeout=600)

    def rounds(self, number):
        # Each of Debezium's runs begins with a Java machine of its own: cold as ever.
        return {"rows": self.rows, "routes": alternating(NAME, self.routes, number, self.run, never_warm=(DEBEZIUM,))}

    def run(self, route):
        slot = self.lab.new_run()
        into_kafka = contenders.into_kafka(route) or route == DEBEZIUM
        topic = self.lab.new_topic(NAME, slot) if into_kafka else None
        self.lab.settle()
        backends = self.lab.ended_backends_cpu()
        broker = cpu_seconds(self.lab.broker.pid) if into_kafka else 0.0
        figure = self._debezium(slot, topic) if route == DEBEZIUM else self._process(route, slot)
        if into_kafka:
            figure["broker_us"] = self._per_row(cpu_seconds(self.lab.broker.pid) - broker)
        self.lab.drop_slot(slot)
        figure["backend_us"] = self._per_row(self.lab.ended_backends_cpu() - backends)
        if into_kafka:
            records = self.lab.committed(topic) if ONCE in route else self.lab.records(topic)
            if records != self.rows:
                raise RuntimeError(f"{route}: {records} records in {topic} of {self.rows} rows")
            self.lab.drop_topic(topic)
        return figure

    def _per_row(self, seconds):
        return seconds / self.rows * 1e6

    def _process(self, route, slot):
        """A contender that ends by itself when it is through."""
        directory = run_directory("bench")
        if route == SNAPSHOT_BASELINE:
            command, env = contenders.copy_to_nowhere(self.lab, self.table), None
        else:
            command = contenders.snapshot_only(route)
            env = contenders.reading(self.lab, route, NAME, slot, directory)
        figure = measured(route, command, env)
        remove_directory(directory)
        return {"rate": self.rows / figure["seconds"], "seconds": figure["seconds"],
                "memory_mib": figure["memory_mib"], "cpu_us": self._per_row(figure["cpu_s"])}

    def _debezium(self, slot, topic):
        with Debezium(self.lab.server, self.lab.broker, slot=slot, publication=self.table, prefix=slot,
                      snapshot="initial", table=self.table) as peer:
            points = self._watch(peer, topic)
            peak = memory_mib(peer.pid)
        first, last = points[0], points[-1]
        rows = last[1] - first[1]
        return {"rate": rows / (last[0] - first[0]), "seconds": last[0] - first[0], "memory_mib": peak,
                "cpu_us": (last[2] - first[2]) / rows * 1e6}

    def _watch(self, peer, topic):
        """(time, records in the topic, CPU seconds) from the first records to the last."""
        points, moved = [], time.monotonic()
        while not points or points[-1][1] < self.rows:
            time.sleep(0.05)
            peer.check()
            point = (time.monotonic(), self.lab.records(topic), cpu_seconds(peer.pid))
            if point[1] > (points[-1][1] if points else 0):
                moved = point[0]
                points.append(point)
            elif point[0] > moved + STILL_SECONDS_MAX:
                raise RuntimeError(f"Debezium stands still\n{peer.tail()}")
        return points


def show(result):
    base = result["routes"][SNAPSHOT_BASELINE]
    print(f"\n{NAME}: a table of {result['rows']:,} rows")
    print(f"  {'':22}{'rows/s':>12}{'ratio':>8}{'our CPU':>10}{'backend':>11}{'broker':>11}"
          f"{'peak RSS':>11}   rates of the rounds, thousands")
    for route, figure in result["routes"].items():
        rates = " ".join(f"{rate / 1000:.0f}" for rate in figure["rates"])
        broker = f"{figure['broker_us']:.2f} µs" if "broker_us" in figure else "–"
        print(f"  {route:22}{figure['rate']:>12,.0f}{figure['rate'] / base['rate']:>8.2f}"
              f"{figure['cpu_us']:>7.2f} µs{figure['backend_us']:>8.2f} µs{broker:>11}"
              f"{figure['memory_mib']:>7.1f} MiB   {rates}")
    print("  ratio: to the rate of COPY TO STDOUT into /dev/null. CPU: µs a row.")
    print_once(result["routes"])
