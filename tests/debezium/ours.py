"""Runs a case against pg-capture with settings that say what Debezium's say."""

from recording import counts, prepare, read, stream, wait_settled
from support.capture import Capture
from support.processes import wait_until

# Debezium's setting -> our option, where the value is the same. What a transform is configured by
# stands here without `transforms.unwrap.`
OPTIONS = {
    "schemas.enable": "format.schemas_enable",
    "time.precision.mode": "format.debezium.time_precision_mode",
    "decimal.handling.mode": "format.debezium.decimal_handling_mode",
    "binary.handling.mode": "format.debezium.binary_handling_mode",
    "interval.handling.mode": "format.debezium.interval_handling_mode",
    "hstore.handling.mode": "format.debezium.hstore_handling_mode",
    "unavailable.value.placeholder": "format.debezium.unavailable_value_placeholder",
    "tombstones.on.delete": "format.debezium.tombstones_on_delete",
    "provide.transaction.metadata": "format.debezium.provide_transaction_metadata",
    "heartbeat.interval.ms": "format.debezium.heartbeat_interval_ms",
    "skipped.operations": "format.debezium.skipped_operations",
    "message.key.columns": "format.debezium.message_key_columns",
    "field.name.adjustment.mode": "format.debezium.field_name_adjustment_mode",
    "schema.name.adjustment.mode": "format.debezium.schema_name_adjustment_mode",
    "delete.tombstone.handling.mode": "format.flat.delete_tombstone_handling_mode",
    "add.fields": "format.flat.add_fields",
    "add.fields.prefix": "format.flat.add_fields_prefix",
    "add.headers": "format.flat.add_headers",
    "add.headers.prefix": "format.flat.add_headers_prefix",
}
# What only the connector knows: we carry such types always.
WITHOUT = {"include.unknown.datatypes", "transforms", "transforms.unwrap.type"}


def options(settings):
    """Our options for Debezium's settings."""
    chosen = {"format.type": "flat", "format.headers": "false"} if "transforms" in settings else {"format.type": "debezium"}
    for name, value in settings.items():
        if name not in WITHOUT:
            chosen[OPTIONS[name.removeprefix("transforms.unwrap.")]] = value
    return chosen


def environment(server, broker, run):
    given = {"kafka.brokers": broker.bootstrap, "kafka.topic_prefix": run.name, "sink": "kafka",
             "state.topic": f"positions.{run.name}",
             "source.snapshot.mode": "initial", "source.snapshot.readers": "1", "source.manage_publication": "false",
             **options(run.case.settings)}
    return server.capture_environment(run.name) | {
        f"PG_CAPTURE_{name.replace('.', '_').upper()}": value for name, value in given.items()}


def record(server, broker, run, look=lambda: None):
    """Runs the case; run.records holds what came of it. look() is called while the database is there."""
    prepare(server, run)
    try:
        with Capture(environment(server, broker, run), slot=run.name, publication=run.name) as capture:
            capture.wait_streaming()
            stream(server, run)
            wait_until(lambda: not capture.running or counts(broker, run.name).get(f"{run.name}.public.sentinel"),
                       what=f"the last record of {run.case.name}")
            assert capture.running, capture.stderr_tail()
            wait_settled(broker, run.name, seconds=0.5)
            run.records = read(broker, run.name)
            look()
            capture.stop()
    finally:
        _remove(server, run)
    return run


def refusal(server, broker, run):
    """Runs a case that we end at by ourselves; returns what was said."""
    prepare(server, run)
    try:
        with Capture(environment(server, broker, run), slot=run.name, publication=run.name) as capture:
            wait_until(lambda: not capture.running or "  streaming  " in capture.stderr_tail(),
                       what=f"{run.case.name} to stream")
            if capture.running:
                stream(server, run)
            assert capture.wait_exit() != 0
            return capture.stderr_tail()
    finally:
        _remove(server, run)


def _remove(server, run):
    server.drop_slot(run.name)
    server.psql(f"DROP DATABASE {run.name} WITH (FORCE)")
