"""The first start: tables are exported largest first, several at a time, and those that are done wait for no other."""

from support.processes import PATIENCE, wait_until

LARGE = 60_000


def test_no_finished_table_waits_for_a_large_one(place):
    place.sql(f"""
        CREATE TABLE small (id int PRIMARY KEY, v text);
        INSERT INTO small SELECT i, 'v' || i FROM generate_series(1, 100) i;
        CREATE TABLE large (id int PRIMARY KEY, v text);
        INSERT INTO large SELECT i, 'v' || i FROM generate_series(1, {LARGE}) i""")
    slow = {"source_snapshot_rows_per_second": "1000", "source_snapshot_chunk_rows": "1000",
            "source_snapshot_hold_secs": "1"}

    def exported():
        return {f["table"] for f in place.file_log("full_reload")} if place.registered() else set()

    with place.capture(**slow) as capture:
        wait_until(lambda: "small" in exported(), PATIENCE, "the small table's export")
        place.sql("UPDATE small SET v = 'new' WHERE id = 1; DELETE FROM small WHERE id = 2")
        place.wait_loaded("small", place.source("small"))
        assert exported() == {"small"}, "the large one is not done"
        capture.kill()
    with place.capture() as capture:
        place.sql("UPDATE large SET v = 'new' WHERE id <= 10")
        wait_until(lambda: "large" in exported(), PATIENCE, "the large table's export")
        place.wait_loaded("large", place.source("large"))
        place.wait_loaded("small", place.source("small"))
        assert len(place.changes("small", "full_reload")) == 100, "it was not exported again"
        capture.stop()


def test_files_of_many_tables_are_right_however_many_write_them(place):
    tables = 40
    place.sql(f"""
        DO $$ BEGIN FOR i IN 1 .. {tables} LOOP
          EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, v text)', i);
          EXECUTE format('INSERT INTO t%s SELECT k, repeat(md5(k::text), 20) FROM generate_series(1, 1500) k', i);
        END LOOP; END $$""")
    with place.capture(file_writers="4", file_layout="{schema}/{table}/dt={date}/{time}-{sequence}",
                       file_url="s3://bucket/shop") as capture:
        wait_until(lambda: place.registered() and len(place.file_log("full_reload")) == tables, PATIENCE, "all exports")
        place.sql(f"""
            DO $$ BEGIN FOR round IN 1 .. 3 LOOP FOR i IN 1 .. {tables} LOOP
              EXECUTE format('UPDATE t%s SET v = %L WHERE id %% 3 = 0', i, 'round ' || round);
            END LOOP; COMMIT; END LOOP; END $$""")
        wait_until(lambda: sum(f["rows"] for f in place.file_log("streaming")) == tables * 3 * 500, PATIENCE, "all changes")
        capture.stop()
    for file in place.file_log():
        rows = place.read(file)
        assert file["path"].startswith(f"public/{file['table']}/dt=20")
        places = [(r["_commit_lsn"], int(r["_seq"])) for r in rows]
        if file["type"] == "streaming":
            assert places == sorted(set(places)), file["path"]
    for table in ("t1", f"t{tables}"):
        assert {k: row["v"] for k, row in place.loaded(table).items()} == place.source(table)


def test_tables_of_one_name_in_two_schemas_have_a_place_each(place):
    place.sql("CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c; CREATE TABLE a.t (id int PRIMARY KEY, v text);"
              "CREATE TABLE b.t (id int PRIMARY KEY, v text); INSERT INTO a.t VALUES (1, 'a'); INSERT INTO b.t VALUES (1, 'b')")

    def places():
        return {f["path"].split("/")[0] for f in place.file_log()} if place.registered() else set()

    with place.capture(file_layout="{schema}/{table}/{timestamp}") as capture:
        wait_until(lambda: places() == {"a", "b"}, PATIENCE, "both tables")
        place.sql("CREATE TABLE c.t (id int PRIMARY KEY, v text); INSERT INTO c.t VALUES (1, 'c')")
        wait_until(lambda: places() == {"a", "b", "c"}, PATIENCE, "the table that came later")
        capture.stop()
    with place.capture() as capture:  # where they would meet they part
        place.sql("INSERT INTO a.t VALUES (2, 'a'); INSERT INTO b.t VALUES (2, 'b'); INSERT INTO c.t VALUES (2, 'c')")
        wait_until(lambda: len(places() - {"a", "b", "c"}) == 3, PATIENCE, "three folders below the root")
        capture.stop()
