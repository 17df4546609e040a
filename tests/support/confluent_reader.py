"""Confluent's own deserializers, in a process of their own: tests/support/readers.py talks to it.

Reads lines {"encoding", "topic", "key", "value"} with the messages in base64, and answers each with what was
read, {"key", "value"}, or with {"error"}. Bytes are given as base64, numbers of fixed scale as text.
"""

import base64
import datetime
import decimal
import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from protobuf_reader import ProtobufReader

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(value):
    """As JSON has it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(milliseconds=1)
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days
    raise TypeError(f"{type(value)} is not to be written as JSON")


def deserializers(client):
    return {"avro": AvroDeserializer(client), "json_schema": JSONDeserializer(None, schema_registry_client=client),
            "protobuf": ProtobufReader(client)}


def main():
    readers = deserializers(SchemaRegistryClient({"url": sys.argv[1]}))
    for line in sys.stdin:
        wanted = json.loads(line)
        read = readers[wanted["encoding"]]
        try:
            answer = {side: wanted[side] and read(base64.b64decode(wanted[side]), SerializationContext(wanted["topic"], side))
                      for side in (MessageField.KEY, MessageField.VALUE)}
        except Exception as error:      # the tests show it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, default=plain), flush=True)


if __name__ == "__main__":
    main()
