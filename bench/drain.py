"""Drains a backlog by every contender in turn and takes their figures.

A drain is over when its last record is safe: written to /dev/null, discarded, or acknowledged
by the broker. Into Kafka the topic must then hold exactly as many records as there were changes.
The time and CPU of pg_recvlogical and of pg-capture include their start; Debezium's begin
when it starts to read its slot, since a Java machine's start is not what is measured here.
"""

import time

import contenders
from debezium import Debezium
from figures import alternating, cpu_seconds, measured, memory_mib, print_forms, print_once, show_progress
from support.processes import remove_directory, run_directory
from workloads import BASELINE, DEBEZIUM, DRAINS, ONCE

DEBEZIUM_STILL_SECONDS_MAX = 90


class Drain:
    """One workload: its backlog is made here, run() drains it by one contender."""

    def __init__(self, lab, name, routes):
        self.lab, self.name = lab, name
        self.routes = [BASELINE, *contenders.with_before(
            routes, lambda route: route != DEBEZIUM and not route.startswith(BASELINE))]
        show_progress(f"{name}: making the backlog")
        self.changes, self.end = lab.make_backlog(name, DRAINS[name])

    def rounds(self, number):
        return {"changes": self.changes, "routes": alternating(self.name, self.routes, number, self.run)}

    def run(self, route):
        slot = self.lab.new_run()
        into_kafka = contenders.into_kafka(route) or route == DEBEZIUM
        topic = self.lab.new_topic(self.name, slot) if into_kafka else None
        self.lab.copy_slot(self.name, slot)
        self.lab.settle()
        walsender = self.lab.ended_backends_cpu()
        broker = cpu_seconds(self.lab.broker.pid) if into_kafka else 0.0
        if route == DEBEZIUM:
            figure = self._debezium(slot, topic)
        else:
            figure = self._process(route, slot)
        if into_kafka:
            figure["broker_us"] = self._per_change(cpu_seconds(self.lab.broker.pid) - broker)
        self.lab.drop_slot(slot)
        figure["walsender_us"] = self._per_change(self.lab.ended_backends_cpu() - walsender)
        if into_kafka:
            self._expect_every_record(route, topic)
            self.lab.drop_topic(topic)
        return figure

    def _per_change(self, seconds):
        return seconds / self.changes * 1e6

    def _expect_every_record(self, route, topic):
        records = self.lab.committed(topic) if ONCE in route else self.lab.records(topic)
        if records != self.changes:
            raise RuntimeError(f"{route}: {records} records in {topic} of {self.changes} changes")

    def _process(self, route, slot):
        """A contender that ends by itself when it is through."""
        directory = run_directory("bench")
        if route.startswith(BASELINE):
            command, env = contenders.recvlogical(self.lab, route, self.name, slot, self.end), None
        else:
            command = contenders.run_until(route, self.end)
            kind = contenders.producing if contenders.into_kafka(route) else contenders.discarding
            env = kind(self.lab, route, self.name, slot, directory)
        figure = measured(route, command, env)
        remove_directory(directory)
        return {"rate": self.changes / figure["seconds"], "seconds": figure["seconds"],
                "memory_mib": figure["memory_mib"], "cpu_us": self._per_change(figure["cpu_s"])}

    def _debezium(self, slot, topic):
        """Watched through the topic. `warm_rate` is that of the second half: a Java machine
        compiles what is hot while it runs."""
        with Debezium(self.lab.server, self.lab.broker, slot=slot,
                      publication=f"bench_{self.name}", prefix=slot) as peer:
            points = self._watch(peer, slot, topic)
            peak = memory_mib(peer.pid)
        first, last = points[0], points[-1]
        middle = next(p for p in points if p[1] >= self.changes / 2)
        return {"rate": self.changes / (last[0] - first[0]), "seconds": last[0] - first[0],
                "memory_mib": peak, "cpu_us": self._per_change(last[2] - first[2]),
                "warm_rate": (last[1] - middle[1]) / max(last[0] - middle[0], 0.05)}

    def _watch(self, peer, slot, topic):
        """(time, records in the topic, CPU seconds) from the start of the reading to its end."""
        points, moved = [], time.monotonic()
        while not points or points[-1][1] < self.changes:
            time.sleep(0.05)
            peer.check()
            point = (time.monotonic(), self.lab.records(topic), cpu_seconds(peer.pid))
            if points and point[1] > points[-1][1] or not points and self.lab.slot_reader(slot):
                moved = point[0]
                points.append(point)
            elif point[0] > moved + DEBEZIUM_STILL_SECONDS_MAX:
                raise RuntimeError(f"Debezium stands still at {point[1]} records\n{peer.tail()}")
        return points


def show(name, result):
    base = result["routes"][BASELINE]
    print(f"\n{name}: {DRAINS[name].what}, {result['changes']:,} changes")
    print(f"  {'':22}{'changes/s':>12}{'ratio':>8}{'our CPU':>10}{'walsender':>11}{'broker':>11}"
          f"{'CPU ratio':>11}{'peak RSS':>11}   rates of the rounds, thousands")
    for route, figure in result["routes"].items():
        rates = " ".join(f"{rate / 1000:.0f}" for rate in figure["rates"])
        broker = f"{figure['broker_us']:.2f} µs" if "broker_us" in figure else "–"
        warm = f"   second half {figure['warm_rate'] / 1000:.0f}" if "warm_rate" in figure else ""
        print(f"  {route:22}{figure['rate']:>12,.0f}{figure['rate'] / base['rate']:>8.2f}"
              f"{figure['cpu_us']:>7.2f} µs{figure['walsender_us']:>8.2f} µs{broker:>11}"
              f"{figure['cpu_us'] / base['walsender_us']:>11.2f}"
              f"{figure['memory_mib']:>7.1f} MiB   {rates}{warm}")
    print_once(result["routes"])
    print_forms(result["routes"])
