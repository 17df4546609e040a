// CRC-32C (Castagnoli), the checksum of iSCSI, ext4 and Kafka's batches: by the processor's own
// instruction where there is one, by tables elsewhere, with one result.
//
// Resumable: crc32c(crc32c(0, a), b) is that of a and b together. That of nothing is the seed.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgc {

[[nodiscard]] std::uint32_t crc32c(std::uint32_t seed, std::string_view bytes) noexcept;

// By tables, on every machine.
[[nodiscard]] std::uint32_t crc32c_by_tables(std::uint32_t seed, std::string_view bytes) noexcept;

}  // namespace pgc
