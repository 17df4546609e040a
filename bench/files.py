"""Files: a backlog into gzipped CSV and JSON, an export of a table, and memory with many tables.

Drains are judged beside pg_recvlogical, the export beside COPY piped through `gzip -1`, which is what people run
today. A run counts if the registry has as many rows as there were changes: in complete files, or in those that are
still open and durable. Its registry is in another database, so that it writes nothing into the log that is read.
"""

import shlex

import contenders
from figures import alternating, measured, show_progress
from support.processes import remove_directory, run_directory
from workloads import (BASELINE, EXPORT_BASELINE, EXPORT_ROUTES, FILE_ROUTES, FILE_TABLES, FILE_TABLES_ROUNDS,
                       FILE_TABLES_SETUP, FILES, SMALL_ROWS, SNAPSHOT_ROWS, SNAPSHOT_SETUP)

NAME = "files"
EXPORT = "export"
REGISTRY = "bench_registry"
MEMORY_MIB_MAX = 96


class Files:
    def __init__(self, lab, wanted):
        self.lab = lab
        lab.server.psql(f"CREATE DATABASE {REGISTRY}")
        self.drains = [BASELINE, *contenders.with_before(wanted(FILE_ROUTES), lambda _: True)]
        self.exports = [EXPORT_BASELINE, *contenders.with_before(wanted(EXPORT_ROUTES), lambda _: True)]
        self.rows = SNAPSHOT_ROWS // lab.scale

    def run(self, rounds):
        result = {}
        self._make_registry()
        if len(self.drains) > 1:
            show_progress(f"{NAME}: making the backlog")
            self.changes, self.end = self.lab.make_backlog(NAME, FILES)
            result |= {"changes": self.changes, "routes": alternating(NAME, self.drains, rounds, self._drain)}
        if len(self.exports) > 1:
            show_progress(f"{NAME}: making {self.rows:,} rows")
            self.table = self.lab.make_table(EXPORT, SNAPSHOT_SETUP, rows=self.rows)
            self.lab.drop_slot(self.table)
            self.lab.server.psql(f"VACUUM (FREEZE, ANALYZE) {self.table}; CHECKPOINT", timeout=600)
            result |= {"rows": self.rows, "export": alternating(EXPORT, self.exports, rounds, self._export)}
        if len(self.drains) > 1:
            counts = [1, FILE_TABLES // self.lab.scale]
            result["memory"] = {tables: self._memory(tables) for tables in counts}
            show_progress("")
        return result

    # -- runs ------------------------------------------------------------------------------

    def _make_registry(self):
        """One that is missing beside a slot that is there would stop the start."""
        slot, directory = self.lab.new_run(), run_directory("bench")
        self.lab.make_table("first", SMALL_ROWS)
        self.lab.drop_slot("bench_first")
        env = contenders.into_files(self.lab, "file csv", "first", slot, directory, REGISTRY)
        measured("registry", contenders.snapshot_only("file csv"), env | {"PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "only"})
        self.lab.drop_slot(slot)
        remove_directory(directory)

    def _drain(self, route):
        slot, directory = self.lab.new_run(), run_directory("bench")
        self.lab.copy_slot(NAME, slot)
        self.lab.settle()
        walsender = self.lab.ended_backends_cpu()
        if route == BASELINE:
            figure = measured(route, contenders.recvlogical(self.lab, route, NAME, slot, self.end), None)
        else:
            env = contenders.into_files(self.lab, route, NAME, slot, directory, REGISTRY)
            figure = measured(route, contenders.run_until(route, self.end), env)
        self.lab.drop_slot(slot)
        walsender = self.lab.ended_backends_cpu() - walsender
        if route != BASELINE:
            self._expect(route, slot, self.changes)
        size = _bytes_below(directory)
        remove_directory(directory)
        return {"rate": self.changes / figure["seconds"], "seconds": figure["seconds"],
                "memory_mib": figure["memory_mib"], "cpu_us": figure["cpu_s"] / self.changes * 1e6,
                "walsender_us": walsender / self.changes * 1e6, "bytes_a_row": size / self.changes}

    def _export(self, route):
        slot, directory = self.lab.new_run(), run_directory("bench")
        self.lab.settle()
        if route == EXPORT_BASELINE:
            copy = shlex.join(map(str, contenders.copy_to_nowhere(self.lab, self.table)))
            command, env = ["/bin/sh", "-c", f"{copy} | gzip -1 > {directory}/copy.gz"], None
        else:
            command = contenders.snapshot_only(route)
            env = contenders.into_files(self.lab, route, EXPORT, slot, directory, REGISTRY) | {
                "PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "only"}
        figure = measured(route, command, env)
        if route != EXPORT_BASELINE:
            self.lab.drop_slot(slot)
            self._expect(route, slot, self.rows)
        size = _bytes_below(directory)
        if size < self.rows:
            raise RuntimeError(f"{route}: {size} bytes of {self.rows} rows")
        remove_directory(directory)
        return {"rate": self.rows / figure["seconds"], "seconds": figure["seconds"],
                "memory_mib": figure["memory_mib"], "cpu_us": figure["cpu_s"] / self.rows * 1e6,
                "bytes_a_row": size / self.rows}

    def _memory(self, tables):
        """Peak of resident memory with so many tables, each of which changes again and again, over some batches."""
        show_progress(f"{NAME}: memory with {tables} tables")
        schema = f"many_{tables}"
        self.lab.server.psql(FILE_TABLES_SETUP.format(s=schema, tables=tables), timeout=900)
        slot, directory = self.lab.new_run(), run_directory("bench")
        self.lab.new_slot(slot)
        for _ in range(FILE_TABLES_ROUNDS):
            self.lab.server.psql(f"CALL {schema}.touch()", timeout=900)
        changes = tables * FILE_TABLES_ROUNDS * 100
        env = contenders.into_files(self.lab, "file csv", schema, slot, directory, REGISTRY) | {
            "PG_CAPTURE_FILE_BATCH_INTERVAL_SECS": "5"}
        figure = measured(f"{tables} tables", contenders.run_until("file csv", self.lab.server.end_of_log()), env)
        self.lab.drop_slot(slot)
        self._expect(f"{tables} tables", slot, changes)
        remove_directory(directory)
        return {"changes": changes, "seconds": figure["seconds"], "memory_mib": figure["memory_mib"]}

    def _expect(self, route, pipeline, rows):
        with self.lab.server.connect(REGISTRY) as connection:
            (found,) = connection.execute(
                "SELECT (SELECT coalesce(sum(row_count), 0) FROM cdc_registry.file_log WHERE pipeline = %s) + "
                "(SELECT coalesce(sum(row_count), 0) FROM cdc_registry.batch_progress WHERE pipeline = %s)",
                (pipeline, pipeline)).fetchone()
        if found != rows:
            raise RuntimeError(f"{route}: {found} rows in files of {rows}")


def _bytes_below(directory):
    return sum(path.stat().st_size for path in directory.rglob("*") if path.suffix in (".gz", ".zst"))


def _table(routes, base, what):
    print(f"  {'':22}{what:>12}{'ratio':>8}{'our CPU':>10}{'bytes a row':>13}{'peak RSS':>11}"
          "   rates of the rounds, thousands")
    for route, figure in routes.items():
        rates = " ".join(f"{rate / 1000:.0f}" for rate in figure["rates"])
        print(f"  {route:22}{figure['rate']:>12,.0f}{figure['rate'] / base['rate']:>8.2f}{figure['cpu_us']:>7.2f} µs"
              f"{figure['bytes_a_row']:>13.1f}{figure['memory_mib']:>7.1f} MiB   {rates}")


def show(result):
    if "routes" in result:
        print(f"\n{NAME}: {FILES.what} into files, {result['changes']:,} changes")
        _table(result["routes"], result["routes"][BASELINE], "changes/s")
    if "export" in result:
        print(f"\n{EXPORT}: a table of {result['rows']:,} rows into files; ratio: to COPY piped through gzip -1")
        _table(result["export"], result["export"][EXPORT_BASELINE], "rows/s")
    for tables, figure in result.get("memory", {}).items():
        print(f"  {tables:,} tables, {figure['changes']:,} changes in batches of 5 s: "
              f"peak RSS {figure['memory_mib']:.1f} MiB (at most {MEMORY_MIB_MAX} wanted)")
