"""What was committed while a table was captured comes, whatever has become of the table since.

The stream is older than the catalog: here partitions are detached or dropped, and what is above them
is renamed, before changes are read that were committed earlier.
"""

import contextlib

import pytest
from support.processes import wait_until
from test_partitions import ORDERS
from summary import summary

MINE = "public.orders,public.fence"
KINDS = ["foreign list", "not managed", "all tables", "schema", "refused"]


@contextlib.contextmanager
def keeper_of(site):
    """A role that owns everything but foreign_one, which it can't publish."""
    site.sql("CREATE ROLE keeper LOGIN REPLICATION PASSWORD 'secret';"
             "CREATE TABLE foreign_one (id int PRIMARY KEY);"
             f"GRANT CREATE ON DATABASE {site.name} TO keeper; GRANT USAGE, CREATE ON SCHEMA public TO keeper;"
             "GRANT ALL ON ALL TABLES IN SCHEMA public TO keeper;"
             + "".join(f"ALTER TABLE {table} OWNER TO keeper;" for table in (
                 "orders", "orders_us", "orders_eu", "orders_eu_eu", "orders_eu_uk", "fence")))
    try:
        yield {"user": "keeper"}
    finally:
        for capture in site.captures:
            capture.close()
        site.sql("REASSIGN OWNED BY keeper TO postgres; DROP OWNED BY keeper")
        site.server.psql("DROP ROLE keeper")


@contextlib.contextmanager
def following(site, kind):
    """A pipeline whose filter decides, of each kind: it has streamed, and is down."""
    site.sql(ORDERS)
    common = {"include": MINE, "source_snapshot_mode": "never"}
    with contextlib.ExitStack() as left:
        if kind == "foreign list":
            site.sql(f"CREATE PUBLICATION {site.publication()} FOR TABLE orders, other, fence")
        elif kind in ("all tables", "schema"):
            what = "ALL TABLES" if kind == "all tables" else "TABLES IN SCHEMA public"
            site.sql(f"CREATE PUBLICATION {site.publication()} FOR {what}")
        elif kind == "not managed":
            site.capture(**common).stop(60)
            common["source_manage_publication"] = "false"
        else:
            common |= left.enter_context(keeper_of(site))
            site.capture(**common).stop(60)
            common["include"] += ",public.foreign_one"
        capture = site.capture(**common)
        site.streamed(capture)
        capture.stop(60)
        yield capture


def wait_for_line(capture, *words, times=1):
    """A line of the log with all of the words, so many times."""
    def there():
        return sum(all(word in line for word in words) for line in capture.stderr.splitlines()) >= times
    wait_until(there, 60, f"the log to say {words}")


def inserts(site, capture):
    return summary(site.streamed(capture), "INSERT")


@pytest.mark.parametrize("kind", KINDS)
def test_partitions_that_were_detached_while_we_were_down(site, kind):
    with following(site, kind) as capture:
        site.sql("INSERT INTO orders VALUES (5, 'us', 0), (6, 'uk', 0), (7, 'eu', 0)")
        site.sql("ALTER TABLE orders DETACH PARTITION orders_us; ALTER TABLE orders DETACH PARTITION orders_eu;"
                 "DROP TABLE orders_eu_eu")
        capture.start()
        assert inserts(site, capture) == [
            ("orders_us", "INSERT", 5), ("orders_eu_uk", "INSERT", 6), ("orders_eu_eu", "INSERT", 7)]
        assert "though no filter names it" not in capture.stderr_tail()


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["11", "12", "13", "14", "16", "17", "18"])
def test_partitions_that_were_detached_while_we_were_down_on_other_servers(sites, version):
    test_partitions_that_were_detached_while_we_were_down(sites(version), "all tables")


@pytest.mark.parametrize("kind", KINDS)
def test_a_root_that_was_renamed_while_we_were_down(site, kind):
    with following(site, kind) as capture:
        site.sql("INSERT INTO orders VALUES (5, 'us', 0), (6, 'uk', 0)")
        site.sql("ALTER TABLE orders RENAME TO orders_old")
        site.sql("CREATE TABLE orders (id int PRIMARY KEY)")
        capture.start()
        assert inserts(site, capture) == [("orders_us", "INSERT", 5), ("orders_eu_uk", "INSERT", 6)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["while down", "in one transaction"])
def test_a_partition_that_was_made_filled_and_detached_before_anybody_looked(site, kind, where):
    with following(site, kind) as capture:
        life = ["CREATE TABLE orders_asia PARTITION OF orders FOR VALUES IN ('asia')",
                "INSERT INTO orders VALUES (5, 'asia', 0)",
                "ALTER TABLE orders DETACH PARTITION orders_asia"]
        if where == "while down":
            for step in life:
                site.sql(step)
            capture.start()
        else:
            capture.start()
            site.streamed(capture)
            # As late as can be: all of it is in the catalog before the first row is decoded.
            with site.server.connect(site.name, autocommit=False) as session:
                for step in [*life, "DROP TABLE orders_asia"]:
                    session.execute(step)
                session.commit()
        came = inserts(site, capture)
        if kind in ("all tables", "schema"):
            # Any new table looks like that: it is left out, and said by name.
            assert came == []
            wait_for_line(capture, "are left out", "orders_asia")
        else:
            assert came == [("orders_asia", "INSERT", 5)]
            wait_for_line(capture, "are captured though no filter names it", "orders_asia", "commit_lsn")


def test_what_was_never_meant_stays_out_when_it_leaves_the_list(site):
    with following(site, "foreign list") as capture:
        site.sql("INSERT INTO other VALUES (5, 0); INSERT INTO orders VALUES (6, 'us', 0)")
        site.sql("DROP TABLE other")
        capture.start()
        assert inserts(site, capture) == [("orders_us", "INSERT", 6)]
        wait_for_line(capture, "are left out", "other")


def test_a_detached_partition_is_left_out_once_its_last_changes_are_durable(site):
    with following(site, "all tables") as capture:
        site.sql("INSERT INTO orders VALUES (5, 'us', 0)")
        site.sql("ALTER TABLE orders DETACH PARTITION orders_us")
        capture.start()
        assert inserts(site, capture) == [("orders_us", "INSERT", 5)]
        site.streamed(capture)  # past the place at which the catalog was looked at
        capture.stop(60)
        capture.start()
        site.sql("INSERT INTO orders_us VALUES (6, 'us', 0); INSERT INTO orders VALUES (7, 'uk', 0)")
        assert inserts(site, capture)[1:] == [("orders_eu_uk", "INSERT", 7)]
        wait_for_line(capture, "are left out", "orders_us")


def test_what_was_remembered_survives_a_kill(site):
    """It is stored before the stream begins: nobody has to end well."""
    with following(site, "all tables") as capture:
        site.sql("CREATE TABLE orders_asia PARTITION OF orders FOR VALUES IN ('asia')")
        capture.start()
        wait_for_line(capture, "streaming", "from", times=2)
        capture.kill()
        site.sql("INSERT INTO orders VALUES (5, 'asia', 0)")
        site.sql("ALTER TABLE orders DETACH PARTITION orders_asia")
        capture.start()
        assert inserts(site, capture) == [("orders_asia", "INSERT", 5)]
