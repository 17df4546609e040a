"""The broker stopped (SIGSTOP) for a minute under load: memory stays, and it goes on."""

import subprocess
import threading
import time

import contenders
from figures import cpu_seconds, memory_mib, show_progress
from load import Load
from support.processes import remove_directory, run_directory, spawn, wait_until
from workloads import TIMED_ROWS


class _Memory:
    """Highest resident memory of a process since the latest phase() began."""

    def __init__(self, pid):
        self._pid = pid
        self._highest = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="memory", daemon=True)
        self._thread.start()

    def _work(self):
        while not self._stopping.wait(0.05):
            self._highest = max(self._highest, memory_mib(self._pid, "VmRSS"))

    def phase(self):
        """The highest so far; from here on a new phase."""
        highest, self._highest = self._highest, memory_mib(self._pid, "VmRSS")
        return highest

    def stop(self):
        self._stopping.set()
        self._thread.join(5)


def outages(lab, routes, **how):
    """outage() for each of the routes in turn: the figures of the first, and all by their route."""
    figures = {route: outage(lab, route, f"outage_{i}", **how) for i, route in enumerate(routes)}
    return figures[routes[0]] | {"routes": figures}


def outage(lab, route, name, *, seconds, around_seconds):
    """One run: `around_seconds` of load, the broker stopped for `seconds`, then as long again."""
    table = lab.make_table(name, TIMED_ROWS)
    slot = lab.new_run()
    topic = lab.new_topic(name, slot)
    lab.new_slot(slot)
    directory = run_directory("bench")
    env = contenders.producing(lab, route, name, slot, directory)
    with open(directory / "stderr.log", "wb") as stderr:
        process = spawn([contenders.program(route), "run"], env=env, stdout=subprocess.DEVNULL, stderr=stderr)
    memory = _Memory(process.pid)
    try:
        figures = _run(lab, table, slot, topic, process, memory, seconds, around_seconds)
    except BaseException as error:
        said = (directory / "stderr.log").read_text(errors="replace")
        raise RuntimeError(f"outage: {error}\n{said[-4000:]}") from error
    finally:
        memory.stop()
        process.kill()
        process.wait()
        remove_directory(directory)
    lab.drop_slot(slot)
    lab.drop_topic(topic)
    return figures


def _run(lab, table, slot, topic, process, memory, seconds, around_seconds):
    wait_until(lambda: lab.slot_reader(slot) or process.poll() is not None, 30, "pg-capture to stream")
    with Load(lab.server, table) as load:
        show_progress(f"outage: {around_seconds} s of load")
        time.sleep(around_seconds)
        figures = {"before_mib": memory.phase()}
        reader = lab.slot_reader(slot)
        lab.broker.freeze()
        try:
            show_progress(f"outage: the broker is stopped for {seconds} s")
            cpu = cpu_seconds(process.pid)
            time.sleep(seconds)
            figures["during_cores"] = (cpu_seconds(process.pid) - cpu) / seconds
            figures["connection_kept"] = lab.slot_reader(slot) == reader
            figures["during_mib"] = memory.phase()
        finally:
            lab.broker.resume()
        show_progress("outage: the broker goes on")
        resumed, known = time.monotonic(), lab.records(topic)
        wait_until(lambda: lab.records(topic) > known, 60, "records after the outage", interval=0.01)
        figures["first_record_s"] = time.monotonic() - resumed
        wait_until(lambda: lab.records(topic) >= load.rows - 1000, 120, "it to catch up", interval=0.01)
        figures["caught_up_s"] = time.monotonic() - resumed
        time.sleep(around_seconds)
    wait_until(lambda: lab.records(topic) >= load.rows, 60, f"all of {load.rows} rows")
    time.sleep(0.5)
    figures |= {"after_mib": memory.phase(), "rows": load.rows,
                "repeated": lab.records(topic) - load.rows, "stopped_s": seconds,
                "peak_mib": memory_mib(process.pid)}
    if process.poll() is not None:
        raise RuntimeError(f"pg-capture ended with exit code {process.returncode}")
    return figures


def show(result):
    print(f"\noutage: the broker stopped for {result['stopped_s']} s under 5,000 rows/s")
    for route, figures in result["routes"].items():
        print(f"  {route}:")
        _show_one(figures)


def _show_one(figures):
    kept = "kept" if figures["connection_kept"] else "LOST"
    print(f"  memory before {figures['before_mib']:.1f} MiB, during {figures['during_mib']:.1f}, "
          f"after {figures['after_mib']:.1f}; peak {figures['peak_mib']:.1f} MiB; "
          f"CPU during it {figures['during_cores']:.3f} cores")
    print(f"  first record {figures['first_record_s']:.2f} s after the broker, caught up after "
          f"{figures['caught_up_s']:.2f} s; connection to PostgreSQL {kept}; "
          f"{figures['rows']:,} rows, none missing, {figures['repeated']:,} repeated")
