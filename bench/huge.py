"""One transaction of ten million rows into Kafka, taken while it runs and, beside that, kept by the server until its
COMMIT: how long after the COMMIT the last record is there, and what memory that took.

A transaction that writes over time is decoded while it runs. One that writes as fast as the server can is ahead of the
walsender when it commits: what is left then is decoded after the COMMIT, whoever keeps it. Both are measured."""

import subprocess
import time

import contenders
from figures import memory_mib, show_progress
from support.processes import remove_directory, run_directory, spawn, wait_until
from workloads import HUGE_PACE, HUGE_ROWS, ONE_TRANSACTION, PACED_TRANSACTION, SMALL_ROWS

SERVER_KEEPS_IT = {"PG_CAPTURE_STATE_SPILL_LIMIT": "0"}
STILL_SECONDS = 3       # without a further record: that was the last one


def huge(lab, routes):
    rows = HUGE_ROWS // lab.scale
    pace = HUGE_PACE // lab.scale
    _transaction(lab, routes[0], "huge_warm", rows // 10, {}, ONE_TRANSACTION)       # the broker's Java machine compiles

    def both(route, name, statement):
        return {"streamed": _transaction(lab, route, name, rows, {}, statement),
                "kept": _transaction(lab, route, f"{name}_kept", rows, SERVER_KEEPS_IT, statement)}
    paced = PACED_TRANSACTION.replace("{pace}", str(pace))
    figures = {route: both(route, f"huge_{number}", paced) for number, route in enumerate(routes)}
    at_once = {routes[0]: both(routes[0], "huge_at_once", ONE_TRANSACTION)}
    show_progress("")
    return {"rows": rows, "pace": pace, "routes": figures, "at_once": at_once}


def _transaction(lab, route, name, rows, setting, statement):
    show_progress(f"huge: {route}{', kept by the server' if setting else ''}")
    table, slot = lab.make_table(name, SMALL_ROWS), lab.new_run()
    topic = lab.new_topic(name, slot)
    lab.new_slot(slot)
    directory = run_directory("bench")
    env = contenders.producing(lab, route, name, slot, directory) | setting
    with open(directory / "stderr.log", "wb") as stderr:
        process = spawn([contenders.program(route), "run"], env=env, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        wait_until(lambda: lab.slot_reader(slot) or process.poll() is not None, 30, "pg-capture to stream")
        lab.server.psql(statement.format(t=table, inserts=rows), timeout=900)
        committed = time.monotonic()
        return {"seconds": _last_record(lab, topic, rows, process) - committed,
                "memory_mib": memory_mib(process.pid)}
    except BaseException as error:
        said = (directory / "stderr.log").read_text(errors="replace")
        raise RuntimeError(f"huge, {route}: {error}\n{said[-4000:]}") from error
    finally:
        process.kill()
        process.wait()
        remove_directory(directory)
        lab.drop_slot(slot)
        lab.drop_slot(table)
        lab.drop_topic(topic)
        lab.server.psql(f"DROP PUBLICATION {table}; DROP TABLE {table}; CHECKPOINT")


def _last_record(lab, topic, rows, process):
    """When the topic grew for the last time. Its offsets count the marks of Kafka's transactions, too, so that
    there are `rows` of them doesn't say that it is done."""
    deadline = time.monotonic() + 900
    seen, grew = 0, time.monotonic()
    while seen < rows or time.monotonic() < grew + STILL_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"pg-capture ended with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{seen:,} of {rows:,} records after 15 minutes")
        if (now := lab.records(topic)) != seen:
            seen, grew = now, time.monotonic()
        time.sleep(0.02)
    return grew


def show(result):
    print(f"\nhuge: one transaction of {result['rows']:,} rows; COMMIT → last record")
    print(f" written at {result['pace']:,} rows a second")
    _show_routes(result["routes"])
    print(" written at once")
    _show_routes(result["at_once"])


def _show_routes(routes):
    for route, figures in routes.items():
        streamed, kept = figures["streamed"], figures["kept"]
        print(f"  {route}: taken while it runs {streamed['seconds']:.1f} s, peak {streamed['memory_mib']:.1f} MiB; "
              f"kept by the server {kept['seconds']:.1f} s, peak {kept['memory_mib']:.1f} MiB; "
              f"ratio {streamed['seconds'] / kept['seconds']:.2f}")
