"""A commit that everybody who reads the log sees and nobody who reads tables.

With a synchronous standby that is not there, a transaction's commit is in the log, and streamed,
long before other sessions see it. A row read meanwhile is the old one: sent after the newer
event, it would overwrite it at every consumer.
"""

import threading

import pytest
from ground import COMPLETE
from support.processes import wait_until

@pytest.fixture
def ground(own_server, grounds):
    ground = grounds(own_server)
    ground.sql("""
        CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'old' FROM generate_series(1, 400) i;
        CREATE TABLE k (v text); INSERT INTO k SELECT 'k' || i FROM generate_series(1, 100) i;
        CREATE TABLE probe (n serial PRIMARY KEY)""")
    return ground


class Hanging:
    """Commits that wait for a standby that is not there; their changes are in the stream already."""

    def __init__(self, ground):
        self.ground, self.threads = ground, []

    def waiting(self):
        return {pid for (pid,) in self.ground.query(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()")}

    def begin(self):
        """From here on the commits of all sessions hang."""
        self.ground.server.set(synchronous_standby_names="nobody_at_all")
        stopping = threading.Event()

        def work():
            with self.ground.connect() as connection:
                while not stopping.is_set():
                    connection.execute("INSERT INTO probe DEFAULT VALUES")
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        wait_until(self.waiting, 60, "commits to hang")
        stopping.set()
        self.ground.query("SELECT pg_cancel_backend(%s)", self.waiting().pop())
        thread.join(60)
        assert not self.waiting()

    def execute(self, sql):
        """Returns when its commit is in the log and hangs."""
        def work():
            with self.ground.connect() as connection:
                connection.execute(sql)
        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()
        wait_until(lambda: len(self.waiting()) == len(self.threads), 60, "the commit to hang")

    def let_go(self):
        self.ground.server.set(synchronous_standby_names="")
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "its commit still hangs"


@pytest.fixture
def hanging(ground):
    made = Hanging(ground)
    yield made
    made.let_go()


def last_of(ground):
    """What a consumer ends with: the last record of a key has its row."""
    state = {}
    for message in ground.of("t"):
        if message["op"] == "DELETE":
            state.pop(message["key"]["id"], None)
        else:
            state[message["after"]["id"]] = message["after"]["v"]
    return state


def table(ground):
    return dict(ground.query("SELECT id, v FROM t"))


def never_backwards(ground, id=7):
    """The old row is never sent again after the new one."""
    values = [m["after"]["v"] for m in ground.of("t") if m["after"] and m["after"]["id"] == id]
    assert "new" in values
    assert "old" not in values[values.index("new"):], values


def test_an_ordered_snapshot_does_not_send_the_old_row_after_the_new_one(ground, hanging):
    with ground.capture(http=True) as capture:
        ground.wait_complete()
        hanging.begin()
        hanging.execute("UPDATE t SET v = 'new' WHERE id = 7")
        ground.wait_for(lambda: ground.of("t", "UPDATE"))
        assert ground.query("SELECT v FROM t WHERE id = 7") == [("old",)], "streamed, and seen by nobody"
        ground.command("public.t", "--id", "one")
        wait_until(lambda: ground.snapshots()["one"]["reason"] or len(ground.of("t", "READ")) > 400, 60,
                   "it to wait, or to read", interval=0.1)
        never_backwards(ground)
        hanging.let_go()
        ground.wait_for(lambda: ground.snapshots()["one"]["state"] == "done", 60)
        ground.wait_streamed()
        never_backwards(ground)
        assert len(ground.of("t", "READ")) == 800
        assert last_of(ground) == table(ground)
        capture.stop()


def test_deleted_and_inserted_rows_that_nobody_sees_yet_are_sent_right(ground, hanging):
    with ground.capture(http=True) as capture:
        ground.wait_complete()
        hanging.begin()
        hanging.execute("DELETE FROM t WHERE id = 8")
        hanging.execute("INSERT INTO t VALUES (1000, 'new')")
        hanging.execute("UPDATE t SET id = 1001, v = 'new' WHERE id = 9")
        ground.wait_for(lambda: ground.of("t", "DELETE") and len(ground.of("t", "INSERT")) == 2)
        ground.command("public.t", "--id", "one")
        ground.command("list")
        hanging.let_go()
        ground.wait_for(lambda: ground.snapshots()["one"]["state"] == "done", 60)
        ground.wait_streamed()
        assert last_of(ground) == table(ground)
        assert 8 not in last_of(ground) and 9 not in last_of(ground)
        capture.stop()


def test_a_snapshot_that_is_resumed_waits_too_and_says_for_what(ground, hanging):
    with ground.capture(source_snapshot_rows_per_second=60, source_snapshot_chunk_rows=20,
                        source_snapshot_readers=1) as capture:
        ground.wait_for(lambda: len(ground.rows("t")) >= 60)
        hanging.begin()
        unread = max(set(range(1, 401)) - {row["id"] for row in ground.rows("t")})
        hanging.execute(f"UPDATE t SET v = 'new' WHERE id = {unread}")
        capture.kill()
        before = len(capture.stderr)
        capture.environment["PG_CAPTURE_SOURCE_SNAPSHOT_ROWS_PER_SECOND"] = "0"
        capture.start()
        wait_until(lambda: "wait" in capture.stderr[before:] or COMPLETE in capture.stderr[before:], 60,
                   "a word about waiting", interval=0.05)
        assert COMPLETE not in capture.stderr
        hanging.let_go()
        ground.wait_complete()
        ground.wait_streamed()
        assert last_of(ground) == table(ground)
        values = [m["after"]["v"] for m in ground.of("t") if m["after"] and m["after"]["id"] == unread]
        assert "new" in values and "old" not in values[values.index("new"):], values
        capture.stop()


def test_the_first_snapshot_of_a_new_slot_does_not_miss_it_either(ground, hanging):
    """A slot is made only when every transaction that runs has ended; so the row is read new."""
    ground.sql(f"CREATE PUBLICATION {ground.name}_pub FOR ALL TABLES")     # its commit would hang too
    hanging.begin()
    hanging.execute("UPDATE t SET v = 'new' WHERE id = 7")
    with ground.capture(source_manage_publication="false") as capture:
        wait_until(lambda: ground.server.slot(ground.name), 60, "the slot to be begun")
        assert not ground.of("t")
        hanging.let_go()
        ground.wait_complete()
        ground.wait_streamed()
        assert last_of(ground) == table(ground)
        never_backwards(ground)
        capture.stop()


def test_the_stream_goes_on_while_a_snapshot_waits(ground, hanging):
    with ground.capture(http=True) as capture:
        ground.wait_complete()
        hanging.begin()
        hanging.execute("UPDATE t SET v = 'new' WHERE id = 7")
        ground.command("public.t", "--id", "one")
        for number in range(5):
            ground.sql(f"SET synchronous_commit = local; INSERT INTO fence VALUES ({1000 + number})")
            ground.wait_for(lambda: any(m["after"]["n"] == 1000 + number for m in ground.of("fence", "INSERT")))
        hanging.let_go()
        ground.wait_for(lambda: ground.snapshots()["one"]["state"] == "done", 60)
        never_backwards(ground)
        capture.stop()
