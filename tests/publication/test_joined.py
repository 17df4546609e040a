"""A table that comes to be captured without our doing has rows that no stream holds: they are read."""

import pytest
from support.processes import wait_until
from summary import summary

ORDERS = """
CREATE TABLE orders (id int, region text, v int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE orders_us PARTITION OF orders FOR VALUES IN ('us');
INSERT INTO orders VALUES (1, 'us', 0);
"""
OURS = None
PUBLICATIONS = {"ours": OURS, "list": "FOR TABLE orders, fence", "all tables": "FOR ALL TABLES",
                "root": "FOR TABLE orders, fence WITH (publish_via_partition_root = true)"}
CHOICE = "public.orders,public.fence"
EARLIER = set(range(100, 150))


def filled(site, number, attach=True):
    """A partition with rows that it had before it was one."""
    name = f"orders_{number}"
    site.sql(f"CREATE TABLE {name} (id int, region text, v int, PRIMARY KEY (id, region));"
             f"INSERT INTO {name} SELECT i, '{number}', 0 FROM generate_series(100, 149) i")
    if attach:
        site.sql(f"ALTER TABLE orders ATTACH PARTITION {name} FOR VALUES IN ('{number}')")
    return name


def read(capture, name, ids=EARLIER):
    """Waits until all of these have come as READ under that name."""
    capture.wait_for(lambda messages: ids <= {i for table, _, i in summary(messages, "READ") if table == name}, 60)


def begun(site, publication, **options):
    if publication is not OURS:
        site.sql(f"CREATE PUBLICATION {site.publication()} {publication}")
    capture = site.capture(**options)
    site.streamed(capture)
    return capture


@pytest.mark.parametrize("down", [False, True], ids=["running", "down"])
@pytest.mark.parametrize("kind", PUBLICATIONS)
def test_a_filled_table_that_is_attached(site, kind, down):
    site.sql(ORDERS)
    capture = begun(site, PUBLICATIONS[kind], include=CHOICE)
    read(capture, "orders" if kind == "root" else "orders_us", {1})
    before = len(capture.messages)
    if down:
        capture.stop()
    name = filled(site, 7)
    site.sql("UPDATE orders SET v = 1 WHERE id = 100; DELETE FROM orders WHERE id = 101;"
             "INSERT INTO orders VALUES (200, '7', 0)")
    if down:
        capture.start()
    shown = "orders" if kind == "root" else name
    read(capture, shown, EARLIER - {101})
    messages = site.streamed(capture)
    assert ("orders" if kind == "root" else name, "INSERT", 200) in summary(messages)
    last = {}
    for m in messages:
        if m["table"] == shown:
            last[(m["after"] or m["before"])["id"]] = (m["after"] or {}).get("v")
    assert {i: v for i, v in last.items() if i >= 100 and v is not None} == (
        {i: 0 for i in EARLIER - {100, 101}} | {100: 1, 200: 0})
    assert not [m for m in summary(messages[before:], "READ") if m[2] == 1], "what was captured is not read again"
    capture.stop()
    capture.start()
    known = len(summary(site.streamed(capture), "READ"))
    site.sql("CREATE TABLE later (id int PRIMARY KEY)")
    assert len(summary(site.streamed(capture), "READ")) == known, "once"


@pytest.mark.parametrize("down", [False, True], ids=["running", "down"])
@pytest.mark.parametrize("kind", PUBLICATIONS)
def test_a_partition_that_is_filled_while_it_is_detached_for_a_moment(site, kind, down):
    """Nobody who looks now and then sees it detached."""
    site.sql(ORDERS)
    capture = begun(site, PUBLICATIONS[kind], include=CHOICE)
    if down:
        capture.stop()
    site.sql("BEGIN; ALTER TABLE orders DETACH PARTITION orders_us;"
             "INSERT INTO orders_us SELECT i, 'us', 0 FROM generate_series(100, 149) i;"
             "ALTER TABLE orders ATTACH PARTITION orders_us FOR VALUES IN ('us'); COMMIT")
    if down:
        capture.start()
    read(capture, "orders" if kind == "root" else "orders_us")


@pytest.mark.parametrize("kind", ["ours", "list"])
def test_whoever_is_killed_when(site, kind):
    """Between the noticing and the storing of the order there is a moment."""
    site.sql(ORDERS)
    capture = begun(site, PUBLICATIONS[kind], include=CHOICE)
    ordered = "snapshot begins"
    for number in range(6):
        seen = capture.stderr.count(ordered)
        name = filled(site, number)
        wait_until(lambda seen=seen: capture.stderr.count(ordered) > seen, 60, "it to be ordered", interval=0.0005)
        capture.kill()
        capture.start()
        read(capture, name)
    capture.stop()


def test_a_table_that_is_logged_at_last(site):
    site.sql("CREATE UNLOGGED TABLE u (id int PRIMARY KEY, v int);"
             "INSERT INTO u SELECT i, 0 FROM generate_series(100, 149) i")
    capture = begun(site, "FOR ALL TABLES")
    # One that is created now has all its rows in the stream, unless they were there before it was logged.
    site.sql("CREATE TABLE n (id int PRIMARY KEY, v text); INSERT INTO n VALUES (1, 'x'), (2, 'y')")
    site.sql("BEGIN; CREATE UNLOGGED TABLE w (id int PRIMARY KEY, v text);"
             "INSERT INTO w SELECT i FROM generate_series(100, 149) i; ALTER TABLE w SET LOGGED; COMMIT")
    read(capture, "w")
    site.sql("ALTER TABLE u SET LOGGED")
    read(capture, "u")
    capture.stop()
    site.sql("CREATE TABLE m (id int PRIMARY KEY); INSERT INTO m VALUES (1);"
             "CREATE UNLOGGED TABLE x (id int PRIMARY KEY);"
             "INSERT INTO x SELECT i FROM generate_series(100, 149) i; ALTER TABLE x SET LOGGED")
    capture.start()
    read(capture, "x")
    messages = site.streamed(capture)
    assert summary([m for m in messages if m["table"] in ("n", "m")]) == [
        ("n", "INSERT", 1), ("n", "INSERT", 2), ("m", "INSERT", 1)]


@pytest.mark.parametrize("down", [False, True], ids=["running", "down"])
def test_a_table_that_is_moved_into_a_published_schema(site, down):
    site.sql("CREATE SCHEMA app; CREATE SCHEMA side; CREATE TABLE side.t (id int PRIMARY KEY, v int);"
             "INSERT INTO side.t SELECT i, 0 FROM generate_series(100, 149) i")
    capture = begun(site, "FOR TABLES IN SCHEMA app, public")
    if down:
        capture.stop()
    site.sql("ALTER TABLE side.t SET SCHEMA app; INSERT INTO app.t VALUES (200, 0)")
    if down:
        capture.start()
    read(capture, "t")
    assert ("t", "INSERT", 200) in summary(site.streamed(capture))


def test_a_table_that_somebody_else_publishes_or_wider_filters_choose(site):
    fill = "CREATE TABLE {0} (id int PRIMARY KEY); INSERT INTO {0} SELECT generate_series(100, 149);"
    site.sql(fill.format("a") + fill.format("b"))
    capture = begun(site, "FOR TABLE fence, b", include="public.a,public.fence")
    site.sql(f"ALTER PUBLICATION {site.publication()} ADD TABLE a")
    read(capture, "a")
    capture.stop()
    capture = site.capture(include="public.*")
    read(capture, "b")
    assert not [m for m in site.streamed(capture) if m["table"] == "a"], "it was read"


def test_not_where_new_tables_are_not_to_be_read(site):
    site.sql(ORDERS)
    capture = begun(site, OURS, include=CHOICE, source_snapshot_new_tables="false")
    read(capture, "orders_us", {1})
    capture.stop()
    filled(site, 7)
    capture.start()
    site.sql("INSERT INTO orders VALUES (200, '7', 0)")
    assert summary([m for m in site.streamed(capture) if m["table"] == "orders_7"]) == [("orders_7", "INSERT", 200)]
    assert capture.stderr.count("snapshot begins") == 1
