"""A key that is called as it was and is another one: what was read by the old one says nothing of the new one."""

import pytest
from gate import Gate

ROWS = 60
CHUNK = 8           # a statement reads half of it
FIRST = 5           # chunks before the alteration
TABLE = f"""
CREATE TABLE t (who int NOT NULL, id int PRIMARY KEY, k int NOT NULL, v text, big text);
ALTER TABLE t ALTER big SET STORAGE EXTERNAL; CREATE UNIQUE INDEX t_k ON t (k);
INSERT INTO t SELECT i, {ROWS + 1} - i, i, 'v', repeat('big' || i, 1000) FROM generate_series(1, {ROWS}) i;
"""
ALTERATIONS = {
    "renumbered": "BEGIN; ALTER TABLE t DROP id; ALTER TABLE t ADD id serial PRIMARY KEY; COMMIT",
    "other-values": f"ALTER TABLE t ALTER id TYPE int USING {ROWS + 1} - id",
    "names-swapped": "BEGIN; ALTER TABLE t RENAME id TO x; ALTER TABLE t RENAME k TO id; ALTER TABLE t RENAME x TO k;"
                     "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id); COMMIT",
    # A row moves from what is left into what was read while its changes come by another key.
    "another-one-for-a-time": "ALTER TABLE t RENAME v TO w; ALTER TABLE t REPLICA IDENTITY USING INDEX t_k;"
                              "UPDATE t SET id = -1 WHERE who = 1; ALTER TABLE t REPLICA IDENTITY DEFAULT",
}


@pytest.mark.parametrize("how", ALTERATIONS)
def test_a_key_that_is_another_one_under_its_old_name_is_read_from_its_start(postgres, grounds, how):
    ground = grounds(source_snapshot_chunk_rows=CHUNK, source_snapshot_readers=1)
    ground.sql(TABLE)
    with Gate(postgres.host, postgres.port) as gate, \
            ground.capture(postgres_host=gate.host, postgres_port=gate.port) as capture:
        opening = gate.let_pass(capture, FIRST)
        ground.sql(ALTERATIONS[how])
        opening.release()
        gate.open()
        ground.wait_complete()
        ground.wait_streamed(60)
        capture.stop()
        rows = ground.rows("t")
    assert {row["who"] for row in rows} == set(range(1, ROWS + 1)), "rows were left out"
    final = {row["who"]: row for (row,) in ground.query("SELECT to_jsonb(t) FROM t")}
    now = {row["who"]: row for row in rows}
    moved = final if how != "another-one-for-a-time" else [1]
    assert {who: now[who] for who in moved} == {who: final[who] for who in moved}
