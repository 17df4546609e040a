// Keeps secrets out of texts that others wrote, a library's errors above all.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace pgc {

// `text` with each secret as ***. A secret of less than four bytes is only hidden where it stands
// as a word: inside another it says nothing, and its holes would ("su******orted").
std::string redacted(std::string_view text, std::span<const Secret> secrets);

}  // namespace pgc
