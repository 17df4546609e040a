// The logical types of Kafka Connect's own that encodings have types for, and their parameters.
#pragma once

#include <string>
#include <string_view>

#include "format/connect/schema.h"

namespace pgc {

inline constexpr std::string_view kConnectDecimal = "org.apache.kafka.connect.data.Decimal";
inline constexpr std::string_view kConnectDate = "org.apache.kafka.connect.data.Date";
inline constexpr std::string_view kConnectTime = "org.apache.kafka.connect.data.Time";
inline constexpr std::string_view kConnectTimestamp = "org.apache.kafka.connect.data.Timestamp";

inline constexpr std::string_view kDecimalScale = "scale";
inline constexpr std::string_view kDecimalPrecision = "connect.decimal.precision";

// Nothing where there is none of this name.
inline const std::string* find_parameter(const ConnectSchema& schema, std::string_view key) {
    for (const auto& [name, value] : schema.parameters) {
        if (name == key) return &value;
    }
    return nullptr;
}

}  // namespace pgc
