// The writers of geometric values, and of sparse vectors, which are read the same way: for
// form_writers.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "format/debezium/form_writers.h"
#include "format/debezium/geometry.h"
#include "format/json/writer.h"

namespace pgc {

template <typename E>
struct WriteShape {
    static bool numbers_of(FormContext& context, const Value& value, std::size_t count) {
        return read_coordinates(value.text, context.numbers) && context.numbers.size() == count
                   ? true
                   : not_of_type(context);
    }
    // `first`: of plan.fields.
    static void point_fields(FormContext& context, Writer& out, const FormPlan& plan,
                             std::size_t first, GeometryPoint point) {
        const auto start = E::begin_structure(out);
        out.text(plan.fields[first].present);
        E::real64(out, point.x);
        out.text(plan.fields[first + 1].present);
        E::real64(out, point.y);
        context.bytes.clear();
        append_wkb(context.bytes, point);
        out.text(plan.fields[first + 2].present);
        E::bytes(out, context.bytes);
        out.text(plan.fields[first + 3].absent);
        E::end_structure(out, start);
    }
    static bool point(FormContext& context, Writer& out, const FormPlan& plan, const Value& value) {
        if (!numbers_of(context, value, 2)) return false;
        point_fields(context, out, plan, 0, {context.numbers[0], context.numbers[1]});
        return true;
    }
    static bool circle(FormContext& context, Writer& out, const FormPlan& plan,
                       const Value& value) {
        if (!numbers_of(context, value, 3)) return false;
        const auto start = E::begin_structure(out);
        out.text(plan.fields[0].present);
        point_fields(context, out, plan, 2, {context.numbers[0], context.numbers[1]});
        out.text(plan.fields[1].present);
        E::real64(out, context.numbers[2]);
        E::end_structure(out, start);
        return true;
    }
    static bool line(FormContext& context, Writer& out, const FormPlan& plan, const Value& value) {
        if (!numbers_of(context, value, 3)) return false;
        const auto start = E::begin_structure(out);
        for (std::size_t i = 0; i < 3; ++i) {
            out.text(plan.fields[i].present);
            E::real64(out, context.numbers[i]);
        }
        E::end_structure(out, start);
        return true;
    }
    static bool geometry(FormContext& context, Writer& out, const FormPlan& plan,
                         const Value& value) {
        const auto shape = static_cast<Shape>(plan.scale);
        context.bytes.clear();
        if (!read_coordinates(value.text, context.numbers) ||
            !append_wkb(context.bytes, shape, context.numbers)) {
            return not_of_type(context);
        }
        const auto start = E::begin_structure(out);
        out.text(plan.fields[0].present);
        E::bytes(out, context.bytes);
        out.text(plan.fields[1].absent);
        out.text(plan.fields[2].present);
        const bool is_path = shape == Shape::path;
        const auto map = E::begin_map(out, is_path ? 2 : 1);
        entry(out, plan, "type", name(shape));
        if (is_path) {
            E::next(out);
            entry(out, plan, "closed", value.text.starts_with('(') ? "true" : "false");
        }
        E::end_map(out, map);
        E::end_structure(out, start);
        return true;
    }
    static bool ewkb(FormContext& context, Writer& out, const FormPlan& plan, const Value& value) {
        if (!read_postgis(value.text, context.geometry)) return not_of_type(context);
        const auto start = E::begin_structure(out);
        out.text(plan.fields[0].present);
        E::bytes(out, context.geometry.wkb);
        if (context.geometry.srid) {
            out.text(plan.fields[1].present);
            E::integer(out, *context.geometry.srid);
        } else {
            out.text(plan.fields[1].absent);
        }
        out.text(plan.fields[2].absent);
        E::end_structure(out, start);
        return true;
    }

    // {1:0.5,3:2}/5
    static bool sparse_vector(FormContext& context, Writer& out, const FormPlan& plan,
                              const Value& value) {
        std::vector<double>& numbers = context.numbers;
        if (!read_coordinates(value.text, numbers) || numbers.size() % 2 == 0) {
            return not_of_type(context);
        }
        const std::size_t pairs = numbers.size() / 2;
        const auto start = E::begin_structure(out);
        out.text(plan.fields[0].present);
        E::integer(out, static_cast<std::int64_t>(numbers.back()));
        out.text(plan.fields[1].present);
        const auto vector = E::begin_array(out, pairs);
        for (std::size_t i = 0; i < pairs; ++i) {
            if (i > 0) E::next(out);
            const auto pair = E::begin_entry(out, plan.entry);
            E::integer(out, static_cast<std::int64_t>(numbers[2 * i]));
            out.text(plan.entry.value.present);
            E::real64(out, numbers[2 * i + 1]);
            E::end_entry(out, plan.entry, pair);
        }
        E::end_array(out, vector);
        E::end_structure(out, start);
        return true;
    }

private:
    static void entry(Writer& out, const FormPlan& plan, std::string_view key,
                      std::string_view value) {
        const auto start = E::begin_entry(out, plan.entry);
        E::plain(out, key);
        out.text(plan.entry.value.present);
        E::plain(out, value);
        E::end_entry(out, plan.entry, start);
    }
    static bool not_of_type(FormContext& context) noexcept {
        context.fault = ValueFault::not_of_type;
        return false;
    }
};

}  // namespace pgc
