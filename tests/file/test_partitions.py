"""Partitions that come as their root: a reload is one of the whole table, and what a loader has that starts over is the table."""

import re

import pytest
from place import read_rows
from support.processes import PATIENCE, wait_until
from support.replica import lsn_number
from support.servers import ROOT
from test_reload import TOKEN, Reloaded, lsn


class Partitioned(Reloaded):
    """r has the partitions p1 and p2, of 100 rows each; p3 is a table of 300 that may become one."""

    def begin(self, **options):
        self.sql("""CREATE TABLE r (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
                    CREATE TABLE p1 PARTITION OF r FOR VALUES FROM (0) TO (1000);
                    CREATE TABLE p2 PARTITION OF r FOR VALUES FROM (1000) TO (2000);
                    CREATE TABLE p3 (id int PRIMARY KEY, v text);
                    INSERT INTO r SELECT i * 10, 'v' || i FROM generate_series(0, 199) i;
                    INSERT INTO p3 SELECT i, 'v' || i FROM generate_series(2000, 2299) i; ANALYZE""")
        self.process = self.capture(source_publish_via_partition_root="true", source_tables_refresh_secs="1",
                                    http_token=TOKEN, **options)
        wait_until(lambda: self.registered() and len(self.file_log("full_reload")) == 2, PATIENCE, "the first files")
        self.process.wait_streaming()
        return self.process

    def attach(self):
        self.sql("ALTER TABLE r ATTACH PARTITION p3 FOR VALUES FROM (2000) TO (3000)")

    def starts_over(self):
        """r as a loader has it that goes by the page's query."""
        page = (ROOT / "docs/reference/registry.md").read_text(encoding="utf-8")
        query = next(q for q in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) if q.startswith("WITH reload"))
        files = self.rows(query.replace("'shop'", f"'{self.slot}'").replace("'orders'", "'r'").rstrip().rstrip(";"))
        logged = {file["path"]: file for file in self.file_log()}
        newest = {}
        for path, kind, start in files:
            file = logged[path]
            for row in read_rows(self.root / path, file["bytes"], file["checksum"], file["rows"]):
                place = (lsn(row["_commit_lsn"]), int(row["_seq"]))
                if kind == "streaming" and place[0] <= lsn_number(start):
                    continue
                if row["id"] not in newest or place >= newest[row["id"]][0]:
                    newest[row["id"]] = (place, None if row["_op"] == "DELETE" else row["v"])
        return {key: value for key, (_, value) in newest.items() if value is not None}

    def wait_started_over(self):
        wait_until(lambda: self.starts_over() == self.source("r"), 2 * PATIENCE, "the table as it is")


@pytest.fixture
def place(postgres, tmp_path):
    with Partitioned(postgres, tmp_path / "files") as made:
        yield made


def test_a_part_of_a_table_is_not_reloaded_as_if_it_were_all_of_it(place):
    place.begin()
    said = place.command("reload", "public.p1", "--wait", code=1)
    assert "rows of public.p1 come as those of public.r" in said and "reload public.r" in said
    place.emit("pg-capture.reload", marker="EXPORT_START", schema="public", name="p2")
    place.sql("INSERT INTO r VALUES (7, 'after it')")
    wait_until(lambda: "7" in place.loaded("r"), PATIENCE, "the change after the message")
    assert not place.operations("r") and not place.operations("p1") and not place.operations("p2")
    place.command("reload", "public.p*", "--wait")
    assert [o["rows"] for o in place.operations("r")] == [201]
    place.wait_started_over()
    place.process.stop()


def test_one_that_becomes_a_part_while_it_is_reloaded_does_not_stand_for_the_whole(place):
    place.begin()
    place.slow_down()
    place.command("reload", "public.p3", "--id", "mine")
    place.wait_half_read()
    place.attach()
    place.wait_operation("failed", "p3")
    assert not place.operations("r")
    place.command("reload", "public.r", "--wait")
    assert [o["rows"] for o in place.operations("r")] == [500]
    place.wait_started_over()
    place.process.stop()


def test_rows_that_join_a_table_after_its_reload_are_found(place):
    place.begin()
    place.command("reload", "public.r", "--wait")
    place.wait_started_over()
    place.sql("""BEGIN; CREATE TABLE p4 (id int PRIMARY KEY, v text);
                 INSERT INTO p4 SELECT i, 'v' || i FROM generate_series(3000, 3299) i;
                 ALTER TABLE r ATTACH PARTITION p4 FOR VALUES FROM (3000) TO (4000); COMMIT""")
    place.sql("INSERT INTO r VALUES (3500, 'later'); UPDATE r SET v = 'changed' WHERE id IN (10, 3000)")
    place.wait_started_over()
    assert len(place.starts_over()) == 501
    place.process.stop()


def test_what_is_cancelled_while_it_is_paused_leaves_nothing(place):
    place.begin()
    place.slow_down()
    place.command("reload", "public.p3", "--id", "mine")
    place.wait_half_read()
    place.command("snapshot", "pause", "mine")
    place.command("reload", "public.r", "--wait")
    assert place.rows_being_written() > 0, "it is kept while it is paused"
    place.command("snapshot", "cancel", "mine")
    wait_until(lambda: place.rows_being_written() == 0, PATIENCE, "nothing is left of it")
    place.process.stop()
