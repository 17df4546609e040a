"""Changes of the publication that the server refuses, for good or for now."""

import pytest
from support.processes import wait_until
from summary import summary

SMALL = {"include": "public.a,public.late,public.bare,public.fence"}


@pytest.fixture
def keeper(site):
    """A role that may make publications, and owns the tables a and fence."""
    site.sql("CREATE ROLE keeper LOGIN REPLICATION PASSWORD 'secret'; CREATE TABLE a (id int PRIMARY KEY);"
             f"GRANT CREATE ON DATABASE {site.name} TO keeper; ALTER TABLE a OWNER TO keeper;"
             "ALTER TABLE fence OWNER TO keeper; GRANT USAGE ON SCHEMA public TO keeper")
    yield "keeper"
    for capture in site.captures:
        capture.close()
    site.sql("REASSIGN OWNED BY keeper TO postgres; DROP OWNED BY keeper")
    site.server.psql("DROP ROLE keeper")


def test_a_table_of_others_does_not_keep_the_second_publication_from_being_made(site, keeper):
    """The slot would have asked for one that is not there, and stopped for good at its first change."""
    site.sql("CREATE TABLE late (id int PRIMARY KEY); CREATE TABLE bare (id int); ALTER TABLE bare OWNER TO keeper;"
             "GRANT SELECT ON late TO keeper; CREATE PUBLICATION shared FOR TABLE a, fence;"
             "ALTER PUBLICATION shared OWNER TO keeper; COMMENT ON PUBLICATION shared IS 'maintained by pg-capture'")
    capture = site.capture(user=keeper, publication="shared", **SMALL)
    site.sql("INSERT INTO a VALUES (1)")
    assert summary(site.streamed(capture)) == [("a", "INSERT", 1)]
    assert "must be owner of table late" in capture.stderr
    # Fixed while we stream: nobody has to start us again.
    site.sql("ALTER TABLE late OWNER TO keeper; INSERT INTO late VALUES (2); INSERT INTO bare VALUES (3)")
    site.sql("COMMENT ON TABLE late IS 'now it can'; ALTER TABLE late ADD COLUMN v text; CREATE TABLE news (id int)")
    site.wait_published(lambda published: {"late", "bare"} <= set(published), "shared", "shared_inserts")
    site.sql("INSERT INTO bare VALUES (4)")
    site.streamed(capture)
    capture.wait_for(lambda messages: {("late", 2), ("bare", 3), ("bare", 4)} <=
                     {(m["table"], (m["after"] or {}).get("id")) for m in messages}, 60)


@pytest.mark.parametrize("when", ["before the start", "while we stream"])
def test_a_table_that_somebody_holds_on_to_joins_when_it_is_free(site, when):
    """As VACUUM does, CREATE INDEX, or a migration that was left open."""
    site.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE beats (n serial PRIMARY KEY)")
    capture = site.capture(source_heartbeat_interval_secs=1, source_heartbeat_sql="INSERT INTO public.beats DEFAULT VALUES",
                           **SMALL)
    site.streamed(capture)
    if when == "before the start":
        capture.stop()
    with site.server.connect(site.name, autocommit=False) as busy:
        site.sql("CREATE TABLE late (id int PRIMARY KEY)")
        busy.execute("LOCK TABLE late IN SHARE MODE")
        if when == "before the start":
            capture.start()
        capture.wait_for_log("could not be updated", 60)
        site.sql("INSERT INTO a VALUES (1)")
        assert summary(site.streamed(capture)) == [("a", "INSERT", 1)]
        [(beats,)] = site.query("SELECT count(*) FROM beats")
        wait_until(lambda: site.query("SELECT count(*) FROM beats") >= [(beats + 2,)], 60, "heartbeats")
        busy.rollback()
    site.sql("INSERT INTO late VALUES (2)")
    capture.wait_for(lambda messages: any(m["table"] == "late" for m in messages), 60)
    assert "late" in site.published(site.publication())
