"""A publication that we maintain has one owner; narrower filters take out what they say and no more."""

import random

import pytest
from support.figures import figure
from support.processes import wait_until
from summary import summary

OURS = "maintained by pg-capture"


def note(site, publication):
    return site.query("SELECT obj_description(oid, 'pg_publication') FROM pg_publication "
                      "WHERE pubname = %s", publication)[0][0]


def test_a_second_pipeline_is_refused_with_a_choice(site):
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    first = site.capture("a", publication="shared", include="public.a,public.fence")
    assert note(site, "shared") == (f'{OURS} for pipeline "{site.name}_a", slot "{site.name}_a", '
                                    'with "shared_inserts"')
    code, findings = site.check("b", publication="shared", include="public.b,public.fence")
    [found] = [f for f in findings if f["level"] == "blocking"]
    assert code == 1 and f'pipeline "{site.name}_a"' in found["message"]
    second = site.capture("b", publication="shared", wait=False, include="public.b,public.fence")
    assert second.wait_exit() != 0
    assert "PG_PUBLICATION" in second.stderr and "source.manage_publication" in second.stderr
    site.sql("INSERT INTO a VALUES (1); DELETE FROM a; INSERT INTO b VALUES (1)")
    assert summary(site.streamed(first)) == [("a", "INSERT", 1), ("a", "DELETE", 1)]
    # Used as it is, it may be shared; and with a name of its own.
    other = site.capture("b", publication="shared", include="public.a,public.fence",
                         source_manage_publication="false")
    site.sql("INSERT INTO a VALUES (2)")
    assert summary(site.streamed(other))[-1] == ("a", "INSERT", 2)
    third = site.capture("c", include="public.b,public.fence")
    assert summary(site.streamed(third)) == [("b", "READ", 1)]


def test_one_of_an_earlier_version_goes_to_whoever_has_a_slot_or_to_the_only_one(site):
    site.sql("CREATE TABLE a (id int PRIMARY KEY)")
    first = site.capture("a", publication="shared", include="public.a,public.fence")
    first.stop()
    site.sql(f"COMMENT ON PUBLICATION shared IS '{OURS}'")
    # Nobody is named, and the first one's slot may need it: a new pipeline keeps its hands off.
    second = site.capture("b", publication="shared", wait=False, include="public.fence")
    assert second.wait_exit() != 0 and "earlier version" in second.stderr
    assert note(site, "shared") == OURS
    first.start()
    site.sql("INSERT INTO a VALUES (1)")
    assert summary(site.streamed(first)) == [("a", "INSERT", 1)]
    assert note(site, "shared").endswith(f'slot "{site.name}_a"')


def test_of_two_that_start_at_once_exactly_one_wins(site):
    site.sql("CREATE TABLE a (id int PRIMARY KEY)")
    for attempt in range(4):
        started = [site.capture(f"{attempt}{who}", publication=f"shared{attempt}", wait=False,
                                include=f"public.a,public.fence,public.only_{who}") for who in "ab"]
        wait_until(lambda: sum(capture.running for capture in started) < 2, 120, "one of them to give way")
        running = [capture for capture in started if capture.running]
        assert len(running) == 1, [capture.stderr_tail() for capture in started]
        [lost] = [capture for capture in started if not capture.running]
        assert "is maintained by" in lost.stderr, lost.stderr
        running[0].wait_streaming(60)
        running[0].stop()


def test_one_that_is_handed_to_another_while_we_stream_stops_us(site):
    first = site.capture("a", publication="shared", include="public.fence")
    site.streamed(first)
    site.sql(f"COMMENT ON PUBLICATION shared IS '{OURS} for pipeline \"x\", slot \"x\"'")
    assert first.wait_exit() != 0
    assert 'maintained by pipeline "x"' in first.stderr


def test_names_follow_the_pipelines(site):
    capture = site.capture("a", start_names=True, name="My-Shop", include="public.fence")
    site.streamed(capture)
    assert site.query("SELECT slot_name::text FROM pg_replication_slots "
                      "WHERE database = current_database()") == [("my_shop_slot",)]
    assert note(site, "my_shop_pub") == (f'{OURS} for pipeline "My-Shop", slot "my_shop_slot", '
                                         'with "my_shop_pub_inserts"')


def test_narrower_filters_leave_heirs_and_partitions_in(site):
    site.sql("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);"
             "CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);"
             "CREATE TABLE leaf PARTITION OF root DEFAULT")
    filters = {"include": "public.parent,public.child,public.root,public.fence"}
    capture = site.capture(**filters)
    site.streamed(capture)
    capture.stop()
    capture = site.capture(include="public.child,public.leaf,public.fence")
    # In the gap before anything could be put right.
    assert set(site.published(site.publication())) == {"child", "leaf"}
    site.sql("INSERT INTO child VALUES (1); INSERT INTO root VALUES (2); INSERT INTO parent VALUES (3)")
    assert summary(site.streamed(capture)) == [("child", "INSERT", 1), ("leaf", "INSERT", 2)]
    log = site.server.log_tail(2000)
    assert "is not part of the publication" not in log


def test_what_left_and_came_back_during_the_first_snapshot_is_read_again(site):
    """It was done before it left; what was written while it was out stands in no stream."""
    site.sql("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2); CREATE TABLE big (id int PRIMARY KEY, v text);"
             "INSERT INTO big SELECT i, repeat('x', 200) FROM generate_series(1, 5000) i; ANALYZE")
    slowly = {"source_snapshot_rows_per_second": 200, "source_snapshot_chunk_rows": 50, "source_snapshot_readers": 2}
    both, one = "public.a,public.big,public.fence", "public.big,public.fence"
    capture = site.capture(include=both, wait=False, **slowly)
    capture.wait_for(lambda messages: len(summary(messages, "READ")) >= 600 and
                     {("a", "READ", 1), ("a", "READ", 2)} <= set(summary(messages, "READ")))
    capture.stop()
    capture = site.capture(include=one, wait=False, **slowly)
    capture.wait_for(lambda messages: len(summary(messages, "READ")) >= 100)
    site.sql("INSERT INTO a VALUES (3)")
    capture.stop()
    capture = site.capture(include=both, wait=False)
    capture.wait_for(lambda messages: ("a", "READ", 3) in summary(messages), 60)
    capture.stop()


def three_pipelines(site, seed, rounds):
    """Filters that overlap and change at restarts; the tables' history is the oracle."""
    draw = random.Random(seed)
    tables = [f"t{i}" for i in range(5)]
    site.sql("".join(f"CREATE TABLE {t} (id int PRIMARY KEY);" for t in tables))
    written, number, captures, filters = {}, 0, {}, {}
    common = {"publication": None}
    for turn in range(rounds):
        for pipeline in ("a", "b", "c")[:draw.choice((2, 3))]:
            if pipeline in captures and draw.random() < 0.5:
                captures.pop(pipeline).stop()
            if pipeline not in captures:
                # A table once chosen stays chosen, so what must have arrived is all of it.
                chosen = filters.setdefault(pipeline, set())
                chosen.update(draw.sample(tables, draw.randint(1, 3)))
                include = ",".join(f"public.{t}" for t in [*sorted(chosen), "fence"])
                captures[pipeline] = site.capture(pipeline, include=include, **common)
        for _ in range(20):
            table, number = draw.choice(tables), number + 1
            site.sql(f"INSERT INTO {table} VALUES ({number})" +
                     (f"; DELETE FROM {table} WHERE id = {number}" if draw.random() < 0.3 else ""))
            written.setdefault(table, set()).add(number)
    missing = {}
    for pipeline, capture in captures.items():
        site.streamed(capture)
        deletes_and_keeps(site, pipeline, filters[pipeline], missing)
    assert not missing
    return rounds, number


def deletes_and_keeps(site, pipeline, chosen, missing):
    """Every row that is in a chosen table now was sent, and none of those that are gone is left."""
    state = {}
    for capture in site.captures:
        if capture.environment["PG_SLOT_NAME"] != f"{site.name}_{pipeline}":
            continue
        for table, operation, id in summary(capture.messages):
            if operation == "DELETE":
                state.get(table, set()).discard(id)
            else:
                state.setdefault(table, set()).add(id)
    for table in chosen:
        truth = {id for id, in site.query(f"SELECT id FROM {table}")}
        if state.get(table, set()) != truth:
            missing[pipeline, table] = (truth - state.get(table, set()), state.get(table, set()) - truth)


@pytest.mark.parametrize("seed", range(2))
def test_pipelines_with_overlapping_filters_lose_nothing(site, seed):
    rounds, changes = three_pipelines(site, seed, 4)
    figure(f"overlapping filters, seed {seed}", f"{rounds} rounds, {changes} changes, 2 or 3 pipelines")


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["10", "14", "18"])
@pytest.mark.parametrize("seed", range(10, 20))
def test_pipelines_with_overlapping_filters_lose_nothing_at_length(sites, version, seed):
    rounds, changes = three_pipelines(sites(version), seed, 12)
    figure(f"overlapping filters, PostgreSQL {version}, seed {seed}",
           f"{rounds} rounds, {changes} changes, 2 or 3 pipelines")
