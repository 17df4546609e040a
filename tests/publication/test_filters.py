"""Filters × partitions × inheritance × who made the publication, at random.

What must come out is worked out here from PostgreSQL's documentation and ours alone: a table is
meant if its own name matches or that of a partitioned table above it, unless its own name is
excluded; an inheritance child is a table of its own; and what comes is what is meant and published.
Each case reads the rows that are there, streams changes of every table, and compares all of it. Half of
them then stop; every table is changed once more, and while nobody reads, partitions are detached or
tables above them renamed: what was committed before comes all the same.
"""

import random

import pytest
from support.figures import figure
from summary import summary

# A table that holds rows -> the partitioned tables above it, nearest first.
ABOVE = {"t": (), "r_us": ("r",), "r_eu_de": ("r_eu", "r"), "r_eu_fr": ("r_eu", "r"), "q_1": ("q",),
         "parent": (), "child": (), "grandchild": ()}
SETUP = """
CREATE TABLE t (id int PRIMARY KEY, v int);
CREATE TABLE r (id int, region text, v int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE r_us PARTITION OF r FOR VALUES IN ('us');
CREATE TABLE r_eu PARTITION OF r FOR VALUES IN ('de', 'fr') PARTITION BY LIST (region);
CREATE TABLE r_eu_de PARTITION OF r_eu FOR VALUES IN ('de');
CREATE TABLE r_eu_fr PARTITION OF r_eu FOR VALUES IN ('fr');
CREATE TABLE q (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE q_1 PARTITION OF q FOR VALUES FROM (0) TO (1000000);
CREATE TABLE parent (id int PRIMARY KEY, v int);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE grandchild (PRIMARY KEY (id)) INHERITS (child);
"""
NAMES = [*ABOVE, "r", "r_eu", "q"]
PATTERNS = [*NAMES, "r_*", "r_eu_*", "*child", "q*", "*"]
REGIONS = {"r_us": "us", "r_eu_de": "de", "r_eu_fr": "fr"}
# What hides from the catalog how things were, and what undoes it.
HIDINGS = [(f"ALTER TABLE {name} RENAME TO zz_{name}", f"ALTER TABLE zz_{name} RENAME TO {name}")
           for name in ("r", "r_eu", "q")] + [
    ("ALTER TABLE r DETACH PARTITION r_us", "ALTER TABLE r ATTACH PARTITION r_us FOR VALUES IN ('us')"),
    ("ALTER TABLE r DETACH PARTITION r_eu", "ALTER TABLE r ATTACH PARTITION r_eu FOR VALUES IN ('de', 'fr')"),
    ("ALTER TABLE r_eu DETACH PARTITION r_eu_fr",
     "ALTER TABLE r_eu ATTACH PARTITION r_eu_fr FOR VALUES IN ('fr')"),
    ("ALTER TABLE q DETACH PARTITION q_1", "ALTER TABLE q ATTACH PARTITION q_1 FOR VALUES FROM (0) TO (1000000)")]
KINDS = ["own", "own, narrowed", "own, refused", "foreign list", "all tables"]


def matches(pattern, name):
    """Of PATTERNS, where a star stands at one end at most."""
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name.endswith(pattern[1:]) if pattern.startswith("*") else pattern == name


def meant(include, exclude):
    def any_of(patterns, name):
        return any(matches(pattern, name) for pattern in patterns)

    def matching(name):
        return any_of(include, name) and not any_of(exclude, name)
    return {table for table, above in ABOVE.items()
            if not any_of(exclude, table) and any(matching(name) for name in (table, *above))}


def draw_filter(draw):
    include = draw.sample(PATTERNS, draw.randint(1, 4))
    return include, draw.sample(PATTERNS[:-1], draw.choice([0, 0, 1, 2]))


def options(include, exclude):
    chosen = {"include": ",".join(f"public.{name}" for name in [*include, "fence"])}
    # Excluded names with a star at their front would take the fence along only if it ended so.
    return chosen | ({"exclude": ",".join(f"public.{name}" for name in exclude)} if exclude else {})


def insert(table, id):
    region = f", '{REGIONS[table]}'" if table in REGIONS else ""
    columns = "(id, region, v)" if table in REGIONS else "(id, v)"
    return f"INSERT INTO {table} {columns} VALUES ({id}{region}, 0);"


class Case:
    """One drawn filter and publication, run by a pipeline of its own."""

    def __init__(self, site, draw, number):
        self.site, self.draw, self.name, self.number = site, draw, f"p{number}", number
        self.kind = KINDS[number % len(KINDS)]
        self.include, self.exclude = draw_filter(draw)
        self.first_id = number * 1000
        self.given, self.hidden = {}, []

    def __str__(self):
        return f"{self.name}: {self.kind}, include {self.include}, exclude {self.exclude}, {self.hidden}"

    def run(self):
        publication, draw = self.site.publication(self.name), self.draw
        if self.kind == "foreign list":
            tables = ["fence", *draw.sample(NAMES, draw.randint(1, 5))]
            self.site.sql(f"CREATE PUBLICATION {publication} FOR TABLE ONLY " + ", ONLY ".join(
                name for name in tables if name not in ("r", "r_eu", "q"))
                + "".join(f", {name}" for name in tables if name in ("r", "r_eu", "q")))
        elif self.kind == "all tables":
            self.site.sql(f"CREATE PUBLICATION {publication} FOR ALL TABLES")
        elif self.kind == "own, narrowed":  # everything first, then less
            self.site.capture(self.name, include="public.*").stop()
        elif self.kind == "own, refused":
            self.given = {"user": "keeper"}
            self.site.sql("ALTER TABLE t OWNER TO postgres")
            mine = "public.fence,public.r_us,public.parent,public.q"
            self.site.capture(self.name, include=mine, **self.given).stop()
        capture = self.site.capture(self.name, **options(self.include, self.exclude), **self.given)
        try:
            expected = self.compare(capture)
            if self.number % 2 == 0:
                self.hide_and_compare(capture, expected)
        finally:
            capture.close()
            self.site.server.drop_slot(f"{self.site.name}_{self.name}")

    def compare(self, capture):
        wanted = meant(self.include, self.exclude)
        published = set(self.site.published(self.site.publication(self.name)))
        if self.kind in ("own", "own, narrowed"):
            assert published == wanted, f"{self}: published {published}, meant {wanted}"
        expected = wanted & published
        self.change(self.first_id)
        if not self.kind.startswith("own, "):  # those have read their rows in their first life
            self.wait_for_rows(capture, expected)
        self.compare_changes(capture, self.first_id, expected)
        return expected

    def hide_and_compare(self, capture, expected):
        capture.stop(60)
        self.change(self.first_id + 100)
        # Detached first: the statements know the tables by their names of before.
        hidings = sorted(self.draw.sample(HIDINGS, self.draw.randint(1, 3)), key=lambda one: "RENAME" in one[0])
        self.hidden = [do for do, _ in hidings]
        for do in self.hidden:
            self.site.sql(do)
        try:
            capture.start()
            self.compare_changes(capture, self.first_id + 100, expected)
        finally:
            for _, undo in reversed(hidings):
                self.site.sql(undo)

    def change(self, first):
        self.site.sql("".join(
            insert(table, first + n) + (f"UPDATE {table} SET v = 1 WHERE id = {first + n};" if n % 2 else
                                        f"DELETE FROM {table} WHERE id = {first + n};")
            for n, table in enumerate(ABOVE)))

    def compare_changes(self, capture, first, expected):
        came = [one for one in summary(self.site.streamed(capture), "INSERT", "UPDATE", "DELETE")
                if one[2] >= first]
        due = [(table, operation, first + n) for n, table in enumerate(ABOVE) if table in expected
               for operation in ("INSERT", "UPDATE" if n % 2 else "DELETE")]
        assert came == due, str(self)

    def wait_for_rows(self, capture, expected):
        """READ: exactly the rows 1 to 3 of each table that is captured, which nothing changes."""
        due = {(table, id) for table in expected for id in (1, 2, 3)}

        def read(messages):
            return {(table, id) for table, _, id in summary(messages, "READ") if table != "fence" and id <= 3}
        try:
            capture.wait_for(lambda messages: read(messages) >= due, 60)
        finally:
            assert read(capture.messages) == due, str(self)


def run_cases(site, seed, number):
    draw = random.Random(seed)
    site.sql(SETUP + "".join(insert(table, id) for table in ABOVE for id in (1, 2, 3)))
    site.sql(f"CREATE ROLE keeper LOGIN REPLICATION PASSWORD 'secret'; GRANT CREATE ON DATABASE {site.name} TO keeper;"
             "GRANT ALL ON ALL TABLES IN SCHEMA public TO keeper; GRANT USAGE, CREATE ON SCHEMA public TO keeper;"
             + "".join(f"ALTER TABLE {name} OWNER TO keeper;" for name in [*NAMES, "fence"]))
    kinds = {}
    try:
        for n in range(1, number + 1):
            case = Case(site, draw, n)
            case.run()
            kinds[case.kind] = kinds.get(case.kind, 0) + 1
    finally:
        for capture in site.captures:
            capture.close()
        site.sql("REASSIGN OWNED BY keeper TO postgres; DROP OWNED BY keeper")
        site.server.psql("DROP ROLE keeper")
    return kinds


def cases_text(kinds):
    return f"{sum(kinds.values())} cases: " + "; ".join(f"{n} of {kind}" for kind, n in kinds.items())


@pytest.mark.parametrize("seed", range(2))
def test_what_the_filters_mean_is_what_comes(site, seed):
    kinds = run_cases(site, seed, 10)
    assert sum(kinds.values()) == 10
    figure(f"publication filters, seed {seed}", cases_text(kinds))


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["13", "14", "15", "16", "17", "18"])
def test_what_the_filters_mean_is_what_comes_at_length(sites, version):
    kinds = run_cases(sites(version), version, 60)
    assert set(kinds) == set(KINDS)
    figure(f"publication filters, PostgreSQL {version}", cases_text(kinds))
