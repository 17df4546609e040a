#include "postgres/snapshot/table_inspection.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "pgclient/answer.h"
#include "postgres/catalog/table_facts.h"
#include "postgres/snapshot/statements.h"

namespace pgc {
namespace {

// Pages sampled for each part a table is cut into.
constexpr double kPagesPerPart = 32;

}  // namespace

TableInspection::TableInspection(Deps deps, std::vector<ColumnShape> now, std::size_t readers)
    : deps_(deps), now_(std::move(now)), readers_(readers) {}

Result<TableInspection::Step> TableInspection::begin() {
    const TableCopyState& table = deps_.table;
    if (table.where().empty()) return ask_columns();
    return check(check_condition_query(table.table().address, table.where()), Question::condition);
}

Result<TableInspection::Step> TableInspection::take(Rows rows) {
    const TableCopyState& table = deps_.table;
    switch (asked_) {
        case Question::condition:
            return check(check_expression_query(table.table().address, table.where()),
                         Question::expression);
        case Question::expression: return ask_columns();
        case Question::columns:
            columns_answer_ = std::move(rows);
            return take_columns(columns_answer_);
        case Question::facts: return take_facts(rows);
        case Question::order: return take_order(rows);
        case Question::split: return take_split(rows);
    }
    return Step::asked;
}

Result<TableInspection::Step> TableInspection::send(const std::string& query, Question question) {
    if (auto sent = deps_.link.send(query); !sent) return std::unexpected(std::move(sent.error()));
    asked_ = question;
    return Step::asked;
}

// By the extended protocol, which takes one statement only.
Result<TableInspection::Step> TableInspection::check(const std::string& query, Question question) {
    if (auto sent = deps_.link.send(query, {}, false); !sent) {
        return std::unexpected(std::move(sent.error()));
    }
    asked_ = question;
    return Step::asked;
}

Result<TableInspection::Step> TableInspection::ask_columns() {
    const SnapshotTable& table = deps_.table.table();
    return send(snapshot_columns_query(deps_.link.server_version(), deps_.publications,
                                       table.address, table.shown),
                Question::columns);
}

Result<TableInspection::Step> TableInspection::take_columns(const Rows& rows) {
    if (rows.rows.empty()) return Step::gone;
    const SnapshotTable& table = deps_.table.table();
    message_.oid = table.shown.oid;
    message_.schema = table.shown.schema;
    message_.name = table.shown.name;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        const char identity = row.letter("identity");
        if (identity == '\0') return std::unexpected(strange_answer("a table's columns"));
        message_.identity = static_cast<ReplicaIdentity>(identity);
        found_.shape.rows = row.number("rows", -1);
        found_.shape.pages = static_cast<std::uint32_t>(row.number("pages"));
        const auto& name = rows.rows[i].front();
        if (name) {
            message_.columns.push_back(
                {.name = *name,
                 .type = row.oid("type"),
                 .modifier = static_cast<std::int32_t>(row.number("modifier")),
                 .identity = row.flag("is_identity")});
        }
        // One without columns has a row all the same, of NULLs but for the table's own.
        if (name && !row.sound()) return std::unexpected(strange_answer("a table's columns"));
    }
    const auto types = deps_.relations.unknown_types(message_);
    const auto sent =
        deps_.link.send(table_facts_query(deps_.link.server_version(),
                                          deps_.relations.wants_unique_indexes(message_)),
                        table_facts_parameters(table.shown.oid, types), false);
    if (!sent) return std::unexpected(sent.error());
    asked_ = Question::facts;
    return Step::asked;
}

Result<TableInspection::Step> TableInspection::take_facts(const Rows& rows) {
    const auto facts = read_table_facts(rows);
    if (!facts) return std::unexpected(facts.error());
    auto relation = deps_.relations.describe(message_, *facts);
    if (!relation) return std::unexpected(std::move(relation.error()));
    TableShape& shape = found_.shape;
    shape.relation = std::move(*relation);
    const Relation& is = *shape.relation;
    bool binary = deps_.config.binary && !deps_.carry_over.text_only;
    for (std::uint32_t i = 0; i < is.columns.size(); ++i) {
        if (!is.columns[i].captured) continue;
        shape.columns.push_back(is.columns[i].name);
        shape.places.push_back(i);
        // What the stream sends as text among binary values, COPY does not.
        const bool sendable = is.columns[i].type->read_binary != nullptr;
        binary = binary && sendable && deps_.relations.binary_known(message_.columns[i].type);
    }
    std::vector<std::string> key;
    for (const std::uint32_t place : is.key) {
        key.push_back(is.columns[place].name);
        binary = binary && has_key_text(*is.columns[place].type);
    }
    shape.form = binary ? CopyForm::binary : CopyForm::text;
    const SnapshotTable& table = deps_.table.table();
    return send(snapshot_order_query(deps_.link.server_version(), table.address, table.shown, key),
                Question::order);
}

Result<TableInspection::Step> TableInspection::take_order(const Rows& rows) {
    TableShape& shape = found_.shape;
    std::map<std::string, std::size_t, std::less<>> ordered;  // the key's columns
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        shape.was.push_back({.name = row.text("name"),
                             .number = row.number("number"),
                             .type = row.oid("type"),
                             .modifier = row.number("modifier")});
        if (i == 0) shape.versions.push_back({.number = 0, .version = row.text("file")});
        shape.versions.push_back({.number = static_cast<std::uint32_t>(row.number("number")),
                                  .version = row.text("made"),
                                  .fills = row.flag("fills")});
        if (!row.sound()) return std::unexpected(strange_answer("a table's order"));
        if (!row.is_null("less")) ordered.emplace(shape.was.back().name, i);
    }
    if (!is_still(shape.was, now_)) return Step::altered;
    const Relation& is = *shape.relation;
    for (const std::uint32_t place : is.key) {
        const auto at = ordered.find(is.columns[place].name);
        // What no index makes unique can't show where a chunk ends: it is read whole.
        if (at == ordered.end()) {
            shape.key.clear();
            shape.ordered_by.clear();
            break;
        }
        Answer row{rows, at->second};
        shape.key.push_back({.name = at->first,
                             .type = row.text("type_name"),
                             .collation = row.text("collation"),
                             .operators = {.less = row.text("less"),
                                           .at_most = row.text("at_most"),
                                           .equal = row.text("equal"),
                                           .at_least = row.text("at_least"),
                                           .greater = row.text("greater")}});
        shape.ordered_by.push_back(ordering_word({.column = at->first,
                                                  .type = message_.columns[place].type,
                                                  .unusual = row.text("unusual"),
                                                  .version = row.text("version")}));
    }
    return cut();
}

Result<TableInspection::Step> TableInspection::cut() {
    const TableShape& shape = found_.shape;
    found_.parts = deps_.table.parts_wanted(shape, readers_);
    const bool by_places = shape.key.empty();
    if (by_places && deps_.link.server_version() < 140000) found_.parts = 1;
    if (found_.parts < 2 || by_places || shape.pages == 0) return Step::known;
    const double percent = std::min(100.0, 100 * kPagesPerPart * found_.parts / shape.pages);
    return send(split_query(deps_.table.table().address, shape.key, found_.parts, percent),
                Question::split);
}

Result<TableInspection::Step> TableInspection::take_split(const Rows& rows) {
    for (const auto& row : rows.rows) {
        Key bound;
        for (const auto& text : row) {
            if (text) bound.push_back(*text);
        }
        if (bound.size() != found_.shape.key.size()) {
            return std::unexpected(strange_answer("where to cut a table"));
        }
        found_.bounds.push_back(std::move(bound));
    }
    return Step::known;
}

}  // namespace pgc
