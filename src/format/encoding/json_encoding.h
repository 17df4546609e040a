// How the values of a message are written as JSON, for formats that can be written in other
// encodings too: each encoding has the same functions (field_bytes.h).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "format/encoding/field_bytes.h"
#include "format/json/number.h"
#include "format/json/string.h"
#include "format/json/text.h"
#include "format/json/writer.h"

namespace pgc {

struct JsonEncoding {
    static constexpr bool kNeedsSchema = false;

    static FieldBytes field(const ConnectField& field, std::size_t place) {
        const std::string present = (place == 0 ? '{' : ',') + json_name(field.name);
        return {.present = present, .absent = present + "null"};
    }
    static FieldBytes element(const ConnectSchema& /*element*/) { return {{}, "null"}; }
    // An object where keys are texts; else an array of arrays of two.
    static EntryBytes entry(const ConnectSchema& map) {
        if (map.key->type == ConnectType::string) return {{}, {":", ":null"}, {}};
        return {"[", {",", ",null"}, "]"};
    }

    static std::size_t begin_message(Writer&) { return 0; }
    static void end_message(Writer& out, std::size_t /*start*/) { out.byte('}'); }
    static std::size_t begin_structure(Writer&) { return 0; }
    static void end_structure(Writer& out, std::size_t /*start*/) { out.byte('}'); }
    static constexpr std::string_view kEmptyMessage = "{}";
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

    static void decimal(Writer& out, std::string_view digits, int /*scale*/) { bytes(out, digits); }

    static std::size_t begin_array(Writer& out, std::size_t /*count*/) {
        out.byte('[');
        return 0;
    }
    static void next(Writer& out) { out.byte(','); }
    static void end_array(Writer& out, std::size_t /*start*/) { out.byte(']'); }
    static std::size_t begin_element(Writer& out, const FieldBytes& element) {
        out.text(element.present);
        return 0;
    }
    static void end_element(Writer&, std::size_t /*start*/) {}
    static void null_element(Writer& out, const FieldBytes& element) { out.text(element.absent); }

    static std::size_t begin_map(Writer& out, std::size_t /*count*/) {
        out.byte('{');
        return 0;
    }
    static void end_map(Writer& out, std::size_t /*start*/) { out.byte('}'); }
    static std::size_t begin_entry(Writer& out, const EntryBytes& entry) {
        out.text(entry.key);
        return 0;
    }
    static void end_entry(Writer& out, const EntryBytes& entry, std::size_t /*start*/) {
        out.text(entry.end);
    }

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
