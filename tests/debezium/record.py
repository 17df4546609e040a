"""Records what the real Debezium connector makes of the cases: tests/debezium/golden/*.jsonl.

    /usr/bin/python3 tests/debezium/record.py [--postgres 15] [--together 24] [--to DIRECTORY] [CASE…]

Needs tools/debezium.sh. A case that ends the connector is recorded up to there, with the reason.
"""

import argparse
import pathlib
import pickle
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parent)]

import golden  # noqa: E402
import recording  # noqa: E402
from cases import CASES  # noqa: E402
from support.kafka import KafkaBroker  # noqa: E402
from support.servers import PostgresServer  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", default="15")
    parser.add_argument("--together", type=int, default=24, help="connectors in one Java process")
    parser.add_argument("--to", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent / "golden")
    parser.add_argument("--raw", type=pathlib.Path, help="a directory for the records as they came, and the logs")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    wanted = [case for case in CASES if not options.cases or case.name in options.cases]
    unknown = set(options.cases) - {case.name for case in wanted}
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}")
    options.to.mkdir(parents=True, exist_ok=True)
    settings = {"max_connections": "400", "max_wal_senders": "100", "max_replication_slots": "100"}
    with PostgresServer(options.postgres, settings=settings) as server, KafkaBroker() as broker:
        for start in range(0, len(wanted), options.together):
            log = recording.record_all(server, broker, wanted[start:start + options.together],
                                       lambda run: write(options, run), start)
            if options.raw:
                options.raw.mkdir(parents=True, exist_ok=True)
                (options.raw / f"connect-{start}.log").write_text(log)


def write(options, run):
    if options.raw:
        options.raw.mkdir(parents=True, exist_ok=True)
        (options.raw / f"{run.case.name}.pickle").write_bytes(pickle.dumps((run.records, run.name, run.failed)))
    text = golden.text_of(run.records, run.name, run.failed)
    (options.to / run.case.golden.name).write_text(text, encoding="utf-8")
    print(f"{run.case.name}: {len(run.records)} records{', FAILED' if run.failed else ''}", flush=True)


if __name__ == "__main__":
    main()
