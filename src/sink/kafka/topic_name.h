// Names of topics: templates, what Kafka can hold, and who has which name.
//
//   "{prefix}.{schema}.{table}"  ──▶  "cdc.public.users"
//
// A template is literal text and {prefix}, {db}, {schema}, {table}. Kafka's names are
// 1 to 249 of A-Z a-z 0-9 . _ - and neither "." nor "..". A name that isn't is made safe:
// each character it can't hold becomes _, what is too long is cut, and a hash of the name
// as it was is put after: "cdc.public.Order_Details-5f3a91c7". So two tables nearly never
// get the same name; where they do, the second is refused. With messages of Debezium's form tables
// have the names that Debezium gives them, which are without the hash.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "core/topic_characters.h"
#include "sink/kafka/config.h"

namespace pgc {

struct TopicVariables {
    std::string_view prefix;
    std::string_view database;
    std::string_view schema;
    std::string_view table;
};

// The pipeline's own topics know nothing of {schema} and {table}.
enum class TopicOf : std::uint8_t { table, pipeline };

// What is wrong with a template, as one clause; empty if nothing is.
std::string template_fault(std::string_view text, TopicOf of);

// Requires: no template_fault().
std::string fill_template(std::string_view text, const TopicVariables& variables);

bool is_topic_name(std::string_view name) noexcept;
// The name itself where Kafka can hold it.
std::string safe_topic_name(std::string_view name);

// Gives tables their topics and remembers who has which.
//
// A template with {table} gives each table a topic of its own, so two tables that get
// one name are an error, which names both. One without {table} is meant to be shared.
//
// The pipeline's own topics (messages, transactions, heartbeats, dead letters, positions) have
// their names from the start: no table can get one of them.
class TopicNames {
public:
    explicit TopicNames(const KafkaConfig& config);

    struct Topic {
        std::string name;
        // Another topic of ours that differs from it only in . and _: Kafka keeps both but
        // mixes up their metrics, and creates the second only where the first is elsewhere.
        std::string lookalike;
    };
    // The same answer at each call. The Error is of the configuration: stop.
    Result<Topic> of_table(std::string_view schema, std::string_view table);

    const std::string& messages() const noexcept { return messages_; }
    // Of marks, of heartbeats; empty where none are written.
    const std::string& transactions() const noexcept { return transactions_; }
    const std::string& heartbeats() const noexcept { return heartbeats_; }
    const std::string& dead_letters() const noexcept { return dead_letters_; }
    const std::string& positions() const noexcept { return positions_; }

private:
    std::string of_pipeline(std::string_view text) const;
    std::string name_of(std::string_view schema, std::string_view table) const;
    std::string owner(std::string_view schema, std::string_view table) const;

    const std::string template_;
    const bool plain_;
    const std::string prefix_;
    const std::string database_;
    const std::string messages_;
    const std::string transactions_;
    const std::string heartbeats_;
    const std::string dead_letters_;
    const std::string positions_;
    std::map<std::string, std::string, std::less<>> owners_;      // of each name
    std::map<std::string, std::string, std::less<>> lookalikes_;  // name with . as _ -> first name
};

}  // namespace pgc
