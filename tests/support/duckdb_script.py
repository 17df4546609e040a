"""Runs SQL in a DuckDB database; by the loaders' own interpreter (tools/loaders.sh).

    python duckdb_script.py DATABASE < SCRIPT

Prints the rows of its last statement as a JSON array of arrays of texts and nulls.
"""

import json
import sys


def main():
    import duckdb

    connection = duckdb.connect(sys.argv[1])
    connection.execute("SET TimeZone = 'UTC'")
    rows = []
    for statement in duckdb.extract_statements(sys.stdin.read()):
        result = connection.execute(statement)
        rows = result.fetchall() if result.description else []
    connection.close()
    json.dump([[None if value is None else str(value) for value in row] for row in rows], sys.stdout)


if __name__ == "__main__":
    main()
