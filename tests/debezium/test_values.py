"""What Debezium leaves out or reads wrong, and we write: as PostgreSQL prints it, or as stands here."""

import differences
import golden
import ours
import pytest
import recording
from cases import Case

# Of the row with id 1, where our value is not PostgreSQL's own text.
FORMS = {
    ("composites", "a_pair"): {"x": 1, "y": "x"},
    ("composites", "a_domain"): {"x": 2, "y": "y"},
    ("other_arrays", "monies"): ["AJY="],       # 150 hundredths
    ("other_arrays", "intervals"): [86_400_000_000],
    ("other_arrays", "bits"): ["BQ=="],
    ("other_arrays", "varbits"): ["AQ=="],
    ("other_arrays", "points"): [{"x": 1.0, "y": 2.0, "wkb": "AQEAAAAAAAAAAADwPwAAAAAAAABA", "srid": None}],
    ("other_arrays", "boxes"): [{
        "wkb": "AQMAAAABAAAABQAAAAAAAAAAAABAAAAAAAAAAEAAAAAAAAAAQAAAAAAAAPA/AAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/"
               "AAAAAAAAAEAAAAAAAAAAQAAAAAAAAABA", "srid": None, "extensions": {"type": "box"}}],
    ("other_arrays", "pairs"): [{"x": 1, "y": "x"}],
    ("other_arrays", "positives"): [1],
    ("bits", "a_varbit_1"): True,
    ("system_types", "a_xid"): 7,
    ("system_types", "a_cid"): 7,
    ("time_arrays", "times"): [45_296_789_012, None],
    ("numbers", "a_float4"): 1,
    ("negative_scale", "a_numeric"): "ew==",    # 123 hundreds
    ("dates", "a_date"): 19645,
    ("times", "a_timetz"): "07:04:56.789012Z",
    ("times", "a_timetz_0"): "07:04:57Z",
    ("times", "a_timetz_3"): "07:04:56.789Z",
    ("nested_arrays", "int4s"): [1, 2],
    ("nested_arrays", "texts"): ["a"],
}
# Others: (table, id) -> column -> value.
EDGES = {
    ("bits", 2): {"a_varbit_1": False},
    ("dates", 4): {"a_date": -719_163},         # the last of the year before 1
    ("dates", 5): {"a_date": -2_440_550},
    ("dates", 7): {"a_date": 2_147_483_647},
    ("dates", 8): {"a_date": -2_147_483_647},
    ("times", 5): {"a_timetz": "00:32:03Z"},
    ("nested_arrays", 3): {"int4s": [[1, 2], [3, 4]], "texts": [["a", "b"], ["c", "d"]]},
}
WORKLOADS = ["ranges", "named_types", "system_types", "text", "arrays", "binary", "times", "numbers", "nested_arrays",
             "negative_scale"]


def printed(server, database, table, column):
    """PostgreSQL's text of a column in the row with id 1: of an array, those of its elements."""
    (is_array,), = server.query("SELECT typcategory = 'A' FROM pg_attribute a, pg_type t WHERE atttypid = t.oid AND"
                                f" attrelid = '{table}'::regclass AND attname = '{column}'", db=database)
    is_array = is_array and not column.endswith("vector")
    text = f"ARRAY(SELECT unnest({column})::text)" if is_array else f"{column}::text"
    return server.query(f"SELECT {text} FROM {table} WHERE id = 1", db=database)[0][0]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_only_we_write(workload, servers, broker):
    run = recording.Run(Case(f"values-{workload}", workload, {}), f"values_{workload}")
    server = servers()
    texts = {}

    def look():
        for columns in (differences.CARRIED, differences.MISREAD):
            for table, names in columns.items():
                if server.query(f"SELECT to_regclass('{table}')", db=run.name)[0][0]:
                    texts.update({(table, name): printed(server, run.name, table, name) for name in names})

    ours.record(server, broker, run, look)
    rows = {(line["topic"].rsplit(".", 1)[-1], line["key"]["id"]): line["value"]["after"]
            for line in golden.lines_of(run.records, run.name)}
    assert texts
    for (table, column), text in texts.items():
        assert rows[table, 1][column] == FORMS.get((table, column), text), (table, column)
    for place, values in EDGES.items():
        if place[0] in {table for table, _ in texts}:
            assert {name: rows[place][name] for name in values} == values
