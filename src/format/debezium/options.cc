#include "format/debezium/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/words.h"
#include "config/option_checker.h"
#include "format/debezium/placeholder.h"
#include "format/options.h"

namespace pgc {
namespace {

constexpr auto kTimes = words_for<TimePrecision>(
    {{"adaptive", TimePrecision::adaptive},
     {"adaptive_time_microseconds", TimePrecision::adaptive_time_microseconds},
     {"connect", TimePrecision::connect},
     {"isostring", TimePrecision::isostring},
     {"microseconds", TimePrecision::microseconds},
     {"nanoseconds", TimePrecision::nanoseconds},
     {"structured", TimePrecision::structured}});
constexpr auto kDecimals = words_for<DecimalHandling>({{"precise", DecimalHandling::precise},
                                                       {"string", DecimalHandling::string},
                                                       {"double", DecimalHandling::nearest}});
constexpr auto kBinaries =
    words_for<BinaryHandling>({{"bytes", BinaryHandling::bytes},
                               {"base64", BinaryHandling::base64},
                               {"base64-url-safe", BinaryHandling::base64_url_safe},
                               {"hex", BinaryHandling::hex}});
constexpr auto kIntervals = words_for<IntervalHandling>(
    {{"numeric", IntervalHandling::numeric}, {"string", IntervalHandling::string}});
constexpr auto kHstores =
    words_for<HstoreHandling>({{"json", HstoreHandling::json}, {"map", HstoreHandling::map}});
constexpr auto kAdjustments =
    words_for<NameAdjustment>({{"none", NameAdjustment::none},
                               {"avro", NameAdjustment::avro},
                               {"avro_unicode", NameAdjustment::avro_unicode}});
constexpr std::string_view kSkippable = "c|u|d|t|none";
constexpr std::string_view kPlaceholder = "format.debezium.unavailable_value_placeholder";
constexpr std::string_view kMessageKeyColumns = "format.debezium.message_key_columns";

constexpr Option kOptions[] = {
    {.path = "format.debezium.time_precision_mode",
     .kind = OptionKind::choice,
     .fallback = "adaptive",
     .help = "how dates and times are written",
     .doc = "Debezium's `time.precision.mode`. A time that the chosen unit can't hold (nanoseconds "
            "end in the year 2262) stops the pipeline, and is never wrapped around. With "
            "`structured` intervals are structures as well.",
     .words = kTimes.all()},
    {.path = "format.debezium.decimal_handling_mode",
     .kind = OptionKind::choice,
     .fallback = "precise",
     .help = "how numeric and money are written",
     .doc = "Debezium's `decimal.handling.mode`. `precise` has no place for NaN and the "
            "infinities: such a value stops the pipeline; Debezium writes null.",
     .words = kDecimals.all()},
    {.path = "format.debezium.binary_handling_mode",
     .kind = OptionKind::choice,
     .fallback = "bytes",
     .help = "how bytea is written",
     .doc = "Debezium's `binary.handling.mode`.",
     .words = kBinaries.all()},
    {.path = "format.debezium.interval_handling_mode",
     .kind = OptionKind::choice,
     .fallback = "numeric",
     .help = "how intervals are written",
     .doc = "Debezium's `interval.handling.mode`: microseconds, with a month of 365.25 / 12 days, "
            "or `P1Y2M3DT4H5M6.78S`.",
     .words = kIntervals.all()},
    {.path = "format.debezium.hstore_handling_mode",
     .kind = OptionKind::choice,
     .fallback = "json",
     .help = "how hstore is written",
     .doc = "Debezium's `hstore.handling.mode`: a text of JSON, or an object.",
     .words = kHstores.all()},
    {.path = kPlaceholder,
     .fallback = "__debezium_unavailable_value",
     .help = "what stands for an unchanged TOASTed value that the server did not send",
     .doc = "Debezium's `unavailable.value.placeholder`: a text, or bytes as `hex:00ff`. With "
            "`source.toast: reselect` the value as it is now stands there instead."},
    {.path = "format.debezium.tombstones_on_delete",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "after a DELETE a second message with its key and no value",
     .doc = "Debezium's `tombstones.on.delete`."},
    {.path = "format.debezium.provide_transaction_metadata",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "the place in its transaction in each message, and where transactions begin and end",
     .doc = "Debezium's `provide.transaction.metadata`. BEGIN and END go to "
            "`{prefix}.transaction`, or where `kafka.transaction_topic` says."},
    {.path = "format.debezium.heartbeat_interval_ms",
     .kind = OptionKind::milliseconds,
     .fallback = "0",
     .help = "how often a heartbeat is sent; 0 for never",
     .doc = "Debezium's `heartbeat.interval.ms`: a message to the topic "
            "`__debezium-heartbeat.{prefix}`, whether or not anything changes, unless the one "
            "before it has not arrived yet. The slot of an idle database moves on without it. For "
            "Debezium's `heartbeat.action.query` there is "
            "`source.heartbeat`.",
     .min = 0,
     .max = 86'400'000},
    {.path = "format.debezium.skipped_operations",
     .kind = OptionKind::list,
     .fallback = "t",
     .help = "operations of which no message is written",
     .doc = "Debezium's `skipped.operations`: `c`, `u`, `d`, `t`, or `none`. TRUNCATE is skipped "
            "unless this says otherwise.",
     .words = kSkippable},
    {.path = "format.debezium.field_name_adjustment_mode",
     .kind = OptionKind::choice,
     .fallback = "none",
     .help = "how names of columns become names of fields",
     .doc = "Debezium's `field.name.adjustment.mode`.",
     .words = kAdjustments.all()},
    {.path = "format.debezium.schema_name_adjustment_mode",
     .kind = OptionKind::choice,
     .fallback = "none",
     .help = "how names of tables become names of schemas",
     .doc = "Debezium's `schema.name.adjustment.mode`.",
     .words = kAdjustments.all()},
    {.path = kMessageKeyColumns,
     .help = "columns that make the key of messages: schema.table:a,b;(.*).other:c",
     .doc =
         "Debezium's `message.key.columns`: regular expressions over schema.table, which have to "
         "match as a whole and whatever the case, then names of columns. It is "
         "`source.message_keys` in another spelling, and what stands there holds here."},
    {.path = "format.debezium.extended_headers_enabled",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "the headers __debezium.context.*",
     .doc = "Debezium's `extended.headers.enabled`: logical name, task and connector with each "
            "message."},
};

class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        if (is_debezium_like(format_type(settings()))) return of_debezium();
        for (const Option& option : kOptions) {
            only_with(option.path, "format.type", false, "it is about messages of Debezium's form",
                      "set format.type to debezium or flat, or leave it out");
        }
    }

private:
    void of_debezium() {
        none_and_others();
        placeholder();
        message_keys();
    }

    void placeholder() {
        if (!good(kPlaceholder) || is_placeholder(settings().text(kPlaceholder))) return;
        add(kPlaceholder, "after hex: there must be pairs of hexadecimal digits",
            "write bytes as hex:00ff, or a text that begins otherwise");
    }

    void message_keys() {
        if (!good(kMessageKeyColumns)) return;
        const std::string& text = settings().text(kMessageKeyColumns);
        if (auto named = NamedColumns::of_debezium(kMessageKeyColumns, text); !named) {
            add(kMessageKeyColumns, std::move(named.error()),
                "write schema.table:column,column;schema.table:column");
        }
        constexpr std::string_view ours = "source.message_keys";
        if (!text.empty() && settings().declared(ours) && settings().given(ours)) {
            contradiction({kMessageKeyColumns, ours}, "both say what keys are made of",
                          fmt::format("leave {} out", ours));
        }
    }

    void none_and_others() {
        const auto& skipped = settings().list("format.debezium.skipped_operations");
        if (skipped.size() > 1 && std::ranges::find(skipped, "none") != skipped.end()) {
            add("format.debezium.skipped_operations", "is none and something else",
                "leave none out, or all others");
        }
    }
};

void check_debezium(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

}  // namespace

const OptionTable kDebeziumOptions{
    .section = "format.debezium",
    .about = "Messages of Debezium's form, under Debezium's names and values.",
    .options = kOptions,
    .check = check_debezium,
};

NamedColumns debezium_message_keys(const Settings& settings) {
    auto named = NamedColumns::of_debezium(kMessageKeyColumns, settings.text(kMessageKeyColumns));
    return named ? std::move(*named) : NamedColumns{};
}

DebeziumOptions debezium_options(const Settings& settings) {
    const auto path = [](std::string_view name) { return fmt::format("format.debezium.{}", name); };
    DebeziumOptions options;
    options.schemas = settings.boolean("format.schemas_enable");
    options.time_precision = settings.choice(path("time_precision_mode"), kTimes);
    options.decimal = settings.choice(path("decimal_handling_mode"), kDecimals);
    options.binary = settings.choice(path("binary_handling_mode"), kBinaries);
    options.interval = settings.choice(path("interval_handling_mode"), kIntervals);
    options.hstore = settings.choice(path("hstore_handling_mode"), kHstores);
    options.unavailable_value = settings.text(kPlaceholder);
    options.tombstones = settings.boolean(path("tombstones_on_delete"));
    options.transaction_metadata = settings.boolean(path("provide_transaction_metadata"));
    options.heartbeat_interval = settings.duration(path("heartbeat_interval_ms"));
    options.field_names = settings.choice(path("field_name_adjustment_mode"), kAdjustments);
    options.schema_names = settings.choice(path("schema_name_adjustment_mode"), kAdjustments);
    options.extended_headers = settings.boolean(path("extended_headers_enabled"));
    const auto skip = [&](Operation operation) {
        options.skipped[static_cast<std::size_t>(operation)] = true;
    };
    for (const std::string& word : settings.list(path("skipped_operations"))) {
        if (word == "c") skip(Operation::insert);
        if (word == "u") skip(Operation::update);
        if (word == "d") skip(Operation::remove);
        if (word == "t") skip(Operation::truncate);
    }
    return options;
}

}  // namespace pgc
