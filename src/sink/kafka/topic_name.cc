#include "sink/kafka/topic_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sink/kafka/partitioner.h"

namespace pgc {
namespace {

constexpr std::size_t kSuffix = 9;  // "-5f3a91c7"

bool continues_character(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

bool is_dots(std::string_view name) noexcept {
    return name == "." || name == "..";
}

// The next piece of a template: literal text, or the name in {name}. False: the end.
struct Piece {
    std::string_view text;
    bool variable = false;
};
bool next_piece(std::string_view& rest, Piece& piece) {
    if (rest.empty()) return false;
    const auto brace = rest.find('{');
    if (brace != 0) {
        piece = {rest.substr(0, brace), false};
        rest.remove_prefix(piece.text.size());
        return true;
    }
    const auto end = rest.find('}');
    if (end == std::string_view::npos) {
        piece = {rest, false};
        rest = {};
        return true;
    }
    piece = {rest.substr(1, end - 1), true};
    rest.remove_prefix(end + 1);
    return true;
}

std::string_view value_of(std::string_view variable, const TopicVariables& variables) noexcept {
    if (variable == "prefix") return variables.prefix;
    if (variable == "db") return variables.database;
    return variable == "schema" ? variables.schema : variables.table;
}

bool is_variable(std::string_view word, TopicOf of) noexcept {
    const bool of_all = word == "prefix" || word == "db";
    return of_all || (of == TopicOf::table && (word == "schema" || word == "table"));
}

bool uses(std::string_view text, std::string_view variable) {
    for (Piece piece; next_piece(text, piece);) {
        if (piece.variable && piece.text == variable) return true;
    }
    return false;
}

// A part of a table's name as it stands between dots: no two tables read the same.
std::string part(std::string_view name) {
    if (name.find_first_of(".\"") == std::string_view::npos) return std::string{name};
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

std::string with_underscores(std::string name) {
    std::ranges::replace(name, '.', '_');
    return name;
}

}  // namespace

std::string template_fault(std::string_view text, TopicOf of) {
    if (text.empty()) return "a topic needs a name";
    if (text.size() > kTopicName_max) {
        return fmt::format("is longer than the {} characters of a topic's name", kTopicName_max);
    }
    for (Piece piece; next_piece(text, piece);) {
        if (piece.variable && !is_variable(piece.text, of)) {
            return fmt::format("{{{}}} stands for nothing here, only {} do", piece.text,
                               of == TopicOf::table ? "{prefix}, {db}, {schema} and {table}"
                                                    : "{prefix} and {db}");
        }
        if (!piece.variable && !std::ranges::all_of(piece.text, is_topic_character)) {
            return "a topic's name may hold A-Z, a-z, 0-9, ., _ and - only";
        }
    }
    return {};
}

std::string fill_template(std::string_view text, const TopicVariables& variables) {
    std::string name;
    for (Piece piece; next_piece(text, piece);) {
        name += piece.variable ? value_of(piece.text, variables) : piece.text;
    }
    return name;
}

bool is_topic_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= kTopicName_max && !is_dots(name) &&
           std::ranges::all_of(name, is_topic_character);
}

std::string safe_topic_name(std::string_view name) {
    if (is_topic_name(name)) return std::string{name};
    std::string safe;
    for (const char c : name) {
        if (continues_character(c)) continue;
        if (safe.size() == kTopicName_max - kSuffix) break;
        safe += is_topic_character(c) ? c : '_';
    }
    if (is_dots(name)) safe.assign(name.size(), '_');
    return fmt::format("{}-{:08x}", safe, murmur2(name));
}

TopicNames::TopicNames(const KafkaConfig& config)
    : template_(config.topic),
      plain_(config.plain_topics),
      prefix_(config.topic_prefix),
      database_(config.database),
      messages_(of_pipeline(config.message_topic)),
      transactions_(config.transaction_topic ? of_pipeline(*config.transaction_topic) : ""),
      heartbeats_(config.heartbeat_topic ? of_pipeline(*config.heartbeat_topic) : ""),
      dead_letters_(of_pipeline(config.dead_letter_topic)),
      positions_(config.state_topic) {
    owners_.emplace(messages_, "kafka.message_topic");
    if (config.transaction_topic) owners_.emplace(transactions_, "kafka.transaction_topic");
    if (config.heartbeat_topic) {
        owners_.emplace(heartbeats_, "format.debezium.heartbeat_interval_ms");
    }
    owners_.emplace(dead_letters_, "dead_letter_topic");
    owners_.emplace(positions_, "state.topic");
    for (const auto& [name, whose] : owners_) lookalikes_.emplace(with_underscores(name), name);
}

std::string TopicNames::of_pipeline(std::string_view text) const {
    return safe_topic_name(fill_template(text, {.prefix = prefix_, .database = database_}));
}

std::string TopicNames::owner(std::string_view schema, std::string_view table) const {
    if (uses(template_, "table")) return fmt::format("table {}.{}", part(schema), part(table));
    return uses(template_, "schema") ? fmt::format("schema {}", part(schema)) : "all tables";
}

std::string TopicNames::name_of(std::string_view schema, std::string_view table) const {
    const std::string name = fill_template(template_, {prefix_, database_, schema, table});
    return plain_ ? plain_topic_name(name) : safe_topic_name(name);
}

Result<TopicNames::Topic> TopicNames::of_table(std::string_view schema, std::string_view table) {
    Topic topic{.name = name_of(schema, table), .lookalike = {}};
    std::string whose = owner(schema, table);
    const auto [entry, added] = owners_.try_emplace(topic.name, whose);
    if (!added && entry->second != whose) {
        return std::unexpected(
            stop(Error::Category::configuration, fmt::format("{} and {} would share the topic {}",
                                                             entry->second, whose, topic.name))
                .at(fmt::format("table {}.{}", part(schema), part(table)))
                .with_hint("change kafka.topic so that their names differ (it may hold {prefix}, "
                           "{db}, {schema} and {table}), or leave one of them out with "
                           "source.tables.exclude"));
    }
    const auto [first, alone] = lookalikes_.try_emplace(with_underscores(topic.name), topic.name);
    if (!alone && first->second != topic.name) topic.lookalike = first->second;
    return topic;
}

}  // namespace pgc
