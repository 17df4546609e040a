"""Figures off /proc and of processes, and what the bench says while it works."""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

from support.processes import spawn
from workloads import DEBEZIUM, FORMATS, ONCE

_TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """Fields of /proc/PID/stat from the state on: state is 0, utime 11, cutime 13."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_seconds(pid):
    """Processor time of a living process, to 10 ms."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICK


def ended_children_cpu_seconds(pid):
    """Processor time of all children that it has waited for."""
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) / _TICK


def memory_mib(pid, field="VmHWM"):
    """Peak resident memory (VmHWM) or that of now (VmRSS); 0 once the process has ended."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def measured(what, command, env):
    """Runs a process to its end: seconds, CPU seconds, peak of resident memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = spawn(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory_mib(process.pid))
        time.sleep(0.02)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with process.stderr:
        said = process.stderr.read().decode()
    if process.returncode != 0:
        raise RuntimeError(f"{what}: exit code {process.returncode}\n{said}")
    return {"seconds": seconds, "memory_mib": peak,
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def alternating(name, routes, number, run, never_warm=()):
    """Medians of `number` rounds in which run(route) is called for each in turn, forth and back, so
    that nobody always comes after the same neighbour. One round before them warms up and is not
    counted; those for whom that is of no use sit it out."""
    figures = {route: [] for route in routes}
    for turn in range(number + 1):
        for route in routes if turn % 2 == 0 else reversed(routes):
            if turn == 0 and route in never_warm:
                continue
            show_progress(f"{name}: round {turn}/{number}, {route}")
            figure = run(route)
            if turn > 0:
                figures[route].append(figure)
    show_progress("")
    return {route: {key: statistics.median(f[key] for f in runs) for key in runs[0]} | {
                "rates": sorted(round(f["rate"]) for f in runs)}
            for route, runs in figures.items()}


def show_progress(text):
    """Where we are: one line that changes on a terminal, a line each elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def print_forms(routes):
    """Messages of each form beside native ones on the same way, and beside Debezium's."""
    debezium = routes.get(DEBEZIUM)
    for route, figure in routes.items():
        way, _, form = route.rpartition(" ")
        native = routes.get(way)
        if form in FORMATS and native:
            beside = f", {figure['rate'] / debezium['rate']:.1f} x Debezium's" if debezium and "kafka" in way else ""
            print(f"  {route}: {figure['rate'] / native['rate']:.3f} of {way}'s rate, "
                  f"{figure['cpu_us'] / native['cpu_us']:.2f} of its CPU{beside}")


def print_once(routes):
    """Exactly once beside at least once, where both were measured."""
    for route, figure in routes.items():
        other = routes.get(route.removesuffix(ONCE))
        if route.endswith(ONCE) and other:
            print(f"  exactly once: {figure['rate'] / other['rate']:.3f} of {route.removesuffix(ONCE)}'s rate, "
                  f"{figure['cpu_us'] / other['cpu_us']:.2f} of its CPU")
