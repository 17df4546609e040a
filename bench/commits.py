"""What a commit costs that touches 1, 100 or 2,000 tables, each with a topic of its own: at least once and exactly once.

Commits come one at a time, at a steady trickle. A commit's latency is from COMMIT's return until a reader of committed
records has those of the first, the middle and the last table. (One that reads 2,000 topics is slower than what is
measured here.) Broker and pg-capture are charged with what they use beyond idling.
"""

import collections
import statistics
import subprocess
import time

import contenders
from figures import cpu_seconds, show_progress
from support.kafka_client import confluent_kafka
from support.processes import remove_directory, run_directory, spawn, wait_until
from workloads import COMMIT_TABLES, COMMITS_A_SECOND, COMMITS_SETUP, ONCE

NAME = "commits"
WARM_UP = 2             # commits before each measurement: topics are looked up, a Java machine compiles
IDLE_SECONDS = 2
SECONDS = 6             # of each measurement
PATIENCE_SECONDS = 60


class Commits:
    def __init__(self, lab, routes):
        self.lab = lab
        self.routes = contenders.with_before(routes, lambda _: True)
        self.sizes = [max(1, tables // lab.scale) for tables in COMMIT_TABLES]
        show_progress(f"{NAME}: making {self.sizes[-1]} tables and topics")
        lab.server.psql(COMMITS_SETUP.format(tables=self.sizes[-1]))
        self.topics = [f"{NAME}.{NAME}.t{number}" for number in range(self.sizes[-1])]
        lab.broker.create_topics(self.topics)

    def run(self):
        figures = {route: self._route(route) for route in self.routes}
        show_progress("")
        return {"routes": figures}

    def _route(self, route):
        slot, directory = self.lab.new_run(), run_directory("bench")
        self.lab.new_slot(slot)
        env = contenders.producing(self.lab, route, NAME, slot, directory) | {"KAFKA_TOPIC_PREFIX": NAME}
        with open(directory / "stderr.log", "wb") as stderr:
            process = spawn([contenders.program(route), "run"], env=env, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            wait_until(lambda: self.lab.slot_reader(slot) or process.poll() is not None, 90, f"{route} to stream")
            return self._measure(route, process)
        except BaseException as error:
            raise RuntimeError(f"{route}: {error}\n{(directory / 'stderr.log').read_text(errors='replace')}") from error
        finally:
            process.kill()
            process.wait()
            remove_directory(directory)
            self.lab.drop_slot(slot)

    def _measure(self, route, process):
        watched = {"cpu": process.pid, "broker": self.lab.broker.pid}
        with self.lab.server.connect() as connection:
            return {tables: self._size(route, connection, watched, tables) for tables in self.sizes}

    def _size(self, route, connection, watched, tables):
        show_progress(f"{NAME}: {route}, {tables} tables")
        latencies = []
        with Reader(self.lab.broker, {self.topics[i] for i in (0, tables // 2, tables - 1)}) as reader:
            def commit():
                (number,) = connection.execute("SELECT commits.touch(%s)", (tables,)).fetchone()
                return reader.wait_for(number)

            for _ in range(WARM_UP):
                commit()
            began = time.monotonic()
            cores = self._cores(watched, lambda: self._trickle(reader, lambda: latencies.append(commit())))
            rate = len(latencies) / (time.monotonic() - began)
            idle = self._cores(watched, lambda: reader.idle(IDLE_SECONDS))      # afterwards: the broker is warm
        return {"commits": len(latencies), "rate": rate, "p50_ms": statistics.median(latencies) * 1000,
                "p99_ms": sorted(latencies)[int(len(latencies) * 0.99)] * 1000,
                **{f"{key}_ms": max(0.0, cores[key] - idle[key]) / rate * 1000 for key in watched}}

    def _trickle(self, reader, commit):
        seconds, began = SECONDS // self.lab.scale or 1, time.monotonic()
        number = 0
        while time.monotonic() < began + seconds:
            commit()
            number += 1
            reader.idle(began + number / COMMITS_A_SECOND - time.monotonic())

    @staticmethod
    def _cores(watched, work):
        """Processor time a second of each while `work` is done."""
        began, before = time.monotonic(), {key: cpu_seconds(pid) for key, pid in watched.items()}
        work()
        return {key: (cpu_seconds(pid) - before[key]) / (time.monotonic() - began) for key, pid in watched.items()}


class Reader:
    """Of committed records, in some topics from their beginning."""

    def __init__(self, broker, topics):
        self._topics = len(topics)
        self._seen = collections.Counter()      # number of a commit -> its records
        self._consumer = confluent_kafka.Consumer({
            "bootstrap.servers": broker.bootstrap, "group.id": NAME, "enable.auto.commit": False,
            "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
        self._consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0) for topic in topics])

    def _poll(self, seconds):
        message = self._consumer.poll(seconds)
        if message is not None and not message.error():
            self._seen[int(message.value().split(b'"number":')[1].split(b"}")[0])] += 1

    def idle(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._poll(left)

    def wait_for(self, number):
        """Returns after how many seconds a commit's record was there in each topic."""
        began = time.monotonic()
        while self._seen[number] < self._topics:
            if time.monotonic() > began + PATIENCE_SECONDS:
                raise TimeoutError(f"a commit's records came in {self._seen[number]} of {self._topics} topics")
            self._poll(1)
        return time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._consumer.close()


def show(result):
    print(f"\n{NAME}: at most {COMMITS_A_SECOND} commits a second, of one change in each of so many tables; "
          "COMMIT → all of it seen by a consumer")
    print(f"  {'':22}{'tables':>8}{'commits/s':>11}{'p50':>10}{'p99':>10}{'our CPU':>13}{'broker':>12}   CPU: of a commit, beyond idling")
    for route, sizes in result["routes"].items():
        for tables, f in sizes.items():
            print(f"  {route:22}{tables:>8,}{f['rate']:>11.1f}{f['p50_ms']:>7.1f} ms{f['p99_ms']:>7.1f} ms"
                  f"{f['cpu_ms']:>10.2f} ms{f['broker_ms']:>9.2f} ms")
    for route, sizes in result["routes"].items():
        other = result["routes"].get(route.removesuffix(ONCE))
        if route.endswith(ONCE) and other:
            print("  exactly once, p50: " + ", ".join(
                f"{f['p50_ms'] - other[tables]['p50_ms']:+.1f} ms with {tables:,} tables" for tables, f in sizes.items()))
