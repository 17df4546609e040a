#include "format/debezium/form_writers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <system_error>

#include "format/debezium/form_numbers.h"
#include "format/debezium/iso_time.h"
#include "format/debezium/shape_writers.h"
#include "format/debezium/structured_writers.h"
#include "format/json/calendar.h"
#include "format/json/string.h"
#include "format/text/server_text.h"

namespace pgc {
namespace {

using Context = FormContext;
using Plan = FormPlan;

bool fail(Context& context, ValueFault fault) noexcept {
    context.fault = fault;
    return false;
}
bool not_of_type(Context& context) noexcept {
    return fail(context, ValueFault::not_of_type);
}

bool is_word(std::string_view text) noexcept {
    return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

double word_value(std::string_view text) noexcept {
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    return text.starts_with('-') ? -infinity : infinity;
}

// `text` in base64, valid until the next call.
std::string_view base64(Context& context, std::string_view bytes, bool url_safe) {
    context.arena.clear();
    Writer out;
    out.begin(context.arena);
    append_base64(out, bytes);
    context.text = out.finish();
    if (url_safe) {
        for (char& c : context.text) {
            if (c == '+') c = '-';
            if (c == '/') c = '_';
        }
    }
    return context.text;
}

template <typename E>
struct Write {
    static bool boolean(Context&, Writer& out, const Plan&, const Value& value) {
        E::boolean(out, value.integer != 0);
        return true;
    }
    static bool integer(Context&, Writer& out, const Plan&, const Value& value) {
        E::integer(out, value.integer);
        return true;
    }
    static bool float32(Context&, Writer& out, const Plan&, const Value& value) {
        E::real32(out, static_cast<float>(value.real));
        return true;
    }
    static bool float64(Context&, Writer& out, const Plan&, const Value& value) {
        E::real64(out, value.real);
        return true;
    }
    static bool text(Context& context, Writer& out, const Plan&, const Value& value) {
        return E::text(context, out, value.text);
    }
    static bool server_text(Context& context, Writer& out, const Plan& plan, const Value& value) {
        context.text.clear();
        if (!append_server_text(context.text, *plan.type, value)) return not_of_type(context);
        return E::text(context, out, context.text);
    }
    static bool bytes(Context&, Writer& out, const Plan&, const Value& value) {
        E::bytes(out, value.text);
        return true;
    }
    template <bool url_safe>
    static bool base64_text(Context& context, Writer& out, const Plan&, const Value& value) {
        E::plain(out, base64(context, value.text, url_safe));
        return true;
    }
    static bool hexadecimal(Context& context, Writer& out, const Plan&, const Value& value) {
        to_hexadecimal(value.text, context.text);
        E::plain(out, context.text);
        return true;
    }

    static bool decimal(Context& context, Writer& out, const Plan& plan, const Value& value) {
        if (!context.digits.at_scale(value.text, plan.scale, context.bytes)) {
            return is_word(value.text) ? fail(context, ValueFault::no_number)
                                       : not_of_type(context);
        }
        E::decimal(out, context.bytes, plan.scale);
        return true;
    }
    static bool variable_decimal(Context& context, Writer& out, const Plan& plan,
                                 const Value& value) {
        const int scale = context.digits.shortest(value.text, context.bytes);
        if (scale < 0) {
            return is_word(value.text) ? fail(context, ValueFault::no_number)
                                       : not_of_type(context);
        }
        scale_and_digits(out, plan, scale, context.bytes);
        return true;
    }
    static void scale_and_digits(Writer& out, const Plan& plan, int scale,
                                 std::string_view digits) {
        const auto start = E::begin_structure(out);
        out.text(plan.fields[0].present);
        E::integer(out, scale);
        out.text(plan.fields[1].present);
        E::bytes(out, digits);
        E::end_structure(out, start);
    }
    static bool decimal_text(Context& context, Writer& out, const Plan&, const Value& value) {
        std::string_view text = value.text;
        if (is_word(text)) [[unlikely]] {
            text = text == "NaN"           ? "NAN"
                   : text.starts_with('-') ? "NEGATIVE_INFINITY"
                                           : "POSITIVE_INFINITY";
        }
        return E::text(context, out, text);
    }
    static bool decimal_double(Context& context, Writer& out, const Plan&, const Value& value) {
        if (is_word(value.text)) {
            E::real64(out, word_value(value.text));
            return true;
        }
        double nearest = 0;
        const char* const end = value.text.data() + value.text.size();
        const auto [rest, error] = std::from_chars(value.text.data(), end, nearest);
        if (rest != end) return not_of_type(context);
        if (error == std::errc::result_out_of_range) {
            nearest = word_value(value.text.starts_with('-') ? "-Infinity" : "Infinity");
        }
        E::real64(out, nearest);
        return true;
    }

    static bool single_bit(Context&, Writer& out, const Plan&, const Value& value) {
        E::boolean(out, value.text.ends_with('1'));
        return true;
    }
    static bool bits(Context& context, Writer& out, const Plan&, const Value& value) {
        bits_to_bytes(value.text, context.bytes);
        E::bytes(out, context.bytes);
        return true;
    }

    template <auto convert>
    static bool moment(Context& context, Writer& out, const Plan&, const Value& value) {
        std::int64_t number = 0;
        if (!convert(value, number)) return fail(context, ValueFault::out_of_range);
        E::integer(out, number);
        return true;
    }
    // In units of `divisor` microseconds, or `factor` to one.
    template <std::int64_t factor, std::int64_t divisor>
    static bool time_number(Context& context, Writer& out, const Plan&, const Value& value) {
        if (!is_time(value)) return not_of_type(context);
        E::integer(out, value.integer * factor / divisor);
        return true;
    }
    static bool is_time(const Value& value) noexcept {
        return value.integer >= 0 && value.integer <= kMicrosOfDay;
    }
    static bool infinity_or(Writer& out, std::int64_t value) {
        if (value != kInfinity && value != -kInfinity) return false;
        E::plain(out, value > 0 ? "infinity" : "-infinity");
        return true;
    }
    static void zulu(Writer& out, std::array<char, kMaxIsoText>& text, char* end) {
        *end++ = 'Z';
        E::plain(out, {text.data(), static_cast<std::size_t>(end - text.data())});
    }
    static bool date_iso(Context& context, Writer& out, const Plan&, const Value& value) {
        if (infinity_or(out, value.integer)) return true;
        std::int64_t days = 0;
        if (!epoch_days(value, days)) return not_of_type(context);
        std::array<char, kMaxIsoText> text;
        zulu(out, text, iso_date(text.data(), value.integer));
        return true;
    }
    static bool time_iso(Context& context, Writer& out, const Plan&, const Value& value) {
        if (!is_time(value)) return not_of_type(context);
        std::array<char, kMaxIsoText> text;
        zulu(out, text, iso_time(text.data(), value.integer % kMicrosOfDay));
        return true;
    }
    static bool zoned_time(Context& context, Writer& out, const Plan&, const Value& value) {
        if (!is_time(value)) return not_of_type(context);
        const std::int64_t utc = value.integer - value.zone_seconds * kMicrosOfSecond;
        const bool end_of_day = value.integer == kMicrosOfDay && value.zone_seconds == 0;
        std::array<char, kMaxIsoText> text;
        zulu(out, text,
             iso_time(text.data(), end_of_day ? kMicrosOfDay : day_and_time(utc).micros));
        return true;
    }
    template <bool zoned>
    static bool timestamp_iso(Context&, Writer& out, const Plan& plan, const Value& value) {
        if (infinity_or(out, value.integer)) return true;
        std::array<char, kMaxIsoText> text;
        zulu(out, text, iso_moment(text.data(), value.integer, zoned ? plan.scale : 0));
        return true;
    }
    static bool interval_number(Context&, Writer& out, const Plan&, const Value& value) {
        E::integer(out, interval_micros(value.interval));
        return true;
    }
    static bool interval_text(Context&, Writer& out, const Plan&, const Value& value) {
        if (is_infinite(value.interval)) {
            E::plain(out, value.interval.days > 0 ? "infinity" : "-infinity");
            return true;
        }
        std::array<char, kMaxIsoText> text;
        const char* const end = iso_interval(text.data(), value.interval);
        E::plain(out, {text.data(), static_cast<std::size_t>(end - text.data())});
        return true;
    }

    static bool element(Context& context, Writer& out, const Plan& array, const Value& value) {
        if (value.is_null) {
            E::null_element(out, array.element);
            return true;
        }
        const Plan& plan = array.parts.front();
        const auto start = E::begin_element(out, array.element);
        if (!plan.write(context, out, plan, value)) return false;
        E::end_element(out, start);
        return true;
    }
    static bool flat_array(Context& context, Writer& out, const Plan& plan, const Value& value) {
        const auto start = E::begin_array(out, value.list.size());
        for (std::size_t i = 0; i < value.list.size(); ++i) {
            if (i > 0) E::next(out);
            if (!element(context, out, plan, value.list[i])) return false;
        }
        E::end_array(out, start);
        return true;
    }
    static bool array(Context& context, Writer& out, const Plan& plan, const Value& value) {
        if (!plan.nested || value.dimensions.size() < 2) {
            return flat_array(context, out, plan, value);
        }
        std::size_t count = 1;
        for (const Dimension& dimension : value.dimensions) {
            if (dimension.length <= 0) return not_of_type(context);
            if (count > value.list.size()) return not_of_type(context);
            count *= static_cast<std::size_t>(dimension.length);
        }
        if (count != value.list.size()) return not_of_type(context);
        std::span<const Value> elements = value.list;
        return dimension(context, out, plan, value.dimensions, elements);
    }
    static bool dimension(Context& context, Writer& out, const Plan& plan,
                          std::span<const Dimension> dimensions, std::span<const Value>& elements) {
        const auto length = static_cast<std::size_t>(dimensions.front().length);
        const auto start = E::begin_array(out, length);
        for (std::size_t i = 0; i < length; ++i) {
            if (i > 0) E::next(out);
            if (dimensions.size() > 1) {
                if (!dimension(context, out, plan, dimensions.subspan(1), elements)) return false;
                continue;
            }
            if (!element(context, out, plan, elements.front())) return false;
            elements = elements.subspan(1);
        }
        E::end_array(out, start);
        return true;
    }

    static bool composite(Context& context, Writer& out, const Plan& plan, const Value& value) {
        if (value.list.size() != plan.parts.size()) return not_of_type(context);
        if (plan.parts.empty()) {
            out.text(E::kEmptyStructure);
            return true;
        }
        const auto start = E::begin_structure(out);
        for (std::size_t i = 0; i < plan.parts.size(); ++i) {
            if (value.list[i].is_null) {
                out.text(plan.fields[i].absent);
                continue;
            }
            out.text(plan.fields[i].present);
            if (!plan.parts[i].write(context, out, plan.parts[i], value.list[i])) return false;
        }
        E::end_structure(out, start);
        return true;
    }

    // The object is text, of whatever encoding the message is.
    static bool map_json(Context& context, Writer& out, const Plan&, const Value& value) {
        if (value.list.size() % 2 != 0) return not_of_type(context);
        context.arena.clear();
        Writer object;
        object.begin(context.arena);
        object.byte('{');
        for (std::size_t i = 0; i < value.list.size(); i += 2) {
            if (i > 0) object.byte(',');
            if (!write_text(context, object, value.list[i].text)) return false;
            object.byte(':');
            if (value.list[i + 1].is_null) {
                object.text("null");
            } else if (!write_text(context, object, value.list[i + 1].text)) {
                return false;
            }
        }
        object.byte('}');
        return E::text(context, out, object.finish());
    }
    static bool map(Context& context, Writer& out, const Plan& plan, const Value& value) {
        if (value.list.size() % 2 != 0) return not_of_type(context);
        const auto start = E::begin_map(out, value.list.size() / 2);
        for (std::size_t i = 0; i < value.list.size(); i += 2) {
            if (i > 0) E::next(out);
            const auto entry = E::begin_entry(out, plan.entry);
            if (!E::text(context, out, value.list[i].text)) return false;
            const bool is_null = value.list[i + 1].is_null;
            out.text(is_null ? plan.entry.value.absent : plan.entry.value.present);
            if (!is_null && !E::text(context, out, value.list[i + 1].text)) return false;
            E::end_entry(out, plan.entry, entry);
        }
        E::end_map(out, start);
        return true;
    }
};

template <typename E>
FormWriter writer_of(Form form) {
    using W = Write<E>;
    using S = WriteShape<E>;
    using T = WriteStructured<E>;
    switch (form) {
        case Form::boolean: return W::boolean;
        case Form::integer: return W::integer;
        case Form::float32: return W::float32;
        case Form::float64: return W::float64;
        case Form::text: return W::text;
        case Form::server_text: return W::server_text;
        case Form::bytes: return W::bytes;
        case Form::base64: return W::template base64_text<false>;
        case Form::base64_url_safe: return W::template base64_text<true>;
        case Form::hexadecimal: return W::hexadecimal;
        case Form::decimal: return W::decimal;
        case Form::variable_decimal: return W::variable_decimal;
        case Form::decimal_text: return W::decimal_text;
        case Form::decimal_double: return W::decimal_double;
        case Form::single_bit: return W::single_bit;
        case Form::bits: return W::bits;
        case Form::date_days: return W::template moment<epoch_days>;
        case Form::date_iso: return W::date_iso;
        case Form::time_millis: return W::template time_number<1, 1000>;
        case Form::time_micros: return W::template time_number<1, 1>;
        case Form::time_nanos: return W::template time_number<1000, 1>;
        case Form::time_iso: return W::time_iso;
        case Form::zoned_time: return W::zoned_time;
        case Form::timestamp_millis: return W::template moment<epoch_millis>;
        case Form::timestamp_micros: return W::template moment<epoch_micros>;
        case Form::timestamp_nanos: return W::template moment<epoch_nanos>;
        case Form::timestamp_iso: return W::template timestamp_iso<false>;
        case Form::zoned_timestamp: return W::template timestamp_iso<true>;
        case Form::date_structured: return T::date;
        case Form::time_structured: return T::template time<false>;
        case Form::zoned_time_structured: return T::template time<true>;
        case Form::timestamp_structured: return T::template timestamp<false>;
        case Form::zoned_timestamp_structured: return T::template timestamp<true>;
        case Form::interval_structured: return T::interval;
        case Form::interval_micros: return W::interval_number;
        case Form::interval_iso: return W::interval_text;
        case Form::array: return W::array;
        case Form::composite: return W::composite;
        case Form::map_json: return W::map_json;
        case Form::map: return W::map;
        case Form::point: return S::point;
        case Form::geometry: return S::geometry;
        case Form::line: return S::line;
        case Form::circle: return S::circle;
        case Form::ewkb: return S::ewkb;
        case Form::sparse_vector: return S::sparse_vector;
    }
    return W::text;
}

Shape shape_of(const Type& type) noexcept {
    switch (type.root.value) {
        case 601: return Shape::lseg;
        case 602: return Shape::path;
        case 603: return Shape::box;
        default: return Shape::polygon;
    }
}

template <typename E>
void add_fields(std::vector<FieldBytes>& fields, const ConnectSchema& structure) {
    for (std::size_t i = 0; i < structure.fields.size(); ++i) {
        fields.push_back(E::field(structure.fields[i], i));
    }
}

// What stands around the elements of an array, the entries of a map or of the map in a structure.
template <typename E>
void add_parts(FormPlan& plan, const ConnectSchema& schema) {
    if (schema.type == ConnectType::array) plan.element = E::element(*schema.element);
    if (schema.type == ConnectType::map) plan.entry = E::entry(schema);
    if (schema.type != ConnectType::structure) return;
    for (const ConnectField& field : schema.fields) {
        if (field.schema->type == ConnectType::map) plan.entry = E::entry(*field.schema);
    }
}

}  // namespace

template <typename Encoding>
FormPlan compile_form(const ColumnForm& form, const TypePtr& type, bool nested) {
    FormPlan plan{.write = writer_of<Encoding>(form.form),
                  .type = type,
                  .scale = form.scale,
                  .nested = nested};
    if (form.form == Form::geometry) plan.scale = static_cast<int>(shape_of(*type));
    if (form.schema->type == ConnectType::structure) {
        add_fields<Encoding>(plan.fields, *form.schema);
        // The fields of the point in it come after its own.
        if (form.form == Form::circle) {
            add_fields<Encoding>(plan.fields, *form.schema->fields.front().schema);
        }
    }
    add_parts<Encoding>(plan, *form.schema);
    for (std::size_t i = 0; i < form.parts.size(); ++i) {
        const TypePtr& part = form.form == Form::array ? type->element : type->fields[i].type;
        plan.parts.push_back(compile_form<Encoding>(form.parts[i], part, nested));
    }
    return plan;
}

template FormPlan compile_form<JsonEncoding>(const ColumnForm&, const TypePtr&, bool);
template FormPlan compile_form<AvroEncoding>(const ColumnForm&, const TypePtr&, bool);
template FormPlan compile_form<ProtobufEncoding>(const ColumnForm&, const TypePtr&, bool);

}  // namespace pgc
