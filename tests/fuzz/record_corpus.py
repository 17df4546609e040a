"""Records pgoutput messages from real servers as seeds for the decoder's fuzzer.

    python3 tests/fuzz/record_corpus.py [VERSION…]

Runs one workload that makes every kind of message on each server, peeks at it through
pg_logical_slot_peek_binary_changes in every protocol version and mode the server has, and
keeps one small message of each shape as tests/fuzz/corpus/pgoutput/pgVERSION_SHAPE. The
first byte of a file is the fuzzer's: bit 0, inside a stream block; above, the columns.
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from support.servers import VERSIONS, PostgresServer  # noqa: E402

CORPUS = pathlib.Path(__file__).parent / "corpus" / "pgoutput"
MAX_SIZE = 600
STREAMABLE = b"RYIUDTM"

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE keyed (id int PRIMARY KEY, name text, amount numeric, at timestamptz, m mood);
CREATE TABLE whole (a int, b text); ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE nothing (a int); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE empty ();
CREATE TABLE toasted (id int PRIMARY KEY, big text);
ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
CREATE PUBLICATION p FOR ALL TABLES;
"""

# Autocommitted, one by one.
WORKLOAD = [
    "INSERT INTO keyed VALUES (1, 'one', 1.50, '2000-01-01 00:00:00+00', 'happy'),"
    " (2, NULL, 'NaN', 'infinity', NULL)",
    "UPDATE keyed SET name = 'two' WHERE id = 2",
    "UPDATE keyed SET id = 3 WHERE id = 2",
    "DELETE FROM keyed WHERE id = 3",
    "INSERT INTO whole VALUES (1, 'x'), (NULL, NULL)",
    "UPDATE whole SET b = 'y' WHERE a = 1",
    "DELETE FROM whole",
    "INSERT INTO nothing VALUES (1)",
    "INSERT INTO empty DEFAULT VALUES",
    "INSERT INTO toasted VALUES (1, repeat('x', 3000))",
    "UPDATE toasted SET id = 2",
]
SINCE_11 = ["TRUNCATE keyed, whole RESTART IDENTITY CASCADE"]
SINCE_14 = [
    "SELECT pg_logical_emit_message(true, 'prefix', 'content')",
    "SELECT pg_logical_emit_message(false, 'prefix', '')",
]
PREPARED = [
    "BEGIN; INSERT INTO keyed VALUES (20); PREPARE TRANSACTION 'gid one'",
    "COMMIT PREPARED 'gid one'",
    "BEGIN; INSERT INTO keyed VALUES (21); PREPARE TRANSACTION 'gid two'",
    "ROLLBACK PREPARED 'gid two'",
]
# Larger than logical_decoding_work_mem, so that they are streamed.
STREAMED = [
    "BEGIN; INSERT INTO keyed SELECT i, 'x' FROM generate_series(1000, 3000) i;"
    " UPDATE whole SET a = 1; SELECT pg_logical_emit_message(true, 'p', 'c'); COMMIT",
    "BEGIN; INSERT INTO keyed SELECT i, 'x' FROM generate_series(4000, 6000) i; SAVEPOINT s;"
    " INSERT INTO keyed SELECT i, 'x' FROM generate_series(7000, 9000) i; ROLLBACK TO s;"
    " TRUNCATE toasted; COMMIT",
]
STREAMED_PREPARED = [
    "BEGIN; INSERT INTO nothing SELECT i FROM generate_series(1, 3000) i;"
    " PREPARE TRANSACTION 'gid three'",
    "COMMIT PREPARED 'gid three'",
]


def modes(major):
    """The option lists to peek with."""
    found = [{"proto_version": "1"}]
    if major >= 14:
        found[0]["messages"] = "true"
        found.append({"proto_version": "1", "binary": "true"})
        found.append({"proto_version": "2", "streaming": "on", "messages": "true"})
    if major >= 15:
        found.append({"proto_version": "3", "two_phase": "on", "streaming": "on"})
    if major >= 16:
        found.append({"proto_version": "4", "two_phase": "on", "streaming": "parallel",
                      "binary": "true"})
    return found


def run_workload(server, major):
    statements = list(WORKLOAD)
    statements += SINCE_11 if major >= 11 else []
    statements += SINCE_14 + STREAMED if major >= 14 else []
    statements += PREPARED + STREAMED_PREPARED if major >= 15 else []
    for statement in statements:
        server.psql(statement)


def columns_of(message, streamed):
    """How many columns the first row in a row message has; 0 for other messages."""
    if message[:1] not in (b"I", b"U", b"D"):
        return 0
    start = 1 + (4 if streamed else 0) + 4 + 1
    return struct.unpack(">H", message[start:start + 2])[0]


def shape(message, streamed):
    """What makes a message different from another for a decoder."""
    name = {"K": "commit_prepared", "r": "rollback_prepared", "b": "begin_prepare",
            "P": "prepare", "p": "stream_prepare", "S": "stream_start", "E": "stream_stop",
            "c": "stream_commit", "A": "stream_abort", "B": "begin", "C": "commit",
            "O": "origin", "R": "relation", "Y": "type", "I": "insert", "U": "update",
            "D": "delete", "T": "truncate", "M": "message"}[chr(message[0])]
    if name in ("insert", "update", "delete"):
        start = 1 + (4 if streamed else 0) + 4
        name += "_" + chr(message[start]) + str(columns_of(message, streamed))
        name += "_binary" if b"b\0\0\0" in message[start:] else ""
    if name == "relation":
        name += str(len(message) % 7)  # a few of them
    return name + ("_streamed" if streamed else "")


def record(version):
    major = int(version.split("-")[0])
    settings = {"logical_decoding_work_mem": "64kB"} if major >= 13 else {}
    kept = {}
    with PostgresServer(version, settings=settings) as server:
        server.psql(TABLES)
        two_phase = ", false, true" if major >= 15 else ""
        server.psql(f"SELECT pg_create_logical_replication_slot('s', 'pgoutput'{two_phase})")
        run_workload(server, major)
        for options in modes(major):
            options["publication_names"] = "p"
            pairs = ", ".join(f"'{k}', '{v}'" for k, v in options.items())
            rows = server.query("SELECT data FROM pg_logical_slot_peek_binary_changes("
                                f"'s', NULL, NULL, {pairs})")
            in_block = False
            for (message,) in rows:
                streamed = in_block and message[:1] in [bytes([k]) for k in STREAMABLE]
                key = shape(message, streamed)
                if options["proto_version"] == "4" and key.startswith("stream_abort"):
                    key += "_parallel"
                if len(message) <= MAX_SIZE and key not in kept:
                    first = columns_of(message, streamed) << 1 | streamed
                    kept[key] = bytes([first]) + message
                in_block = {b"S": True, b"E": False}.get(message[:1], in_block)
    for key, content in kept.items():
        (CORPUS / f"pg{version}_{key}").write_bytes(content)
    print(f"PostgreSQL {version}: {len(kept)} messages")


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    for version in sys.argv[1:] or VERSIONS:
        record(version)


if __name__ == "__main__":
    main()
