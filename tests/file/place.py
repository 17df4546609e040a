"""A database whose changes go into files, and a loader that trusts the registry alone."""

import csv
import functools
import gzip
import itertools
import json

from support.capture import Capture, run_capture
from support.processes import wait_until

NAMES = itertools.count(1)


def crc32c_table():
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = (value >> 8) ^ CRC32C[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


@functools.cache
def content(path, _):
    """Checksum and rows of a file as it is, by inode, size and time: whoever waits reads it again and again."""
    data = path.read_bytes()
    rows = list(csv.DictReader(gzip.decompress(data).decode().splitlines(keepends=True), strict=True))
    return f"crc32c:{crc32c(data):08x}", rows


def read_rows(path, size, checksum, count):
    """The rows of a file, which is as it was said to be."""
    found = path.stat()
    assert found.st_size == size, path
    summed, rows = content(path, (found.st_ino, found.st_size, found.st_mtime_ns))
    assert summed == checksum, path
    assert len(rows) == count, path
    return rows


class ByManifests:
    """A loader without the registry: it trusts manifests whose seal is not above that of checkpoint.json, which it has
    read first. What it has taken stays as it was."""

    def __init__(self, root):
        self.root = root
        self.taken = {}  # by url: manifest, entry, rows

    def look(self):
        checkpoint = self.root / "checkpoint.json"
        if not checkpoint.exists():
            return
        sealed = json.loads(checkpoint.read_text(encoding="utf-8"))["seal"]
        for path in sorted(self.root.glob("*/*/manifest.json")):
            try:
                manifest = json.loads(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue  # moved back: its seal is not committed
            for entry in manifest["entries"] if manifest["seal"] <= sealed else []:
                self.take(manifest, entry)

    def take(self, manifest, entry):
        if entry["url"] in self.taken:
            assert self.taken[entry["url"]][:2] == (manifest, entry), "what is final has changed"
            return
        meta = entry["meta"]
        rows = read_rows(self.root / entry["url"], meta["content_length"], meta["checksum"], meta["record_count"])
        self.taken[entry["url"]] = (manifest, entry, rows)

    def changes(self, table, kind):
        """All rows of a table's files of a kind, in order."""
        files = sorted((f for f in self.taken.values() if f[0]["table"] == table and f[0]["type"] == kind),
                       key=lambda f: f[0]["batch"])
        return [row for _, _, rows in files for row in rows]


def newest_rows(changes, key="id"):
    """The table that full_reload files and changes make: of each key what is highest by commit and number.
    `changes`: calls give the rows of a kind of files."""
    newest = {}
    for kind in ("full_reload", "streaming"):
        for row in changes(kind):
            place = (int(row["_commit_lsn"], 16), int(row["_seq"]))
            if row["_op"] == "TRUNCATE":
                newest = {k: v for k, v in newest.items() if v[0] > place}
                continue
            # Of one change that moved a row, the removal comes first.
            if row[key] not in newest or place >= newest[row[key]][0]:
                newest[row[key]] = (place, None if row["_op"] == "DELETE" else row)
    return {k: row for k, (_, row) in newest.items() if row is not None}


class Place:
    """`registry`: the server of the registry, where that is another; it has a database of the same name."""

    def __init__(self, server, root, registry=None, **options):
        self.server = server
        self.registry = registry or server
        self.root = root
        self.db = f"file_{next(NAMES)}"
        self.slot = self.db
        self.more_environment = {}    # of the environment of pg-capture
        self.options = {"file_root": str(root), "file_batch_interval_secs": "1",
                        "replication_checkpoint_interval_secs": "1", **options}
        server.psql(f"CREATE DATABASE {self.db}")
        if registry:
            registry.psql(f"CREATE DATABASE {self.db}")
            self.options |= {"file_registry_host": registry.host, "file_registry_port": str(registry.port)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.drop_slot(self.slot)
        self.server.psql(f"DROP DATABASE {self.db}")

    def sql(self, text):
        self.server.psql(text, db=self.db)

    def rows(self, text):
        return self.server.query(text, db=self.db)

    def value(self, text):
        return self.rows(text)[0][0]

    def registry_rows(self, text):
        return self.registry.query(text, db=self.db)

    def seal(self):
        """The number of the last one."""
        return self.registry_rows("SELECT seal FROM cdc_registry.pipeline")[0][0]

    def environment(self, **options):
        given = {**self.options, **options}
        env = {**self.server.capture_environment(self.db),
               **{f"PG_CAPTURE_{name.upper()}": value for name, value in given.items()}}
        env.setdefault("PG_CAPTURE_SOURCE_SNAPSHOT_MODE", "initial")
        return env | self.more_environment

    def capture(self, **options):
        return Capture(self.environment(**options), slot=self.slot, sink="file")

    def run(self, *arguments, **options):
        """pg-capture ARGUMENTS with the same configuration, to its end."""
        return run_capture(*arguments, env={**self.environment(**options), "PG_CAPTURE_SINK": "file",
                                            "PG_SLOT_NAME": self.slot, "PG_PUBLICATION": f"{self.slot}_pub"})

    # -- what a loader sees ------------------------------------------------------------------

    def file_log(self, kind=None):
        """Rows of cdc_registry.file_log, in the order in which a table's batches rise."""
        rows = self.registry_rows("""SELECT table_schema, table_name, batch, path, type::text, begin_lsn - '0/0', end_lsn - '0/0',
                                  row_count, bytes, checksum, cut
                             FROM cdc_registry.file_log ORDER BY table_schema, table_name, batch""")
        names = ("schema", "table", "batch", "path", "type", "begin", "end", "rows", "bytes", "checksum", "cut")
        files = [dict(zip(names, row)) for row in rows]
        return [f for f in files if kind in (None, f["type"])]

    def registered(self):
        return self.registry_rows("SELECT to_regclass('cdc_registry.file_log') IS NOT NULL")[0][0]

    def read(self, file):
        """The rows of a registered file, which is what the registry says it is."""
        path = self.root / file["path"]
        manifest = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["entries"][0]["meta"]["content_length"] == file["bytes"]
        assert (path.parent / "schema.yml").exists()
        return read_rows(path, file["bytes"], file["checksum"], file["rows"])

    def changes(self, table, kind):
        """All rows of a table's files of a kind, in order."""
        return [row for file in self.file_log(kind) if file["table"] == table for row in self.read(file)]

    def loaded(self, table, key="id"):
        """The table as a loader has it: of each key what is highest by commit and number."""
        return newest_rows(lambda kind: self.changes(table, kind), key)

    def wait_loaded(self, table, expected, key="id", column="v", timeout=60):
        """Until the loader has these rows: a dict of key to the column's text."""
        def there():
            if not self.registered():
                return False
            return {k: row[column] for k, row in self.loaded(table, key).items()} == expected
        wait_until(there, timeout, f"{table} as it was written")

    def source(self, table, key="id", column="v"):
        return {str(k): "" if v is None else str(v) for k, v in self.rows(f"SELECT {key}, {column} FROM {table}")}
