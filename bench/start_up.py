"""Milliseconds from exec to the first change on stdout, which was waiting."""

import statistics
import subprocess
import time

import contenders
from support.capture import binary
from support.processes import remove_directory, run_directory


def start_up(lab, rounds):
    lab.make_table("start", "CREATE TABLE {t} (id int PRIMARY KEY);")
    lab.server.psql("INSERT INTO bench_start VALUES (1)")
    times = []
    for _ in range(rounds):
        slot, directory = lab.new_run(), run_directory("bench")
        lab.copy_slot("start", slot)
        env = contenders.capture_environment(lab, "start", slot, directory) | {
            "PG_CAPTURE_SINK": "console"}
        started = time.monotonic()
        process = subprocess.Popen([str(binary()), "run"], env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        try:
            process.stdout.readline()
            times.append((time.monotonic() - started) * 1000)
            process.terminate()
            process.communicate(timeout=10)
        finally:
            process.kill()
            process.wait()
        lab.drop_slot(slot)
        remove_directory(directory)
    return statistics.median(times)
