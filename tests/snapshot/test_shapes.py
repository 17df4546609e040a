"""Tables of every shape: empty, wide, many, partitioned, inherited, filtered; values of every size."""

import os

import pytest
from ground import BEGINS, COMPLETE, Ground
from support.processes import wait_until
from support.servers import PostgresServer

SMALL_TABLES = 300
MANY_TABLES = int(os.environ.get("PGC_SNAPSHOT_TABLES", "10000"))
BUDGET_MIB = 32
# Above the budget a value is admitted alone; this many times its size is what it may take.
TIMES_A_VALUE = 8


def snapshot_only(ground, **options):
    """Takes a snapshot and ends."""
    with ground.capture(source_snapshot_mode="only", **options) as capture:
        assert capture.wait_exit(120) == 0, capture.stderr
        _ = ground.messages
    return ground


def test_empty_tables_and_an_empty_database(ground):
    with ground.capture() as capture:
        ground.wait_complete()
        assert ground.messages == []
        ground.wait_streamed()
        assert [m["op"] for m in ground.messages] == ["INSERT"]
        capture.stop()


def test_an_empty_table_among_others_is_no_obstacle(ground):
    ground.sql("CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE keyless_and_empty (v text);"
               "CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES;"
               "CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (1)")
    snapshot_only(ground)
    assert ground.rows("one") == [{"id": 1}]
    assert ground.rows("empty") == ground.rows("keyless_and_empty") == []
    assert ground.rows("no_columns") == [{}]


def test_a_table_of_1600_columns(ground):
    names = [f"c{n}" for n in range(1600)]
    ground.sql(f"CREATE TABLE wide ({', '.join(f'{n} int' for n in names)}, PRIMARY KEY (c0))")
    ground.sql("INSERT INTO wide (c0, c799, c1599) SELECT i, i * 2, i * 3 FROM generate_series(1, 20) i")
    snapshot_only(ground, source_snapshot_chunk_rows=7)
    rows = ground.rows("wide")
    assert sorted(row["c0"] for row in rows) == list(range(1, 21))
    assert all(list(row) == names for row in rows)
    assert all((row["c799"], row["c1599"], row["c1"]) == (row["c0"] * 2, row["c0"] * 3, None) for row in rows)


@pytest.mark.parametrize("version", ["10", "15", "18"])
def test_values_that_the_server_cannot_send_in_binary_are_read_as_text(servers, grounds, version):
    ground = grounds(servers(version))
    acl = "makeaclitem(10, 10, 'SELECT', false)"
    ground.sql(f"""CREATE EXTENSION seg; CREATE EXTENSION cube;
        CREATE DOMAIN grant_domain AS aclitem; 
        CREATE TYPE grants AS (n int, a aclitem); CREATE TYPE seg_range AS RANGE (subtype = seg);
        CREATE TABLE keyed (id int PRIMARY KEY, a aclitem, b grant_domain, c aclitem[], d grants, e seg, f seg[]);
        INSERT INTO keyed SELECT i, {acl}, {acl}, ARRAY[{acl}], ROW(i, {acl})::grants, '1', '{{1}}' FROM generate_series(1, 30) i;
        CREATE TABLE keyless (a grant_domain, s seg); INSERT INTO keyless VALUES ({acl}, '1..2'), (NULL, NULL);
        CREATE TABLE by_seg (k seg PRIMARY KEY); INSERT INTO by_seg SELECT i::text::seg FROM generate_series(1, 30) i;
        CREATE TABLE ranged (r seg_range PRIMARY KEY); INSERT INTO ranged VALUES ('[1,2]'), ('[2,3]');
        CREATE TABLE plain (id int PRIMARY KEY, v text); INSERT INTO plain VALUES (1, 'a')""")
    snapshot_only(ground, source_snapshot_chunk_rows=7)
    rows = ground.rows("keyed")
    assert sorted(row["id"] for row in rows) == list(range(1, 31))
    text = ground.sql(f"SELECT {acl}").strip()
    assert all(row["a"] == row["b"] == text and row["d"] in ({"n": row["id"], "a": text}, f"({row['id']},{text})")
               for row in rows), rows[0]
    assert ground.rows("keyless") == [{"a": text, "s": "1 .. 2"}, {"a": None, "s": None}]
    assert len(ground.rows("by_seg")) == 30 and len(ground.rows("ranged")) == 2 and len(ground.rows("plain")) == 1


@pytest.mark.parametrize("version", ["10", "18"])
def test_a_value_whose_send_function_refuses_is_read_as_text(servers, grounds, version):
    """Whether it can be sent is known of most types beforehand, not of what a function says in the middle of it."""
    ground = grounds(servers(version))
    ground.sql("""
        CREATE EXTENSION hstore;
        CREATE OR REPLACE FUNCTION hstore_send(hstore) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN
            RAISE feature_not_supported USING MESSAGE = 'not in binary'; END $$;
        CREATE TABLE keyed (id int PRIMARY KEY, v hstore); CREATE TABLE keyless (v hstore);
        INSERT INTO keyed SELECT i, CASE WHEN i > 10 THEN 'a=>1'::hstore END FROM generate_series(1, 30) i;
        INSERT INTO keyless VALUES ('b=>1')""")
    snapshot_only(ground, source_snapshot_chunk_rows=7)
    rows = ground.rows("keyed")
    assert sorted({row["id"] for row in rows}) == list(range(1, 31)), ground.process.stderr
    assert len(ground.rows("keyless")) == 1


def test_names_that_need_quotes(ground):
    ground.sql('''CREATE SCHEMA "My "".Schema"; CREATE TABLE "My "".Schema"."Ta ble;'" ("I d" int, "select" text,
               PRIMARY KEY ("select", "I d")); INSERT INTO "My "".Schema"."Ta ble;'"
               SELECT i, 'it''s ' || i FROM generate_series(1, 30) i''')
    snapshot_only(ground, source_snapshot_chunk_rows=4)
    read = ground.of("Ta ble;'", "READ")
    assert len(read) == 30 and read[0]["schema"] == 'My ".Schema'
    assert {m["after"]["I d"] for m in read} == set(range(1, 31))
    assert all(m["key"] == {"select": m["after"]["select"], "I d": m["after"]["I d"]} for m in read)


@pytest.mark.parametrize("version", ["10", "13", "18"])
def test_partitioned_tables_are_read_as_their_leaves(servers, grounds, version):
    server = servers(version)
    ground = grounds(server)
    key = ", PRIMARY KEY (id)" if server.major >= 11 else ""
    ground.sql(f"""
        CREATE TABLE parts (id int, v text{key}) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (1000) PARTITION BY RANGE (id);
        CREATE TABLE higher PARTITION OF high FOR VALUES FROM (100) TO (1000);
        INSERT INTO parts SELECT i, 'v' FROM generate_series(0, 299) i""")
    snapshot_only(ground)
    assert sorted(row["id"] for row in ground.rows("low")) == list(range(100))
    assert sorted(row["id"] for row in ground.rows("higher")) == list(range(100, 300))
    assert ground.rows("parts") == ground.rows("high") == []


@pytest.mark.parametrize("version", ["13", "18"])
def test_partitioned_tables_are_read_under_their_roots_name(servers, grounds, version):
    ground = grounds(servers(version), source_publish_via_partition_root="true")
    ground.sql("""
        CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
        CREATE TABLE p0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE p1 (v text, extra int, id int NOT NULL);
        ALTER TABLE p1 DROP COLUMN extra;
        ALTER TABLE parts ATTACH PARTITION p1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO parts SELECT i, 'v' || i FROM generate_series(1, 300) i""")
    with ground.capture(source_snapshot_chunk_rows=50) as capture:
        ground.wait_complete()
        ground.sql("UPDATE parts SET v = 'changed' WHERE id <= 10")
        ground.wait_streamed()
        capture.stop()
    rows = ground.rows("parts")
    assert sorted(row["id"] for row in rows) == list(range(1, 301))
    assert all(row == {"id": row["id"], "v": f"v{row['id']}"} for row in rows)
    assert len(ground.of("parts", "UPDATE")) == 10
    assert not ground.of("p0") and not ground.of("p1")


def test_inherited_rows_come_under_their_own_table_once(ground):
    ground.sql("""
        CREATE TABLE parent (id int PRIMARY KEY, v text);
        CREATE TABLE child (more int, PRIMARY KEY (id)) INHERITS (parent);
        INSERT INTO parent SELECT i, 'p' FROM generate_series(1, 20) i;
        INSERT INTO child SELECT i, 'c', 1 FROM generate_series(21, 50) i""")
    snapshot_only(ground)
    assert sorted(row["id"] for row in ground.rows("parent")) == list(range(1, 21))
    assert sorted(row["id"] for row in ground.rows("child")) == list(range(21, 51))
    assert all(row["more"] == 1 for row in ground.rows("child"))


def publish(ground, text):
    ground.sql(f"CREATE PUBLICATION {ground.name}_pub {text}")
    ground.options["source_manage_publication"] = "false"


@pytest.mark.parametrize("version", ["15", "16", "18"])
def test_row_filters_and_column_lists_of_a_publication_hold_for_its_rows_too(servers, grounds, version):
    ground = grounds(servers(version))
    ground.sql("CREATE TABLE t (id int PRIMARY KEY, secret text, v text, n int);"
               "INSERT INTO t SELECT i, 'secret', 'v', i % 3 FROM generate_series(1, 90) i;"
               "CREATE TABLE not_published (id int PRIMARY KEY); INSERT INTO not_published VALUES (1)")
    publish(ground, "FOR TABLE fence, t (id, v) WHERE (id > 30)")
    with ground.capture(source_snapshot_chunk_rows=7) as capture:
        ground.wait_complete()
        ground.sql("INSERT INTO t VALUES (91, 'secret', 'v', 1), (-1, 'secret', 'v', 1)")
        ground.wait_streamed()
        capture.stop()
    assert sorted(row["id"] for row in ground.rows("t")) == list(range(31, 91))
    assert all(set(m["after"]) == {"id", "v"} for m in ground.of("t"))
    assert [m["after"]["id"] for m in ground.of("t", "INSERT")] == [91]
    assert not ground.of("not_published")


def test_a_filter_of_a_partitioned_root_holds_for_its_leaves(grounds):
    ground = grounds()
    ground.sql("""
        CREATE TABLE parts (id int PRIMARY KEY, v text, secret text) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (200);
        INSERT INTO parts SELECT i, 'v' || i % 2, 's' FROM generate_series(0, 199) i""")
    publish(ground, "FOR TABLE fence, parts (id, v) WHERE (id % 2 = 1) WITH (publish_via_partition_root = true)")
    with ground.capture() as capture:
        ground.wait_complete()
        capture.stop()
    assert sorted(row["id"] for row in ground.rows("parts")) == list(range(1, 200, 2))
    assert all(set(row) == {"id", "v"} for row in ground.rows("parts"))


@pytest.mark.parametrize("version", ["12", "15", "18"])
def test_generated_columns_are_as_in_the_stream(servers, grounds, version):
    ground = grounds(servers(version))
    ground.sql("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, v text);"
               "INSERT INTO t (id, v) SELECT i, 'v' FROM generate_series(1, 20) i")
    with ground.capture() as capture:
        ground.wait_complete()
        ground.sql("INSERT INTO t (id, v) VALUES (21, 'v')")
        ground.wait_streamed()
        capture.stop()
    inserted = ground.of("t", "INSERT")[0]["after"]
    assert len(ground.rows("t")) == 20
    assert all(list(row) == list(inserted) for row in ground.rows("t"))


def test_generated_columns_that_are_published_are_read(servers, grounds):
    ground = grounds(servers("18"))
    ground.sql("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED,"
               "never int GENERATED ALWAYS AS (id * 3) VIRTUAL);"
               "INSERT INTO t (id) SELECT generate_series(1, 20)")
    publish(ground, "FOR TABLE fence, t WITH (publish_generated_columns = stored)")
    with ground.capture() as capture:
        ground.wait_complete()
        ground.sql("INSERT INTO t (id) VALUES (21)")
        ground.wait_streamed()
        capture.stop()
    assert ground.of("t", "INSERT")[0]["after"] == {"id": 21, "twice": 42}
    assert sorted(ground.rows("t"), key=lambda row: row["id"]) == [{"id": i, "twice": 2 * i} for i in range(1, 21)]


def test_columns_that_are_left_out_are_not_read(grounds):
    ground = grounds(source_columns_exclude="public.t.secret")
    ground.sql("CREATE TABLE t (id int PRIMARY KEY, secret text, v text); INSERT INTO t VALUES (1, 's', 'v')")
    snapshot_only(ground)
    assert ground.rows("t") == [{"id": 1, "v": "v"}]


def test_tables_that_are_left_out_are_not_read(grounds):
    ground = grounds(source_tables_include="public.*", source_tables_exclude="*.left_out")
    ground.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE left_out (id int);"
               "INSERT INTO left_out VALUES (1); CREATE SCHEMA other; CREATE TABLE other.t (id int);"
               "INSERT INTO other.t VALUES (1); CREATE UNLOGGED TABLE unlogged (id int);"
               "INSERT INTO unlogged VALUES (1); CREATE MATERIALIZED VIEW m AS SELECT 1 AS id")
    snapshot_only(ground)
    assert [(m["schema"], m["table"]) for m in ground.messages] == [("public", "t")]


def test_row_security_does_not_hide_rows_in_silence(postgres, grounds):
    """A role that may not see every row gets an error that says so, not a part of the table."""
    ground = grounds()
    role = f"{ground.name}_role"
    ground.sql(f"""
        CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'secret';
        CREATE TABLE t (id int PRIMARY KEY, owner text);
        INSERT INTO t SELECT i, CASE WHEN i % 2 = 0 THEN '{role}' ELSE 'other' END FROM generate_series(1, 20) i;
        ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON t USING (owner = current_user);
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}""")
    publish(ground, "FOR ALL TABLES")
    try:
        with ground.capture(start=False) as capture:
            capture.environment |= {"PG_USERNAME": role, "PG_PASSWORD": "secret"}
            capture.start()
            wait_until(lambda: "row" in capture.stderr and "security" in capture.stderr or not capture.running
                       or COMPLETE in capture.stderr, 60, "a word about it", interval=0.05)
            assert len(ground.rows("t")) in (0, 20), "half of the table, in silence"
            assert COMPLETE not in capture.stderr or len(ground.rows("t")) == 20
            assert "security" in capture.stderr or len(ground.rows("t")) == 20
    finally:
        postgres.drop_slot(ground.name)
        ground.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_table_we_may_not_select_from_is_named_with_the_grant_that_fixes_it(postgres, grounds):
    ground = grounds()
    role = f"{ground.name}_role"
    ground.sql(f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'secret';"
               f"GRANT SELECT ON fence TO {role};"
               "CREATE TABLE forbidden (id int PRIMARY KEY); INSERT INTO forbidden VALUES (1)")
    publish(ground, "FOR ALL TABLES")
    try:
        with ground.capture(start=False) as capture:
            capture.environment |= {"PG_USERNAME": role, "PG_PASSWORD": "secret"}
            capture.start()
            capture.wait_for_log("GRANT SELECT")
            assert "forbidden" in capture.stderr
            assert capture.wait_exit() != 0
            ground.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
            capture.start()
            ground.wait_complete()
            assert ground.rows("forbidden") == [{"id": 1}], "once it may, nothing is missing"
            capture.stop()
    finally:
        postgres.drop_slot(ground.name)
        ground.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_many_small_tables(ground):
    make_tables(ground, SMALL_TABLES)
    snapshot_only(ground)
    check_tables(ground, SMALL_TABLES)


@pytest.mark.nightly
def test_ten_thousand_small_tables_with_the_locks_of_an_ordinary_server():
    """Read one by one they would need more locks than there are, if none was given back."""
    with PostgresServer("15", settings={"max_connections": 100, "max_prepared_transactions": 0}) as server:
        ground = Ground(server, "many")
        try:
            make_tables(ground, MANY_TABLES)
            with ground.capture() as capture:
                ground.wait_complete(timeout=600)
                peak = capture.resident_mib()
                capture.stop()
            check_tables(ground, MANY_TABLES)
            print(f"{MANY_TABLES} tables, peak {peak:.0f} MiB")
            assert peak < 96
        finally:
            ground.close()


def make_tables(ground, count):
    for begin in range(0, count, 500):
        ground.sql("".join(
            f"CREATE TABLE t{i} (id int PRIMARY KEY, v text); INSERT INTO t{i} VALUES (1, 'a'), (2, 'b');"
            for i in range(begin, min(count, begin + 500))))


def check_tables(ground, count):
    seen = sorted((m["table"], m["after"]["id"]) for m in ground.messages if m["table"] != "fence")
    assert seen == sorted((f"t{i}", id) for i in range(count) for id in (1, 2))


@pytest.mark.parametrize("mib", [40, pytest.param(200, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("binary", ["auto", "never"])
def test_a_value_larger_than_the_memory_budget_is_admitted_alone(ground, mib, binary):
    ground.sql("CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL;"
               f"INSERT INTO t SELECT i, repeat('0123456789abcdef', {mib} * 65536) FROM generate_series(1, 3) i;"
               "INSERT INTO t SELECT i, 'small' FROM generate_series(4, 1000) i")
    with ground.capture(sink="discard", http=True, source_binary=binary) as capture:
        ground.wait_complete(timeout=120)
        assert capture.metric("cdc_snapshot_rows_total") == 1000
        peak = capture.resident_mib()
        capture.stop()
    print(f"values of {mib} MiB, peak {peak:.0f} MiB")
    assert peak < BUDGET_MIB * 2 + TIMES_A_VALUE * mib


def test_progress_is_shown_in_logs_and_metrics(ground):
    ground.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000); ANALYZE t;"
               "CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 1000); ANALYZE u")
    with ground.capture(sink="discard", http=True, source_snapshot_rows_per_second=500,
                        source_snapshot_chunk_rows=100) as capture:
        capture.wait_for_log(BEGINS)
        wait_until(lambda: (capture.metric('cdc_snapshot_rows_total{table="public.t"}') or 0) > 0, 60, "its first rows")
        ground.command("pause", "initial")      # so that it stays where it is until somebody has looked
        wait_until(lambda: 0 < (capture.metric('cdc_snapshot_progress_ratio{table="public.t"}') or 0) < 1, 60,
                   "a ratio between")
        ground.command("resume", "initial")
        ground.wait_complete()
        assert capture.metric('cdc_snapshot_rows_total{table="public.t"}') == 2000
        assert capture.metric('cdc_snapshot_rows_total{table="public.u"}') == 1000
        assert capture.metric('cdc_snapshot_progress_ratio{table="public.t"}') == 1
        capture.stop()


def test_reading_is_no_faster_than_asked_for(ground):
    ground.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 6000)")
    with ground.capture(source_snapshot_rows_per_second=2000, source_snapshot_chunk_rows=500) as capture:
        ground.wait_complete()
        capture.stop()
    handled = [m["ts_ms"] for m in ground.of("t", "READ")]
    seconds = (max(handled) - min(handled)) / 1000
    print(f"6000 rows in {seconds:.1f} s at 2000 rows/s")
    assert 2.0 <= seconds <= 60.0
