// Messages as the Debezium connector for PostgreSQL writes them, field for field.
//
//   {"before":null,"after":{"id":1,"name":"a"},
//    "source":{"version":"0.1.0","connector":"postgresql","name":"cdc","ts_ms":1559033904863,
//              "snapshot":"false","db":"shop","sequence":"[\"24023119\",\"24023128\"]",…,
//              "schema":"public","table":"t","txId":555,"lsn":24023128,"xmin":null,…},
//    "transaction":null,"op":"c","ts_ms":1559033904900,"ts_us":…,"ts_ns":…}
//
// docs/reference/debezium.md says what differs, and why. In JSON it never waits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/debezium/envelope.h"
#include "format/debezium/table_format.h"
#include "format/debezium/table_plan.h"

namespace pgc {

template <typename Encoding>
class DebeziumFormat final : public TableFormat<Encoding, DebeziumTable, DebeziumFormat<Encoding>> {
    using Base = TableFormat<Encoding, DebeziumTable, DebeziumFormat>;
    friend Base;

public:
    using Base::Base;

private:
    DebeziumTable compile(const Relation& relation, const SchemaNumbers& numbers);
    static Result<void> check_numbers(const SchemaNumbers& numbers) {
        return check_envelope_places(numbers.value);
    }
    bool append_row(const DebeziumTable& table, const Batch& batch, std::uint32_t index,
                    RecordBatch& out);
    void append_truncate(const DebeziumTable& table, const Change& change, std::uint32_t index,
                         RecordBatch& out);
    bool write_envelope(const DebeziumTable& table, const Change& change);
    void end_envelope(const DebeziumTable& table, const Change& change, std::size_t start);

    using Base::about_;
    using Base::debezium_;
    using Base::envelope_;
    using Base::out_;
    using Base::row_;

    const EnvelopeBytes bytes_ = envelope_bytes<Encoding>();
};

extern template class DebeziumFormat<JsonEncoding>;
extern template class DebeziumFormat<AvroEncoding>;
extern template class DebeziumFormat<ProtobufEncoding>;

}  // namespace pgc
