"""A partition counts through the tables above it, whoever made the publication."""

import pytest
from summary import summary

ORDERS = """
CREATE TABLE orders (id int, region text, v int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE orders_us PARTITION OF orders FOR VALUES IN ('us');
CREATE TABLE orders_eu PARTITION OF orders FOR VALUES IN ('eu', 'uk') PARTITION BY LIST (region);
CREATE TABLE orders_eu_eu PARTITION OF orders_eu FOR VALUES IN ('eu');
CREATE TABLE orders_eu_uk PARTITION OF orders_eu FOR VALUES IN ('uk');
CREATE TABLE other (id int PRIMARY KEY, v int);
INSERT INTO orders VALUES (1, 'us', 0), (2, 'eu', 0), (3, 'uk', 0);
INSERT INTO other VALUES (4, 0);
"""
FOREIGN = {"list": "FOR TABLE orders, other, fence", "all tables": "FOR ALL TABLES"}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_leaf_counts_through_its_root_in_somebody_elses_publication(site, kind):
    site.sql(ORDERS)
    site.sql(f"CREATE PUBLICATION {site.publication()} {FOREIGN[kind]}")
    code, findings = site.check(include="public.orders,public.fence")
    assert code == 0 and not findings
    capture = site.capture(include="public.orders,public.fence")
    capture.wait_for(lambda messages: len(summary(messages, "READ")) >= 3)
    site.sql("INSERT INTO orders VALUES (5, 'us', 0), (6, 'uk', 0); UPDATE orders SET v = 1 WHERE id = 2;"
             "DELETE FROM orders WHERE id = 3; INSERT INTO other VALUES (7, 0)")
    messages = site.streamed(capture)
    assert sorted(summary(messages, "READ")) == [
        ("orders_eu_eu", "READ", 2), ("orders_eu_uk", "READ", 3), ("orders_us", "READ", 1)]
    assert summary(messages, "INSERT", "UPDATE", "DELETE") == [
        ("orders_us", "INSERT", 5), ("orders_eu_uk", "INSERT", 6), ("orders_eu_eu", "UPDATE", 2),
        ("orders_eu_uk", "DELETE", 3)]


def test_an_excluded_leaf_stays_out_and_a_middle_table_brings_its_leaves_in(site):
    site.sql(ORDERS)
    site.sql(f"CREATE PUBLICATION {site.publication()} FOR ALL TABLES")
    capture = site.capture(include="public.orders_eu,public.fence", exclude="*.orders_eu_uk")
    site.sql("INSERT INTO orders VALUES (5, 'us', 0), (6, 'uk', 0), (7, 'eu', 0)")
    assert summary(site.streamed(capture)) == [("orders_eu_eu", "READ", 2), ("orders_eu_eu", "INSERT", 7)]


def test_a_leaf_attached_or_detached_while_we_stream(site):
    site.sql(ORDERS)
    site.sql(f"CREATE PUBLICATION {site.publication()} FOR ALL TABLES")
    capture = site.capture(include="public.orders,public.fence", source_snapshot_mode="never")
    site.sql("CREATE TABLE orders_asia (id int, region text, v int, PRIMARY KEY (id, region));"
             "INSERT INTO orders_asia VALUES (1, 'asia', 0)")
    assert summary(site.streamed(capture)) == []
    site.sql("ALTER TABLE orders ATTACH PARTITION orders_asia FOR VALUES IN ('asia');"
             "INSERT INTO orders VALUES (2, 'asia', 0)")
    assert summary(site.streamed(capture)) == [("orders_asia", "INSERT", 2)]
    site.sql("INSERT INTO orders VALUES (3, 'asia', 0);"
             "ALTER TABLE orders DETACH PARTITION orders_asia;"
             "INSERT INTO orders VALUES (4, 'us', 0)")
    assert summary(site.streamed(capture))[1:] == [("orders_asia", "INSERT", 3), ("orders_us", "INSERT", 4)]


def test_a_leaf_that_is_gone_from_the_catalog_before_its_changes_are_read(site):
    site.sql(ORDERS)
    site.sql(f"CREATE PUBLICATION {site.publication()} FOR TABLE orders, fence")
    capture = site.capture(include="public.orders,public.fence", source_snapshot_mode="never")
    site.streamed(capture)
    # It was seen as a partition at the start, never in the stream.
    with site.server.connect(site.name, autocommit=False) as session:
        session.execute("INSERT INTO orders VALUES (5, 'us', 0)")
        session.execute("ALTER TABLE orders DETACH PARTITION orders_us")
        session.execute("DROP TABLE orders_us")
        session.commit()
    assert summary(site.streamed(capture)) == [("orders_us", "INSERT", 5)]
    # One that nobody can know: it was sent, so it may have been one, and that is said.
    capture.stop()
    site.sql("CREATE TABLE orders_us PARTITION OF orders FOR VALUES IN ('us');"
             "INSERT INTO orders VALUES (6, 'us', 0)")
    site.sql("DROP TABLE orders_us")
    capture.start().wait_for_log("changes of a table are captured though no filter names it", 60)
    assert summary(site.streamed(capture))[-1] == ("orders_us", "INSERT", 6)


def test_only_the_root_is_wanted_but_leaves_come_under_it(site):
    """Under the root's name a leaf alone can't be chosen: `check` says so, it does not stay silent."""
    site.sql(ORDERS)
    site.sql(f"CREATE PUBLICATION {site.publication()} FOR TABLE orders, fence "
             "WITH (publish_via_partition_root = true)")
    code, findings = site.check(include="public.orders_us,public.fence")
    assert any("orders_us" in f["message"] for f in findings), (code, findings)
    capture = site.capture(include="public.orders,public.fence")
    site.sql("INSERT INTO orders VALUES (5, 'us', 0)")
    assert sorted(summary(site.streamed(capture))) == [
        ("orders", "INSERT", 5), ("orders", "READ", 1), ("orders", "READ", 2), ("orders", "READ", 3)]


def test_our_own_publication_after_an_alteration_was_refused(site):
    site.sql(ORDERS)
    site.sql("CREATE ROLE keeper LOGIN REPLICATION PASSWORD 'secret'; CREATE TABLE foreign_one (id int PRIMARY KEY);"
             f"GRANT CREATE ON DATABASE {site.name} TO keeper;"
             + "".join(f"ALTER TABLE {t} OWNER TO keeper;" for t in (
                 "orders", "orders_us", "orders_eu", "orders_eu_eu", "orders_eu_uk", "fence"))
             + "GRANT USAGE ON SCHEMA public TO keeper")
    try:
        capture = site.capture(user="keeper", include="public.orders,public.fence")
        site.streamed(capture)
        capture.stop()
        # One more table is wanted, which is not ours to publish.
        capture = site.capture(user="keeper",
                               include="public.orders,public.fence,public.foreign_one")
        capture.wait_for_log("foreign_one")
        site.sql("INSERT INTO orders VALUES (5, 'us', 0), (6, 'uk', 0)")
        assert summary(site.streamed(capture), "INSERT") == [
            ("orders_us", "INSERT", 5), ("orders_eu_uk", "INSERT", 6)]
    finally:
        site.sql("REASSIGN OWNED BY keeper TO postgres; DROP OWNED BY keeper")
        for capture in site.captures:
            capture.close()
        site.server.psql("DROP ROLE keeper")


@pytest.mark.parametrize("version", ["13", "14", "18"])
@pytest.mark.parametrize("via_root", ["true", "false"])
def test_no_statement_through_a_root_without_a_key_is_refused(sites, version, via_root):
    """The root is in the publication that publishes updates, because its partitions have REPLICA IDENTITY FULL."""
    site = sites(version)
    site.sql("CREATE TABLE bare (id int, v int, UNIQUE (id)) PARTITION BY RANGE (id);"
             "CREATE TABLE bare_1 PARTITION OF bare FOR VALUES FROM (0) TO (10);"
             "CREATE TABLE bare_2 PARTITION OF bare FOR VALUES FROM (10) TO (20);"
             "ALTER TABLE bare_1 REPLICA IDENTITY FULL; ALTER TABLE bare_2 REPLICA IDENTITY FULL;"
             "INSERT INTO bare VALUES (1, 0), (2, 0), (11, 0), (12, 0)")
    capture = site.capture(source_snapshot_mode="never", source_publish_via_partition_root=via_root)
    published = site.published(site.publication())
    assert all(what >= set("IUD") for what in published.values()) and published, published
    for statement in (
            "UPDATE bare SET v = 1 WHERE id = 1", "UPDATE bare SET v = 2", "UPDATE bare_1 SET v = 3",
            "UPDATE bare SET id = 15 WHERE id = 2", "UPDATE bare SET v = 4 WHERE id = 500",
            "UPDATE bare SET v = 4 WHERE false", "DELETE FROM bare WHERE id = 500", "DELETE FROM bare WHERE id = 1",
            "INSERT INTO bare VALUES (11, 0) ON CONFLICT (id) DO UPDATE SET v = 5",
            *(["MERGE INTO bare USING (SELECT 12 AS k) s ON bare.id = s.k WHEN MATCHED THEN DELETE"] if version == "18" else [])):
        site.sql(statement)
    ids = [m[2] for m in summary(site.streamed(capture), "UPDATE") if m[0].startswith("bare")]
    assert ids and ids[-1] == 11
