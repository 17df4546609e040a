"""Transactions that the server sends before they are committed, and we keep on disk until then.

What is delivered must be what a pipeline delivers to which the server sends them after their commit.
The numbers are those of docs/SCENARIOS.md.
"""

import os
import random
import re
import resource

import pytest
from support.processes import wait_until
from support.servers import Capture, PostgresServer

DATABASE = "streamed"
TABLES = 3
RSS_MAX_MIB = 32
SETTINGS = {"logical_decoding_work_mem": "64kB", "max_wal_size": "4GB"}


@pytest.fixture(scope="module", params=["14", "18"])
def server(request):
    with PostgresServer(request.param, settings=SETTINGS) as server:
        server.psql(f"CREATE DATABASE {DATABASE}")
        yield server


@pytest.fixture
def tables(server):
    """The tables of one test; they are gone afterwards, and so are its slots."""
    columns = "id int PRIMARY KEY, n int, pad text"
    for i in range(TABLES):
        server.psql(f"CREATE TABLE t{i} ({columns})", db=DATABASE)
    yield [f"t{i}" for i in range(TABLES)]
    for slot in ("streams", "waits"):
        server.drop_slot(slot)
        server.psql(f"DROP PUBLICATION IF EXISTS {slot}_pub", db=DATABASE)
    for i in range(TABLES):
        server.psql(f"DROP TABLE t{i}", db=DATABASE)


def environment(server, **more):
    return server.capture_environment(DATABASE) | {
        "PG_CAPTURE_REPLICATION_CHECKPOINT_INTERVAL_SECS": "1"} | more


def make_slot(server, slot, **more):
    """A slot that is there before what is to be read."""
    with Capture(environment(server, **more), slot=slot, http=False) as capture:
        capture.wait_streaming()
        capture.stop()


def spilled(capture):
    folder = capture.state / f"{capture.environment['PG_SLOT_NAME']}.spill"
    return sorted(folder.iterdir()) if folder.exists() else []


def streamed_count(server, slot):
    """How many transactions the server has streamed to the slot before their commit."""
    rows = server.query("SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = %s", slot)
    return rows[0][0] if rows else 0


def normal(line):
    """Without the moment at which it was handled."""
    return re.sub(rb'"ts_ms":\d+', b"", line, count=1)


def read_all(server, slot, last, publication=None, **more):
    """Reads until a row of t0 with the id `last` has come; returns all lines."""
    with Capture(environment(server, **more), slot=slot, publication=publication,
                 http=False) as capture:
        end = f'"after":{{"id":{last},'.encode()
        wait_until(lambda: not capture.running or end in b"".join(capture.raw_lines[-3:]), 300,
                   "the last row", interval=0.1)
        assert capture.running, capture.stderr_tail()
        capture.stop()
        assert spilled(capture) == []
        return [normal(line) for line in capture.raw_lines]


def assert_nothing_is_missing(came, expected):
    """All that is expected, in that order; each attempt may begin at or before where the last ended."""
    place = {}
    for number, line in enumerate(expected):
        place.setdefault(line, number)
    at = 0
    for line in came:
        if at == len(expected) or line != expected[at]:
            assert place[line] <= at, f"a gap before {line}"
            at = place[line]
        at += 1
    assert at == len(expected)


class Writer:
    """A session whose statements are drawn by lot: rows, savepoints, and their undoing."""

    def __init__(self, server, number, lot):
        self.connection = server.connect(DATABASE, autocommit=False)
        self.lot = lot
        self.base = number * 100_000
        self.rows = 0
        self.savepoints = 0
        self.steps = lot.randrange(10, 60)

    def execute(self, sql):
        self.connection.execute(sql)

    def insert(self):
        table, count = self.lot.randrange(TABLES), self.lot.choice([1, 3, 40, 120])
        first = self.base + self.rows
        self.rows += count
        self.execute(f"INSERT INTO t{table} SELECT i, {table}, repeat('x', {self.lot.randrange(200)})"
                     f" FROM generate_series({first}, {first + count - 1}) i")

    def change(self):
        table = self.lot.randrange(TABLES)
        mine = f"id BETWEEN {self.base} AND {self.base + self.rows}"
        self.execute(self.lot.choice([
            f"UPDATE t{table} SET n = n + 1 WHERE {mine}",
            f"UPDATE t{table} SET id = id + 50000 WHERE {mine} AND id % 7 = 0 AND id < {self.base + 50_000}"
            f" AND NOT EXISTS (SELECT FROM t{table} o WHERE o.id = t{table}.id + 50000)",
            f"DELETE FROM t{table} WHERE {mine} AND id % 5 = 1"]))

    def step(self):
        """False: it has ended."""
        self.steps -= 1
        if self.steps == 0:
            self.connection.rollback() if self.lot.random() < 0.2 else self.connection.commit()
            self.connection.close()
            return False
        lot = self.lot.random()
        if lot < 0.15:
            self.savepoints += 1
            self.execute(f"SAVEPOINT s{self.savepoints}")
        elif lot < 0.25 and self.savepoints:
            self.execute(f"ROLLBACK TO SAVEPOINT s{self.savepoints}")
        elif lot < 0.32 and self.savepoints:
            self.execute(f"RELEASE SAVEPOINT s{self.savepoints}")
            self.savepoints -= 1
        elif lot < 0.45:
            self.change()
        else:
            self.insert()
        return True


class AlteringWriter(Writer):
    """Has a table of its own, which it alters."""

    def __init__(self, server, number, lot):
        super().__init__(server, number, lot)
        self.table = f"w{number}"
        server.psql(f"CREATE TABLE {self.table} (id int PRIMARY KEY, n int, pad text)", db=DATABASE)
        self.columns = 0

    def insert(self):
        first = self.base + self.rows
        self.rows += 60
        self.execute(f"INSERT INTO {self.table} (id, n, pad)"
                     f" SELECT i, 1, repeat('x', 90) FROM generate_series({first}, {first + 59}) i")

    def change(self):
        self.columns += 1
        self.execute(self.lot.choice([
            f"ALTER TABLE {self.table} ADD c{self.columns} int DEFAULT {self.columns}",
            f"ALTER TABLE {self.table} ALTER n TYPE bigint",
            f"ALTER TABLE {self.table} ALTER n TYPE int",
            f"ALTER TABLE {self.table} REPLICA IDENTITY FULL",
            f"UPDATE {self.table} SET n = n + 1 WHERE id % 3 = 0",
            f"TRUNCATE {self.table}"]))


def run_writers(server, transactions, at_once, seed, kind=Writer):
    lot = random.Random(seed)
    print(f"seed {seed}")
    begun, open_ones = 0, []
    while begun < transactions or open_ones:
        if begun < transactions and len(open_ones) < at_once:
            begun += 1
            open_ones.append(kind(server, begun, lot))
        writer = lot.choice(open_ones)
        if not writer.step():
            open_ones.remove(writer)


def last_row(server):
    server.psql("INSERT INTO t0 VALUES (2000000000, 0, 'last')", db=DATABASE)
    return 2000000000


@pytest.mark.parametrize("binary", ["auto", "never"])
def test_25_interleaved_transactions_give_the_same_lines_as_without_streaming(server, tables, binary):
    """Without it an 18 sends Stream Aborts all the same."""
    mode = {"PG_CAPTURE_SOURCE_BINARY": binary}
    make_slot(server, "streams", **mode)
    make_slot(server, "waits", PG_CAPTURE_STATE_SPILL_LIMIT="0", **mode)
    run_writers(server, transactions=200, at_once=20, seed=25)
    last = last_row(server)
    streamed = read_all(server, "streams", last, **mode)
    waited = read_all(server, "waits", last, PG_CAPTURE_STATE_SPILL_LIMIT="0", **mode)
    assert streamed == waited
    wait_until(lambda: streamed_count(server, "streams") > 50, 60, "transactions to be streamed")
    assert streamed_count(server, "waits") == 0
    print(f"{len(streamed)} lines, {streamed_count(server, 'streams')} transactions streamed")


def test_25_transactions_that_alter_their_tables_give_the_same_lines(server, tables):
    server.psql("CREATE PUBLICATION streams_pub FOR ALL TABLES", db=DATABASE)
    env = {"PG_CAPTURE_SOURCE_MANAGE_PUBLICATION": "false"}
    make_slot(server, "streams", **env)
    with Capture(environment(server, PG_CAPTURE_STATE_SPILL_LIMIT="0", **env), slot="waits",
                 publication="streams_pub", http=False) as capture:
        capture.wait_streaming()
        capture.stop()
    run_writers(server, transactions=40, at_once=10, seed=27, kind=AlteringWriter)
    last = last_row(server)
    streamed = read_all(server, "streams", last, **env)
    waited = read_all(server, "waits", last, publication="streams_pub",
                      PG_CAPTURE_STATE_SPILL_LIMIT="0", **env)
    for number in range(1, 41):
        server.psql(f"DROP TABLE w{number}", db=DATABASE)
    assert_nothing_is_missing(streamed, waited)     # it begins again where the server can't decode
    print(f"{len(streamed)} lines, {streamed_count(server, 'streams')} transactions streamed")


def test_25_killed_in_the_midst_of_them_nothing_is_missing_and_no_file_stays(server, tables):
    make_slot(server, "streams")
    make_slot(server, "waits", PG_CAPTURE_STATE_SPILL_LIMIT="0")
    run_writers(server, transactions=60, at_once=20, seed=26)
    last = last_row(server)
    waited = read_all(server, "waits", last, PG_CAPTURE_STATE_SPILL_LIMIT="0")
    came = []
    with Capture(environment(server), slot="streams", http=False) as capture:
        left = 0
        for stand in range(8):
            capture.hold_at(1 + stand * len(waited) // 10)  # it can't go on, with files open or not
            wait_until(lambda: len(capture.raw_lines) >= 1 + stand * len(waited) // 10
                       or spilled(capture), 60, "it to have begun")
            capture.kill()
            left += len(spilled(capture))
            came += [normal(line) for line in capture.take()]
            capture.start()
        end = f'"after":{{"id":{last},'.encode()
        wait_until(lambda: not capture.running or end in b"".join(capture.raw_lines[-3:]), 120,
                   "the last row", interval=0.1)
        assert capture.running, capture.stderr_tail()
        capture.stop()
        assert spilled(capture) == []
        came += [normal(line) for line in capture.raw_lines]
    print(f"{left} files were left by the killed")
    assert_nothing_is_missing(came, waited)


def test_24_an_aborted_transaction_never_was(server, tables):
    with Capture(environment(server), slot="streams") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as session:
            session.execute("INSERT INTO t0 SELECT i, 0, repeat('x', 100) FROM generate_series(1, 5000) i")
            wait_until(lambda: spilled(capture), 60, "it to be streamed")
            wait_until(lambda: (capture.metric("cdc_spill_bytes") or 0) > 100_000, 60, "its bytes")
            assert capture.metric("cdc_streamed_transactions") == 1
            assert [file.stat().st_mode & 0o777 for file in spilled(capture)] == [0o600]
            assert spilled(capture)[0].parent.stat().st_mode & 0o777 == 0o700
            session.rollback()
        server.psql("INSERT INTO t0 VALUES (1, 1, 'after')", db=DATABASE)
        capture.wait_for(1)
        wait_until(lambda: capture.metric("cdc_streamed_transactions") == 0, 60, "its end")
        assert capture.metric("cdc_spill_bytes") == 0
        assert spilled(capture) == []
        assert [m["after"]["pad"] for m in capture.messages] == ["after"]
        server.wait_confirmed("streams")
        capture.stop()


def test_24_a_large_transaction_is_aborted_that_the_server_keeps(server, tables):
    env = environment(server, PG_CAPTURE_STATE_SPILL_LIMIT="0")
    make_slot(server, "waits", PG_CAPTURE_STATE_SPILL_LIMIT="0")
    with server.connect(DATABASE, autocommit=False) as session:
        for _ in range(3):
            session.execute("INSERT INTO t0 SELECT i, 0, repeat('x', 100) FROM generate_series(1, 5000) i")
            session.rollback()
    server.psql("INSERT INTO t0 VALUES (1, 1, 'after')", db=DATABASE)
    with Capture(env, slot="waits", http=False) as capture:
        capture.wait_for(1)
        server.wait_confirmed("waits")
        capture.stop()
        assert [m["after"]["pad"] for m in capture.messages] == ["after"]


def test_25_others_are_delivered_and_confirmed_while_one_is_open(server, tables):
    with Capture(environment(server), slot="streams") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as session:
            session.execute("INSERT INTO t0 SELECT i, 0, repeat('x', 100) FROM generate_series(1, 5000) i")
            wait_until(lambda: spilled(capture), 60, "it to be streamed")
            for i in range(3):
                server.psql(f"INSERT INTO t1 VALUES ({i}, 0, 'small')", db=DATABASE)
                capture.wait_for(i + 1)
            server.wait_confirmed("streams")    # the log's end, though a part of the other is before it
            session.execute("INSERT INTO t0 VALUES (6000, 0, 'late')")
            capture.kill()
            capture.start()
            session.commit()
        capture.wait_for(lambda ms: any(m["after"]["id"] == 6000 for m in ms))
        capture.stop()
        ids = [m["after"]["id"] for m in capture.messages if m["table"] == "t0"]
        assert ids == [*range(1, 5001), 6000]


@pytest.mark.parametrize("undone", [False, True])
def test_25_a_table_that_is_altered_in_one_has_each_row_in_its_form(server, tables, undone):
    """Altered again after that was undone, the server can't decode it before the commit."""
    with Capture(environment(server), slot="streams") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as session:
            def rows(first, more=""):
                session.execute(f"INSERT INTO t0 SELECT i, 0, repeat('x', 100){more}"
                                f" FROM generate_series({first}, {first + 1999}) i")
            rows(0)
            wait_until(lambda: spilled(capture), 60, "it to be streamed")
            if undone:
                session.execute("SAVEPOINT a")
                session.execute("ALTER TABLE t0 ADD gone int DEFAULT 1")
                rows(10_000, ", 2")
                session.execute("ROLLBACK TO SAVEPOINT a")
            rows(20_000)
            session.execute("ALTER TABLE t0 ADD kept int DEFAULT 3")
            rows(30_000, ", 4")
            session.commit()
        server.psql("INSERT INTO t0 VALUES (40000, 0, '', 5)", db=DATABASE)
        capture.wait_for(6001)
        server.wait_confirmed("streams")
        if not undone:
            assert capture.metric("cdc_spill_fallbacks_total") == 0
        capture.stop()
        ours = [m["after"] for m in capture.messages if m["table"] == "t0"]
        assert [row["id"] for row in ours] == [*range(2000), *range(20_000, 22_000),
                                               *range(30_000, 32_000), 40_000]
        assert all("gone" not in row for row in ours)
        assert [row.get("kept") for row in ours] == [None] * 4000 + [4] * 2000 + [5]


def test_25_a_list_of_columns_that_changes_while_one_is_open(server, tables):
    """Nobody waits for that: rows of both forms are decoded, whoever commits first."""
    if server.major < 15:
        server.psql("SELECT 1")     # no lists of columns yet: the publication is altered otherwise
        lists = ("t0", "t0")
    else:
        lists = ("t0 (id, n)", "t0 (id, pad)")
    server.psql(f"CREATE PUBLICATION streams_pub FOR TABLE {lists[0]}", db=DATABASE)
    env = environment(server, PG_CAPTURE_SOURCE_MANAGE_PUBLICATION="false")
    with Capture(env, slot="streams") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as session:
            session.execute("INSERT INTO t0 SELECT i, 7, 'long' FROM generate_series(1, 3000) i")
            wait_until(lambda: spilled(capture), 60, "it to be streamed")
            server.psql(f"ALTER PUBLICATION streams_pub SET TABLE {lists[1]}", db=DATABASE)
            server.psql("INSERT INTO t0 VALUES (10001, 8, 'short')", db=DATABASE)
            capture.wait_for(1)
            session.commit()
        capture.wait_for(3001)
        server.psql("INSERT INTO t0 VALUES (10002, 9, 'after')", db=DATABASE)
        capture.wait_for(3002)
        capture.stop()
        assert [m["after"]["id"] for m in capture.messages] == [10001, *range(1, 3001), 10002]
        if server.major >= 15:
            assert capture.messages[0]["after"] == {"id": 10001, "pad": "short"}
            assert capture.messages[-1]["after"] == {"id": 10002, "pad": "after"}


def fill(session, rows=20_000):
    session.execute(f"INSERT INTO t0 SELECT i, 0, repeat('x', 100) FROM generate_series(1, {rows}) i")


def test_24_beyond_the_limit_the_server_keeps_them_and_streaming_comes_back(server, tables):
    env = environment(server, PG_CAPTURE_STATE_SPILL_LIMIT="500000")
    with Capture(env, slot="streams") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as session:
            fill(session)
            capture.wait_streaming(times=2)
            assert "state.spill_limit" in capture.stderr
            assert spilled(capture) == []
            server.psql("INSERT INTO t1 VALUES (1, 0, 'meanwhile')", db=DATABASE)
            capture.wait_for(1)
            session.commit()
        capture.wait_for(20_001)
        assert capture.metric("cdc_spill_fallbacks_total") == 1
        assert capture.metric("cdc_errors_total") in (None, 0)
        server.wait_confirmed("streams")
        assert [m["after"]["id"] for m in capture.messages if m["table"] == "t0"] == [*range(1, 20_001)]
        # At a later connection it is tried again.
        server.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                     "WHERE slot_name = 'streams'")
        capture.wait_streaming(times=3)
        with server.connect(DATABASE, autocommit=False) as session:
            session.execute("INSERT INTO t1 SELECT i, 0, repeat('x', 100) FROM generate_series(2, 2000) i")
            wait_until(lambda: spilled(capture), 60, "it to be streamed")
            session.commit()
        capture.wait_for(22_000)
        capture.stop()


def test_24_where_files_may_not_grow_the_server_keeps_them(server, tables):
    """As on a disk that is full."""
    with Capture(environment(server), slot="streams") as capture:
        capture.wait_streaming()
        resource.prlimit(capture.process.pid, resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
        with server.connect(DATABASE, autocommit=False) as session:
            fill(session)
            capture.wait_streaming(times=2)
            session.commit()
        capture.wait_for(20_000)
        assert capture.metric("cdc_spill_fallbacks_total") == 1
        assert "File too large" in capture.stderr
        assert spilled(capture) == []
        assert [m["after"]["id"] for m in capture.messages] == [*range(1, 20_001)]
        capture.stop()


def test_24_without_a_folder_the_server_keeps_them(server, tables, tmp_path):
    """Its name is taken by a file; the position is kept elsewhere."""
    position = tmp_path / "position"
    env = environment(server, PG_CAPTURE_REPLICATION_CHECKPOINT_FILE=str(position))
    with Capture(env, slot="streams", start=False) as capture:
        (capture.state / "streams.spill").write_text("mine")
        capture.start()
        capture.wait_streaming()
        assert "there is no place for transactions that are not committed yet" in capture.stderr
        with server.connect(DATABASE) as session:
            fill(session)
        capture.wait_for(20_000)
        capture.stop()
        assert (capture.state / "streams.spill").read_text() == "mine"
    assert streamed_count(server, "streams") == 0


def test_25_a_message_that_may_be_of_a_part_that_is_rolled_back(server, tables):
    """The server does not say which part a logical message is of: it keeps such a transaction itself."""
    with Capture(environment(server), slot="streams") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as session:
            fill(session, 3000)
            session.execute("SAVEPOINT a")
            session.execute("SELECT pg_logical_emit_message(true, 'x', repeat('never', 100))")
            session.execute("INSERT INTO t1 SELECT i, 0, repeat('x', 100) FROM generate_series(1, 3000) i")
            wait_until(lambda: spilled(capture), 60, "it to be streamed")
            session.execute("ROLLBACK TO SAVEPOINT a")
            session.execute("SELECT pg_logical_emit_message(true, 'x', 'sent')")
            session.commit()
        capture.wait_for(3001)
        capture.stop()
        messages = [m for m in capture.messages if m["op"] == "MESSAGE"]
        assert len(messages) == 1 and messages[0]["message"]["content"] == "c2VudA=="
        assert {m["table"] for m in capture.messages} == {"t0", None}


def test_23_a_million_rows_that_come_before_their_commit_keep_memory_flat(server, tables):
    rows = 1_000_000
    with Capture(environment(server), slot="streams", sink="discard") as capture:
        capture.wait_streaming()
        with server.connect(DATABASE, autocommit=False) as session:
            session.execute(f"INSERT INTO t0 SELECT i, 0, 'x' FROM generate_series(1, {rows}) i")
            wait_until(lambda: (capture.metric("cdc_spill_bytes") or 0) > 20_000_000, 300,
                       "it to be streamed")
            session.commit()
        wait_until(lambda: (capture.metric("cdc_changes_total") or 0) >= rows, 600, "all changes",
                   interval=0.2)
        assert capture.metric("cdc_changes_total") == rows
        server.wait_confirmed("streams")
        peak = capture.resident_mib()
        print(f"peak {peak:.1f} MiB")
        assert peak <= RSS_MAX_MIB
        assert spilled(capture) == []
        capture.stop()


def test_peek_leaves_no_file_and_does_not_stream(server, tables):
    make_slot(server, "streams")
    with server.connect(DATABASE) as session:
        fill(session, 3000)
    before = streamed_count(server, "streams")
    with Capture(environment(server), slot="streams", http=False, args=("peek", "--limit", "10"),
                 sink=None) as capture:
        capture.wait_exit()
        assert len(capture.raw_lines) >= 10
        assert not os.path.exists(capture.state / "streams.spill")
    assert streamed_count(server, "streams") == before
