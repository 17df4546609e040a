// Texts that are not UTF-8, for encodings whose texts have to be.
#pragma once

#include <string>
#include <string_view>

#include "format/json/text.h"

namespace pgc {

// What `rules` want written instead of `text`, which is not UTF-8. False, with the fault set, when
// it can't be written.
bool replace_broken_text(TextRules& rules, std::string_view text, std::string& instead);

}  // namespace pgc
