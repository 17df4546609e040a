// How the values of a message are written as JSON, for formats that can be written in other
// encodings too: each encoding has the same functions.
//
// A structure is written as the bytes that its plan keeps ready: for each field what comes before a
// value, and what stands for none.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "format/json/number.h"
#include "format/json/string.h"
#include "format/json/text.h"
#include "format/json/writer.h"

namespace pgc {

// The constant bytes of a structure's field.
struct FieldBytes {
    std::string present;  // before its value
    std::string absent;   // instead of one
};

struct JsonEncoding {
    // Of the field `name`, the `place`th of a structure.
    static FieldBytes field(std::string_view name, std::size_t place, bool /*optional*/) {
        const std::string present = (place == 0 ? '{' : ',') + json_name(name);
        return {.present = present, .absent = present + "null"};
    }
    // Around the fields of a structure, which has at least one.
    static std::size_t begin_structure(Writer&) { return 0; }
    static void end_structure(Writer& out, std::size_t /*start*/) { out.byte('}'); }
    static constexpr std::string_view kEmptyStructure = "{}";

    static void boolean(Writer& out, bool value) { out.text(value ? "true" : "false"); }
    static void integer(Writer& out, std::int64_t value) {
        out.advance_to(write_integer(out.room(kMaxIntegerText), value));
    }
    static void real32(Writer& out, float value) { real(out, value); }
    static void real64(Writer& out, double value) { real(out, value); }

    // False when it is not UTF-8 and may not be replaced.
    static bool text(TextRules& rules, Writer& out, std::string_view text) {
        return write_text(rules, out, text);
    }
    // Of printable ASCII without quotes and backslashes.
    static void plain(Writer& out, std::string_view text) {
        char* to = out.room(text.size() + 2);
        *to++ = '"';
        std::memcpy(to, text.data(), text.size());
        to += text.size();
        *to++ = '"';
        out.advance_to(to);
    }
    static void bytes(Writer& out, std::string_view bytes) {
        out.byte('"');
        append_base64(out, bytes);
        out.byte('"');
    }

    // Elements between begin and end, with next() before each but the first.
    static void begin_array(Writer& out, std::size_t /*count*/) { out.byte('['); }
    static void next(Writer& out) { out.byte(','); }
    static void end_array(Writer& out, std::size_t /*count*/) { out.byte(']'); }
    // An element that may be null.
    static void null_element(Writer& out) { out.text("null"); }
    static void present_element(Writer&) {}

    // A key that is not a text, and its value: an element of an array.
    static void begin_pair(Writer& out) { out.byte('['); }
    static void between_pair(Writer& out) { out.byte(','); }
    static void end_pair(Writer& out) { out.byte(']'); }

    // Key, value, next(), key, value …
    static void begin_map(Writer& out, std::size_t /*count*/) { out.byte('{'); }
    static bool map_key(TextRules& rules, Writer& out, std::string_view key) {
        if (!write_text(rules, out, key)) return false;
        out.byte(':');
        return true;
    }
    static void end_map(Writer& out, std::size_t /*count*/) { out.byte('}'); }

private:
    // A number that looks like one with a fraction, so that readers without a schema take it for
    // a float also where it is whole.
    template <typename Real>
    static void real(Writer& out, Real value) {
        if (!std::isfinite(value)) [[unlikely]] {
            out.text(std::isnan(value) ? R"("NaN")"
                     : value > 0       ? R"("Infinity")"
                                       : R"("-Infinity")");
            return;
        }
        char* const start = out.room(kMaxRealText + 2);
        char* end = write_real(start, value);
        const std::string_view digits{start, static_cast<std::size_t>(end - start)};
        if (digits.find_first_of(".e") == std::string_view::npos) {
            *end++ = '.';
            *end++ = '0';
        }
        out.advance_to(end);
    }
};

}  // namespace pgc
