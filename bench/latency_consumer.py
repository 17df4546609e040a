#!/usr/bin/python3
"""Reads a topic as it grows and says how old its rows were: a process of its own.

    latency_consumer.py BOOTSTRAP TOPIC

Says "ready" when it follows; then takes every record until a line comes on stdin, "COUNT SKIP":
goes on until COUNT records are read, and prints one line of JSON about those after the first
SKIP. It polls record by record: consume() of the Python client waits out its time limit.
"""

import json
import pathlib
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from support.kafka_client import confluent_kafka  # noqa: E402

WRITTEN = re.compile(rb'"written_us":"?(\d+)')
PATIENCE_SECONDS = 30.0


def percentile(ordered, part):
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] / 1000


def main():
    bootstrap, topic = sys.argv[1:]
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "latency", "enable.auto.commit": False,
        "auto.offset.reset": "earliest"})
    place = confluent_kafka.TopicPartition(topic, 0, 0)
    consumer.assign([place])
    consumer.get_watermark_offsets(place, 10)
    print("ready", flush=True)

    limits = []     # COUNT and SKIP
    threading.Thread(target=lambda: limits.extend(map(int, sys.stdin.readline().split())),
                     daemon=True).start()
    ages_us, last = [], time.monotonic()
    while not limits or len(ages_us) < limits[0]:
        message = consumer.poll(0.5)
        if message is None or message.error():
            if limits and time.monotonic() - last > PATIENCE_SECONDS:
                break
            continue
        now = time.time()
        last = time.monotonic()
        ages_us.append(now * 1e6 - int(WRITTEN.search(message.value()).group(1)))
    consumer.close()
    counted = sorted(ages_us[limits[1]:])
    print(json.dumps({"records": len(ages_us), "p50_ms": percentile(counted, 0.5),
                      "p99_ms": percentile(counted, 0.99), "max_ms": counted[-1] / 1000}
                     if counted else {"records": len(ages_us)}), flush=True)


if __name__ == "__main__":
    main()
