#include "kafka/position_admin.h"

#include <array>
#include <cassert>
#include <memory>

#include "kafka/errors.h"

namespace pgc {
namespace {

KafkaAdminOptions options_for(const KafkaClient& client, rd_kafka_admin_op_t request) {
    std::array<char, 256> text{};
    KafkaAdminOptions options{rd_kafka_AdminOptions_new(client.handle(), request)};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), kPositionRequest_ms, text.data(),
                                              text.size());
    return options;
}

std::string text_or_nothing(const char* text) {
    return text == nullptr ? std::string{} : std::string{text};
}

KafkaAnswer answer_of(const rd_kafka_error_t* error) {
    if (error == nullptr) return {};
    return {rd_kafka_error_code(error), text_or_nothing(rd_kafka_error_string(error))};
}

// The library's accessors take what they don't change as if they did.
rd_kafka_event_t* open(const rd_kafka_event_t* event) noexcept {
    return const_cast<rd_kafka_event_t*>(event);
}

const KafkaAnswer kNothing{RD_KAFKA_RESP_ERR_UNKNOWN, "the answer is empty"};

}  // namespace

void ask_for_topic(const KafkaClient& client, const std::string& topic) {
    const char* names[] = {topic.c_str()};
    rd_kafka_TopicCollection_t* topics = rd_kafka_TopicCollection_of_topic_names(names, 1);
    rd_kafka_DescribeTopics(client.handle(), topics,
                            options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS).get(),
                            client.queue());
    rd_kafka_TopicCollection_destroy(topics);
}

void ask_for_settings(const KafkaClient& client, const std::string& topic) {
    auto* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
    rd_kafka_DescribeConfigs(client.handle(), &resource, 1,
                             options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS).get(),
                             client.queue());
    rd_kafka_ConfigResource_destroy(resource);
}

void ask_for_end(const KafkaClient& client, const std::string& topic, bool only_settled) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_SPEC_LATEST;
    const KafkaAdminOptions options = options_for(client, RD_KAFKA_ADMIN_OP_LISTOFFSETS);
    // The end of all records: our last one may lie behind somebody else's open transaction.
    if (auto* error = rd_kafka_AdminOptions_set_isolation_level(
            options.get(), only_settled ? RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED
                                        : RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED)) {
        rd_kafka_error_destroy(error);
    }
    rd_kafka_ListOffsets(client.handle(), list, options.get(), client.queue());
    rd_kafka_topic_partition_list_destroy(list);
}

void ask_to_create(const KafkaClient& client, const PositionTopicConfig& config, bool only_try) {
    std::array<char, 256> text{};
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(
        config.name.c_str(), 1, config.replication_factor, text.data(), text.size());
    assert(topic != nullptr && "the options' ranges are narrower than the library's");
    for (const auto& [name, value] : kPositionTopicConfig) {
        rd_kafka_NewTopic_set_config(topic, std::string{name}.c_str(), std::string{value}.c_str());
    }
    const KafkaAdminOptions options = options_for(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), kPositionRequest_ms - 1000,
                                                text.data(), text.size());
    rd_kafka_AdminOptions_set_validate_only(options.get(), only_try ? 1 : 0, text.data(),
                                            text.size());
    rd_kafka_CreateTopics(client.handle(), &topic, 1, options.get(), client.queue());
    rd_kafka_NewTopic_destroy(topic);
}

TopicAnswer topic_in(const rd_kafka_event_t* event) {
    std::size_t count = 0;
    const rd_kafka_TopicDescription_t** topics = rd_kafka_DescribeTopics_result_topics(
        rd_kafka_event_DescribeTopics_result(open(event)), &count);
    if (count == 0) return {kNothing, 0};
    TopicAnswer answer{answer_of(rd_kafka_TopicDescription_error(topics[0])), 0};
    rd_kafka_TopicDescription_partitions(topics[0], &answer.partitions);
    return answer;
}

SettingsAnswer settings_in(const rd_kafka_event_t* event) {
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(open(event)), &count);
    if (count == 0) return {kNothing, {}};
    SettingsAnswer answer{{rd_kafka_ConfigResource_error(resources[0]),
                           text_or_nothing(rd_kafka_ConfigResource_error_string(resources[0]))},
                          {}};
    std::size_t entries = 0;
    const rd_kafka_ConfigEntry_t** all = rd_kafka_ConfigResource_configs(resources[0], &entries);
    for (std::size_t i = 0; i < entries; ++i) {
        if (std::string_view{rd_kafka_ConfigEntry_name(all[i])} == "cleanup.policy") {
            answer.cleanup_policy = text_or_nothing(rd_kafka_ConfigEntry_value(all[i]));
        }
    }
    return answer;
}

EndAnswer end_in(const rd_kafka_event_t* event) {
    std::size_t count = 0;
    const rd_kafka_ListOffsetsResultInfo_t** infos =
        rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(open(event)), &count);
    if (count == 0) return {kNothing, 0};
    const auto* partition = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[0]);
    return {{partition->err, {}}, partition->offset};
}

KafkaAnswer creation_in(const rd_kafka_event_t* event) {
    std::size_t count = 0;
    const rd_kafka_topic_result_t** topics = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(open(event)), &count);
    if (count == 0) return kNothing;
    return {rd_kafka_topic_result_error(topics[0]),
            text_or_nothing(rd_kafka_topic_result_error_string(topics[0]))};
}

Error position_error(const KafkaAnswer& answer, std::string_view what, const PositionHints& hints) {
    Error error = kafka_error(answer.code, what, answer.text).at(hints.where());
    if (error.category == Error::Category::permission) error.hint = hints.allow();
    return error;
}

// A request that found nobody says only that time is over; the client knows more.
Error position_silence(const KafkaClient& client, const rd_kafka_event_t* event,
                       std::string_view what, const PositionHints& hints) {
    if (const auto trouble = client.trouble()) return trouble->error;
    const char* text = rd_kafka_event_error_string(open(event));
    return position_error({rd_kafka_event_error(open(event)), text_or_nothing(text)}, what, hints);
}

}  // namespace pgc
