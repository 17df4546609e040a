"""What is recorded of Debezium and compared with pg-capture: a workload and settings each.

`settings` are Debezium's own; capture_options() says the same to pg-capture. A workload is SQL
(workloads/*.sql): what stands before the line `-- stream` is there before the start, and so read
by the snapshot; the rest is run when the stream has begun.
"""

import dataclasses
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    workload: str
    settings: dict

    def sql(self):
        """(before the start, while it streams)"""
        prelude = (HERE / "workloads" / "prelude.sql").read_text(encoding="utf-8")
        text = (HERE / "workloads" / f"{self.workload}.sql").read_text(encoding="utf-8")
        before, _, after = text.partition("-- stream\n")
        return prelude + before, after

    @property
    def golden(self):
        return HERE / "golden" / f"{self.name}.jsonl"


TYPES = ["numbers", "text", "binary", "times", "intervals", "network_geometry", "ranges", "arrays",
         "named_types", "hstore", "system_types", "defaults"]
# Of these a value may end the connector, or what comes after it.
HOSTILE = ["numeric_nan", "numeric_infinity", "nested_arrays", "too_far", "negative_scale"]

# setting -> its values, and the workloads where it changes anything.
MODES = {
    "time.precision.mode": (
        ["adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds", "structured"],
        ["times", "defaults"]),
    "decimal.handling.mode": (["double", "string"], ["numbers", "numeric_nan", "numeric_infinity", "defaults"]),
    "binary.handling.mode": (["base64", "base64-url-safe", "hex"], ["binary"]),
    "interval.handling.mode": (["string"], ["intervals"]),
    "hstore.handling.mode": (["map"], ["hstore"]),
    "include.unknown.datatypes": (["true"], ["arrays", "named_types", "system_types"]),
}
_SHORT = {"time.precision.mode": "time", "decimal.handling.mode": "decimal", "binary.handling.mode": "binary",
          "interval.handling.mode": "interval", "hstore.handling.mode": "hstore", "include.unknown.datatypes": "unknown"}


def _of_modes():
    for setting, (values, workloads) in MODES.items():
        for value in values:
            for workload in workloads:
                yield Case(f"{workload}-{_SHORT[setting]}_{value}", workload, {setting: value})


_SCHEMAS = {"schemas.enable": "true"}
_EVERYTHING = {"skipped.operations": "none"}
_ADDED = "op,table,schema,db,lsn,txId,source.ts_ms,source.sequence,ts_ms,before.name:was,transaction.id"


def _unwrap(**settings):
    return {"transforms": "unwrap", "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            **{f"transforms.unwrap.{k.replace('_', '.')}": v for k, v in settings.items()}}


CASES = [
    *(Case(name, name, {}) for name in TYPES + HOSTILE),
    *_of_modes(),
    Case("numbers-double_schemas", "numbers", {"decimal.handling.mode": "double", **_SCHEMAS}),
    *(Case(f"{name}-schemas", name, _SCHEMAS) for name in TYPES if name != "numbers"),
    Case("numbers-schemas", "numbers", _SCHEMAS),
    *(Case(f"times-time_{mode}_schemas", "times", {"time.precision.mode": mode, **_SCHEMAS})
      for mode in MODES["time.precision.mode"][0] if mode != "structured"),
    Case("binary-binary_hex_schemas", "binary", {"binary.handling.mode": "hex", **_SCHEMAS}),
    Case("intervals-interval_string_schemas", "intervals", {"interval.handling.mode": "string", **_SCHEMAS}),
    Case("hstore-hstore_map_schemas", "hstore", {"hstore.handling.mode": "map", **_SCHEMAS}),

    Case("operations", "operations", _EVERYTHING),
    Case("operations-defaults", "operations", {}),
    Case("operations-no_tombstones", "operations", {"tombstones.on.delete": "false", **_EVERYTHING}),
    Case("operations-schemas", "operations", {**_EVERYTHING, **_SCHEMAS}),
    Case("operations-skip_cd", "operations", {"skipped.operations": "c,d"}),
    Case("operations-skip_ut", "operations", {"skipped.operations": "u,t"}),
    Case("identities", "identities", {}),
    Case("identities-schemas", "identities", _SCHEMAS),
    Case("unique_keys", "unique_keys", {}),
    Case("unique_keys-schemas", "unique_keys", _SCHEMAS),
    Case("unwrap-unique_keys", "unique_keys", _unwrap(delete_tombstone_handling_mode="rewrite-with-tombstone")),
    Case("toast", "toast", {}),
    Case("toast-placeholder", "toast", {"unavailable.value.placeholder": "gone"}),
    Case("toast-placeholder_hex", "toast", {"unavailable.value.placeholder": "hex:00ff"}),
    Case("toast-modes", "toast", {"binary.handling.mode": "hex", "hstore.handling.mode": "map",
                                  "decimal.handling.mode": "string", "time.precision.mode": "isostring"}),
    Case("toast_types", "toast_types", {}),
    Case("toast_types-modes", "toast_types", {"binary.handling.mode": "base64", "decimal.handling.mode": "string",
                                              "time.precision.mode": "isostring"}),
    Case("toast_types-double", "toast_types", {"decimal.handling.mode": "double", "time.precision.mode": "connect"}),
    Case("transactions", "transactions", {"provide.transaction.metadata": "true", **_EVERYTHING}),
    Case("transactions-schemas", "transactions", {"provide.transaction.metadata": "true", **_EVERYTHING, **_SCHEMAS}),
    Case("heartbeats", "heartbeats", {"heartbeat.interval.ms": "300"}),
    Case("heartbeats-schemas", "heartbeats", {"heartbeat.interval.ms": "300", **_SCHEMAS}),
    Case("names", "names", {}),
    Case("names-schemas", "names", _SCHEMAS),
    Case("names_plain-field_avro", "names_plain", {"field.name.adjustment.mode": "avro", **_SCHEMAS}),
    Case("names-field_avro_unicode", "names", {"field.name.adjustment.mode": "avro_unicode", **_SCHEMAS}),
    Case("names-schema_avro", "names", {"schema.name.adjustment.mode": "avro", **_SCHEMAS}),
    Case("names-schema_avro_unicode", "names", {"schema.name.adjustment.mode": "avro_unicode", **_SCHEMAS}),
    Case("message_keys", "message_keys", {"message.key.columns": "public.keyed:b,a;(.*).keyless:a"}),
    Case("message_keys_unsent", "message_keys_unsent", {"message.key.columns": "(.*).default_identity:a"}),
    Case("message_keys-everywhere", "message_keys", {"message.key.columns": "(.*).keyed:a", **_SCHEMAS}),
    *(Case(name, name, {}) for name in (
        "snapshot_marks", "snapshot_marks_last_empty", "snapshot_marks_first_empty", "snapshot_empty",
        "schema_change", "schema_change_key", "schema_change_types")),
    Case("names_collide-field_avro", "names_collide", {"field.name.adjustment.mode": "avro"}),
    Case("schema_change-schemas", "schema_change", _SCHEMAS),

    *(Case(f"unwrap-{mode}", "unwrap", _unwrap(delete_tombstone_handling_mode=mode))
      for mode in ("drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone")),
    Case("unwrap-messages_and_truncate", "unwrap", {**_unwrap(), **_EVERYTHING}),
    Case("unwrap-added", "unwrap", _unwrap(
        delete_tombstone_handling_mode="rewrite", add_fields=_ADDED, add_headers=_ADDED)),
    Case("unwrap-added_prefix", "unwrap", {**_unwrap(
        delete_tombstone_handling_mode="rewrite-with-tombstone", add_fields="op,table,source.lsn", add_fields_prefix="f.",
        add_headers="op,source.db", add_headers_prefix="h_"), **_SCHEMAS}),
    Case("unwrap-schemas", "unwrap", {**_unwrap(delete_tombstone_handling_mode="rewrite", add_fields=_ADDED), **_SCHEMAS}),
    Case("unwrap-transactions", "transactions", {**_unwrap(add_fields="transaction.id,transaction.total_order"),
                                                 "provide.transaction.metadata": "true"}),
    Case("unwrap-transactions_drop", "transactions", {**_unwrap(
        delete_tombstone_handling_mode="drop", add_fields="transaction.id,transaction.total_order"),
        "provide.transaction.metadata": "true", **_EVERYTHING}),
]
