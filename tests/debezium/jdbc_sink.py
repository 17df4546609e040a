"""Debezium's JDBC sink connector: it makes tables of another database out of our topics.

    with JdbcSink(stage, "debezium", "json") as sink:
        sink.wait_written()
        sink.differences("t")       # of the table that it made from the source's
"""

from support.connect import ConnectWorker, json_converters
from support.kafka_client import confluent_kafka
from support.processes import PATIENCE, ROOT, wait_until

PLUGINS = ROOT / ".deps" / "sink" / "plugins"
_SINK = {
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "tasks.max": 1,
    "insert.mode": "upsert", "primary.key.mode": "record_key", "delete.enabled": "true", "truncate.enabled": "true",
    "schema.evolution": "basic", "errors.max.retries": 0, "consumer.override.metadata.max.age.ms": 500,
    # Connect's own guess at what headers hold does not understand Debezium's.
    "header.converter": "org.apache.kafka.connect.storage.StringConverter",
}
# The table's name, from the message or from the topic.
_NAMES = {
    "debezium": {"collection.name.format": "${source.table}"},
    "flat": {"collection.name.format": "${topic}", "transforms": "route",
             "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
             "transforms.route.regex": ".*\\.public\\.(.*)", "transforms.route.replacement": "$1"},
}


def _avro_converters(registry):
    settings = {"apicurio.registry.url": registry.native_url, "apicurio.registry.as-confluent": "true",
                "apicurio.registry.use-id": "contentId"}
    return {f"{side}.converter{option}": value for side in ("key", "value") for option, value in (
        ("", "io.apicurio.registry.utils.converter.AvroConverter"), *((f".{k}", v) for k, v in settings.items()))}


class JdbcSink:
    """A worker with one sink that reads all tables' topics of a stage into a database of its own,
    which `before` (SQL) prepares.
    """

    def __init__(self, stage, form, encoding, *, registry=None, before="", **properties):
        self.stage, self.server, self.database = stage, stage.server, f"{stage.name}_sunk"
        self._group = f"connect-{self.database}"
        self.server.psql(f"CREATE DATABASE {self.database}")
        self.server.psql(before, db=self.database)
        converters = _avro_converters(registry) if encoding == "avro" else {
            **json_converters(schemas=True), "value.converter.replace.null.with.default": "false"}
        # The converter's archive does not name what is in it.
        discovery = "only_scan" if encoding == "avro" else "service_load"
        self._worker = ConnectWorker(
            stage.broker, [{
                "name": self.database, **_SINK, **_NAMES[form], **converters, "topics.regex": f"{stage.prefix}\\.public\\..*",
                "connection.url": f"jdbc:postgresql://{self.server.host}:{self.server.port}/{self.database}",
                "connection.username": self.server.user, "connection.password": self.server.password or "none",
                **properties}],
            settings={"offset.flush.interval.ms": 500, "plugin.discovery": discovery}, plugins=[PLUGINS])

    def _places(self):
        """topic -> up to where the sink has said that it wrote"""
        group = confluent_kafka.ConsumerGroupTopicPartitions(self._group)
        answer = self.stage.broker.admin().list_consumer_group_offsets([group])[self._group]
        try:
            return {place.topic: place.offset for place in answer.result(PATIENCE).topic_partitions}
        except confluent_kafka.KafkaException:
            return {}       # the broker is just making a place for it

    def _left(self):
        """topic -> what the sink has not written yet"""
        at = self._places()
        ends = {topic: sum(end for _, end in self.stage.broker.end_offsets(topic).values())
                for topic in self.stage.broker.topics() if topic.startswith(f"{self.stage.prefix}.public.")}
        return {topic: end for topic, end in ends.items() if max(at.get(topic, 0), 0) < end}

    def wait_written(self):
        """Until all that is in the topics is in the tables."""
        why = self._worker.wait_ended_or(self.database, lambda: not self._left(), 2 * PATIENCE, "the sink to write all")
        assert not why, why + self._worker.tail()

    def wait_for(self, condition):
        """Until there is a row in its database: a table and a condition, as SQL."""
        found = f"SELECT 1 FROM {condition}"
        why = self._worker.wait_ended_or(
            self.database, lambda: self.server.query(found, db=self.database), 2 * PATIENCE, condition)
        assert not why, why + self._worker.tail()

    def count(self, table):
        return self.server.query(f"SELECT count(*) FROM {table}", db=self.database)[0][0]

    def types(self, table):
        """column -> its type here"""
        return self._types(table, self.database)

    def _types(self, table, database):
        return dict(self.server.query(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
            f" AND attrelid = to_regclass('{table}') ORDER BY attnum", db=database))

    def key(self, table):
        """The columns of its primary key here."""
        return [name for name, in self.server.query(
            "SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS c(number, place)"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = c.number"
            f" WHERE i.indisprimary AND i.indrelid = '{table}'::regclass ORDER BY c.place", db=self.database)]

    def differences(self, table):
        """column -> rows that differ: as text of the source's type, ("",) if there is no such column"""
        source, here = self._types(table, self.stage.name), self.types(table)
        return {column: rows for column, kind in source.items() if (rows := self._differing(table, column, kind, here))}

    def _differing(self, table, column, kind, here):
        if column not in here:
            return [("",)]
        rows = [self.server.query(f"SELECT id::text, {text} FROM {table}", db=database)
                for database, text in ((self.stage.name, f'"{column}"::text'),
                                       (self.database, f'"{column}"::text::{kind}::text'))]
        return sorted(set(rows[0]) ^ set(rows[1]), key=str)

    def close(self):
        self._worker.close()
        self.server.psql(f"DROP DATABASE {self.database} WITH (FORCE)")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
