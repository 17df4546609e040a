#include "format/csv/value.h"

#include <algorithm>

#include "format/json/number.h"
#include "format/json/string.h"
#include "format/json/time_text.h"
#include "format/text/server_text.h"

namespace pgc {
namespace {

constexpr Oid kMoney{790};

bool not_of_type(CsvContext& context) noexcept {
    context.fault = ValueFault::not_of_type;
    return false;
}

bool write_text_value(CsvContext& context, Writer& out, const Type&, const Value& value) {
    return append_field(context, out, value.text);
}

template <CsvBooleans as>
bool write_boolean(CsvContext& context, Writer& out, const Type&, const Value& value) {
    const bool is_true = value.integer != 0;
    switch (as) {
        case CsvBooleans::words: return append_field(context, out, is_true ? "true" : "false");
        case CsvBooleans::letters: return append_field(context, out, is_true ? "t" : "f");
        case CsvBooleans::digits: return append_field(context, out, is_true ? "1" : "0");
    }
    return false;
}

bool write_integer_value(CsvContext& context, Writer& out, const Type&, const Value& value) {
    return append_bare(context, out, kMaxIntegerText,
                       [&](char* to) { return write_integer(to, value.integer); });
}

template <typename Real>
bool write_real_value(CsvContext& context, Writer& out, const Type&, const Value& value) {
    return append_bare(context, out, kMaxRealText, [&](char* to) {
        return write_server_real(to, static_cast<Real>(value.real));
    });
}

bool write_base64(CsvContext& context, Writer& out, const Type&, const Value& value) {
    if (value.text.empty()) return append_field(context, out, {});
    const std::size_t start = out.size();
    if (context.all_quoted) out.byte('"');
    append_base64(out, value.text);
    if (context.all_quoted) {
        out.byte('"');
    } else {
        keep_from_null(context, out, start);
    }
    return true;
}

bool write_hex(CsvContext& context, Writer& out, const Type&, const Value& value) {
    return append_bare(context, out, 2 + 2 * value.text.size(), [&](char* to) {
        constexpr std::string_view digits = "0123456789abcdef";
        *to++ = '\\';
        *to++ = 'x';
        for (const char c : value.text) {
            const auto byte = static_cast<unsigned char>(c);
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 15];
        }
        return to;
    });
}

template <auto write>
bool write_time_value(CsvContext& context, Writer& out, const Type&, const Value& value) {
    return append_bare(context, out, kMaxServerTimeText,
                       [&](char* to) { return write(to, value); }) ||
           not_of_type(context);
}

char* date_of(char* to, const Value& value) noexcept {
    return write_date(to, value.integer);
}
char* time_of(char* to, const Value& value) noexcept {
    return write_time(to, value.integer);
}
char* timestamp_of(char* to, const Value& value) noexcept {
    return write_server_timestamp(to, value.integer, false);
}
char* timestamp_tz_of(char* to, const Value& value) noexcept {
    return write_server_timestamp(to, value.integer, true);
}

bool write_as_server(CsvContext& context, Writer& out, const Type& type, const Value& value) {
    context.text.clear();
    if (!append_server_text(context.text, type, value)) return not_of_type(context);
    return append_field(context, out, context.text);
}

CsvValueWriter boolean_writer(CsvBooleans booleans) noexcept {
    switch (booleans) {
        case CsvBooleans::words: return write_boolean<CsvBooleans::words>;
        case CsvBooleans::letters: return write_boolean<CsvBooleans::letters>;
        case CsvBooleans::digits: return write_boolean<CsvBooleans::digits>;
    }
    return write_boolean<CsvBooleans::words>;
}

// The server prints it as "$1,234.50", which nothing else reads.
bool is_money(const Type& type) noexcept {
    return type.oid == kMoney || type.root == kMoney;
}

// It comes in ISO 8601, because sessions are set to that; written it is as COPY writes it.
bool is_interval(const Type& type) noexcept {
    return type.kind == Kind::interval;
}

// Itself, or what it is made of.
bool holds(const Type& type, bool (*is)(const Type&) noexcept) noexcept {
    return is(type) || (type.element != nullptr && holds(*type.element, is)) ||
           std::ranges::any_of(type.fields,
                               [is](const Field& field) { return holds(*field.type, is); });
}

}  // namespace

CsvValueWriter csv_writer_of(const Type& type, const CsvOptions& options) noexcept {
    switch (type.kind) {
        case Kind::boolean: return boolean_writer(options.booleans);
        case Kind::integer: return write_integer_value;
        case Kind::real32: return write_real_value<float>;
        case Kind::real64: return write_real_value<double>;
        case Kind::decimal:
        case Kind::text:
        case Kind::enumeration:
        case Kind::json:
        case Kind::uuid:
        case Kind::bits: return write_text_value;
        case Kind::bytes: return options.binary == CsvBinary::base64 ? write_base64 : write_hex;
        case Kind::date: return write_time_value<date_of>;
        case Kind::time: return write_time_value<time_of>;
        case Kind::timestamp: return write_time_value<timestamp_of>;
        case Kind::timestamp_tz: return write_time_value<timestamp_tz_of>;
        case Kind::time_tz:
        case Kind::interval:
        case Kind::array:
        case Kind::composite:
        case Kind::range:
        case Kind::multirange:
        case Kind::map: return write_as_server;
    }
    return write_as_server;
}

bool is_written_as_sent(const Type& type, const CsvOptions& options) noexcept {
    switch (type.kind) {
        case Kind::boolean: return options.booleans == CsvBooleans::letters;
        case Kind::bytes: return options.binary == CsvBinary::hex;
        default: return !holds(type, is_money) && !holds(type, is_interval);
    }
}

}  // namespace pgc
