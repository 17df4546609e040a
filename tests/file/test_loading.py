"""The recipe for DuckDB in docs/reference/loading.md, run as it stands there: by the registry and by the manifests."""

import json
import re
import subprocess

from support.processes import PATIENCE, ROOT, wait_until

PAGE = (ROOT / "docs/reference/loading.md").read_text(encoding="utf-8")
LOADERS = ROOT / ".deps" / "loaders" / "bin" / "python"
BIG = 20_000    # characters that don't compress: TOASTed


def statements(title):
    """The SQL below a heading of the page, up to the next one."""
    section = re.split(rf"^#+ {title}$", PAGE, maxsplit=1, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    assert found, title
    return found


class Warehouse:
    """A DuckDB database that is loaded as the page says."""

    def __init__(self, place, path):
        self.place, self.path = place, path
        self.run("".join(statements("DuckDB")))

    def at_home(self, text):
        return text.replace("/data/", f"{self.place.root}/").replace("'shop'", f"'{self.place.slot}'")

    def run(self, text):
        done = subprocess.run([LOADERS, ROOT / "tests/support/duckdb_script.py", self.path], input=self.at_home(text),
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def load_by_registry(self):
        listing, loading = statements("Files by the registry")
        paths = [row[0] for row in self.place.rows(self.at_home(listing))]
        assert paths, "there is something to load"
        names = "[" + ", ".join(f"'{path}'" for path in paths) + "]"
        example = re.search(r"\[.*\]", loading).group()
        self.run(loading.replace(example, names) + self.merge())
        self.place.sql("UPDATE cdc_registry.file_log SET loaded = true, loaded_at = now() WHERE "
                       + " OR ".join(f"'{path}' LIKE '%/' || path" for path in paths))
        return len(paths)

    def load_by_manifests(self):
        listing = "".join(statements("Files by the manifests"))
        count = int(self.run(listing + "SELECT coalesce(len(getvariable('files')), 0);")[0][0])
        assert count, "there is something to load"
        self.run(listing + self.merge())
        return count

    @staticmethod
    def merge():
        return "".join(statements("Load and merge"))

    def rows(self):
        return self.run("SELECT id, customer, amount, note FROM orders ORDER BY id;")

    def lines(self):
        return int(self.run("SELECT count(*) FROM orders_changes;")[0][0])


def source_rows(place):
    rows = place.rows("SELECT id::text, customer, amount::text, note FROM orders ORDER BY orders.id")
    return [list(row) for row in rows]


def wait_registered(place, changes):
    """Until so many lines are in complete files."""
    wait_until(lambda: place.registered() and place.value(
        "SELECT coalesce(sum(row_count), 0) FROM cdc_registry.file_log WHERE table_name = 'orders'") == changes,
        PATIENCE, f"{changes} registered lines")
    # checkpoint.json is written just after the registry's commit.
    seal = place.value("SELECT max(seal) FROM cdc_registry.file_log")
    wait_until(lambda: json.loads((place.root / "checkpoint.json").read_text(encoding="utf-8"))["seal"] >= seal,
               PATIENCE, "the checkpoint")


def test_the_recipe_for_duckdb_brings_the_sources_rows(place, tmp_path):
    place.sql(f"""
        CREATE FUNCTION noise(n int) RETURNS text LANGUAGE sql AS
            $$ SELECT string_agg(md5(n::text || i::text), '') FROM generate_series(1, {BIG} / 32) i $$;
        CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric(12,2), note text);
        INSERT INTO orders SELECT i, 'customer ' || i, i / 4.0, noise(i) FROM generate_series(1, 40) i;
        INSERT INTO orders VALUES (41, '', NULL, NULL), (42, NULL, 0, ''), (43, E'two\nlines, "quoted"', 1, 'x')""")
    with place.capture() as capture:
        wait_registered(place, 43)
        by_registry = Warehouse(place, tmp_path / "registry.duckdb")
        by_manifests = Warehouse(place, tmp_path / "manifests.duckdb")
        files = by_registry.load_by_registry()
        assert by_manifests.load_by_manifests() == files
        assert by_registry.rows() == by_manifests.rows() == source_rows(place)

        # The large value is not sent again, or set to NULL, or comes twice in one load.
        place.sql("UPDATE orders SET amount = amount + 1 WHERE id <= 20")
        place.sql("UPDATE orders SET note = NULL WHERE id = 3; UPDATE orders SET customer = 'later' WHERE id = 3")
        place.sql("UPDATE orders SET note = noise(1000) WHERE id = 4; UPDATE orders SET amount = 9 WHERE id = 4")
        place.sql("DELETE FROM orders WHERE id BETWEEN 30 AND 35; INSERT INTO orders VALUES (30, 'again', 1, 'n')")
        place.sql("UPDATE orders SET id = 100, note = 'moved' WHERE id = 36")
        changes = 43 + 20 + 2 + 2 + 6 + 1 + 2
        wait_registered(place, changes)
        files = by_registry.load_by_registry()
        assert by_manifests.load_by_manifests() == files
        expected = source_rows(place)
        assert len(expected) == 43 - 6 + 1
        assert by_registry.rows() == by_manifests.rows() == expected

        place.sql("TRUNCATE orders; INSERT INTO orders VALUES (1, 'first again', 1, 'n')")
        wait_registered(place, changes + 2)
        by_registry.load_by_registry()
        by_manifests.load_by_manifests()
        assert by_registry.rows() == by_manifests.rows() == source_rows(place) == [["1", "first again", "1.00", "n"]]
        assert by_registry.lines() == by_manifests.lines() == changes + 2, "each line is loaded once"
        capture.stop()
