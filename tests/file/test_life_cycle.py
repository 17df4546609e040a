"""The whole life of files in one test: a first start without a slot, exports in parallel, changes meanwhile, batches, a
statement that alters a table, a reload, and a registry that agrees with the disk in the end.

Servers before 14 show no messages to us: there a reload is ordered by command, and nothing is known of statements."""

import json

import pytest
from place import ByManifests, Place, newest_rows
from support.processes import PATIENCE, wait_until
from support.servers import PostgresServer

ROWS = {"orders": 30_000, "items": 8_000, "users": 50}
SLOWLY = {"source_snapshot_rows_per_second": "20000", "source_snapshot_chunk_rows": "1000",
          "source_snapshot_hold_secs": "1"}
TOKEN = "life-token"


@pytest.fixture(params=["10", "13", "15", "18"])
def shop(request, tmp_path):
    with PostgresServer(request.param) as server, Place(server, tmp_path / "files") as place:
        place.version = int(request.param)
        for table, rows in ROWS.items():
            place.sql(f"CREATE TABLE {table} (id int PRIMARY KEY, v text);"
                      f"INSERT INTO {table} SELECT i, 'v' || i FROM generate_series(1, {rows}) i; ANALYZE {table}")
        yield place


def states(place, what):
    return dict(place.rows(f"SELECT table_name, {what}"))


def test_from_the_first_start_to_a_reload(shop):
    place, loader = shop, ByManifests(shop.root)
    reports_ddl = place.version >= 14
    if reports_ddl:
        assert place.run("init", "--ddl").returncode == 0
    assert place.server.slot(place.slot) is None

    with place.capture(http_token=TOKEN, **SLOWLY) as capture:
        # The slot is made, exports begin, rows are written meanwhile; who is done waits for nobody.
        wait_until(lambda: place.server.slot(place.slot) is not None, PATIENCE, "the slot")
        place.sql("UPDATE orders SET v = 'early' WHERE id % 3000 = 0; DELETE FROM items WHERE id <= 10;"
                  "INSERT INTO users VALUES (1000, 'early')")
        exported = lambda: {f["table"] for f in place.file_log("full_reload")} if place.registered() else set()
        wait_until(lambda: "users" in exported(), PATIENCE, "the export of the smallest")
        place.sql("UPDATE users SET v = 'streamed' WHERE id = 1")
        place.wait_loaded("users", place.source("users"))
        wait_until(lambda: exported() == set(ROWS), PATIENCE, "all exports")
        loader.look()
        assert states(place, "state FROM cdc_registry.table_state") == dict.fromkeys(ROWS, "streaming")

        # Batches close, their files are there and right.
        for n in range(3):
            place.sql(f"UPDATE orders SET v = 'batch {n}' WHERE id <= 100")
            place.wait_loaded("orders", place.source("orders"))
        assert len({f["batch"] for f in place.file_log("streaming") if f["table"] == "orders"}) >= 3

        # A table is altered: another file begins, and where DDL is reported the statement is with it.
        place.sql("ALTER TABLE orders ADD COLUMN note text")
        place.sql("UPDATE orders SET note = 'noted' WHERE id <= 5")
        altered = lambda: [r for r in place.changes("orders", "streaming") if r.get("note") == "noted"]
        wait_until(lambda: len(altered()) == 5, PATIENCE, "rows with the new column")
        if reports_ddl:
            file = place.file_log("ddl")[-1]
            assert "ALTER TABLE orders ADD COLUMN note text" in (place.root / file["path"]).read_text(encoding="utf-8")
            assert place.rows("SELECT command, object_name FROM cdc_registry.ddl_history ORDER BY id")[-1] == (
                "ALTER TABLE", "orders")

        # A reload is ordered; its markers are seen; it is complete and meets the stream.
        if reports_ddl:
            place.sql("COMMENT ON TABLE orders IS 'EXPORT_START for the warehouse'")
        else:
            done = place.run("reload", "public.orders", http_token=TOKEN,
                             http_listen=capture.environment["PG_CAPTURE_HTTP_LISTEN"])
            assert done.returncode == 0, done.stderr
        reloads = lambda: place.rows("SELECT state, start_lsn < end_lsn, row_count FROM cdc_registry.reload_operation")
        wait_until(lambda: reloads() and reloads()[0][0] in ("running", "complete"), PATIENCE, "the reload's begin")
        place.sql("UPDATE orders SET v = 'while it is reloaded' WHERE id % 1000 = 0")
        wait_until(lambda: reloads()[0][0] == "complete", PATIENCE, "the reload's end")
        assert reloads() == [("complete", True, ROWS["orders"])]
        seen = [d for (d,) in place.rows("SELECT details FROM cdc_registry.audit WHERE what = 'state of a table' ORDER BY id")
                if d.startswith("public.orders:")]
        assert [d.split(": ")[1] for d in seen][-3:] == ["pending_reload", "reloading", "streaming"]
        if reports_ddl:
            place.sql("COMMENT ON TABLE orders IS 'EXPORT_END'")

        for table in ROWS:
            place.wait_loaded(table, place.source(table))
        assert capture.metric("cdc_table_mode") == 0
        capture.stop()

    # Nothing is twice, for either loader; registry and disk agree.
    loader.look()
    for table in ROWS:
        for source in (place, loader):
            changes = source.changes(table, "streaming")
            assert len({(r["_commit_lsn"], r["_seq"], r["_op"]) for r in changes}) == len(changes)
            rows = newest_rows(lambda kind, source=source, table=table: source.changes(table, kind))
            assert {key: row["v"] for key, row in rows.items()} == place.source(table)
    verified = place.run("files", "verify", "--output", "json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["differences"] == []
