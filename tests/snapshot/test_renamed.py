"""Tables that get another name, or another schema, before they are read to their end.

As migrations do that fill a table beside the old one and then swap the two. Who is to be read is the table, not
whichever is called like it when its turn comes: all rows of all of them, under whatever name.
"""

import re
import pytest
from gate import Gate

ROWS = 100
CHUNK = 20          # a statement reads half of it
ACTS = {
    "renamed": "ALTER TABLE t9 RENAME TO t10",
    "moved": "ALTER TABLE t9 SET SCHEMA other",
    "swapped": "BEGIN; ALTER TABLE t9 RENAME TO t9_old; ALTER TABLE t9_new RENAME TO t9; COMMIT",
    "in a circle": "BEGIN; ALTER TABLE t9 RENAME TO t_; ALTER TABLE t9_new RENAME TO t9; ALTER TABLE t_ RENAME TO t9_new; COMMIT",
}
TWO = range(1, 2 * ROWS + 1)


def fill(key="PRIMARY KEY"):
    """The first hundred rows are one table's, the second another's."""
    return "".join(f"CREATE TABLE {table} (id int {key}, v text);"
                   f"INSERT INTO {table} SELECT i, 'v' || i FROM generate_series({first}, {first + ROWS - 1}) i;"
                   for table, first in (("t9", 1), ("t9_new", ROWS + 1)))


@pytest.fixture
def gate(postgres):
    with Gate(postgres.host, postgres.port) as one:
        yield one


@pytest.fixture
def renaming(grounds, gate):
    def begin(**options):
        ground = grounds(**{"source_tables_include": "public.t*,other.*,public.fence", "source_tables_refresh_secs": 1,
                            "source_snapshot_readers": 1, "source_snapshot_chunk_rows": CHUNK,
                            "postgres_host": gate.host, "postgres_port": gate.port, **options})
        ground.sql("CREATE SCHEMA other")
        return ground
    return begin


def numbers_read(ground):
    return {m["after"]["id"] for m in ground.messages if m["op"] == "READ" and m["table"] != "fence"}


def finish(ground, gate, complete, killed=False, expected=TWO):
    if killed:
        ground.process.kill()
        gate.drop()
        gate.open()
        ground.process.start()
    gate.open()
    ground.wait_for(lambda: numbers_read(ground) == set(expected), 60, "every row")
    if not killed:
        ground.wait_complete(complete)
    ground.wait_streamed()
    assert "snapshot failed" not in ground.process.stderr
    ground.process.stop()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("chunks", [0, 3], ids=["unread", "half read"])
def test_what_has_joined_is_read_to_its_end(renaming, gate, chunks, act):
    gate.open()
    ground = renaming()
    ground.capture(http=True)
    ground.wait_complete()
    gate.is_open = False
    ground.sql(f"BEGIN; {fill()} COMMIT")
    waits = gate.let_pass(ground.process, chunks)
    ground.sql(ACTS[act])
    waits.release()
    finish(ground, gate, 2)


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed"])
@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["keyed", "keyless"])
@pytest.mark.parametrize("act", ["renamed", "in a circle"])
def test_what_has_joined_is_read_though_it_could_not_be_begun(renaming, gate, act, key, killed):
    """A snapshot waits for whoever writes."""
    gate.open()
    ground = renaming()
    ground.capture(http=True)
    ground.wait_complete()
    with ground.connect(autocommit=False) as busy:
        busy.execute("SELECT txid_current()")
        ground.sql(f"BEGIN; {fill(key)} COMMIT")
        ground.wait_for(lambda: ground.process.stderr.count("snapshot begins") >= 2)
        ground.sql(ACTS[act])
        if killed:
            ground.process.kill()
        busy.rollback()
    if killed:
        ground.process.start()
    finish(ground, gate, 2) if not killed else finish(ground, gate, 1)


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed"])
@pytest.mark.parametrize("chunks", [0, 3], ids=["unread", "half read"])
@pytest.mark.parametrize("act", ["moved", "in a circle"])
def test_the_initial_snapshot_reads_all(renaming, gate, act, chunks, killed):
    ground = renaming()
    ground.sql(fill())
    ground.capture(http=True)
    waits = gate.let_pass(ground.process, chunks)
    ground.sql(ACTS[act])
    waits.release()
    finish(ground, gate, 1, killed)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("chunks", [0, 3], ids=["unread", "half read"])
def test_what_was_ordered_is_read_to_its_end(renaming, gate, chunks, act):
    """It was meant by its name when the request was made."""
    ground = renaming(source_snapshot_mode="never")
    ground.sql(fill())
    ground.capture(http=True).wait_streaming()
    ground.command("public.t9", "public.t9_new", "--id", "one")
    waits = gate.let_pass(ground.process, chunks)
    ground.sql(ACTS[act])
    waits.release()
    gate.open()
    ground.wait_state("one", "done", "failed", timeout=60)
    finish(ground, gate, 1)


def test_one_that_is_captured_no_more_is_read_no_further_and_that_is_reported(renaming, gate):
    ground = renaming(source_manage_publication="false")
    ground.sql(f"{fill()} CREATE PUBLICATION {ground.name}_pub FOR ALL TABLES")
    ground.capture(http=True)
    waits = gate.let_pass(ground.process, 3)
    ground.sql("ALTER TABLE t9 RENAME TO away; ALTER TABLE t9_new RENAME TO gone")
    waits.release()
    gate.open()
    ground.wait_complete()
    ground.wait_streamed()
    assert 0 < len(numbers_read(ground)) < 2 * ROWS
    assert re.search(r"a table is no longer read .* why=\"the filters don't include it any more\"", ground.process.stderr)
    ground.process.stop()
