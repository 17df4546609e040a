// The stored position as a small text, for a file as for a topic:
//
//   pg-capture position 1
//   pipeline=shop
//   system=7340123456789012345
//   timeline=1
//   database=shop
//   slot=pg_replicate_kafka_slot
//   resume_at=16/B374D848
//   snapshot=…                   only while one is under way
//   memory=…                     only if the source has any
//   checksum=9ae16a3b2f90404f
//
// Bytes below 0x21, 0x7F and '%' of a value are written as %XX. The checksum is FNV-1a (64 bits) of
// all before its line. Anything that is not exactly this is refused: a position is never guessed.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/store.h"

namespace pgc {

std::string write_position(const StoredPosition& position);

// Back from the text; what is wrong with it otherwise.
[[nodiscard]] Result<StoredPosition, std::string> read_position(std::string_view text);

}  // namespace pgc
