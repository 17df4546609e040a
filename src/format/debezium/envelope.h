// The constant bytes of Debezium's envelope, and its schemas: source and transaction blocks,
// messages, marks of transactions, heartbeats.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "core/operation.h"
#include "format/connect/schema.h"
#include "format/debezium/options.h"
#include "format/encoding/avro_encoding.h"
#include "format/encoding/json_encoding.h"
#include "format/encoding/protobuf_encoding.h"
#include "format/options.h"

namespace pgc {

// Fields in their order.
struct EnvelopeBytes {
    FieldBytes before, after, source, transaction, operation, ts_ms, ts_us, ts_ns;
};
struct SourceBytes {
    FieldBytes version, connector, name, ts_ms, snapshot, database, sequence, ts_us, ts_ns, schema,
        table, xid, lsn, xmin, origin, origin_lsn;
};
struct TransactionBytes {
    FieldBytes id, total_order, collection_order;
};

template <typename Encoding>
EnvelopeBytes envelope_bytes();
template <typename Encoding>
SourceBytes source_bytes();
template <typename Encoding>
TransactionBytes transaction_bytes();

ConnectSchemaPtr source_schema();
ConnectSchemaPtr transaction_schema();
// `row`: the table's, optional.
ConnectSchemaPtr envelope_schema(const std::string& name, ConnectSchemaPtr row);
ConnectSchemaPtr message_key_schema(const DebeziumOptions& options);
ConnectSchemaPtr message_value_schema(const DebeziumOptions& options);
ConnectSchemaPtr mark_key_schema(const DebeziumOptions& options);
ConnectSchemaPtr mark_value_schema(const DebeziumOptions& options);
ConnectSchemaPtr heartbeat_key_schema(const DebeziumOptions& options);
ConnectSchemaPtr heartbeat_value_schema(const DebeziumOptions& options);

std::string_view operation_code(Operation operation) noexcept;

}  // namespace pgc
