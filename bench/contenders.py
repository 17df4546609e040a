"""Who takes part: the command line and environment of pg_recvlogical and of pg-capture.

With `bench/run --against BINARY` each route of ours has another, "… before", that runs another
binary with the same environment: what changed between the two is seen within one run.
"""

from support.capture import binary, clean_environment
from support.servers import CLIENT_BIN, certificates
from workloads import ENCODING, FILE_FORMS, FORMATS, ONCE

BEFORE = " before"
other_binary = None  # set by `--against`


def with_before(routes, ours):
    """Each of `ours` among the routes followed by that of before, if there is another binary. One from
    before exactly once would refuse its configuration."""
    if other_binary is None:
        return list(routes)
    return [r for route in routes
            for r in ([route, route + BEFORE] if ours(route) and ONCE not in route else [route])]


def plain(route):
    """The route without "… before"; any other as it is."""
    return route.removesuffix(BEFORE)


def into_kafka(route):
    """Whether what this route of ours writes goes to the broker."""
    return route.startswith("kafka")


def program(route):
    """The binary of ours that runs this route."""
    return other_binary if route.endswith(BEFORE) else binary()


def recvlogical(lab, route, name, slot, end):
    """pg_recvlogical to /dev/null: "pg_recvlogical" (TCP), "… unix", "… tls"."""
    server = lab.server
    peer = {"": server.dsn(host="127.0.0.1", sslmode="disable"), "unix": server.dsn(),
            "tls": server.dsn(host="127.0.0.1", sslmode="require")}[route.partition(" ")[2]]
    return [CLIENT_BIN / "pg_recvlogical", "-d", peer, "--slot", slot, "--start",
            "-f", "/dev/null", "--endpos", end, "--no-loop", "-F", "0",
            "-o", "proto_version=1", "-o", f"publication_names=bench_{name}"]


def capture_environment(lab, name, slot, directory):
    """What every run of pg-capture has in common; its sink is still to be said."""
    return clean_environment() | lab.server.capture_environment() | {
        "PG_CAPTURE_STATE_DIR": str(directory), "PG_SLOT_NAME": slot,
        "PG_PUBLICATION": f"bench_{name}", "PG_CAPTURE_SOURCE_MANAGE_PUBLICATION": "false",
        "PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "never", "PG_CAPTURE_HTTP_LISTEN": "",
        "PG_CAPTURE_LOGGING_LEVEL": "warning"}


def format_of(lab, route):
    """The form of messages that the route's last word names; none for native ones."""
    form = FORMATS.get(plain(route).split()[-1], {})
    return form | ({"PG_CAPTURE_FORMAT_REGISTRY_URL": lab.registry.url} if ENCODING in form else {})


def discarding(lab, route, name, slot, directory):
    """pg-capture that encodes everything and drops it: "tcp binary", "unix text", "tls binary" …"""
    path, form = plain(route).split()[:2]
    env = capture_environment(lab, name, slot, directory) | format_of(lab, route) | {
        "PG_CAPTURE_SINK": "discard",
        "PG_CAPTURE_SOURCE_BINARY": "auto" if form == "binary" else "never"}
    if path == "unix":
        env["PG_HOST"] = str(lab.server.socket_dir)
    if path == "tls":
        env["PG_SSL_MODE"] = "verify-full"
        env["PG_CAPTURE_POSTGRES_SSL_ROOT_CERT"] = str(certificates() / "ca.crt")
    return env


def producing(lab, route, name, slot, directory):
    """pg-capture into Kafka, all else as it comes: "kafka snappy", "kafka snappy once" …"""
    return capture_environment(lab, name, slot, directory) | format_of(lab, route) | {
        "PG_CAPTURE_SINK": "kafka", "KAFKA_BROKERS": lab.broker.bootstrap,
        "KAFKA_TOPIC_PREFIX": slot, "KAFKA_COMPRESSION": plain(route).split()[1]} | (
            {"PG_CAPTURE_DELIVERY": "exactly_once"} if ONCE in route else {})


def reading(lab, route, name, slot, directory):
    """pg-capture that reads a table and ends: "1 reader", "2 readers" into nowhere, "kafka snappy" …"""
    if into_kafka(route):
        env = producing(lab, route, name, slot, directory)
    else:
        env = discarding(lab, "tcp binary", name, slot, directory) | {
            "PG_CAPTURE_SOURCE_SNAPSHOT_READERS": route.split()[0]}
    return env | {"PG_CAPTURE_SOURCE_SNAPSHOT_MODE": "only"}


def into_files(lab, route, name, slot, directory, registry):
    """pg-capture into files below `directory`: "file csv", "file csv zlib", "file json" …"""
    return capture_environment(lab, name, slot, directory) | FILE_FORMS[plain(route).split()[-1]] | {
        "PG_CAPTURE_SINK": "file", "PG_CAPTURE_FILE_ROOT": str(directory / "files"),
        "PG_CAPTURE_FILE_REGISTRY_DATABASE": registry}


def copy_to_nowhere(lab, table):
    """psql, COPY TO STDOUT, /dev/null."""
    return [CLIENT_BIN / "psql", "-Xq", "-d", lab.server.dsn(host="127.0.0.1", sslmode="disable"),
            "-c", f"COPY {table} TO STDOUT"]


def snapshot_only(route):
    """The command that ends when all rows are durable."""
    return [program(route), "run"]


def run_until(route, end):
    """The command that drains up to an LSN: it returns when all of it is durable and stored."""
    return [program(route), "run", "--until", end]
