#include "format/debezium/form_constants.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "format/json/calendar.h"

namespace pgc {
namespace {

std::string_view text_of_nothing(const ColumnForm& form, const FormPlan& plan) {
    switch (form.form) {
        case Form::decimal:
        case Form::variable_decimal:
        case Form::decimal_text:
        case Form::decimal_double: return "0";
        case Form::point: return "(0,0)";
        case Form::line: return "{0,1,0}";
        case Form::circle: return "<(0,0),0>";
        case Form::ewkb: return "010700000000000000";  // a collection of nothing
        case Form::sparse_vector: return "{}/0";
        case Form::geometry:
            switch (static_cast<Shape>(plan.scale)) {
                case Shape::box: return "(0,0),(1,1)";
                case Shape::polygon: return "((0,0),(1,0),(0,1))";
                default: return "((0,0),(1,0))";
            }
        default: return "";
    }
}

Value nothing(const ColumnForm& form, const FormPlan& plan) {
    Value value{};
    value.text = text_of_nothing(form, plan);
    switch (form.form) {
        case Form::date_days:
        case Form::date_structured:
        case Form::date_iso: value.integer = -kDaysTo2000; break;
        case Form::timestamp_millis:
        case Form::timestamp_micros:
        case Form::timestamp_nanos:
        case Form::timestamp_iso:
        case Form::timestamp_structured:
        case Form::zoned_timestamp_structured:
        case Form::zoned_timestamp: value.integer = -kDaysTo2000 * kMicrosOfDay; break;
        case Form::float32:
        case Form::float64: value.real = 0; break;
        default: value.integer = 0;
    }
    return value;
}

template <typename E>
class Constants {
public:
    Constants() { out_.begin(arena_); }
    std::string take() { return std::string{out_.finish()}; }

    void write_nothing(const ColumnForm& form, const FormPlan& plan) {
        if (form.form == Form::zoned_timestamp) {  // the only one without microseconds
            E::plain(out_, "1970-01-01T00:00:00Z");
            return;
        }
        if (form.form == Form::decimal_text && form.scale > 0) {
            E::plain(out_, "0." + std::string(static_cast<std::size_t>(form.scale), '0'));
            return;
        }
        Value value = nothing(form, plan);
        const std::vector<Value> nulls(form.form == Form::composite ? form.parts.size() : 0,
                                       null());
        value.list = nulls;
        if (form.form == Form::server_text) {  // whatever it is of, its text is empty
            static_cast<void>(E::text(context_, out_, ""));
            return;
        }
        [[maybe_unused]] const bool done = plan.write(context_, out_, plan, value);
        assert(done);
    }

    void write_unsent(const ColumnForm& form, const FormPlan& plan,
                      const Placeholder& placeholder) {
        switch (form.form) {
            case Form::decimal: E::decimal(out_, placeholder.bytes, plan.scale); return;
            case Form::variable_decimal: write_decimal(plan, placeholder); return;
            case Form::composite: write_parts(form, plan, placeholder); return;
            case Form::array: write_array(form, plan, placeholder); return;
            case Form::map: write_map(plan, placeholder); return;
            case Form::map_json: write_object(placeholder); return;
            default: break;
        }
        if (form.schema->type == ConnectType::string) {
            static_cast<void>(E::text(context_, out_, placeholder.text));
        } else if (form.schema->type == ConnectType::bytes) {
            E::bytes(out_, placeholder.bytes);
        } else if (form.form == Form::geometry || form.form == Form::ewkb) {
            const auto start = E::begin_structure(out_);
            out_.text(plan.fields[0].present);
            E::bytes(out_, placeholder.bytes);
            out_.text(plan.fields[1].absent);
            out_.text(plan.fields[2].absent);
            E::end_structure(out_, start);
        } else {
            write_nothing(form, plan);  // no value of it is ever TOASTed
        }
    }

private:
    static Value null() {
        Value value{};
        value.is_null = true;
        return value;
    }

    void write_decimal(const FormPlan& plan, const Placeholder& placeholder) {
        const auto start = E::begin_structure(out_);
        out_.text(plan.fields[0].present);
        E::integer(out_, 0);
        out_.text(plan.fields[1].present);
        E::bytes(out_, placeholder.bytes);
        E::end_structure(out_, start);
    }
    void write_parts(const ColumnForm& form, const FormPlan& plan, const Placeholder& placeholder) {
        if (form.parts.empty()) {
            out_.text(E::kEmptyStructure);
            return;
        }
        const auto start = E::begin_structure(out_);
        for (std::size_t i = 0; i < form.parts.size(); ++i) {
            out_.text(plan.fields[i].present);
            write_unsent(form.parts[i], plan.parts[i], placeholder);
        }
        E::end_structure(out_, start);
    }
    // Numbers: the placeholder's bytes, one each.
    void write_array(const ColumnForm& form, const FormPlan& plan, const Placeholder& placeholder) {
        const bool numbers =
            form.parts.front().form == Form::integer || form.parts.front().form == Form::date_days;
        const std::size_t count = numbers ? placeholder.bytes.size() : 1;
        const auto start = E::begin_array(out_, count);
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0) E::next(out_);
            const auto element = E::begin_element(out_, plan.element);
            if (numbers) {
                E::integer(out_, static_cast<signed char>(placeholder.bytes[i]));
            } else if (form.parts.front().schema->name == "io.debezium.data.Uuid") {
                E::plain(out_, placeholder.uuid);
            } else {
                write_unsent(form.parts.front(), plan.parts.front(), placeholder);
            }
            E::end_element(out_, element);
        }
        E::end_array(out_, start);
    }
    void write_map(const FormPlan& plan, const Placeholder& placeholder) {
        const auto start = E::begin_map(out_, 1);
        const auto entry = E::begin_entry(out_, plan.entry);
        static_cast<void>(E::text(context_, out_, placeholder.text));
        out_.text(plan.entry.value.present);
        static_cast<void>(E::text(context_, out_, placeholder.text));
        E::end_entry(out_, plan.entry, entry);
        E::end_map(out_, start);
    }
    void write_object(const Placeholder& placeholder) {
        const std::string quoted = json_string(placeholder.text);
        static_cast<void>(E::text(context_, out_, '{' + quoted + ':' + quoted + '}'));
    }

    Arena arena_;
    Writer out_;
    FormContext context_;
};

}  // namespace

template <typename Encoding>
std::string nothing_bytes(const ColumnForm& form, const FormPlan& plan) {
    Constants<Encoding> constants;
    constants.write_nothing(form, plan);
    return constants.take();
}

template <typename Encoding>
std::string unsent_bytes(const ColumnForm& form, const FormPlan& plan,
                         const Placeholder& placeholder) {
    Constants<Encoding> constants;
    constants.write_unsent(form, plan, placeholder);
    return constants.take();
}

template std::string nothing_bytes<JsonEncoding>(const ColumnForm&, const FormPlan&);
template std::string nothing_bytes<AvroEncoding>(const ColumnForm&, const FormPlan&);
template std::string nothing_bytes<ProtobufEncoding>(const ColumnForm&, const FormPlan&);
template std::string unsent_bytes<JsonEncoding>(const ColumnForm&, const FormPlan&,
                                                const Placeholder&);
template std::string unsent_bytes<AvroEncoding>(const ColumnForm&, const FormPlan&,
                                                const Placeholder&);
template std::string unsent_bytes<ProtobufEncoding>(const ColumnForm&, const FormPlan&,
                                                    const Placeholder&);

}  // namespace pgc
