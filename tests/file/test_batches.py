"""Files, their registry and the position: one truth, from the first start on."""

import gzip
import json
import os
import stat

from support.processes import PATIENCE, wait_until

ROWS = """
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 500) i;
CREATE TABLE none (id int PRIMARY KEY, v text);
"""


def test_what_was_there_and_what_comes_is_in_files_once(place):
    place.sql(ROWS)
    with place.capture() as capture:
        place.wait_loaded("t", place.source("t"))
        place.sql("UPDATE t SET v = 'new' WHERE id <= 100")
        place.sql("DELETE FROM t WHERE id > 490")
        place.sql("UPDATE t SET id = 1000 WHERE id = 1")
        place.sql("INSERT INTO none VALUES (1, 'first')")
        place.wait_loaded("t", place.source("t"))
        place.wait_loaded("none", {"1": "first"})
        assert capture.metric("cdc_files_written_total") == len(place.file_log())
        capture.stop()
    reads = place.changes("t", "full_reload")
    assert sorted(int(r["id"]) for r in reads) == list(range(1, 501))
    assert {r["_op"] for r in reads} == {"READ"}
    assert [f["rows"] for f in place.file_log("full_reload") if f["table"] == "none"] == [0], \
        "a table without rows has a file all the same"
    stream = place.changes("t", "streaming")
    assert len(stream) == 100 + 10 + 2
    places = [(r["_commit_lsn"], int(r["_seq"]), r["_op"]) for r in stream]
    assert len(set(places)) == len(places) and places == sorted(places, key=lambda p: p[:2])


def test_each_file_is_private_and_appears_whole(place):
    place.sql(ROWS)
    with place.capture() as capture:
        place.wait_loaded("t", place.source("t"))
        capture.stop()
    for folder, folders, files in os.walk(place.root):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder
        for name in files:
            assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600, name
    visible = {os.path.relpath(os.path.join(folder, name), place.root)
               for folder, _, files in os.walk(place.root) for name in files
               if name.startswith(("streaming", "full_reload")) and ".pg-capture" not in folder}
    assert visible == {f["path"] for f in place.file_log()}
    checkpoint = json.loads((place.root / "checkpoint.json").read_text(encoding="utf-8"))
    assert checkpoint["pipeline"] == place.slot and checkpoint["seal"] > 0


def test_a_changed_table_begins_another_file(place):
    place.sql(ROWS)
    with place.capture() as capture:
        place.wait_loaded("t", place.source("t"))
        place.sql("BEGIN; INSERT INTO t VALUES (501, 'before'); ALTER TABLE t ADD COLUMN extra int; "
                  "INSERT INTO t VALUES (502, 'after', 7); COMMIT")
        place.wait_loaded("t", place.source("t"))
        capture.stop()
    before, after = place.changes("t", "streaming")
    assert "extra" not in before and after["extra"] == "7"
    files = [f for f in place.file_log("streaming") if f["table"] == "t"]
    assert [f["cut"] for f in files] == [True, False], "one transaction is in both"


def test_tables_of_one_name_and_hostile_names_have_folders_of_their_own(place):
    place.sql("""CREATE SCHEMA other; CREATE TABLE public.t (id int PRIMARY KEY, v text);
                 CREATE TABLE other.t (id int PRIMARY KEY, v text);
                 CREATE TABLE "../up \N{GREEK SMALL LETTER ALPHA}/x" (id int PRIMARY KEY, v text)""")
    with place.capture(source_tables_include="*.*") as capture:
        wait_until(lambda: place.registered() and len(place.file_log("full_reload")) == 3, PATIENCE, "three empty tables")
        place.sql("INSERT INTO public.t VALUES (1, 'a'); INSERT INTO other.t VALUES (1, 'b')")
        place.sql("""INSERT INTO "../up \N{GREEK SMALL LETTER ALPHA}/x" VALUES (1, 'c')""")
        wait_until(lambda: sum(f["rows"] for f in place.file_log("streaming")) == 3, PATIENCE, "three rows")
        capture.stop()
    folders = {(f["schema"], f["table"]): f["path"].split("/")[0] for f in place.file_log()}
    assert len(set(folders.values())) == 3
    assert all(len(f["path"].split("/")) == 3 for f in place.file_log())
    assert not (place.root.parent / "up").exists()
    assert "cdc_registry" not in {schema for schema, _ in folders}, "the registry is not captured"


def test_a_batch_is_closed_by_its_size(place):
    place.sql(ROWS)
    with place.capture(file_batch_interval_secs="86400", file_batch_rows="100") as capture:
        place.wait_loaded("t", place.source("t"))
        for i in range(5):
            place.sql(f"INSERT INTO t SELECT {1000 + i * 120} + n, 'x' FROM generate_series(1, 120) n")
            place.wait_loaded("t", place.source("t"))
        capture.stop()
    sizes = [f["rows"] for f in place.file_log("streaming")]
    assert sizes == [120] * 5, "a transaction is not cut"


def test_idle_it_writes_nothing(place):
    place.sql(ROWS)
    with place.capture() as capture:
        place.wait_loaded("t", place.source("t"))
        wait_until(lambda: place.seal() > 0, PATIENCE, "a seal")
        capture.wait_streaming()
        before = place.seal()
        place.sql("SELECT pg_sleep(5)")
        after = place.seal()
        assert after - before <= 2, "its own commits are no reason to commit"
        capture.stop()


def test_gzip_as_everybody_reads_it(place):
    place.sql(ROWS)
    with place.capture(replication_checkpoint_interval_secs="1", file_batch_interval_secs="3600") as capture:
        place.wait_loaded("t", place.source("t"))
        for i in range(3):
            place.sql(f"INSERT INTO t VALUES ({600 + i}, 'piece {i}')")
            seal = place.seal()
            wait_until(lambda: place.seal() > seal, PATIENCE, "a seal")
        capture.stop()
    open_files = list((place.root / ".pg-capture/open").glob("*/streaming.csv.gz"))
    assert len(open_files) == 1, "the batch is open still"
    with gzip.open(open_files[0], "rt", encoding="utf-8") as lines:
        assert sum(1 for _ in lines) == 1 + 3, "three pieces are one file"
