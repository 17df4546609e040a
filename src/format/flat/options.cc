#include "format/flat/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/words.h"
#include "config/option_checker.h"
#include "format/options.h"

namespace pgc {
namespace {

constexpr auto kDeletes =
    words_for<FlatDeletes>({{"drop", FlatDeletes::drop},
                            {"tombstone", FlatDeletes::tombstone},
                            {"rewrite", FlatDeletes::rewrite},
                            {"rewrite-with-tombstone", FlatDeletes::rewrite_with_tombstone},
                            {"delete-to-tombstone", FlatDeletes::delete_to_tombstone}});
constexpr std::string_view kOldDeletes = "drop|rewrite|none";

constexpr std::string_view kMode = "format.flat.delete_tombstone_handling_mode";
constexpr std::string_view kOldMode = "format.flat.delete_handling_mode";
constexpr std::string_view kOldDrop = "format.flat.drop_tombstones";
constexpr std::string_view kFields = "format.flat.add_fields";
constexpr std::string_view kHeaders = "format.flat.add_headers";

constexpr Option kOptions[] = {
    {.path = kMode,
     .kind = OptionKind::choice,
     .fallback = "tombstone",
     .help = "what becomes of a DELETE",
     .doc = "Debezium's `delete.tombstone.handling.mode`. `drop`: nothing. `tombstone` and "
            "`delete-to-tombstone`: a message with the row's key and no value. `rewrite`: the row "
            "as it was, with `__deleted: \"true\"`; rows of other messages have `\"false\"`. "
            "`rewrite-with-tombstone`: both. A table without a key has no tombstones.",
     .words = kDeletes.all()},
    {.path = kOldMode,
     .kind = OptionKind::choice,
     .fallback = "drop",
     .help = "the same, as Debezium before 2.5 called it",
     .doc = "`delete.handling.mode`, together with `drop_tombstones`.",
     .words = kOldDeletes},
    {.path = kOldDrop,
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "no tombstones, as Debezium before 2.5 called it",
     .doc = "`drop.tombstones`, together with `delete_handling_mode`."},
    {.path = kFields,
     .kind = OptionKind::list,
     .help = "what is written beside the row: op, table, lsn, source.ts_ms, transaction.id …",
     .doc = "Debezium's `add.fields`: fields of the envelope and of its blocks `source`, "
            "`transaction`, `before` and `after`; `field:name` gives one another name."},
    {.path = "format.flat.add_fields_prefix",
     .fallback = "__",
     .help = "what their names begin with",
     .doc = "Debezium's `add.fields.prefix`."},
    {.path = kHeaders,
     .kind = OptionKind::list,
     .help = "what is written into headers, likewise",
     .doc = "Debezium's `add.headers`. Values are texts."},
    {.path = "format.flat.add_headers_prefix",
     .fallback = "__",
     .help = "what their names begin with",
     .doc = "Debezium's `add.headers.prefix`."},
};

using Of = FlatField::Of;

constexpr auto kBlocks = words_for<Of>({{"source", Of::source},
                                        {"transaction", Of::transaction},
                                        {"before", Of::before},
                                        {"after", Of::after}});
constexpr std::array kFieldsOfEnvelope{"op", "ts_ms", "ts_us", "ts_ns"};
constexpr std::array kFieldsOfTransaction{"id", "total_order", "data_collection_order"};
constexpr std::array kFieldsOfSource{
    "version", "connector", "name",  "ts_ms", "snapshot", "db",   "sequence", "ts_us",
    "ts_ns",   "schema",    "table", "txId",  "lsn",      "xmin", "origin",   "origin_lsn"};

template <std::size_t kCount>
bool is_one_of(const std::array<const char*, kCount>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

bool exists(const FlatField& field) {
    switch (field.of) {
        case Of::envelope: return is_one_of(kFieldsOfEnvelope, field.field);
        case Of::source: return is_one_of(kFieldsOfSource, field.field);
        case Of::transaction: return is_one_of(kFieldsOfTransaction, field.field);
        case Of::before:
        case Of::after: return !field.field.empty();  // tables may have such a column or not
    }
    return false;
}

// `op`, `source.ts_ms`, `lsn:position`.
std::optional<FlatField> parse(std::string_view text, std::string_view prefix) {
    FlatField field;
    const std::size_t colon = text.find(':');
    const std::string_view path = text.substr(0, colon);
    const std::size_t dot = path.find('.');
    std::string name;
    if (dot == std::string_view::npos) {
        field.field = path;
        name = path;
        field.of = is_one_of(kFieldsOfTransaction, path) ? Of::transaction
                   : is_one_of(kFieldsOfEnvelope, path)  ? Of::envelope
                                                         : Of::source;
    } else {
        const auto block = kBlocks.find(path.substr(0, dot));
        if (!block) return std::nullopt;
        field.of = *block;
        field.field = path.substr(dot + 1);
        name = fmt::format("{}_{}", path.substr(0, dot), field.field);
    }
    if (colon != std::string_view::npos) name = text.substr(colon + 1);
    field.name = std::string{prefix} + name;
    if (name.empty() || !exists(field)) return std::nullopt;
    return field;
}

std::vector<FlatField> parsed(const Settings& settings, std::string_view path) {
    std::vector<FlatField> fields;
    const std::string& prefix = settings.text(fmt::format("{}_prefix", path));
    for (const std::string& text : settings.list(path)) {
        if (auto field = parse(text, prefix)) fields.push_back(std::move(*field));
    }
    return fields;
}

class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        const bool flat = format_type(settings()) == FormatType::flat;
        for (const Option& option : kOptions) {
            only_with(option.path, "format.type", flat, "it is about flat messages",
                      "set format.type to flat, or leave it out");
        }
        if (!flat) return;
        for (const std::string_view old : {kOldMode, kOldDrop}) {
            if (settings().given(kMode) && settings().given(old)) {
                contradiction({kMode, old}, "both say what becomes of a DELETE",
                              fmt::format("leave {} out", old));
            }
        }
        fields(kFields);
        fields(kHeaders);
    }

private:
    void fields(std::string_view path) {
        if (!good(path)) return;
        for (const std::string& text : settings().list(path)) {
            if (parse(text, "")) continue;
            add(path, fmt::format("there is no field \"{}\"", text),
                "fields are op, ts_ms, ts_us, ts_ns, those of the source block (db, schema, table, "
                "lsn, txId …), transaction.id, transaction.total_order, before.COLUMN, "
                "after.COLUMN; each may be followed by :NAME");
        }
    }
};

void check_flat(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

FlatDeletes deletes_of(const Settings& settings) {
    if (!settings.given(kOldMode) && !settings.given(kOldDrop)) {
        return settings.choice(kMode, kDeletes);
    }
    const bool without = settings.boolean(kOldDrop);
    const std::string& mode = settings.word(kOldMode);
    if (mode == "rewrite") {
        return without ? FlatDeletes::rewrite : FlatDeletes::rewrite_with_tombstone;
    }
    if (mode == "none") return FlatDeletes::delete_to_tombstone;
    return without ? FlatDeletes::drop : FlatDeletes::tombstone;
}

}  // namespace

const OptionTable kFlatOptions{
    .section = "format.flat",
    .about =
        "Flat messages: the row alone, as Debezium's ExtractNewRecordState makes it. How "
        "values are written, format.debezium says.",
    .options = kOptions,
    .check = check_flat,
};

FlatOptions flat_options(const Settings& settings) {
    return {.deletes = deletes_of(settings),
            .fields = parsed(settings, kFields),
            .headers = parsed(settings, kHeaders)};
}

}  // namespace pgc
