"""Messages of Protobuf by the schema that the registry has under their number: protoc compiles it, and Confluent's
deserializer reads by the class that comes of it, headers and all. For tests/support/confluent_reader.py.
"""

import base64
import subprocess
import tempfile

from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def compiled(text):
    """The messages at the top of a file of Protobuf, by protoc."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/schema.proto", "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run(["protoc", f"-I{folder}", f"--descriptor_set_out={folder}/set", "schema.proto"],
                              capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            raise ValueError(f"protoc: {done.stderr}\n{text}")
        with open(f"{folder}/set", "rb") as file:
            (file,) = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    prefix = f"{file.package}." if file.package else ""
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(prefix + m.name)) for m in file.message_type]


def message_index(raw):
    """Which message of its file it is: a 0, or how many steps and each of them, in zigzag."""
    if raw[5] == 0:
        return 0
    assert raw[5] == 2 and raw[6] < 0x80 and raw[6] % 2 == 0, raw[:12]
    return raw[6] // 2


class ProtobufReader:
    def __init__(self, client):
        self._client = client
        self._readers = {}      # by number and place

    def __call__(self, raw, _):
        """As JSON has it, by the rules of docs/reference/debezium.md."""
        number, place = int.from_bytes(raw[1:5], "big"), message_index(raw)
        if (number, place) not in self._readers:
            schema = self._client.get_schema(number)
            assert schema.schema_type == "PROTOBUF", schema.schema_type
            self._readers[number, place] = ProtobufDeserializer(
                compiled(schema.schema_str)[place], {"use.deprecated.format": False})
        return plain(self._readers[number, place](raw, None))


def plain(message):
    fields = message.DESCRIPTOR.fields
    if message.DESCRIPTOR.name == "Decimal":
        return base64.b64encode(message.value).decode()
    if [f.name for f in fields] == ["value"] and fields[0].label == fields[0].LABEL_REPEATED:
        value_of = fields[0].message_type.fields_by_name["value"]
        if fields[0].message_type.name.endswith("Entry"):
            return {item.key: _value(item, value_of) for item in message.value}
        return [_value(item, value_of) for item in message.value]
    return {field.name: _value(message, field) for field in fields}


def _value(message, field):
    if field.has_presence and not message.HasField(field.name):
        return None
    value = getattr(message, field.name)
    if field.message_type is not None:
        return plain(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
