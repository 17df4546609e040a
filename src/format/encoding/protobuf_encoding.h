// How the values of a message are written in Protobuf's wire format (field_bytes.h), by the rules
// of connect/protobuf_schema.h.
//
// A field is its tag (number and kind of value) and its value; what is null is not written. A
// message within another begins with its length: one byte is kept for it, and what was written
// moves back where that is too few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "format/connect/schema.h"
#include "format/encoding/broken_text.h"
#include "format/encoding/field_bytes.h"
#include "format/encoding/varint.h"
#include "format/json/writer.h"

namespace pgc {

struct ProtobufEncoding {
    static constexpr bool kNeedsSchema = true;

    static FieldBytes field(const ConnectField& field, std::size_t place) {
        const auto number = static_cast<std::uint32_t>(place + 1);
        return {tag(field.number != 0 ? field.number : number, *field.schema), {}};
    }
    static FieldBytes element(const ConnectSchema& element) { return {tag(1, element), {}}; }
    static EntryBytes entry(const ConnectSchema& map) {
        return {tag(1, *map.key), {tag(2, *map.element), {}}, {}};
    }

    static std::size_t begin_message(Writer&) { return 0; }
    static void end_message(Writer&, std::size_t /*start*/) {}
    static std::size_t begin_structure(Writer& out) {
        const std::size_t start = out.size();
        out.byte('\0');
        return start;
    }
    static void end_structure(Writer& out, std::size_t start) {
        const std::size_t length = out.size() - start - 1;
        const std::size_t size = varint_size(length);
        if (size > 1) [[unlikely]] {
            out.open_gap(start, size - 1);
        }
        char varint[kMaxVarint];
        write_varint(varint, length);
        for (std::size_t i = 0; i < size; ++i) out.replace(start + i, varint[i]);
    }
    static constexpr std::string_view kEmptyMessage{};
    static constexpr std::string_view kEmptyStructure{"\0", 1};

    static void boolean(Writer& out, bool value) { out.byte(value ? '\1' : '\0'); }
    // A negative one has ten bytes.
    static void integer(Writer& out, std::int64_t value) {
        out.advance_to(write_varint(out.room(kMaxVarint), static_cast<std::uint64_t>(value)));
    }
    static void real32(Writer& out, float value) { real(out, value); }
    static void real64(Writer& out, double value) { real(out, value); }
    // False when it is not UTF-8 and may not be replaced.
    static bool text(TextRules& rules, Writer& out, std::string_view text) {
        return write_utf8<ProtobufEncoding>(rules, out, text);
    }
    static void plain(Writer& out, std::string_view text) { bytes(out, text); }
    static void bytes(Writer& out, std::string_view bytes) {
        out.advance_to(write_varint(out.room(kMaxVarint + bytes.size()), bytes.size()));
        out.text(bytes);
    }
    static void decimal(Writer& out, std::string_view digits, int scale) {
        const std::size_t start = begin_structure(out);
        out.byte(kValueTag);
        bytes(out, digits);
        out.byte(kScaleTag);
        integer(out, scale);
        end_structure(out, start);
    }

    static std::size_t begin_array(Writer& out, std::size_t /*count*/) {
        return begin_structure(out);
    }
    static void next(Writer&) {}
    static void end_array(Writer& out, std::size_t start) { end_structure(out, start); }
    static std::size_t begin_element(Writer& out, const FieldBytes& element) {
        out.byte(kValueTag);
        const std::size_t start = begin_structure(out);
        out.text(element.present);
        return start;
    }
    static void end_element(Writer& out, std::size_t start) { end_structure(out, start); }
    static void null_element(Writer& out, const FieldBytes&) {
        out.byte(kValueTag);
        out.text(kEmptyStructure);
    }

    static std::size_t begin_map(Writer& out, std::size_t count) { return begin_array(out, count); }
    static void end_map(Writer& out, std::size_t start) { end_array(out, start); }
    static std::size_t begin_entry(Writer& out, const EntryBytes& entry) {
        out.byte(kValueTag);
        const std::size_t start = begin_structure(out);
        out.text(entry.key);
        return start;
    }
    static void end_entry(Writer& out, const EntryBytes&, std::size_t start) {
        end_structure(out, start);
    }

private:
    static constexpr char kValueTag = 0x0A;  // number 1, a message or bytes
    static constexpr char kScaleTag = 0x18;  // number 3, an integer

    static std::string tag(std::uint32_t number, const ConnectSchema& schema) {
        char bytes[kMaxVarint];
        char* const end = write_varint(bytes, std::uint64_t{number} << 3 | wire_type(schema.type));
        return {bytes, end};
    }
    static std::uint64_t wire_type(ConnectType type) noexcept {
        switch (type) {
            case ConnectType::int8:
            case ConnectType::int16:
            case ConnectType::int32:
            case ConnectType::int64:
            case ConnectType::boolean: return 0;
            case ConnectType::float64: return 1;
            case ConnectType::float32: return 5;
            default: return 2;
        }
    }
    template <typename Real>
    static void real(Writer& out, Real value) {
        out.advance_to(write_little_endian(out.room(sizeof value), value));
    }
};

}  // namespace pgc
