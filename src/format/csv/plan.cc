#include "format/csv/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/arena.h"
#include "format/cells.h"
#include "format/json/names.h"

namespace pgc {
namespace {

CsvField compile_field(const Relation& relation, std::uint32_t place, const CsvOptions& options) {
    const Type& type = *relation.columns[place].type;
    return {.column = place,
            .type = relation.columns[place].type,
            .read_text = is_written_as_sent(type, options) ? nullptr : type.read_text,
            .read_binary = type.read_binary,
            .write = csv_writer_of(type, options),
            .compound = is_compound(type.kind)};
}

class HeaderLine {
public:
    explicit HeaderLine(const CsvOptions& options) : context_(options) {
        context_.invalid_utf8 = InvalidUtf8::base64;  // which can't fail, and keeps names distinct
        out_.begin(arena_);
    }

    void add(std::string_view name) {
        if (out_.size() > 0) out_.byte(context_.delimiter);
        (void)append_field(context_, out_, name);
    }
    void add_known(std::string_view name) {
        if (!name.empty()) add(name);
    }
    std::string take() { return std::string{out_.finish()}; }

private:
    CsvContext context_;
    Arena arena_;
    Writer out_;
};

}  // namespace

Result<CsvPlan> compile_csv_plan(const Relation& relation, const CsvOptions& options,
                                 const FormatOptions& format) {
    auto before = compile_plan(relation, format, {});
    if (!before) return std::unexpected(std::move(before.error()));
    CsvPlan plan{.fields = {}, .key = {}, .before = std::move(*before)};
    for (std::uint32_t place = 0; place < relation.columns.size(); ++place) {
        if (!relation.columns[place].captured) continue;
        plan.fields.push_back(compile_field(relation, place, options));
    }
    for_each_key_column(relation, [&](std::uint32_t place) {
        plan.key.push_back(compile_field(relation, place, options));
    });
    return plan;
}

Result<void> check_csv_names(const Relation& relation, const CsvColumns& columns) {
    for (const CsvColumn& added : kCsvColumns) {
        const std::string& name = columns.*added.name;
        const auto clashes = [&](const Column& column) {
            return column.captured && column.name == name;
        };
        if (name.empty() || std::ranges::none_of(relation.columns, clashes)) continue;
        const std::string option = csv_column_option(added);
        return std::unexpected(
            stop(Error::Category::configuration,
                 fmt::format("the table has a column \"{}\", and {} adds one of that name", name,
                             option))
                .at(fmt::format("table {}", qualified_name(relation)))
                .with_hint(fmt::format("set {} to another name", option)));
    }
    return {};
}

std::string csv_header(const Relation* relation, const CsvOptions& options) {
    HeaderLine line{options};
    for (const CsvColumn& added : kCsvColumns) {
        if (added.name == &CsvColumns::before) {
            if (relation == nullptr) {
                for (const std::string_view name : kCsvMessageColumns) line.add(name);
            } else {
                for (const Column& column : relation->columns) {
                    if (column.captured) line.add(column.name);
                }
            }
        }
        line.add_known(options.columns.*added.name);
    }
    return line.take();
}

}  // namespace pgc
