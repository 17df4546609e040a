#include "format/debezium/column_form.h"

#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "format/debezium/names.h"

namespace pgc {
namespace {

constexpr std::uint32_t kXml = 142, kPoint = 600, kLseg = 601, kPath = 602, kBox = 603,
                        kPolygon = 604, kLine = 628, kCircle = 718, kMoney = 790, kTsvector = 3614;
constexpr int kMoneyScale = 2;  // every session of ours has lc_monetary C
constexpr int kFullPrecision = 6;

// A schema under construction.
struct Draft {
    ConnectSchema schema;

    Draft(ConnectType type, bool optional) {
        schema.type = type;
        schema.optional = optional;
    }
    Draft& named(std::string_view name, int version = 1) {
        schema.name = name;
        schema.version = version;
        return *this;
    }
    Draft& with(std::string_view parameter, std::string value) {
        schema.parameters.emplace_back(parameter, std::move(value));
        return *this;
    }
    Draft& field(std::string_view name, ConnectSchemaPtr of) {
        schema.fields.push_back({std::string{name}, std::move(of)});
        return *this;
    }
    Draft& documented(std::string_view doc) {
        schema.doc = doc;
        return *this;
    }
    ConnectSchemaPtr done() { return std::make_shared<const ConnectSchema>(std::move(schema)); }
};

class Forms {
public:
    Forms(const DebeziumOptions& options, const SchemaNames& names)
        : options_(options), names_(names) {}

    ColumnForm of(const Type& type, std::int32_t modifier, bool optional) const {
        if (modifier < 0) modifier = type.modifier;
        switch (type.kind) {
            case Kind::boolean: return simple(Form::boolean, ConnectType::boolean, optional);
            case Kind::integer: return simple(Form::integer, integer_type(type), optional);
            case Kind::real32: return simple(Form::float32, ConnectType::float32, optional);
            case Kind::real64: return simple(Form::float64, ConnectType::float64, optional);
            case Kind::decimal: return decimal(type, modifier, optional);
            case Kind::text: return text(type, optional);
            case Kind::enumeration: return enumeration(type, optional);
            case Kind::bytes: return binary(optional);
            case Kind::json: return named_text("io.debezium.data.Json", optional);
            case Kind::uuid: return named_text("io.debezium.data.Uuid", optional);
            case Kind::bits: return bits(modifier, optional);
            case Kind::date: return date(optional);
            case Kind::time: return time(precision(modifier), optional);
            case Kind::time_tz: return zoned_time(precision(modifier), optional);
            case Kind::timestamp: return timestamp(precision(modifier), optional);
            case Kind::timestamp_tz: return zoned_timestamp(precision(modifier), optional);
            case Kind::interval: return interval(precision(modifier & 0xFFFF), optional);
            case Kind::array: return array(type, modifier, optional);
            case Kind::composite: return composite(type, optional);
            case Kind::range:
            case Kind::multirange: return simple(Form::server_text, ConnectType::string, optional);
            case Kind::map: return map(optional);
        }
        return simple(Form::text, ConnectType::string, optional);
    }

private:
    static ColumnForm simple(Form form, ConnectType type, bool optional) {
        return {.form = form, .schema = schema_of(type, optional)};
    }
    static ColumnForm named(Form form, ConnectType type, std::string_view name, bool optional,
                            int version = 1) {
        return {.form = form, .schema = Draft{type, optional}.named(name, version).done()};
    }
    static ColumnForm named_text(std::string_view name, bool optional) {
        return named(Form::text, ConnectType::string, name, optional);
    }

    static ConnectType integer_type(const Type& type) {
        if (type.width == sizeof(std::int16_t)) return ConnectType::int16;
        return type.width == sizeof(std::int32_t) && !type.is_unsigned ? ConnectType::int32
                                                                       : ConnectType::int64;
    }
    static int precision(std::int32_t modifier) {
        return modifier >= 0 && modifier <= kFullPrecision ? modifier : kFullPrecision;
    }

    // The modifier, less its header of 4, has the precision above and the scale below, which is
    // a signed number of 11 bits since PostgreSQL 15.
    static int scale_of(std::int32_t modifier) {
        return modifier < 4 ? 0 : (((modifier - 4) & 0x7FF) ^ 0x400) - 0x400;
    }

    ColumnForm decimal(const Type& type, std::int32_t modifier, bool optional) const {
        switch (options_.decimal) {
            case DecimalHandling::string: {
                ColumnForm text = simple(Form::decimal_text, ConnectType::string, optional);
                text.scale = type.root.value == kMoney ? kMoneyScale : scale_of(modifier);
                return text;
            }
            case DecimalHandling::nearest:
                return simple(Form::decimal_double, ConnectType::float64, optional);
            case DecimalHandling::precise: break;
        }
        if (type.root.value == kMoney) return fixed(kMoneyScale, 0, optional);
        if (modifier < 4) return variable(optional);
        return fixed(scale_of(modifier), ((modifier - 4) >> 16) & 0xFFFF, optional);
    }
    static ColumnForm fixed(int scale, int digits, bool optional) {
        Draft draft{ConnectType::bytes, optional};
        draft.named("org.apache.kafka.connect.data.Decimal").with("scale", std::to_string(scale));
        if (digits > 0) draft.with("connect.decimal.precision", std::to_string(digits));
        return {.form = Form::decimal, .scale = scale, .schema = draft.done()};
    }
    static ColumnForm variable(bool optional) {
        Draft draft{ConnectType::structure, optional};
        draft.named("io.debezium.data.VariableScaleDecimal")
            .documented("Variable scaled decimal")
            .field("scale", schema_of(ConnectType::int32))
            .field("value", schema_of(ConnectType::bytes));
        return {.form = Form::variable_decimal, .schema = draft.done()};
    }

    static ColumnForm text(const Type& type, bool optional) {
        switch (type.root.value) {
            case kXml: return named_text("io.debezium.data.Xml", optional);
            case kTsvector: return named_text("io.debezium.data.Tsvector", optional);
            case kPoint: return {.form = Form::point, .schema = point(optional)};
            case kLseg:
            case kPath:
            case kBox:
            case kPolygon: return {.form = Form::geometry, .schema = geometry()};
            case kLine: return line();
            case kCircle: return circle();
            default: break;
        }
        const std::string_view extension = unqualified(type.root_name);
        if (extension == "ltree") return named_text("io.debezium.data.Ltree", optional);
        if (extension == "geometry") return {.form = Form::ewkb, .schema = geometry()};
        if (extension == "geography") return {.form = Form::ewkb, .schema = geography()};
        if (extension == "sparsevec") return sparse_vector(optional);
        return simple(Form::text, ConnectType::string, optional);
    }
    static std::string_view unqualified(std::string_view name) {
        return name.substr(name.rfind('.') + 1);
    }

    static ColumnForm enumeration(const Type& type, bool optional) {
        std::string allowed;
        for (const std::string& label : type.labels) {
            if (&label != &type.labels.front()) allowed += ',';
            allowed += label;
        }
        Draft draft{ConnectType::string, optional};
        draft.named("io.debezium.data.Enum").with("allowed", std::move(allowed));
        return {.form = Form::text, .schema = draft.done()};
    }

    ColumnForm binary(bool optional) const {
        switch (options_.binary) {
            case BinaryHandling::bytes: return simple(Form::bytes, ConnectType::bytes, optional);
            case BinaryHandling::base64: return simple(Form::base64, ConnectType::string, optional);
            case BinaryHandling::base64_url_safe:
                return simple(Form::base64_url_safe, ConnectType::string, optional);
            case BinaryHandling::hex:
                return simple(Form::hexadecimal, ConnectType::string, optional);
        }
        return simple(Form::bytes, ConnectType::bytes, optional);
    }

    static ColumnForm bits(std::int32_t modifier, bool optional) {
        if (modifier == 1) return simple(Form::single_bit, ConnectType::boolean, optional);
        // What Debezium says of bit varying without a length.
        const std::int32_t length = modifier > 0 ? modifier : 2'147'483'647;
        Draft draft{ConnectType::bytes, optional};
        draft.named("io.debezium.data.Bits").with("length", std::to_string(length));
        return {.form = Form::bits, .schema = draft.done()};
    }

    // Fields that structures of time are made of, each optional.
    using TimeField = std::pair<std::string_view, ConnectType>;
    using TimeFields = std::span<const TimeField>;
    static constexpr std::array kCalendar{TimeField{"year", ConnectType::int32},
                                          TimeField{"month", ConnectType::int8},
                                          TimeField{"day", ConnectType::int8}};
    static constexpr std::array kClock{
        TimeField{"hour", ConnectType::int8}, TimeField{"minute", ConnectType::int8},
        TimeField{"second", ConnectType::int8}, TimeField{"nanos", ConnectType::int32}};
    static constexpr std::array kOffset{TimeField{"offsetSeconds", ConnectType::int32}};
    static constexpr std::array kZone{TimeField{"zoneId", ConnectType::string}};
    static constexpr std::array kSpecial{TimeField{"specialValue", ConnectType::string}};
    static constexpr std::array kPrecision{TimeField{"precision", ConnectType::int32}};
    static constexpr std::array kDuration{
        TimeField{"years", ConnectType::int32},   TimeField{"months", ConnectType::int32},
        TimeField{"days", ConnectType::int32},    TimeField{"hours", ConnectType::int32},
        TimeField{"minutes", ConnectType::int32}, TimeField{"seconds", ConnectType::int64},
        TimeField{"nanos", ConnectType::int32}};

    static ColumnForm structure(Form form, std::string_view name,
                                std::initializer_list<TimeFields> fields, int digits,
                                bool optional) {
        Draft draft{ConnectType::structure, optional};
        draft.named(std::string{"io.debezium.time."}.append(name));
        for (const TimeFields& some : fields) {
            for (const auto& [field, type] : some) draft.field(field, schema_of(type, true));
        }
        return {.form = form, .scale = digits, .schema = draft.done()};
    }

    ColumnForm date(bool optional) const {
        using enum TimePrecision;
        constexpr auto int32 = ConnectType::int32;
        switch (options_.time_precision) {
            case isostring:
                return named(Form::date_iso, ConnectType::string, "io.debezium.time.IsoDate",
                             optional);
            case connect:
                return named(Form::date_days, int32, "org.apache.kafka.connect.data.Date",
                             optional);
            case structured:
                return structure(Form::date_structured, "StructuredDate", {kCalendar, kSpecial}, 0,
                                 optional);
            default: return named(Form::date_days, int32, "io.debezium.time.Date", optional);
        }
    }

    ColumnForm time(int digits, bool optional) const {
        using enum TimePrecision;
        constexpr auto int32 = ConnectType::int32;
        constexpr auto int64 = ConnectType::int64;
        switch (options_.time_precision) {
            case isostring:
                return named(Form::time_iso, ConnectType::string, "io.debezium.time.IsoTime",
                             optional);
            case connect:
                return named(Form::time_millis, int32, "org.apache.kafka.connect.data.Time",
                             optional);
            case nanoseconds:
                return named(Form::time_nanos, int64, "io.debezium.time.NanoTime", optional);
            case adaptive:
                if (digits <= 3) {
                    return named(Form::time_millis, int32, "io.debezium.time.Time", optional);
                }
                break;
            case structured:
                return structure(Form::time_structured, "StructuredTime", {kClock, kPrecision},
                                 digits, optional);
            case adaptive_time_microseconds:
            case microseconds: break;
        }
        return named(Form::time_micros, int64, "io.debezium.time.MicroTime", optional);
    }

    ColumnForm timestamp(int digits, bool optional) const {
        using enum TimePrecision;
        constexpr auto int64 = ConnectType::int64;
        switch (options_.time_precision) {
            case isostring:
                return named(Form::timestamp_iso, ConnectType::string,
                             "io.debezium.time.IsoTimestamp", optional);
            case connect:
                return named(Form::timestamp_millis, int64,
                             "org.apache.kafka.connect.data.Timestamp", optional);
            case nanoseconds:
                return named(Form::timestamp_nanos, int64, "io.debezium.time.NanoTimestamp",
                             optional);
            case adaptive:
            case adaptive_time_microseconds:
                if (digits <= 3) {
                    return named(Form::timestamp_millis, int64, "io.debezium.time.Timestamp",
                                 optional);
                }
                break;
            case structured:
                return structure(Form::timestamp_structured, "StructuredTimestamp",
                                 {kCalendar, kClock, kSpecial, kPrecision}, digits, optional);
            case microseconds: break;
        }
        return named(Form::timestamp_micros, int64, "io.debezium.time.MicroTimestamp", optional);
    }

    ColumnForm zoned_time(int digits, bool optional) const {
        if (options_.time_precision == TimePrecision::structured) {
            return structure(Form::zoned_time_structured, "StructuredZonedTime",
                             {kClock, kOffset, kPrecision}, digits, optional);
        }
        return named(Form::zoned_time, ConnectType::string, "io.debezium.time.ZonedTime", optional);
    }

    ColumnForm zoned_timestamp(int digits, bool optional) const {
        if (options_.time_precision == TimePrecision::structured) {
            return structure(Form::zoned_timestamp_structured, "StructuredZonedTimestamp",
                             {kCalendar, kClock, kOffset, kZone, kSpecial, kPrecision}, digits,
                             optional);
        }
        ColumnForm form = named(Form::zoned_timestamp, ConnectType::string,
                                "io.debezium.time.ZonedTimestamp", optional);
        form.scale = digits;
        return form;
    }

    ColumnForm interval(int digits, bool optional) const {
        if (options_.time_precision == TimePrecision::structured) {
            return structure(Form::interval_structured, "StructuredDuration",
                             {kDuration, kPrecision}, digits, optional);
        }
        if (options_.interval == IntervalHandling::string) {
            return named(Form::interval_iso, ConnectType::string, "io.debezium.time.Interval",
                         optional);
        }
        return named(Form::interval_micros, ConnectType::int64, "io.debezium.time.MicroDuration",
                     optional);
    }

    ColumnForm array(const Type& type, std::int32_t modifier, bool optional) const {
        if (type.element == nullptr) return simple(Form::text, ConnectType::string, optional);
        ColumnForm element = of(*type.element, modifier, true);
        Draft draft{ConnectType::array, optional};
        const std::string_view extension = unqualified(type.root_name);
        const bool is_vector = extension == "vector";
        if (is_vector || extension == "halfvec") {
            element = is_vector ? simple(Form::float64, ConnectType::float64, false)
                                : simple(Form::float32, ConnectType::float32, false);
            draft.named(is_vector ? "io.debezium.data.DoubleVector"
                                  : "io.debezium.data.FloatVector");
        }
        draft.schema.element = element.schema;
        return {.form = Form::array, .schema = draft.done(), .parts = {std::move(element)}};
    }

    ColumnForm composite(const Type& type, bool optional) const {
        ColumnForm form{.form = Form::composite};
        Draft draft{ConnectType::structure, optional};
        draft.schema.name =
            adjusted_schema_name(names_.prefix + ".Value." + type.root_name, names_.schemas);
        for (const Field& field : type.fields) {
            form.parts.push_back(of(*field.type, -1, true));
            draft.field(adjusted_field_name(field.name, names_.fields), form.parts.back().schema);
        }
        form.schema = draft.done();
        return form;
    }

    ColumnForm map(bool optional) const {
        if (options_.hstore == HstoreHandling::json) {
            return named(Form::map_json, ConnectType::string, "io.debezium.data.Json", optional);
        }
        Draft draft{ConnectType::map, optional};
        draft.schema.key = schema_of(ConnectType::string);
        draft.schema.element = schema_of(ConnectType::string, true);
        return {.form = Form::map, .schema = draft.done()};
    }

    static ConnectSchemaPtr point(bool optional) {
        return Draft{ConnectType::structure, optional}
            .named("io.debezium.data.geometry.Point")
            .documented("Geometry (POINT)")
            .field("x", schema_of(ConnectType::float64))
            .field("y", schema_of(ConnectType::float64))
            .field("wkb", schema_of(ConnectType::bytes, true))
            .field("srid", schema_of(ConnectType::int32, true))
            .done();
    }
    // These are optional whether or not the column is.
    static ConnectSchemaPtr geometry() {
        return shape("io.debezium.data.geometry.Geometry", "Geometry");
    }
    static ConnectSchemaPtr geography() {
        return shape("io.debezium.data.geometry.Geography", "Geography");
    }
    static ConnectSchemaPtr shape(std::string_view name, std::string_view doc) {
        Draft extensions{ConnectType::map, true};
        extensions.schema.key = schema_of(ConnectType::string);
        extensions.schema.element = schema_of(ConnectType::string);
        return Draft{ConnectType::structure, true}
            .named(name, 2)
            .documented(doc)
            .field("wkb", schema_of(ConnectType::bytes))
            .field("srid", schema_of(ConnectType::int32, true))
            .field("extensions", extensions.done())
            .done();
    }
    static ColumnForm line() {
        return {.form = Form::line,
                .schema = Draft{ConnectType::structure, true}
                              .named("io.debezium.data.geometry.Line")
                              .documented("Geometry (LINE)")
                              .field("a", schema_of(ConnectType::float64))
                              .field("b", schema_of(ConnectType::float64))
                              .field("c", schema_of(ConnectType::float64))
                              .done()};
    }
    static ColumnForm circle() {
        return {.form = Form::circle,
                .schema = Draft{ConnectType::structure, true}
                              .named("io.debezium.data.geometry.Circle")
                              .documented("Geometry (CIRCLE)")
                              .field("center", point(false))
                              .field("radius", schema_of(ConnectType::float64))
                              .done()};
    }
    static ColumnForm sparse_vector(bool optional) {
        Draft elements{ConnectType::map, false};
        elements.schema.key = schema_of(ConnectType::int16);
        elements.schema.element = schema_of(ConnectType::float64);
        return {.form = Form::sparse_vector,
                .schema = Draft{ConnectType::structure, optional}
                              .named("io.debezium.data.SparseDoubleVector")
                              .documented("Sparse double vector")
                              .field("dimensions", schema_of(ConnectType::int16))
                              .field("vector", elements.done())
                              .done()};
    }

    const DebeziumOptions& options_;
    const SchemaNames& names_;
};

}  // namespace

ColumnForm column_form(const Column& column, const DebeziumOptions& options,
                       const SchemaNames& names) {
    return Forms{options, names}.of(*column.type, column.modifier, column.nullable);
}

}  // namespace pgc
