#include "format/encoding/broken_text.h"

#include "base/arena.h"
#include "format/json/string.h"
#include "format/json/writer.h"

namespace pgc {

bool replace_broken_text(TextRules& rules, std::string_view text, std::string& instead) {
    if (rules.invalid_utf8 == InvalidUtf8::fail) {
        rules.fault = ValueFault::not_utf8;
        return false;
    }
    if (rules.invalid_utf8 == InvalidUtf8::replace && rules.in_key) {
        rules.fault = ValueFault::not_utf8_in_key;
        return false;
    }
    rules.met_invalid_utf8 = true;
    Arena arena;
    Writer out;
    out.begin(arena);
    if (rules.invalid_utf8 == InvalidUtf8::base64) {
        append_base64(out, text);
    } else {
        append_replacing(out, text);
    }
    instead = out.finish();
    return true;
}

}  // namespace pgc
