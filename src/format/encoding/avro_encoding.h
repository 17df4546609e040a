// How the values of a message are written in Avro's binary encoding (field_bytes.h).
//
// A structure is its fields one after the other. What may be null is a union and begins with its
// branch; null is the first, but for fields with a default (avro_null_is_last).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "format/connect/avro_schema.h"
#include "format/connect/schema.h"
#include "format/encoding/broken_text.h"
#include "format/encoding/field_bytes.h"
#include "format/encoding/varint.h"
#include "format/json/writer.h"

namespace pgc {

struct AvroEncoding {
    static constexpr bool kNeedsSchema = true;

    static FieldBytes field(const ConnectField& field, std::size_t /*place*/) {
        return element(*field.schema);
    }
    static FieldBytes element(const ConnectSchema& element) {
        if (!element.optional) return {};
        const std::string first(1, '\0');
        const std::string second(1, '\2');  // 1, in zigzag
        return avro_null_is_last(element) ? FieldBytes{first, second} : FieldBytes{second, first};
    }
    static EntryBytes entry(const ConnectSchema& map) { return {{}, element(*map.element), {}}; }

    static std::size_t begin_message(Writer&) { return 0; }
    static void end_message(Writer&, std::size_t /*start*/) {}
    static std::size_t begin_structure(Writer&) { return 0; }
    static void end_structure(Writer&, std::size_t /*start*/) {}
    static constexpr std::string_view kEmptyMessage{};
    static constexpr std::string_view kEmptyStructure{};

    static void boolean(Writer& out, bool value) { out.byte(value ? '\1' : '\0'); }
    static void integer(Writer& out, std::int64_t value) {
        out.advance_to(write_zigzag(out.room(kMaxVarint), value));
    }
    static void real32(Writer& out, float value) { real(out, value); }
    static void real64(Writer& out, double value) { real(out, value); }
    // False when it is not UTF-8 and may not be replaced.
    static bool text(TextRules& rules, Writer& out, std::string_view text) {
        return write_utf8<AvroEncoding>(rules, out, text);
    }
    static void plain(Writer& out, std::string_view text) { bytes(out, text); }
    static void bytes(Writer& out, std::string_view bytes) {
        char* const to = out.room(kMaxVarint + bytes.size());
        out.advance_to(write_zigzag(to, static_cast<std::int64_t>(bytes.size())));
        out.text(bytes);
    }
    static void decimal(Writer& out, std::string_view digits, int /*scale*/) { bytes(out, digits); }

    // One block with all elements, then the empty one that ends it.
    static std::size_t begin_array(Writer& out, std::size_t count) {
        if (count > 0) integer(out, static_cast<std::int64_t>(count));
        return 0;
    }
    static void next(Writer&) {}
    static void end_array(Writer& out, std::size_t /*start*/) { out.byte('\0'); }
    static std::size_t begin_element(Writer& out, const FieldBytes& element) {
        out.text(element.present);
        return 0;
    }
    static void end_element(Writer&, std::size_t /*start*/) {}
    static void null_element(Writer& out, const FieldBytes& element) { out.text(element.absent); }

    static std::size_t begin_map(Writer& out, std::size_t count) { return begin_array(out, count); }
    static void end_map(Writer& out, std::size_t start) { end_array(out, start); }
    static std::size_t begin_entry(Writer&, const EntryBytes&) { return 0; }
    static void end_entry(Writer&, const EntryBytes&, std::size_t /*start*/) {}

private:
    template <typename Real>
    static void real(Writer& out, Real value) {
        out.advance_to(write_little_endian(out.room(sizeof value), value));
    }
};

}  // namespace pgc
