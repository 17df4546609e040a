"""Reads a CSV file as DuckDB or pandas does; run by their own interpreter (tools/loaders.sh).

    python csv_loaders.py duckdb FILE NULL_TEXT [COLUMN=TYPE]…
    python csv_loaders.py pandas FILE NULL_TEXT

Prints a JSON array of rows, each an object of texts and nulls. A column of DuckDB with a TYPE is read as that, and
shown as DuckDB prints it; all others are texts.
"""

import json
import sys


def read_with_duckdb(path, null_text, types):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    relation = connection.execute(
        "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_csv(?, header = true, delim = ',', quote = '\"', escape = '\"', "
        "nullstr = ?, allow_quoted_nulls = false, auto_detect = false, new_line = '\\n', columns = ?)",
        [path, null_text, types])
    names = [column[0] for column in relation.description]
    return [dict(zip(names, row)) for row in relation.fetchall()]


def read_with_pandas(path, null_text):
    import pandas

    frame = pandas.read_csv(path, dtype=str, keep_default_na=False, na_values=[null_text])
    return [{name: None if pandas.isna(value) else value for name, value in row.items()}
            for row in frame.to_dict("records")]


def main():
    reader, path, null_text, *given = sys.argv[1:]
    if reader == "pandas":
        rows = read_with_pandas(path, null_text)
    else:
        with open(path, encoding="utf-8", newline="") as file:
            names = file.readline().rstrip("\n").split(",")
        types = dict.fromkeys(names, "VARCHAR") | dict(one.split("=") for one in given)
        rows = read_with_duckdb(path, null_text, types)
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
