// The writers of dates, times and intervals as structures (time_precision_mode: structured): for
// form_writers.cc. The fields are those of column_form.cc.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "core/value.h"
#include "format/debezium/form_numbers.h"
#include "format/debezium/form_writers.h"
#include "format/json/calendar.h"
#include "format/json/writer.h"

namespace pgc {

template <typename E>
struct WriteStructured {
    static bool date(FormContext& context, Writer& out, const FormPlan& plan, const Value& value) {
        Fields fields{out, plan};
        if (is_infinite_moment(value)) {
            fields.nulls(3);
            fields.infinity(value);
        } else {
            std::int64_t days = 0;
            if (!epoch_days(value, days)) return fault(context, ValueFault::not_of_type);
            calendar(fields, value.integer);
            fields.nulls(1);
        }
        fields.end();
        return true;
    }

    template <bool zoned>
    static bool time(FormContext& context, Writer& out, const FormPlan& plan, const Value& value) {
        if (value.integer < 0 || value.integer > kMicrosOfDay) {
            return fault(context, ValueFault::not_of_type);
        }
        Fields fields{out, plan};
        clock(fields, value.integer);
        if (zoned) fields.integer(value.zone_seconds);
        fields.integer(plan.scale);
        fields.end();
        return true;
    }

    // With a zone it is UTC's.
    template <bool zoned>
    static bool timestamp(FormContext&, Writer& out, const FormPlan& plan, const Value& value) {
        Fields fields{out, plan};
        if (is_infinite_moment(value)) {
            fields.nulls(zoned ? 9 : 7);
            fields.infinity(value);
        } else {
            const DayAndTime parts = day_and_time(value.integer);
            calendar(fields, parts.day);
            clock(fields, parts.micros);
            if (zoned) {
                fields.integer(0);
                fields.plain("Z");
            }
            fields.nulls(1);
        }
        fields.integer(plan.scale);
        fields.end();
        return true;
    }

    static bool interval(FormContext& context, Writer& out, const FormPlan& plan,
                         const Value& value) {
        constexpr std::int64_t minute = 60 * kMicrosOfSecond;
        const Interval& of = value.interval;
        const std::int64_t hours = of.microseconds / (60 * minute);
        if (is_infinite(of) || hours != static_cast<std::int32_t>(hours)) {
            return fault(context, ValueFault::out_of_range);
        }
        Fields fields{out, plan};
        fields.integer(of.months / 12);
        fields.integer(of.months % 12);
        fields.integer(of.days);
        fields.integer(hours);
        fields.integer(of.microseconds / minute % 60);
        fields.integer(of.microseconds % minute / kMicrosOfSecond);
        fields.integer(of.microseconds % kMicrosOfSecond * 1000);
        fields.integer(plan.scale);
        fields.end();
        return true;
    }

private:
    // A structure's fields, one after the other.
    class Fields {
    public:
        Fields(Writer& out, const FormPlan& plan)
            : out_(out), field_(plan.fields.data()), start_(E::begin_structure(out)) {}

        void integer(std::int64_t value) {
            out_.text(field_++->present);
            E::integer(out_, value);
        }
        void plain(std::string_view text) {
            out_.text(field_++->present);
            E::plain(out_, text);
        }
        void nulls(int count) {
            for (int i = 0; i < count; ++i) out_.text(field_++->absent);
        }
        void infinity(const Value& value) {
            plain(value.integer > 0 ? "POSITIVE_INFINITY" : "NEGATIVE_INFINITY");
        }
        void end() { E::end_structure(out_, start_); }

    private:
        Writer& out_;
        const FieldBytes* field_;
        decltype(E::begin_structure(std::declval<Writer&>())) start_;
    };

    static bool is_infinite_moment(const Value& value) noexcept {
        return value.integer == kInfinity || value.integer == -kInfinity;
    }
    static void calendar(Fields& fields, std::int64_t days) {
        const CivilDate date = civil_date(days);
        fields.integer(date.year);
        fields.integer(static_cast<std::int64_t>(date.month));
        fields.integer(static_cast<std::int64_t>(date.day));
    }
    static void clock(Fields& fields, std::int64_t micros) {
        const std::int64_t seconds = micros / kMicrosOfSecond;
        fields.integer(seconds / 3600);
        fields.integer(seconds / 60 % 60);
        fields.integer(seconds % 60);
        fields.integer(micros % kMicrosOfSecond * 1000);
    }
    static bool fault(FormContext& context, ValueFault fault) noexcept {
        context.fault = fault;
        return false;
    }
};

}  // namespace pgc
