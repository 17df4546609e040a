"""Milliseconds from exec to the first change on stdout, which was waiting."""

import statistics
import subprocess
import time

import contenders
from support.processes import remove_directory, run_directory


def start_up(lab, rounds):
    """{route: median}: one route, or two with another binary."""
    lab.make_table("start", "CREATE TABLE {t} (id int PRIMARY KEY);")
    lab.server.psql("INSERT INTO bench_start VALUES (1)")
    times = {route: [] for route in contenders.with_before(["console"], lambda _: True)}
    for _ in range(rounds):
        for route, measured in times.items():
            measured.append(_start(lab, route))
    return {route: statistics.median(measured) for route, measured in times.items()}


def _start(lab, route):
    slot, directory = lab.new_run(), run_directory("bench")
    lab.copy_slot("start", slot)
    env = contenders.capture_environment(lab, "start", slot, directory) | {
        "PG_CAPTURE_SINK": "console"}
    started = time.monotonic()
    process = subprocess.Popen([str(contenders.program(route)), "run"], env=env,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        process.stdout.readline()
        elapsed_ms = (time.monotonic() - started) * 1000
        process.terminate()
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    lab.drop_slot(slot)
    remove_directory(directory)
    return elapsed_ms
