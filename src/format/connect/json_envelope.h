// A schema as Kafka Connect's JsonConverter writes it into each message (schemas.enable=true).
#pragma once

#include <string>

#include "format/connect/schema.h"

namespace pgc {

// {"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false,
// "name":"shop.public.users.Key"}, with JsonConverter's members in its order.
std::string envelope_schema(const ConnectSchema& schema);

// `{"schema":…,"payload":`: what stands before the payload of every message; after it comes `}`.
std::string envelope_head(const ConnectSchema& schema);

}  // namespace pgc
