"""Snapshots that are ordered while the stream runs: by command, API, signal table and message."""

import json
import time
import urllib.error
import urllib.request

import pytest
from churn import Churn, Tables
from ground import COMPLETE, TOKEN
from support.processes import wait_until
from support.replica import Replica
from support.servers import VERSIONS

ROWS = 2_000
SLOWLY = {"source_snapshot_rows_per_second": 250, "source_snapshot_chunk_rows": 50}


def fill(table, rows=ROWS):
    return (f"CREATE TABLE {table} (id int PRIMARY KEY, v text); "
            f"INSERT INTO {table} SELECT i, 'v' || i FROM generate_series(1, {rows}) i; ANALYZE {table};")


@pytest.fixture
def streaming(grounds):
    """Calls make tables and a pg-capture that streams without having read them."""
    def begin(sql, server=None, **options):
        ground = grounds(*([server] if server else []), **{"source_snapshot_mode": "never", **options})
        ground.sql(sql)
        ground.capture(http=True).wait_streaming()
        return ground
    return begin


def ids(ground, table="t"):
    return sorted(row["id"] for row in ground.rows(table))


def test_a_table_is_read_on_command_while_the_stream_goes_on(streaming):
    ground = streaming(fill("t") + fill("u"))
    ground.command("public.t", "--wait")
    assert ids(ground) == list(range(1, ROWS + 1))
    assert not ground.rows("u")
    ground.sql("UPDATE t SET v = 'later' WHERE id = 1")
    ground.wait_streamed()
    assert [m["op"] for m in ground.of("t")] == ["READ"] * ROWS + ["UPDATE"]
    ground.process.stop()


def test_a_condition_chooses_rows(streaming):
    ground = streaming(fill("t"))
    ground.command("public.t", "--where", "id % 100 = 7 AND v <> 'v107'", "--wait")
    assert ids(ground) == [i for i in range(1, ROWS + 1) if i % 100 == 7 and i != 107]
    ground.process.stop()


def test_a_pattern_chooses_tables(streaming):
    ground = streaming(fill("red_a", 20) + fill("red_b", 30) + fill("blue", 40))
    ground.command("public.red_*", "--wait")
    assert len(ground.rows("red_a")) == 20 and len(ground.rows("red_b")) == 30 and not ground.rows("blue")
    ground.process.stop()


def test_what_cannot_be_is_refused_with_its_reason(streaming):
    ground = streaming(fill("t"))
    ground.command("public.no_such_table", "--id", "none", "--wait", code=1)
    ground.command("public.t", "--where", "no_such_column = 1", "--id", "wrong", "--wait", code=1)
    reports = ground.snapshots()
    assert "no_such_column" in reports["wrong"]["reason"]
    assert reports["none"]["state"] == reports["wrong"]["state"] == "failed"
    ground.command("public.t", "--id", "x y", code=2)
    ground.sql("INSERT INTO t VALUES (-1, 'still there')")
    ground.wait_streamed()
    assert [m["op"] for m in ground.of("t")] == ["INSERT"], "the stream did not notice"
    ground.process.stop()


@pytest.mark.parametrize("condition", [
    "id > 0; DROP TABLE t", "true /*", "true --", "true) OR (true",
    "true)) TO STDOUT; COMMIT; DROP TABLE t; --", "true); COMMIT; DROP TABLE t; SELECT (1",
    "true)) TO STDOUT; COMMIT; DROP TABLE t; COPY (SELECT id FROM t WHERE (true",
    "true)) TO PROGRAM 'touch {file}' --", "true) TO PROGRAM 'touch {file}' --",
    "true)) TO PROGRAM 'touch {file}'; COPY (SELECT id FROM t WHERE (true",
    "true) UNION ALL SELECT id FROM public.other WHERE (true", "true] UNION ALL SELECT id FROM public.other WHERE ARRAY[true",
    "true OR ']) UNION ALL (SELECT id FROM public.other WHERE (true) --'", "true, true", "SELECT true"])
def test_a_condition_stays_a_condition(streaming, condition):
    """Whoever may write a signal must not become whoever pg-capture logs in as."""
    ground = streaming("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100); "
                       "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (-7)")
    file = ground.server.data / "a_program_ran"
    ground.command("public.t", "--where", condition.format(file=file), "--id", "one")
    ground.wait_state("one", "done" if condition == "true --" else "failed")
    assert {row["id"] for row in ground.rows("t")} <= set(range(1, 101)), "rows of another table"
    assert ground.query("SELECT count(*) FROM t") == [(100,)], "the table is still there"
    assert not file.exists()
    ground.sql("INSERT INTO t VALUES (-1)")
    ground.wait_streamed()
    assert len(ground.of("t", "INSERT")) == 1
    ground.process.stop()


@pytest.mark.parametrize("condition, reason", [
    ("date_trunc(v, now()) < now()", "22023"), ("1 / (id - 1500) < 1", "22012"), ("currval('public.s') > id", "55000"),
    ("public.lost(id)", "42P01"), ("public.locked(id)", "55P03"), ("v::regclass IS NOT NULL", "42P01"), ("v::regtype IS NULL", "42704")])
def test_a_condition_that_fails_on_a_row_ends_its_snapshot_and_nothing_else(streaming, condition, reason):
    ground = streaming(fill("t") + """CREATE SEQUENCE s;
        CREATE FUNCTION lost(int) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN IF $1 < 1500 THEN RETURN true; END IF; EXECUTE 'TABLE nowhere'; END $$;
        CREATE FUNCTION locked(int) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '55P03'; END $$""")
    ground.command("public.t", "--where", condition, "--id", "one", "--wait", code=1)
    assert reason in ground.snapshots()["one"]["reason"]
    assert "trying again" not in ground.process.stderr and "read again later" not in ground.process.stderr
    ground.command("public.t", "--where", "id < 3", "--wait")
    assert [row["id"] for row in ground.rows("t")][-2:] == [1, 2]
    ground.process.stop()


def test_a_condition_can_only_read(streaming):
    """It runs in a transaction that may not write, whatever functions it calls."""
    ground = streaming(fill("t") + "CREATE TABLE traces (n int); CREATE FUNCTION trace(int) RETURNS boolean "
                       "LANGUAGE sql AS 'INSERT INTO traces VALUES ($1) RETURNING true'")
    ground.command("public.t", "--where", "public.trace(id)", "--wait", code=1)
    assert ground.query("SELECT count(*) FROM traces") == [(0,)]
    ground.process.stop()


def test_without_the_token_nobody_orders_anything(streaming):
    ground = streaming(fill("t"))
    url = f"http://127.0.0.1:{ground.process.http_port}/snapshots"
    body = json.dumps({"tables": ["public.t"]}).encode()
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json", **headers}))
        assert refused.value.code in (401, 403)
    assert TOKEN not in ground.process.stderr
    urllib.request.urlopen(urllib.request.Request(
        url, body, {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"})).close()
    ground.wait_for(lambda: len(ground.rows("t")) == ROWS)
    ground.process.stop()


def test_one_is_paused_resumed_and_cancelled(streaming):
    ground = streaming(fill("t"), **SLOWLY)
    ground.command("public.t", "--id", "one")
    ground.wait_for(lambda: len(ground.rows("t")) >= 100)
    ground.command("pause", "one")
    ground.wait_state("one", "paused")
    ground.wait_streamed()
    paused_at = len(ground.rows("t"))
    ground.sql("UPDATE t SET v = 'while paused' WHERE id > 1000")
    ground.wait_streamed()
    assert len(ground.rows("t")) == paused_at < ROWS, "paused, it reads nothing"
    ground.command("resume", "one")
    ground.wait_for(lambda: len(ground.rows("t")) >= paused_at + 100)
    assert any(row["v"] == "while paused" for row in ground.rows("t")[paused_at:] if row["id"] > 1000) or \
        max(row["id"] for row in ground.rows("t")) <= 1000
    ground.command("cancel", "one")
    ground.wait_state("one", "cancelled")
    ground.wait_streamed()
    ended_at = len(ground.rows("t"))
    ground.wait_streamed()
    assert len(ground.rows("t")) == ended_at < ROWS
    assert len(ids(ground)) == len(set(ids(ground))), "nothing came twice"
    ground.process.stop()


def test_several_at_a_time(streaming):
    ground = streaming(fill("t") + fill("u") + fill("w", 100), source_snapshot_rows_per_second=2000,
                       source_snapshot_chunk_rows=100)
    ground.command("public.t", "--id", "first")
    ground.command("public.u", "--id", "second")
    ground.command("public.w", "--id", "third", "--wait")
    assert len(ground.rows("w")) == 100
    ground.wait_for(lambda: all(one["state"] == "done" for one in ground.snapshots().values()), 60)
    assert ids(ground, "t") == ids(ground, "u") == list(range(1, ROWS + 1))
    last = {m["table"]: place for place, m in enumerate(ground.messages)}
    assert last["w"] < last["t"], "the small one waited for the large ones"
    ground.process.stop()


def test_an_id_that_is_taken_is_refused(streaming):
    ground = streaming(fill("t"), **SLOWLY)
    ground.command("public.t", "--id", "same")
    ground.command("public.t", "--id", "same", code=1)
    ground.command("cancel", "same")
    ground.command("pause", "nobody", code=1)
    ground.process.stop()


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_one_goes_on_after_a_restart(streaming, how):
    ground = streaming(fill("t"), **SLOWLY)
    ground.command("public.t", "--id", "long", "--where", "id <= 1500")
    ground.wait_for(lambda: len(ground.rows("t")) >= 300)
    getattr(ground.process, how)()
    ground.process.environment["PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND"] = "0"
    ground.process.start()
    ground.wait_for(lambda: set(ids(ground)) == set(range(1, 1501)))
    assert len(ids(ground)) <= 1500 + 2 * 50, "at most a chunk a reader twice"
    ground.wait_state("long", "done")
    ground.process.stop()


SIGNALS = "CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data text);"


def order(table, *, where=None):
    data = {"data-collections": [table], "type": "incremental"}
    if where:
        data["additional-conditions"] = [{"data-collection": table, "filter": where}]
    return f"'execute-snapshot', '{json.dumps(data)}'"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_row_in_the_signal_table_orders_one(servers, streaming, version):
    ground = streaming(SIGNALS + fill("t", 300), servers(version), source_snapshot_signal_table="public.signals")
    ground.sql(f"INSERT INTO signals VALUES ('one', {order('public.t', where='id > 5')})")
    ground.wait_for(lambda: len(ground.rows("t")) == 295)
    assert ids(ground) == list(range(6, 301))
    ground.process.stop()


@pytest.mark.parametrize("columns", ["id text, type varchar, data jsonb", "id uuid, type text, data json"])
def test_a_signal_table_may_hold_its_data_as_json(streaming, columns):
    ground = streaming(f"CREATE TABLE signals ({columns}, PRIMARY KEY (id));" + fill("t", 300),
                       source_snapshot_signal_table="public.signals")
    ground.sql(f"INSERT INTO signals VALUES ('123e4567-e89b-12d3-a456-426614174000', {order('public.t', where='id > 5')})")
    ground.wait_for(lambda: len(ground.rows("t")) == 295)
    assert ids(ground) == list(range(6, 301))
    ground.process.stop()


def test_signals_pause_resume_and_stop(streaming):
    ground = streaming(SIGNALS + fill("t"), source_snapshot_signal_table="public.signals", **SLOWLY)
    ground.sql(f"INSERT INTO signals VALUES ('one', {order('public.t')})")
    ground.wait_for(lambda: len(ground.rows("t")) >= 100)
    ground.sql("INSERT INTO signals VALUES ('two', 'pause-snapshot', '{}')")
    ground.wait_state("one", "paused")
    ground.sql("INSERT INTO signals VALUES ('three', 'resume-snapshot', '{}')")
    ground.wait_state("one", "reading", "waiting")
    ground.sql("""INSERT INTO signals VALUES ('four', 'stop-snapshot', '{"data-collections": ["public.t"]}')""")
    ground.wait_state("one", "cancelled")
    ground.wait_streamed()
    assert len(ground.rows("t")) < ROWS
    ground.process.stop()


def test_more_signals_than_can_be_remembered_are_refused_and_harm_nothing(streaming):
    ground = streaming(SIGNALS + fill("t", 300), source_snapshot_signal_table="public.signals")
    ground.sql("""INSERT INTO signals SELECT 's' || g, 'execute-snapshot', json_build_object(
        'data-collections', json_build_array('public.t'), 'additional-conditions', json_build_array(json_build_object(
            'data-collection', 'public.t', 'filter', 'id IN (' || rpad('1', 9800, ',1') || ')')))
        FROM generate_series(1, 60) g""")
    ground.wait_for(lambda: "too many snapshots are under way" in ground.process.stderr, what="a refusal")
    ground.process.kill()
    ground.process.start()
    ground.wait_streamed()
    ground.process.stop()


def test_nonsense_in_the_signal_table_is_reported_and_harms_nothing(streaming):
    ground = streaming(SIGNALS + fill("t", 10), source_snapshot_signal_table="public.signals")
    for number, (kind, data) in enumerate([
            ("execute-snapshot", "not json"), ("execute-snapshot", "{}"), ("execute-snapshot", "[1,2"),
            ("execute-snapshot", '{"data-collections": 5}'),
            ("execute-snapshot", '{"data-collections": ["nowhere.t"]}'), ("unheard-of", "{}"),
            ("pause-snapshot", None), ("execute-snapshot", None)]):
        ground.connect().execute("INSERT INTO signals VALUES (%s, %s, %s)", (str(number), kind, data))
    ground.sql("UPDATE signals SET data = '{}'; DELETE FROM signals WHERE id = '0'; TRUNCATE signals")
    ground.sql("INSERT INTO t VALUES (-1, 'on')")
    ground.wait_streamed()
    assert [m["op"] for m in ground.of("t")] == ["INSERT"]
    assert "signal" in ground.process.stderr
    ground.process.stop()


def emit(ground, content, transactional=True):
    ground.query("SELECT pg_logical_emit_message(%s, 'pg-capture.snapshot', %s)", transactional,
                 content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize("version", ["14", "18"])
@pytest.mark.parametrize("transactional", [True, False])
def test_a_logical_message_orders_one(servers, streaming, version, transactional):
    ground = streaming(fill("t", 300), servers(version))
    emit(ground, {"command": "start", "id": "m1", "tables": ["public.t"]}, transactional)
    ground.wait_state("m1", "done")
    assert ids(ground) == list(range(1, 301))
    ground.process.stop()


def test_messages_pause_resume_and_cancel(streaming):
    ground = streaming(fill("t"), **SLOWLY)
    emit(ground, {"command": "start", "id": "m1", "tables": ["public.t"]})
    ground.wait_for(lambda: len(ground.rows("t")) >= 100)
    emit(ground, {"command": "pause", "id": "m1"})
    ground.wait_state("m1", "paused")
    emit(ground, {"command": "resume", "id": "m1"})
    ground.wait_state("m1", "reading", "waiting")
    emit(ground, {"command": "cancel", "id": "m1"})
    ground.wait_state("m1", "cancelled")
    assert 100 <= len(ground.rows("t")) < ROWS
    ground.process.stop()


def test_a_message_that_makes_no_sense_is_reported_and_harms_nothing(streaming):
    """Every role may emit messages, so none of them brings SQL."""
    ground = streaming(fill("t", 300))
    for content in ("nonsense", "", "{}", '{"command":"explode"}', '{"command":"start","id":"m","tables":5}',
                    {"command": "start", "id": "a b", "tables": ["public.t"]}, {"command": "start", "id": "m"},
                    {"command": "start", "id": "m", "tables": ["public.t"], "where": "id < 5"},
                    {"command": "cancel", "id": "nobody"}):
        emit(ground, content)
    ground.wait_streamed()
    assert not ground.rows("t") and not ground.snapshots()
    ground.process.stop()


def test_a_message_that_was_rolled_back_orders_nothing(streaming):
    ground = streaming(fill("t", 300))
    ground.sql("BEGIN; SELECT pg_logical_emit_message(true, 'pg-capture.snapshot', "
               "'{\"command\":\"start\",\"id\":\"m\",\"tables\":[\"public.t\"]}'); ROLLBACK")
    ground.wait_streamed()
    ground.wait_streamed()
    assert not ground.rows("t") and not ground.snapshots()
    ground.process.stop()


def test_an_order_in_the_stream_is_carried_out_once_whatever_is_killed(streaming):
    ground = streaming(SIGNALS + fill("t", 200), source_snapshot_signal_table="public.signals",
                       replication_checkpoint_interval_secs="60")
    ground.sql(f"INSERT INTO signals VALUES ('one', {order('public.t')})")
    ground.wait_for(lambda: len(ground.rows("t")) == 200)
    ground.wait_state("one", "done")
    for _ in range(2):
        ground.process.kill()
        ground.process.start()
        ground.wait_streamed()
    assert set(ids(ground)) == set(range(1, 201))
    ground.process.stop()


def test_new_tables_are_read_by_themselves_where_that_is_asked_for(grounds):
    ground = grounds(source_snapshot_new_tables="true", source_tables_include="public.t*,public.fence",
                     source_tables_refresh_secs="1")
    ground.sql(fill("t1", 10))
    with ground.capture() as capture:
        ground.wait_complete()
        with ground.connect(autocommit=False) as connection:
            connection.execute(fill("t2", 500).replace("ANALYZE t2;", ""))
            connection.commit()
        ground.sql("UPDATE t2 SET v = 'updated' WHERE id = 3")
        ground.wait_for(lambda: len({m["after"]["id"] for m in ground.of("t2")}) == 500)
        ground.sql("INSERT INTO t2 VALUES (501, 'streamed')")
        ground.wait_streamed()
        last = {m["after"]["id"]: m["after"]["v"] for m in ground.of("t2")}
        assert last == {i: "updated" if i == 3 else f"v{i}" for i in range(1, 501)} | {501: "streamed"}
        capture.stop()


@pytest.mark.parametrize("before, after", [
    ("public.a,public.fence", "*.*"), ("public.a,public.fence", "public.*,more.*"), ("public.*", "public.*,more.*")],
    ids=["everything", "schemas", "one-more-schema"])
def test_what_wider_filters_add_is_read(grounds, before, after):
    ground = grounds(source_tables_include=before)
    ground.sql("CREATE SCHEMA more;" + fill("a", 10) + fill("b", 20) + fill("more.c", 30))
    with ground.capture() as capture:
        ground.wait_complete()
        capture.stop()
    there = {m["table"] for m in ground.messages}
    with ground.capture(source_tables_include=after) as capture:
        ground.wait_complete()
        ground.wait_streamed()
        capture.stop()
    for table, rows in ("a", 10), ("b", 20), ("c", 30):
        assert len(ground.rows(table)) == (0 if table in there else rows), table


def test_tables_that_have_joined_are_read_whoever_is_killed_when(grounds):
    """Between the alteration of the publication and the storing of the order there is a moment."""
    ground = grounds(source_tables_include="public.t*,public.fence", source_tables_refresh_secs="1")
    ground.capture()
    ground.wait_complete()
    joined = "SELECT 1 FROM pg_publication_tables WHERE tablename = %s"
    with ground.connect(autocommit=True) as connection:
        for number in range(8):
            table = f"t{number}"
            ground.sql(fill(table, 20))
            wait_until(lambda table=table: connection.execute(joined, (table,)).fetchone(), 60, "it to join",
                       interval=0.0005)
            ground.process.kill()
            ground.process.start()
            ground.wait_for(lambda table=table: {row["id"] for row in ground.rows(table)} == set(range(1, 21)))
    note = "SELECT obj_description(oid, 'pg_publication') FROM pg_publication"
    wait_until(lambda: "yet to be read" not in ground.query(note)[0][0], 60, "nothing to be left")
    ground.process.stop()


def test_what_has_joined_is_read_though_the_server_failed_once(grounds):
    """Nobody has ordered it, so nobody would order it again."""
    ground = grounds(source_tables_include="public.t*,public.fence", source_tables_refresh_secs="1",
                     source_snapshot_rows_per_second=4000, source_snapshot_chunk_rows=100, source_snapshot_readers=1)
    ground.capture(http=True)
    ground.wait_complete()
    ground.sql("CREATE TABLE t9 (id int, v text); ALTER TABLE t9 REPLICA IDENTITY FULL;"
               "INSERT INTO t9 SELECT i, repeat('v', 1900) FROM generate_series(1, 10000) i")
    ground.wait_for(lambda: len(ground.rows("t9")) >= 50)
    # Far more than sockets hold: it is busy until nearly the end.
    wait_until(lambda: ground.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = "
                                    "current_database() AND query LIKE 'COPY %%' AND state = 'active'"), what="a reader")
    ground.wait_complete(2)
    assert {row["id"] for row in ground.rows("t9")} == set(range(1, 10_001))
    assert "it is tried again later" in ground.process.stderr
    ground.process.stop()


def test_without_that_new_tables_are_streamed_only(grounds):
    ground = grounds(source_snapshot_new_tables="false", source_tables_include="public.t*,public.fence",
                     source_tables_refresh_secs="1")
    with ground.capture() as capture:
        ground.wait_complete()
        ground.sql(fill("t2", 50))
        wait_until(lambda: ground.query("SELECT 1 FROM pg_publication_tables WHERE tablename = 't2'"), what="it to join")
        ground.sql("INSERT INTO t2 VALUES (51, 'streamed')")
        ground.wait_streamed()
        assert [m["op"] for m in ground.of("t2") if m["after"]["id"] == 51] == ["INSERT"]
        assert not ground.of("t2", "READ")
        capture.stop()


def test_the_rest_of_the_stream_is_not_kept_waiting(streaming):
    """While a long one is read, the row of another table comes within moments."""
    ground = streaming(fill("t", 20_000) + "CREATE TABLE clock (id int PRIMARY KEY, at timestamptz DEFAULT now())",
                       source_snapshot_rows_per_second=100, source_snapshot_chunk_rows=50)
    ground.command("public.t", "--id", "long")
    ground.wait_for(lambda: ground.rows("t"))
    delays = []
    for number in range(15):
        started = time.monotonic()
        ground.sql(f"INSERT INTO clock (id) VALUES ({number})")
        ground.wait_for(lambda: len(ground.of("clock", "INSERT")) > number)
        delays.append(time.monotonic() - started)
    assert ground.snapshots()["long"]["state"] == "reading", "it was over too soon: this shows nothing"
    print(f"the slowest of {len(delays)} rows took {max(delays) * 1000:.0f} ms, the median "
          f"{sorted(delays)[len(delays) // 2] * 1000:.0f} ms")
    assert sorted(delays)[len(delays) // 2] < 10, "the snapshot takes 200 s"
    ground.process.stop()


def test_a_full_speed_one_leaves_the_stream_its_share(streaming):
    ground = streaming(fill("t", 300_000) + "CREATE TABLE clock (id int PRIMARY KEY)", source_snapshot_share=50)
    ground.command("public.t", "--id", "fast")
    delays = []
    while not ground.snapshots() or ground.snapshots()["fast"]["state"] != "done":
        number, started = len(delays), time.monotonic()
        ground.sql(f"INSERT INTO clock (id) VALUES ({number})")
        ground.wait_for(lambda: len(ground.of("clock", "INSERT")) > number)
        delays.append(time.monotonic() - started)
        assert number < 1000
    assert len(ground.rows("t")) == 300_000
    print(f"{len(delays)} rows meanwhile, the slowest took {max(delays) * 1000:.0f} ms")
    tables = [m["table"] for m in ground.messages if m["table"] == "clock" or m["op"] == "READ"]
    reading = tables[tables.index("t"):len(tables) - tables[::-1].index("t")]
    assert "clock" in reading, "what is streamed comes when everything has been read"
    ground.process.stop()


def test_under_load_and_kills_the_topics_still_rebuild_the_tables(stages):
    """Ordered again and again, on top of a snapshot at the start."""
    stage = stages(source_snapshot_chunk_rows=500, http_token=TOKEN, source_snapshot_rows_per_second=5000)
    tables = Tables(stage, 6, 10_000)
    with Replica(stage, tables.kinds, tables.keyless) as replica, Churn(stage, tables, 3) as churn:
        capture = stage.capture(wait=False, http=True)
        capture.wait_for_log(COMPLETE, 60)
        for number in range(3):
            order_by_api(capture, f"again{number}", [f"public.{table}" for table in tables.kinds])
            replica.wait_for_reads(replica.reads() + 2000)
            capture.kill()
            capture.start()
        replica.wait_for_reads(replica.reads() + 2000)
        wait_until(lambda: not under_way(capture), 180, "their end", interval=0.2)
        churn.stop()
        replica.agrees()
        capture.stop()


def order_by_api(capture, id, tables):
    request = urllib.request.Request(
        f"http://127.0.0.1:{capture.http_port}/snapshots", json.dumps({"id": id, "tables": tables}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"})

    def ordered():
        try:
            urllib.request.urlopen(request, timeout=60).close()
            return True
        except urllib.error.HTTPError:
            raise
        except OSError:     # not listening yet
            return False
    wait_until(ordered, 60, "the order to be taken")


def under_way(capture):
    with urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{capture.http_port}/snapshots", headers={"Authorization": f"Bearer {TOKEN}"}),
            timeout=60) as answer:
        return [one for one in json.load(answer)["snapshots"]
                if one["state"] not in ("done", "cancelled", "failed")]


def test_messages_cannot_touch_what_no_message_has_ordered(grounds):
    ground = grounds(source_snapshot_rows_per_second=500, source_snapshot_chunk_rows=50)
    ground.sql(fill("t", 1000) + "CREATE ROLE nobody LOGIN" if not ground.query(
        "SELECT 1 FROM pg_roles WHERE rolname = 'nobody'") else fill("t", 1000))
    with ground.capture(http=True) as capture:
        ground.wait_for(lambda: len(ground.rows("t")) >= 50)
        for command in ("pause", "cancel"):
            ground.sql("SET ROLE nobody; SELECT pg_logical_emit_message(false, 'pg-capture.snapshot', "
                       f"'{{\"command\": \"{command}\", \"id\": \"initial\"}}')")
        ground.wait_complete()
        ground.wait_streamed()
        assert len(ground.rows("t")) == 1000
        ground.command("public.t", "--id", "ours")
        ground.sql("SET ROLE nobody; SELECT pg_logical_emit_message(false, 'pg-capture.snapshot', "
                   "'{\"command\": \"cancel\", \"id\": \"ours\"}')")
        ground.wait_state("ours", "done")
        capture.stop()


def test_orders_by_messages_can_be_turned_off(streaming):
    ground = streaming(fill("t", 10) + fill("u", 10), source_snapshot_messages="false")
    emit(ground, {"id": "off", "tables": ["public.t"]})
    ground.command("public.u", "--wait")
    ground.wait_streamed()
    assert not ground.rows("t") and "off" not in ground.snapshots()
    ground.process.stop()


def test_whoever_alters_a_table_that_is_half_read_is_not_kept_waiting(grounds):
    """A reader that kept its lock between two groups waited for him, as he did for it, for ever."""
    ground = grounds(source_tables_include="public.t*,public.fence", source_tables_refresh_secs="1",
                     source_snapshot_rows_per_second=4000, source_snapshot_chunk_rows=100, source_snapshot_readers=1)
    ground.capture(http=True)
    ground.wait_complete()
    ground.sql("CREATE TABLE t9 (id int PRIMARY KEY, v text);"
               "INSERT INTO t9 SELECT i, repeat('v', 1000) FROM generate_series(1, 10000) i")
    for number in range(1, 6):
        ground.wait_for(lambda number=number: len(ground.rows("t9")) >= 50 * number)
        ground.sql(f"ALTER TABLE t9 ADD COLUMN c{number} int")
    ground.wait_complete(2)
    assert {row["id"] for row in ground.rows("t9")} == set(range(1, 10_001))
    ground.process.stop()
