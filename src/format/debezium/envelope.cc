#include "format/debezium/envelope.h"

#include <initializer_list>
#include <memory>
#include <utility>

#include "format/debezium/names.h"

namespace pgc {
namespace {

ConnectSchemaPtr text(bool optional = false) {
    return schema_of(ConnectType::string, optional);
}
ConnectSchemaPtr number(bool optional = false) {
    return schema_of(ConnectType::int64, optional);
}

ConnectSchemaPtr structure(std::string name, int version,
                           std::initializer_list<ConnectField> fields, bool optional = false) {
    auto schema = std::make_shared<ConnectSchema>();
    schema->type = ConnectType::structure;
    schema->optional = optional;
    schema->name = std::move(name);
    schema->version = version;
    schema->fields = fields;
    return schema;
}

ConnectSchemaPtr snapshot_schema() {
    auto schema = std::make_shared<ConnectSchema>();
    schema->type = ConnectType::string;
    schema->optional = true;
    schema->name = "io.debezium.data.Enum";
    schema->version = 1;
    schema->parameters = {{"allowed",
                           "true,first,first_in_data_collection,last_in_data_collection,last,false,"
                           "incremental"}};
    schema->fallback = ConnectDefault{.json = "\"false\""};
    return schema;
}

ConnectSchemaPtr content_schema(BinaryHandling binary) {
    return schema_of(binary == BinaryHandling::bytes ? ConnectType::bytes : ConnectType::string,
                     true);
}

std::string adjusted(std::string_view name, const DebeziumOptions& options) {
    return adjusted_schema_name(name, options.schema_names);
}

ConnectSchemaPtr list_of(ConnectSchemaPtr element) {
    auto schema = std::make_shared<ConnectSchema>();
    schema->type = ConnectType::array;
    schema->optional = true;
    schema->element = std::move(element);
    return schema;
}

template <typename Encoding>
FieldBytes field_of(const ConnectSchema& structure, std::size_t place) {
    return Encoding::field(structure.fields[place], place);
}

}  // namespace

template <typename Encoding>
EnvelopeBytes envelope_bytes() {
    const auto schema = envelope_schema("", schema_of(ConnectType::structure, true));
    const auto at = [&](std::size_t place) { return field_of<Encoding>(*schema, place); };
    return {.before = at(0),
            .after = at(1),
            .source = at(2),
            .transaction = at(3),
            .operation = at(4),
            .ts_ms = at(5),
            .ts_us = at(6),
            .ts_ns = at(7)};
}

template <typename Encoding>
SourceBytes source_bytes() {
    const auto schema = source_schema();
    const auto at = [&](std::size_t place) { return field_of<Encoding>(*schema, place); };
    return {.version = at(0),
            .connector = at(1),
            .name = at(2),
            .ts_ms = at(3),
            .snapshot = at(4),
            .database = at(5),
            .sequence = at(6),
            .ts_us = at(7),
            .ts_ns = at(8),
            .schema = at(9),
            .table = at(10),
            .xid = at(11),
            .lsn = at(12),
            .xmin = at(13),
            .origin = at(14),
            .origin_lsn = at(15)};
}

template <typename Encoding>
TransactionBytes transaction_bytes() {
    const auto schema = transaction_schema();
    const auto at = [&](std::size_t place) { return field_of<Encoding>(*schema, place); };
    return {.id = at(0), .total_order = at(1), .collection_order = at(2)};
}

ConnectSchemaPtr source_schema() {
    return structure("io.debezium.connector.postgresql.Source", 1,
                     {{"version", text()},
                      {"connector", text()},
                      {"name", text()},
                      {"ts_ms", number()},
                      {"snapshot", snapshot_schema()},
                      {"db", text()},
                      {"sequence", text(true)},
                      {"ts_us", number(true)},
                      {"ts_ns", number(true)},
                      {"schema", text()},
                      {"table", text()},
                      {"txId", number(true)},
                      {"lsn", number(true)},
                      {"xmin", number(true)},
                      {"origin", text(true)},
                      {"origin_lsn", number(true)}});
}

ConnectSchemaPtr transaction_schema() {
    return structure(
        "event.block", 1,
        {{"id", text()}, {"total_order", number()}, {"data_collection_order", number()}}, true);
}

ConnectSchemaPtr envelope_schema(const std::string& name, ConnectSchemaPtr row) {
    return structure(name, 2,
                     {{"before", row},
                      {"after", row},
                      {"source", source_schema()},
                      {"transaction", transaction_schema()},
                      {"op", text()},
                      {"ts_ms", number(true)},
                      {"ts_us", number(true)},
                      {"ts_ns", number(true)}});
}

ConnectSchemaPtr message_key_schema(const DebeziumOptions& options) {
    return structure(adjusted("io.debezium.connector.postgresql.MessageKey", options), 1,
                     {{"prefix", text(true)}});
}

ConnectSchemaPtr message_value_schema(const DebeziumOptions& options) {
    return structure(
        adjusted("io.debezium.connector.postgresql.MessageValue", options), 1,
        {{"op", text()},
         {"ts_ms", number(true)},
         {"source", source_schema()},
         {"transaction", transaction_schema()},
         {"message",
          structure(adjusted("io.debezium.connector.postgresql.Message", options), 1,
                    {{"prefix", text(true)}, {"content", content_schema(options.binary)}})}});
}

ConnectSchemaPtr mark_key_schema(const DebeziumOptions& options) {
    return structure(adjusted("io.debezium.connector.common.TransactionMetadataKey", options), 1,
                     {{"id", text()}});
}

ConnectSchemaPtr mark_value_schema(const DebeziumOptions& options) {
    return structure(
        adjusted("io.debezium.connector.common.TransactionMetadataValue", options), 1,
        {{"status", text()},
         {"id", text()},
         {"event_count", number(true)},
         {"data_collections",
          list_of(structure("event.collection", 1,
                            {{"data_collection", text()}, {"event_count", number()}}, true))},
         {"ts_ms", number()}});
}

ConnectSchemaPtr heartbeat_key_schema(const DebeziumOptions& options) {
    return structure(adjusted("io.debezium.connector.common.ServerNameKey", options), 1,
                     {{"serverName", text()}});
}

ConnectSchemaPtr heartbeat_value_schema(const DebeziumOptions& options) {
    return structure(adjusted("io.debezium.connector.common.Heartbeat", options), 1,
                     {{"ts_ms", number()}});
}

std::string_view operation_code(Operation operation) noexcept {
    switch (operation) {
        case Operation::insert: return "c";
        case Operation::update: return "u";
        case Operation::remove: return "d";
        case Operation::truncate: return "t";
        case Operation::read: return "r";
        case Operation::message: return "m";
    }
    return {};
}

template EnvelopeBytes envelope_bytes<JsonEncoding>();
template EnvelopeBytes envelope_bytes<AvroEncoding>();
template EnvelopeBytes envelope_bytes<ProtobufEncoding>();
template SourceBytes source_bytes<JsonEncoding>();
template SourceBytes source_bytes<AvroEncoding>();
template SourceBytes source_bytes<ProtobufEncoding>();
template TransactionBytes transaction_bytes<JsonEncoding>();
template TransactionBytes transaction_bytes<AvroEncoding>();
template TransactionBytes transaction_bytes<ProtobufEncoding>();

}  // namespace pgc
