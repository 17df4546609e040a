#include "format/native/value.h"

#include <charconv>
#include <cmath>
#include <system_error>

#include "format/json/number.h"
#include "format/json/string.h"
#include "format/json/time_text.h"
#include "format/native/compound.h"

namespace pgc {
namespace {

using Fault = ValueContext::Fault;

bool fail(ValueContext& context, Fault fault) noexcept {
    context.fault = fault;
    return false;
}

bool write_text_value(ValueContext& context, Writer& out, const ValuePlan&, const Value& value) {
    return write_text(context, out, value.text);
}

bool write_boolean(ValueContext&, Writer& out, const ValuePlan&, const Value& value) {
    out.text(value.integer != 0 ? "true" : "false");
    return true;
}

bool write_integer_value(ValueContext&, Writer& out, const ValuePlan&, const Value& value) {
    out.advance_to(write_integer(out.room(kMaxIntegerText), value.integer));
    return true;
}

bool write_integer_text(ValueContext&, Writer& out, const ValuePlan&, const Value& value) {
    out.byte('"');
    out.advance_to(write_integer(out.room(kMaxIntegerText), value.integer));
    out.byte('"');
    return true;
}

template <typename Real>
bool write_real_value(ValueContext&, Writer& out, const ValuePlan&, const Value& value) {
    const auto real = static_cast<Real>(value.real);
    if (std::isfinite(real)) [[likely]] {
        out.advance_to(write_real(out.room(kMaxRealText), real));
    } else {
        out.text(std::isnan(real) ? R"("NaN")" : real > 0 ? R"("Infinity")" : R"("-Infinity")");
    }
    return true;
}

bool write_decimal_number(ValueContext& context, Writer& out, const ValuePlan&,
                          const Value& value) {
    if (!is_json_number(value.text)) {
        return write_text(context, out, value.text);
    }
    out.text(value.text);
    return true;
}

bool write_decimal_double(ValueContext& context, Writer& out, const ValuePlan&,
                          const Value& value) {
    double nearest = 0;
    const char* const end = value.text.data() + value.text.size();
    const auto [rest, error] = std::from_chars(value.text.data(), end, nearest);
    if (error != std::errc{} || rest != end || !std::isfinite(nearest)) {
        return write_text(context, out, value.text);
    }
    out.advance_to(write_real(out.room(kMaxRealText), nearest));
    return true;
}

bool write_bytes(ValueContext&, Writer& out, const ValuePlan&, const Value& value) {
    out.byte('"');
    append_base64(out, value.text);
    out.byte('"');
    return true;
}

// What is no document after all is shown as the text it is.
bool write_json(ValueContext& context, Writer& out, const ValuePlan&, const Value& value) {
    if (context.documents.append(out, value.text) == DocumentWriter::Fault::none) [[likely]] {
        return true;
    }
    context.met_unreadable = true;
    return write_text(context, out, value.text);
}

template <auto write>
bool write_time_value(ValueContext& context, Writer& out, const ValuePlan&, const Value& value) {
    char* const start = out.room(kMaxTimeText + 2);
    *start = '"';
    char* const end = write(start + 1, value);
    if (end == nullptr) {
        return fail(context, Fault::not_of_type);
    }
    *end = '"';
    out.advance_to(end + 1);
    return true;
}

char* date_of(char* to, const Value& value) noexcept {
    return write_date(to, value.integer);
}
char* time_of(char* to, const Value& value) noexcept {
    return write_time(to, value.integer);
}
char* time_tz_of(char* to, const Value& value) noexcept {
    return write_time_tz(to, value.integer, value.zone_seconds);
}
char* timestamp_of(char* to, const Value& value) noexcept {
    return write_timestamp(to, value.integer);
}
char* timestamp_tz_of(char* to, const Value& value) noexcept {
    return write_timestamp_tz(to, value.integer);
}
char* interval_of(char* to, const Value& value) noexcept {
    return write_interval(to, value.interval);
}

ValueWriter decimal_writer(DecimalText decimal) noexcept {
    switch (decimal) {
        case DecimalText::string: return write_text_value;
        case DecimalText::number: return write_decimal_number;
        case DecimalText::nearest: return write_decimal_double;
    }
    return write_text_value;
}

ValueWriter integer_writer(const Type& type, BigintText bigint) noexcept {
    const bool is_big = type.width == sizeof(std::int64_t);
    return is_big && bigint == BigintText::string ? write_integer_text : write_integer_value;
}

ValueWriter writer_of(const Type& type, const FormatOptions& options) noexcept {
    switch (type.kind) {
        case Kind::boolean: return write_boolean;
        case Kind::integer: return integer_writer(type, options.bigint);
        case Kind::real32: return write_real_value<float>;
        case Kind::real64: return write_real_value<double>;
        case Kind::decimal: return decimal_writer(options.decimal);
        case Kind::text:
        case Kind::enumeration:
        case Kind::uuid:
        case Kind::bits: return write_text_value;
        case Kind::bytes: return write_bytes;
        case Kind::json: return write_json;
        case Kind::date: return write_time_value<date_of>;
        case Kind::time: return write_time_value<time_of>;
        case Kind::time_tz: return write_time_value<time_tz_of>;
        case Kind::timestamp: return write_time_value<timestamp_of>;
        case Kind::timestamp_tz: return write_time_value<timestamp_tz_of>;
        case Kind::interval: return write_time_value<interval_of>;
        case Kind::array: return write_array;
        case Kind::composite: return write_composite;
        case Kind::range: return write_range;
        case Kind::multirange: return write_multirange;
        case Kind::map: return write_map;
    }
    return write_text_value;
}

}  // namespace

ValuePlan compile_value(const Type& type, const FormatOptions& options) {
    ValuePlan plan;
    plan.write = writer_of(type, options);
    if (type.element != nullptr) {
        plan.parts.push_back(compile_value(*type.element, options));
    }
    for (const Field& field : type.fields) {
        plan.names.push_back((plan.names.empty() ? "{" : ",") + json_name(field.name));
        plan.parts.push_back(compile_value(*field.type, options));
    }
    return plan;
}

}  // namespace pgc
