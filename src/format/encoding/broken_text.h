// Texts that are not UTF-8, for encodings whose texts have to be.
#pragma once

#include <string>
#include <string_view>

#include "format/json/string.h"
#include "format/json/text.h"
#include "format/json/writer.h"

namespace pgc {

// What `rules` want written instead of `text`, which is not UTF-8. False, with the fault set, when
// it can't be written.
bool replace_broken_text(TextRules& rules, std::string_view text, std::string& instead);

// `text`, or what is written instead, as the bytes of an encoding.
template <typename Encoding>
bool write_utf8(TextRules& rules, Writer& out, std::string_view text) {
    if (is_utf8(text)) [[likely]] {
        Encoding::bytes(out, text);
        return true;
    }
    std::string instead;
    if (!replace_broken_text(rules, text, instead)) return false;
    Encoding::bytes(out, instead);
    return true;
}

}  // namespace pgc
