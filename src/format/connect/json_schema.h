// A schema as JSON Schema, as Confluent's JsonSchemaConverter makes it of Kafka Connect's (its
// defaults: decimal.format=BASE64, object.additional.properties=true), in its order of properties.
//
// Values are those of JSON without the envelope: null where a field is null, bytes in base64.
#pragma once

#include <string>

#include "format/connect/schema.h"

namespace pgc {

std::string json_schema(const ConnectSchema& schema);

}  // namespace pgc
