"""The real Debezium connector for PostgreSQL: many at once in one Kafka Connect worker."""

from support.connect import ConnectWorker, json_converters

# What has to be said; all else is the connector's default until a case says otherwise.
_CONNECTOR = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": 1,
    "plugin.name": "pgoutput", "publication.autocreate.mode": "disabled", "poll.interval.ms": 50, "errors.max.retries": 0,
    "topic.creation.default.partitions": 1, "topic.creation.default.replication.factor": 1,
}


def connector(server, database, *, prefix, settings):
    """The properties of one that reads `database` into topics that begin with `prefix`.

    Its publication, its slot and itself are called like the prefix. schemas.enable stands for
    the converters of keys and of values.
    """
    settings = dict(settings)
    if "schemas.enable" in settings:
        settings |= json_converters(settings.pop("schemas.enable"))
    return _CONNECTOR | {
        "name": prefix, "topic.prefix": prefix, "slot.name": prefix, "publication.name": prefix,
        "database.hostname": server.host, "database.port": server.port,
        "database.user": server.user, "database.password": server.password,
        "database.dbname": database} | settings


def worker(broker, connectors):
    """One Java process with all `connectors` (properties) in it."""
    return ConnectWorker(broker, connectors, settings={"offset.flush.interval.ms": 60000})
