"""Where pg-capture differs from Debezium on purpose: docs/reference/debezium.md, "What differs".

Each takes the lines of golden.py as Debezium has them and says what ours are; where nothing is
changed in any case, the difference is none any more, and test_golden.py says so.
"""

import collections
import copy
import json


def _sources(line):
    """The `source` of an envelope, if it is one."""
    value = line["value"]
    if isinstance(value, dict) and isinstance(value.get("source"), dict) and "connector" in value["source"]:
        yield value["source"]


def _is_row_of_snapshot(line):
    value = line["value"]
    return isinstance(value, dict) and "r" in (value.get("op"), value.get("__op"), value.get("f.op"))


def snapshot_order(lines):
    """Rows of a snapshot come in the order of the key where there is one, not as they lie in the table."""
    def place(line):
        key = tuple((line["key"] or {}).values())
        return (line["topic"], not _is_row_of_snapshot(line), key if _is_row_of_snapshot(line) else ())

    lines = sorted(lines, key=place)
    tables = collections.defaultdict(list)
    for line in lines:
        for source in _sources(line):
            if source["snapshot"] != "false":
                tables[source["schema"], source["table"]].append(source)
    for rows in tables.values():    # and which is the first and the last with it
        for row, word in zip(rows, sorted((row["snapshot"] for row in rows), key=_WORDS.index), strict=True):
            row["snapshot"] = word
    return lines


_WORDS = ["first", "first_in_data_collection", "true", "last_in_data_collection", "last"]


def snapshot_marks(lines):
    """Which row is the first and which the last of all follows the order in which tables are read: large ones first here.

    The words themselves: tests/snapshot/test_marks.py.
    """
    marked = [source for line in lines for source in _sources(line) if source["snapshot"] != "false"]
    rows = collections.Counter((source["schema"], source["table"]) for source in marked)
    for source in marked:
        if source["snapshot"] in ("first", "last"):
            begins = source["snapshot"] == "first" and rows[source["schema"], source["table"]] > 1
            source["snapshot"] = "first_in_data_collection" if begins else "last_in_data_collection"
    return lines


def snapshot_transaction(lines):
    """Rows of a snapshot have no transaction: they may be of several."""
    for line in lines:
        for source in _sources(line):
            if source["snapshot"] != "false":
                source["txId"] = None
        for added in (line["value"], line["headers"]) if _is_row_of_snapshot(line) else ():
            if "__txId" in added:
                added["__txId"] = None
    return lines


def first_sequence(lines):
    """Before the first commit the first change of the transaction stands for it."""
    for line in lines:
        for source in _sources(line):
            if source["snapshot"] != "false":
                continue
            if source["sequence"][0] is None:
                source["sequence"][0] = min(
                    (other["lsn"] for one in lines for other in _sources(one) if other["txId"] == source["txId"]),
                    key=lambda token: int(token[3:]))
        for added in (line["value"], line["headers"]):
            # In cases with these the first transaction has one change.
            if isinstance(added, dict) and (added.get("__source_sequence") or "known")[0] is None:
                added["__source_sequence"][0] = added["__lsn"]
    return lines


def message_times(lines):
    """A message of no transaction has the time at which it came, and not that of the transaction before it."""
    for line in lines:
        for source in _sources(line):
            if line["value"]["op"] == "m" and source["txId"] is None:
                source |= {name: "when it came" for name in ("ts_ms", "ts_us", "ts_ns")}
    return lines


def message_counts(lines):
    """The end of a transaction counts messages, but has no table for them, where Debezium has an object of Java's."""
    for line in lines:
        if line["topic"].endswith(".transaction") and line["value"]["data_collections"]:
            line["value"]["data_collections"] = [counted for counted in line["value"]["data_collections"]
                                                 if "LogicalDecodingMessageId" not in counted["data_collection"]]
    return lines


# Tables whose first unique index is one of some rows, or at some times, or has columns that are not sent; and the column
# of their next one.
UNFIT = {"u_nullable": None, "u_partial": None, "u_deferrable": None, "u_invalid": None, "u_generated": None,
         "u_nullable_first": "b"}


def unfit_indexes(lines):
    """A unique index makes the key where it distinguishes all rows at all times: Debezium takes the first there is."""
    kept = []
    for line in lines:
        if (table := line["topic"].rsplit(".", 1)[-1]) not in UNFIT:
            kept.append(line)
            continue
        column, old, new = UNFIT[table], "__debezium.oldkey" in line["headers"], "__debezium.newkey" in line["headers"]
        if line["value"] is None and (new or column is None):
            continue    # a tombstone, of a key that there is not
        line["key"] = column and {column: _row_of(line["value"] or kept[-1]["value"])[column]}
        if column:
            for field in line.get("key_schema", {}).get("fields", []):
                field |= {"field": column, "optional": False}
        else:
            line.pop("key_schema", None)
        if old:         # the other half of an update
            removed = kept.pop()
            del line["headers"]["__debezium.oldkey"]
            if "op" in line["value"]:
                line["value"] |= {"op": "u", "before": removed["value"]["before"]}
        kept.append(line)
    return kept


def _row_of(value):
    """The columns of an envelope's row, or of a flat message."""
    return (value["after"] or value["before"]) if "after" in value else value


def unsent_columns(lines):
    """A generated column that the stream does not bring is not in a snapshot's rows either."""
    for line in lines:
        if line["topic"].endswith(".u_generated"):
            _row_of(line["value"]).pop("g", None)
            for fields in _fields(line):
                fields[:] = [field for field in fields if field["field"] != "g"]
    return lines


def rows_of_roots(lines):
    """A partition's rows are in a snapshot once: Debezium reads them as those of the table above it, too."""
    return [line for line in lines if not line["topic"].endswith(".u_root")]


def keyless_tombstones(lines):
    """The deletion of a row without a key has no tombstone: it would have none for whom to be."""
    return [line for line in lines if line["key"] is not None or line["value"] is not None]


# The column of the replica identity's index, where that lacks some of what Debezium takes as key.
IDENTITY_INDEX = {"i_index": "u", "u_other": "b"}


def index_keys(lines):
    """A key is what a DELETE brings: the columns of a replica identity index that lacks some of Debezium's key."""
    for table, column in IDENTITY_INDEX.items():
        rows = [line for line in lines if line["topic"].endswith(f".{table}")]
        for i, line in enumerate(rows):
            # A tombstone follows its deletion.
            line["key"] = {column: _row_of(line["value"] or rows[i - 1]["value"])[column]}
            if "key_schema" in line:
                line["key_schema"]["fields"][0]["field"] = column
            others = {"__debezium.newkey": rows[i + 1:i + 3], "__debezium.oldkey": rows[max(i - 2, 0):i]}
            for name in others.keys() & line["headers"].keys():
                value = next(other["value"] for other in others[name] if other["value"])
                line["headers"][name] = {column: _row_of(value)[column]}
    return lines


def nulls_with_defaults(lines):
    """A NULL is null, where JsonConverter writes the column's default."""
    for line in lines:
        if line["topic"].endswith(".nullable_defaults") and line["value"]:
            rows = [line["value"]["before"], *([line["value"]["after"]] if line["key"]["id"] == 2 else [])]
            for row in rows:
                for column in (row or {}).keys() - {"id"}:
                    row[column] = None
    return lines


def infinite_text(lines):
    """With `isostring` infinite timestamps are called so, and not by the far dates that Java has for them."""
    for line in lines:
        for row in _rows(line) if line["topic"].endswith(".infinite") else ():
            for column, value in row.items():
                if isinstance(value, str) and "292" in value:
                    row[column] = "infinity" if value.startswith("+") else "-infinity"
    return lines


def structured_times(lines):
    """With `structured` 24:00 is that, and not null; and what stands for a value that was not sent has a zone, as all have."""
    structured = any(isinstance(value, dict) and "specialValue" in value
                     for line in lines for row in _rows(line) for value in row.values())
    for line in lines if structured else ():
        for row in _rows(line):
            for column, value in row.items():
                if line["topic"].endswith(".midnight") and value is None:
                    row[column] = {"hour": 24, "minute": 0, "second": 0, "nanos": 0,
                                   "precision": 3 if column == "a_time_3" else 6}
                elif isinstance(value, dict) and "zoneId" in value and value["specialValue"] is None:
                    value["zoneId"] = "Z"
    return lines


def array_elements(lines):
    """Elements of arrays may be null, whatever they are of: their schema says so."""
    def visit(schema):
        if isinstance(schema, dict):
            if schema.get("type") == "array" and schema.get("field") and isinstance(schema["items"], dict):
                schema["items"]["optional"] = True
            for part in schema.values():
                visit(part)
        for part in schema if isinstance(schema, list) else ():
            visit(part)

    for line in lines:
        if not line["topic"].endswith(".transaction"):
            visit(line.get("value_schema"))
    return lines


# Columns that Debezium leaves out and we carry.
CARRIED = {
    "multiranges": ["a_int4multirange", "a_tstzmultirange"],
    "composites": ["a_pair", "a_domain"],
    "system_types": ["a_pg_lsn", "a_txid_snapshot", "a_pg_snapshot", "a_regclass", "a_regtype", "a_regproc", "a_xid",
                     "a_xid8", "a_cid", "a_tid", "a_refcursor", "an_aclitem"],
    "texts": ["a_tsquery", "a_jsonpath"],
    "other_arrays": ["monies", "names", "intervals", "varbits", "xmls", "points", "refcursors", "pairs", "positives",
                     "int4multiranges", "tsqueries", "pg_lsns"],
}
# Columns in which Debezium reads some values wrong, mostly as null with a line in its log, and what
# is in them that it does not read. Their schemas are compared.
MISREAD = {
    "texts": {"a_name": "any name"},
    "bits": {"a_varbit_1": "no bit at all"},
    "system_types": {"a_int2vector": "any", "a_oidvector": "any"},
    "other_arrays": {"bits": "more than one bit", "boxes": "any box"},
    "text_arrays": {"moods": "a null among enums", "ltrees": "a null among ltrees", "tsvectors": "a null among tsvectors"},
    "time_arrays": {"times": "microseconds"},
    "nested_arrays": {"int4s": "more than one dimension", "texts": "more than one dimension"},
    "dates": {"a_date": "years before 1 and infinities"},
    "times": {column: "a zone with seconds" for column in ("a_timetz", "a_timetz_0", "a_timetz_3")},
    "negative_scale": {"a_numeric": "any: it writes 2,046 digits"},
    "numbers": {"a_float4": "1e-45, which it writes as 1.4e-45: the same float4"},
}
# Those of which the schema is another too: arrays of bits have that of one element, and vectors have
# that of an array, of which nothing is ever read.
OTHER_SCHEMA = {"other_arrays": ["bits"], "system_types": ["a_int2vector", "a_oidvector"]}


def _rows(line):
    value = line["value"] or {}
    return [value[side] for side in ("before", "after") if isinstance(value.get(side), dict)]


def _fields(line):
    """The lists of a schema's fields that are columns: of `before` and of `after`."""
    for field in (line.get("value_schema") or {}).get("fields", []):
        if field.get("field") in ("before", "after"):
            yield field["fields"]


def _sorted_pairs(pairs):
    if isinstance(pairs, str):
        return json.dumps(json.loads(pairs), sort_keys=True)
    return dict(sorted(pairs.items())) if pairs else pairs


def without_carried(lines):
    """Our lines without the columns that Debezium does not have: test_values.py looks at these."""
    for line in copy.deepcopy(lines):
        columns = CARRIED.get(line["topic"].rsplit(".", 1)[-1], [])
        for row in _rows(line):
            for column in columns:
                row.pop(column, None)
        for fields in _fields(line):
            fields[:] = [field for field in fields if field["field"] not in columns]
        yield line


def without_misread(lines):
    """Lines of either without the values that Debezium does not read."""
    for line in copy.deepcopy(lines):
        for row in _rows(line):
            # The connector takes an hstore's pairs out of a hash table.
            if line["topic"].endswith(".hstores"):
                row["a_hstore"] = _sorted_pairs(row["a_hstore"])
            for column in MISREAD.get(line["topic"].rsplit(".", 1)[-1], {}):
                if column in row:
                    row[column] = "misread"
        for fields in _fields(line):
            fields[:] = [_without_other(line["topic"], field) for field in fields]
        yield line


def _without_other(topic, field):
    if field["field"] in OTHER_SCHEMA.get(topic.rsplit(".", 1)[-1], []):
        return {"field": field["field"]}
    # A label that is added meanwhile is in the schema sooner or later.
    if field["field"] == "a_mood" and "parameters" in field:
        field["parameters"]["allowed"] = field["parameters"]["allowed"].removesuffix(",new")
    return field


DIFFERENCES = [index_keys, snapshot_order, snapshot_marks, snapshot_transaction, first_sequence, message_times, message_counts,
               unfit_indexes, unsent_columns, rows_of_roots, keyless_tombstones, nulls_with_defaults,
               array_elements, infinite_text, structured_times]


def expected(lines, differences=None):
    """What pg-capture makes where Debezium made `lines`."""
    lines = copy.deepcopy(lines)
    for difference in DIFFERENCES if differences is None else differences:
        lines = difference(lines)
    return list(without_misread(lines))


def compared(ours):
    """Our lines without what is compared elsewhere."""
    return list(without_misread(message_times(snapshot_marks(list(without_carried(ours))))))


# setting -> why cases with it are recorded and not compared.
NO_COUNTERPART = {
    "include.unknown.datatypes": "we carry these types always, and not as their text in base64",
}
# What Debezium writes as null, wraps around or fails at, and we refuse with a hint: case -> its words.
REFUSED = {
    "numeric_nan": "decimal_handling_mode",
    "numeric_infinity": "decimal_handling_mode",
    "too_far": "time_precision_mode",
    "times-time_nanoseconds": "time_precision_mode",
    "times-time_nanoseconds_schemas": "time_precision_mode",
    "message_keys_unsent": "REPLICA IDENTITY FULL",
}


def has_ended(case):
    with open(case.golden, encoding="utf-8") as lines:
        return "failed" in json.loads(lines.readline())


# Workloads whose records differ in what is not looked into yet.
NOT_COMPARED_YET = set()


def is_compared(case):
    """Not where the connector ends on its way, or we do, or we have no such setting."""
    return (case.name not in REFUSED and case.workload not in NOT_COMPARED_YET and not has_ended(case) and not NO_COUNTERPART.keys() & case.settings.keys())
