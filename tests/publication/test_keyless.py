"""Tables without a replica identity: the application goes on, and what can be captured is."""

import pytest
from support.processes import wait_until
from summary import summary

SMALL = {"include": "public.bare,public.a,public.late,public.fence"}


def inserts(site):
    return f"{site.publication()}_inserts"


def both(site):
    return site.published(site.publication(), inserts(site))


def wait_both(site, condition):
    wait_until(lambda: condition(both(site)), 60, "the publications to change", interval=0.1)


@pytest.mark.parametrize("version", ["10", "15", "18"])
def test_the_application_goes_on(sites, version):
    site = sites(version)
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE bare (id int, v text); INSERT INTO bare VALUES (1, 'x')")
    code, findings = site.check(**SMALL)
    capture = site.capture(**SMALL)
    site.sql("UPDATE bare SET v = 'y'")
    assert code == 0, findings
    [found] = [f for f in findings if f["id"] == "replica_identity"]
    assert found["level"] == "warning" and "updates and deletes are not" in found["message"]
    site.sql("INSERT INTO bare VALUES (2, 'z')")
    site.sql("DELETE FROM bare WHERE id = 1")
    site.sql("INSERT INTO a VALUES (1); DELETE FROM a")
    site.sql("TRUNCATE bare")
    truncated = [("bare", "TRUNCATE", None)] if version != "10" else []
    assert summary(site.streamed(capture)) == [("bare", "READ", 1), ("bare", "INSERT", 2), ("a", "INSERT", 1),
                                            ("a", "DELETE", 1), *truncated]
    assert both(site) == {"a": set("IUD"), "bare": set("I")}
    assert "REPLICA IDENTITY FULL" in capture.stderr and "updates and deletes are not" in capture.stderr
    code, findings = site.check(**SMALL)
    assert code == 0 and [f["id"] for f in findings if f["subject"].endswith('"bare"')] == ["replica_identity"]
    # Again from where it was; the second publication is known by its slot.
    capture.stop()
    site.sql("INSERT INTO bare VALUES (3, 'w')")
    capture.start()
    assert ("bare", "INSERT", 3) in summary(site.streamed(capture))


@pytest.mark.parametrize("version", ["10", "15", "18"])
def test_a_key_that_comes_and_goes_moves_the_table(sites, version):
    site = sites(version)
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE bare (id int)")
    capture = site.capture(**SMALL)
    site.sql("INSERT INTO bare VALUES (1)")
    site.sql("ALTER TABLE bare ADD PRIMARY KEY (id)")
    wait_both(site, lambda published: published["bare"] == set("IUD"))
    assert site.published(inserts(site)) == {}
    site.sql("INSERT INTO bare VALUES (2); UPDATE bare SET id = 3 WHERE id = 2; DELETE FROM bare WHERE id = 1")
    seen = summary(site.streamed(capture))
    assert seen[:2] == [("bare", "INSERT", 1), ("bare", "INSERT", 2)] and seen[-1] == ("bare", "DELETE", 1), seen
    site.sql("ALTER TABLE bare DROP CONSTRAINT bare_pkey")
    wait_both(site, lambda published: published["bare"] == set("I"))
    site.sql("UPDATE bare SET id = 4")
    site.sql("INSERT INTO bare VALUES (5)")
    assert summary(site.streamed(capture))[len(seen):] == [("bare", "INSERT", 5)]


def test_a_table_that_comes_later_does_not_break_anything_either(site):
    site.sql("CREATE TABLE a (id int PRIMARY KEY)")
    capture = site.capture()
    assert site.query("SELECT bool_or(puballtables) FROM pg_publication") == [(False,)]
    site.sql("CREATE TABLE late (id int); INSERT INTO late VALUES (1)")
    site.sql("UPDATE late SET id = 2")
    wait_both(site, lambda published: published.get("late") == set("I"))
    site.sql("UPDATE late SET id = 3")
    site.sql("INSERT INTO late VALUES (4)")
    capture.wait_for(lambda messages: ("late", "INSERT", 4) in summary(messages), 60)
    wait_until(lambda: {m[1:] for m in summary(capture.messages) if m[0] == "late"} >= {("READ", 3), ("INSERT", 4)}
               or {m[1:] for m in summary(capture.messages) if m[0] == "late"} >= {("READ", 2), ("INSERT", 4)},
               60, "the rows that were there before", interval=0.1)


def test_beside_an_old_slot_nothing_changes(site):
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE bare (id int)")
    name = site.publication()
    slot = f"{site.name}_a"
    site.sql(f"CREATE PUBLICATION {name} FOR TABLE a, bare, fence; COMMENT ON PUBLICATION {name} "
             f"IS 'maintained by pg-capture for pipeline \"{slot}\", slot \"{slot}\"'")
    site.sql(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    site.sql("CREATE TABLE late (id int)")
    code, findings = site.check(**SMALL)
    assert any("begin with a new slot" in f["hint"] for f in findings), findings
    capture = site.capture(source_snapshot_mode="never", **SMALL)
    site.sql("INSERT INTO bare VALUES (1); INSERT INTO late VALUES (1)")
    site.sql("UPDATE late SET id = 2")
    assert summary(site.streamed(capture)) == [("bare", "INSERT", 1)]
    assert set(site.published(name)) == {"a", "bare"}
    assert site.query("SELECT count(*) FROM pg_publication") == [(1,)]
    assert "tables without a replica identity are not captured" in capture.stderr
    # The way that is advised: a key.
    site.sql("ALTER TABLE late ADD PRIMARY KEY (id)")
    site.wait_published(lambda published: "late" in published, name)


def test_the_second_publication_is_not_to_be_dropped_or_taken(site):
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE bare (id int)")
    capture = site.capture(**SMALL)
    site.streamed(capture)
    capture.stop()
    site.sql(f"DROP PUBLICATION {inserts(site)}")
    code, findings = site.check(**SMALL)
    assert code == 1 and any(inserts(site) in f["message"] for f in findings), findings
    refused = site.capture(wait=False, **SMALL)
    assert refused.wait_exit() != 0
    assert inserts(site) in refused.stderr
    site.sql("CREATE PUBLICATION site_b_inserts")
    taken = site.capture("b", publication="site_b", wait=False, **SMALL)
    assert taken.wait_exit() != 0
    assert "site_b_inserts" in taken.stderr and "PG_PUBLICATION" in taken.stderr


def test_somebody_else_who_reads_them_keeps_the_second_one_at_each_start(site):
    """The slot is not that of the publications' comment: it was reported by the first start alone."""
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE bare (id int)")
    owner = site.capture("a", publication="shared", **SMALL)
    site.streamed(owner)
    reader = site.capture("b", publication="shared", source_manage_publication="false", **SMALL)
    for number in range(1, 4):
        site.sql(f"INSERT INTO bare VALUES ({number})")
        assert summary(site.streamed(reader))[-1] == ("bare", "INSERT", number)
        reader.stop()
        reader.start()


def test_a_comment_that_somebody_overwrites_takes_nothing_away(site):
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE bare (id int)")
    capture = site.capture("a", publication="shared", **SMALL)
    site.streamed(capture)
    capture.stop()
    site.sql("COMMENT ON PUBLICATION shared IS 'our changes'")
    code, findings = site.check(publication="shared", **SMALL)
    assert code == 0 and not any("lacks" in f["message"] for f in findings), findings
    site.sql("INSERT INTO bare VALUES (1)")
    capture.start()
    assert summary(site.streamed(capture)) == [("bare", "INSERT", 1)]


@pytest.mark.parametrize("version", ["13", "15", "18"])
def test_a_slot_that_is_older_than_the_second_one_goes_on_without_it_for_now(sites, version):
    site = sites(version)
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE bare (id int);"
             "CREATE PUBLICATION shared FOR TABLE a, fence; INSERT INTO a VALUES (0)")
    site.sql(f"SELECT pg_create_logical_replication_slot('{site.name}_b', 'pgoutput')")
    site.sql("INSERT INTO a VALUES (1); INSERT INTO bare VALUES (2)")
    site.sql("CREATE PUBLICATION shared_inserts FOR TABLE bare WITH (publish = 'insert');"
             "COMMENT ON PUBLICATION shared_inserts IS 'maintained by pg-capture'")
    reader = site.capture("b", publication="shared", source_manage_publication="false",
                          source_snapshot_mode="never", **SMALL)
    assert summary(site.streamed(reader)) == [("a", "INSERT", 1)]
    reader.stop()
    reader.start()
    site.sql("INSERT INTO bare VALUES (3)")
    assert summary(site.streamed(reader)) == [("a", "INSERT", 1), ("bare", "INSERT", 3)]


@pytest.mark.parametrize("version", ["10", "18"])
def test_a_table_in_both_publications_is_read_once(sites, version):
    """As a DBA leaves it who gives it an identity and adds it to the first: without a key, rows count."""
    site = sites(version)
    site.sql("CREATE TABLE bare (id int); ALTER TABLE bare REPLICA IDENTITY FULL; INSERT INTO bare VALUES (1), (2);"
             "CREATE PUBLICATION shared FOR TABLE bare, fence;"
             "CREATE PUBLICATION shared_inserts FOR TABLE bare WITH (publish = 'insert');"
             "COMMENT ON PUBLICATION shared IS 'prepared by pg-capture init for pipeline \"x\", "
             f"slot \"{site.name}_a\", with \"shared_inserts\"'")
    capture = site.capture(publication="shared", source_manage_publication="false")
    site.sql("INSERT INTO bare VALUES (3)")
    assert sorted(summary(site.streamed(capture))) == [("bare", "INSERT", 3), ("bare", "READ", 1), ("bare", "READ", 2)]
