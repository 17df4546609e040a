"""pg-capture files list, verify and clean: what is registered, whether it is so, and what may go."""

import gzip
import json
import shutil
import time

import pytest
from support.processes import PATIENCE, wait_until

TABLES = "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text)"


def fill(place, capture, batches, table="t"):
    """So many batches of a table, one after the other."""
    for _ in range(batches):
        before = len(place.file_log("streaming"))
        place.sql(f"INSERT INTO {table} SELECT coalesce(max(id), 0) + 1, 'a' || E'\\nb' FROM {table}")
        wait_until(lambda: len(place.file_log("streaming")) > before, PATIENCE, "a batch", interval=0.1)
    assert capture.running


@pytest.fixture
def filled(place):
    """Four batches of t, two of u, beside the snapshots' two; nothing runs."""
    place.sql(TABLES)
    with place.capture() as capture:
        wait_until(lambda: place.registered() and len(place.file_log("full_reload")) == 2, PATIENCE, "both tables")
        fill(place, capture, 4)
        fill(place, capture, 2, "u")
        capture.stop()
    return place


def as_json(place, *arguments, code=0, **options):
    done = place.run(*arguments, "--output", "json", **options)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def differences(place, *arguments):
    found = as_json(place, "files", "verify", *arguments, code=1)["differences"]
    return sorted((one["kind"], one["path"]) for one in found)


def expect_sound(place):
    """Each registered file is there; a file whose row is gone by now does not count."""
    for file in place.file_log():
        if not (place.root / file["path"]).exists():
            assert file["path"] not in {f["path"] for f in place.file_log()}, "a row whose file is gone"


# -- list --------------------------------------------------------------------------------------


def test_list_shows_what_is_registered(filled):
    place = filled
    files = as_json(place, "files", "list")["files"]
    assert sorted((f["path"], f["rows"], f["bytes"], f["checksum"], f["type"]) for f in files) == sorted(
        (f["path"], f["rows"], f["bytes"], f["checksum"], f["type"]) for f in place.file_log())
    assert [f["id"] for f in files] == sorted(f["id"] for f in files)
    text = place.run("files", "list").stdout.splitlines()
    assert text[0].split()[:3] == ["TABLE", "TYPE", "ROWS"] and len(text) == 1 + 8
    tables = as_json(place, "files", "list", "--by", "table")["tables"]
    assert [(t["table"], t["batches"], t["rows"]) for t in tables] == [("t", 5, 4), ("u", 3, 2)]
    batches = as_json(place, "files", "list", "public.t", "--by", "batch")["batches"]
    assert len(batches) == 5 and all(b["folder"].startswith("t/") for b in batches)


def test_list_chooses(filled):
    place = filled
    assert len(as_json(place, "files", "list", "public.u")["files"]) == 3
    assert as_json(place, "files", "list", "other.*")["files"] == []
    place.rows("UPDATE cdc_registry.file_log SET loaded = true, loaded_at = now() WHERE table_name = 't' RETURNING id")
    left = as_json(place, "files", "list", "--not-loaded")["files"]
    assert {f["table"] for f in left} == {"u"}
    assert len(as_json(place, "files", "list", "--since", "1h")["files"]) == 8
    assert as_json(place, "files", "list", "--since", "2099-01-01")["files"] == []
    wrong = place.run("files", "list", "--since", "yesterday")
    assert wrong.returncode == 2 and "--since" in wrong.stderr


def test_without_files_or_a_registry_it_says_so(place):
    place.sql(TABLES)
    missing = place.run("files", "list")
    assert missing.returncode == 5 and "does not exist" in missing.stderr, missing.stderr
    nowhere = place.run("files", "verify")
    assert nowhere.returncode == 8 and "no pipeline has written files" in nowhere.stderr, nowhere.stderr
    assert not place.root.exists(), "looking makes nothing"


# -- verify ------------------------------------------------------------------------------------


def test_verify_finds_all_as_registered_and_changes_nothing(filled):
    place = filled
    before = place.rows("SELECT (SELECT count(*) FROM cdc_registry.audit), (SELECT pg_current_wal_lsn() > '0/0')")
    report = as_json(place, "files", "verify")
    assert (report["files"], report["rows"], report["differences"], report["read"]) == (8, 6, [], True)
    assert "all is as registered" in place.run("files", "verify").stdout
    assert "nothing was read" in place.run("files", "verify", "--quick").stdout
    assert before == place.rows("SELECT (SELECT count(*) FROM cdc_registry.audit), "
                                "(SELECT pg_current_wal_lsn() > '0/0')")


def test_verify_names_every_difference(filled):
    place = filled
    t = [f["path"] for f in place.file_log("streaming") if f["table"] == "t"]
    u = [f["path"] for f in place.file_log("streaming") if f["table"] == "u"]
    (place.root / t[0]).unlink()
    flipped = bytearray((place.root / t[1]).read_bytes())
    flipped[-10] ^= 0x40
    (place.root / t[1]).write_bytes(flipped)
    (place.root / t[2]).write_bytes((place.root / t[2]).read_bytes()[:-3])
    with gzip.open(place.root / u[0], "at") as file:
        file.write("INSERT,1\n")
    manifest = place.root / u[1].replace("streaming.csv.gz", "manifest.json")
    manifest.write_text(manifest.read_text().replace('"record_count":1', '"record_count":2'))
    shutil.copytree(place.root / "u" / u[1].split("/")[1], place.root / "u" / "20990101T000000Z")
    (place.root / "u" / "notes").mkdir()
    (place.root / "u" / "notes" / "mine.txt").write_text("a loader's own")
    found = differences(place)
    assert ("missing", t[0]) in found and ("checksum", t[1]) in found and ("size", t[2]) in found
    assert ("size", u[0]) in found and ("manifest", u[1]) in found
    assert ("unregistered", "u/20990101T000000Z") in found
    assert not [path for _, path in found if "notes" in path]
    # What was not read is not known to differ.
    assert ("checksum", t[1]) not in differences(place, "--quick")
    assert {path for _, path in differences(place, "public.u")} == set(u)
    text = place.run("files", "verify").stdout
    assert text.splitlines()[-1].endswith(f"{len(found)} differences.")


def test_verify_looks_at_what_is_being_written(place):
    place.sql(TABLES)
    with place.capture(file_batch_interval_secs="3600") as capture:
        wait_until(lambda: place.registered() and len(place.file_log("full_reload")) == 2, PATIENCE, "both tables")
        place.sql("INSERT INTO t SELECT i, 'x' FROM generate_series(1, 1000) i")
        wait_until(lambda: place.rows("SELECT row_count FROM cdc_registry.batch_progress") == [(1000,)], PATIENCE, "a seal")
        capture.stop()
    assert as_json(place, "files", "verify")["differences"] == []
    one = next((place.root / ".pg-capture/open").glob("*/streaming.csv.gz"))
    whole = one.read_bytes()
    one.write_bytes(whole[:-1])
    assert [kind for kind, _ in differences(place)] == ["open_file"]
    one.write_bytes(whole + b"what a crash left")
    assert as_json(place, "files", "verify")["differences"] == []
    checkpoint = place.root / "checkpoint.json"
    checkpoint.write_text(checkpoint.read_text().replace('"seal":', '"seal":9'))
    assert differences(place) == [("checkpoint", "checkpoint.json")]


def test_verify_beside_a_running_pipeline_raises_no_false_alarm(place):
    place.sql(TABLES)
    with place.capture(file_batch_rows="20", file_retention_batches="3") as capture:
        wait_until(lambda: place.registered() and len(place.file_log("full_reload")) == 2, PATIENCE, "both tables")
        runs = 0
        until = time.monotonic() + 15
        while time.monotonic() < until:
            place.sql("INSERT INTO t SELECT (SELECT coalesce(max(id), 0) FROM t) + i, 'x' FROM generate_series(1, 30) i")
            report = as_json(place, "files", "verify")
            assert report["differences"] == [], report
            runs += 1
        assert runs > 5 and report["files"] > 3
        capture.stop()


# -- clean -------------------------------------------------------------------------------------


def test_clean_without_yes_only_shows(filled):
    place = filled
    before = place.file_log()
    shown = as_json(place, "files", "clean", "--keep", "1")
    assert shown["removed"] is False
    assert [(b["table"], b["files"]) for b in shown["batches"]].count(("t", 1)) == 4
    assert "Nothing is removed without --yes" in place.run("files", "clean", "--keep", "1").stdout
    assert place.file_log() == before
    for file in before:
        place.read(file)
    usage = place.run("files", "clean")
    assert usage.returncode == 2 and "--older-than" in usage.stderr


def test_clean_removes_by_count_age_table_and_what_is_loaded(filled):
    place = filled
    removed = as_json(place, "files", "clean", "public.t", "--keep", "2", "--yes")
    assert removed["removed"] and len(removed["batches"]) == 3
    assert len([f for f in place.file_log() if f["table"] == "t"]) == 2
    assert len([f for f in place.file_log() if f["table"] == "u"]) == 3
    assert len(list((place.root / "t").iterdir())) == 2
    assert [len(b["batches"]) for b in [as_json(place, "files", "clean", "--older-than", "1h", "--yes")]] == [0]
    place.rows("UPDATE cdc_registry.file_log SET loaded = true WHERE path = (SELECT min(path) FROM cdc_registry.file_log "
               "WHERE table_name = 'u' AND type = 'streaming') RETURNING id")
    assert len(as_json(place, "files", "clean", "--older-than", "0s", "--loaded", "--yes")["batches"]) == 1
    assert len(place.file_log()) == 4
    assert as_json(place, "files", "verify")["differences"] == []
    audit = place.rows("SELECT details FROM cdc_registry.audit WHERE what = 'files removed' ORDER BY id")
    assert [a[0].split(":", 1)[1].strip() for a in audit] == [
        "files clean: all but 2 batches of a table", "files clean: older than 0s; loaded"]
    assert not (place.root / ".pg-capture" / "clean.lock").exists()


def test_clean_goes_by_the_configured_retention(filled):
    place = filled
    shown = as_json(place, "files", "clean", file_retention_batches="1")
    assert len(shown["batches"]) == 6
    refused = place.run("files", "clean", file_retention_only_loaded="true")
    assert refused.returncode == 2 and "file.retention" in refused.stderr, refused.stderr


def test_clean_leaves_what_is_not_registered_unless_it_is_asked_for(filled):
    place = filled
    path = place.file_log("streaming")[0]["path"]
    stranger = place.root / "t" / "20990101T000000Z"
    shutil.copytree(place.root / path.rsplit("/", 1)[0], stranger)
    (place.root / "mine").mkdir()
    (place.root / "mine" / "streaming.csv.gz").write_text("of somebody else")
    as_json(place, "files", "clean", "--keep", "1", "--yes")
    assert stranger.exists()
    shown = as_json(place, "files", "clean", "--unregistered")
    assert shown["unregistered"] == ["t/20990101T000000Z"] and stranger.exists()
    with place.capture() as capture:
        capture.wait_streaming()
        refused = place.run("files", "clean", "--unregistered", "--yes")
        assert refused.returncode == 3 and "stop it first" in refused.stderr, refused.stderr
        capture.stop()
    assert as_json(place, "files", "clean", "--unregistered", "--yes")["unregistered"] == ["t/20990101T000000Z"]
    assert not stranger.exists() and (place.root / "mine").exists()


def test_what_a_killed_clean_left_is_finished_by_the_next(filled):
    """Rows first, files after: what is killed in between leaves files, and a list of them."""
    place = filled
    batch = [f for f in place.file_log("streaming") if f["table"] == "t"][0]
    folder = batch["path"].rsplit("/", 1)[0]
    (place.root / ".pg-capture" / "removing.json").write_text(json.dumps(
        {"folders": [{"folder": folder, "paths": [batch["path"]]}]}))
    assert as_json(place, "files", "verify")["differences"] == []
    place.rows(f"DELETE FROM cdc_registry.file_log WHERE path = '{batch['path']}' RETURNING id")
    report = as_json(place, "files", "verify")
    assert report["differences"] == [] and report["under_way"] == [folder]
    as_json(place, "files", "clean", "--older-than", "1h", "--yes")
    assert not (place.root / folder).exists() and not (place.root / ".pg-capture" / "removing.json").exists()
    assert as_json(place, "files", "verify")["under_way"] == []


# -- retention ---------------------------------------------------------------------------------


def test_a_running_pipeline_removes_what_is_too_old(filled):
    place = filled
    with place.capture(file_retention_batches="2") as capture:
        wait_until(lambda: len(place.file_log()) == 4, PATIENCE, "old batches to go", interval=0.05)
        wait_until(lambda: capture.metric("cdc_files_removed_total") == 4, PATIENCE, "the metric")
        assert capture.metric("cdc_files_removed_bytes_total") > 0
        fill(place, capture, 1)
        expect_sound(place)
        capture.stop()
    assert {p.name for p in (place.root / "t").iterdir()} == {f["batch"] for f in place.file_log() if f["table"] == "t"}
    assert as_json(place, "files", "verify")["differences"] == []


def test_what_no_loader_has_marked_is_kept(filled):
    place = filled
    place.rows("UPDATE cdc_registry.file_log SET loaded = true WHERE table_name = 'u' RETURNING id")
    with place.capture(file_retention_batches="1", file_retention_only_loaded="true") as capture:
        wait_until(lambda: len([f for f in place.file_log() if f["table"] == "u"]) == 1, PATIENCE, "loaded ones to go")
        assert len([f for f in place.file_log() if f["table"] == "t"]) == 5
        capture.stop()


def test_a_role_that_may_not_remove_is_warned_and_goes_on(filled):
    place = filled
    place.sql(f"""CREATE ROLE "r_{place.db}" LOGIN PASSWORD 'x';
        GRANT USAGE ON SCHEMA cdc_registry TO "r_{place.db}";
        GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA cdc_registry TO "r_{place.db}";
        GRANT DELETE ON cdc_registry.batch_progress TO "r_{place.db}";""")
    with place.capture(file_retention_batches="1", file_registry_username=f"r_{place.db}") as capture:
        capture.wait_for_log("old files could not be removed")
        assert "GRANT SELECT, INSERT, DELETE ON cdc_registry.file_log" in capture.stderr
        checked = place.run("check", "--output", "json", file_retention_batches="1",
                            file_registry_username=f"r_{place.db}")
        finding = next(f for f in json.loads(checked.stdout)["findings"] if f["id"] == "file_retention")
        assert finding["level"] == "warning" and "GRANT DELETE" in finding["hint"], finding
        fill(place, capture, 1)
        capture.stop()
    assert len([f for f in place.file_log() if f["table"] == "t"]) == 6
    place.sql(f"""DROP OWNED BY "r_{place.db}"; DROP ROLE "r_{place.db}" """)
