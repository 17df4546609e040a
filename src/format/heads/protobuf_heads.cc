#include "format/heads/protobuf_heads.h"

#include <fmt/format.h>

#include <ranges>
#include <utility>

#include "format/connect/protobuf_schema.h"
#include "format/encoding/wire_header.h"

namespace pgc {
namespace {

// As consumers name it.
std::string full_name(const ProtobufFile& file) {
    const std::string& name = file.messages[file.root].name;
    return file.package.empty() ? name : file.package + '.' + name;
}

}  // namespace

Result<HeadAnswer> ProtobufHeads::head(const ConnectSchemaPtr& schema, MessagePart part,
                                       std::string_view topic) {
    const bool again =
        asked_ && asked_->schema == schema && asked_->part == part && asked_->topic == topic;
    if (!again) {
        auto question = this->question(schema, part, topic);
        if (!question) return HeadAnswer::refused(std::move(question.error()));
        asked_ = *std::move(question);
    }
    auto plan = this->plan(*asked_);
    if (!plan) {
        if (plan.error().category != Error::Category::data) {
            return std::unexpected(std::move(plan.error()));
        }
        return HeadAnswer::refused(std::move(plan.error()));
    }
    if (!*plan) return HeadAnswer::pending();
    auto answer = registry_.look_up(asked_->subject, (*plan)->schema);
    if (!answer) return std::unexpected(std::move(answer.error()));
    note_refusals(asked_->key, answer->refusals);
    switch (answer->is) {
        case SchemaAnswer::Is::pending: return HeadAnswer::pending();
        case SchemaAnswer::Is::refused:
            if (!(*plan)->lacking.empty()) answer->reason.what += "; " + (*plan)->lacking;
            return HeadAnswer::refused(std::move(answer->reason));
        case SchemaAnswer::Is::known: break;
    }
    Question known = std::move(*asked_);
    asked_.reset();
    const std::string text = (*plan)->schema.text;
    plans_.erase(known.key);
    memory_.insert(std::move(known.key), std::move((*plan)->schema), text.size());
    return this->known(*schema, std::move(known.fresh), text, answer->id);
}

auto ProtobufHeads::question(const ConnectSchemaPtr& schema, MessagePart part,
                             std::string_view topic) const -> Result<Question> {
    auto fresh = protobuf_schema(*schema);
    if (!fresh) return std::unexpected(std::move(fresh.error()));
    const SchemaOf of = part == MessagePart::key ? SchemaOf::key : SchemaOf::value;
    Subject subject = subject_of(options_.strategy, of, topic, full_name(*fresh));
    std::string key = schema_key(subject, {.type = SchemaType::protobuf, .text = text_of(*fresh)});
    return Question{schema,        part, std::string{topic}, *std::move(fresh), std::move(subject),
                    std::move(key)};
}

Result<HeadAnswer> ProtobufHeads::known(const ConnectSchema& schema, ProtobufFile fresh,
                                        const std::string& registered, SchemaId id) {
    const auto file = read_protobuf(registered);
    if (!file) return HeadAnswer::refused(file.error());
    const auto message = take_numbers(fresh, *file);
    if (!message) return HeadAnswer::refused(message.error());
    auto numbered = numbered_schema(schema, fresh);
    if (!numbered) return HeadAnswer::refused(std::move(numbered.error()));
    return HeadAnswer::known(
        {.before = protobuf_wire_header(static_cast<std::uint32_t>(id.value), *message),
         .after = {}},
        *std::move(numbered));
}

Result<std::optional<ProtobufHeads::Plan>> ProtobufHeads::plan(const Question& question) {
    if (auto known = memory_.find(question.key)) return Plan{.schema = *std::move(known)};
    const auto before = plans_.find(question.key);
    if (before != plans_.end() && !before->second.is_stale) return before->second;
    auto versions = registry_.versions(question.subject);
    if (!versions) return std::unexpected(std::move(versions.error()));
    if (!*versions) return std::nullopt;
    auto plan = made(question, **versions);
    if (!plan) return std::unexpected(std::move(plan.error()));
    if (before != plans_.end()) {
        if (before->second.schema == plan->schema) {
            plan->refusals = before->second.refusals;
        } else {
            registry_.drop(question.subject, before->second.schema);
        }
    } else if (plans_.size() >= kPlans_max) {
        plans_.clear();
    }
    plans_.insert_or_assign(question.key, *plan);
    return *std::move(plan);
}

auto ProtobufHeads::made(const Question& question, const SchemaRegistry::Versions& versions) const
    -> Result<Plan> {
    if (!options_.auto_register) return as_registered(question.fresh, versions);
    return with_numbers(question.subject, question.fresh, versions);
}

void ProtobufHeads::note_refusals(const std::string& key, std::uint32_t refusals) {
    const auto found = plans_.find(key);
    if (found == plans_.end() || found->second.refusals == refusals) return;
    found->second.refusals = refusals;
    found->second.is_stale = refusals > 0;
}

Result<ProtobufHeads::Plan> ProtobufHeads::with_numbers(const Subject& subject,
                                                        const ProtobufFile& fresh,
                                                        const SchemaRegistry::Versions& versions) {
    std::optional<ProtobufFile> earlier;
    for (const RegisteredSchema& version : versions | std::views::reverse) {
        if (version.schema.type != SchemaType::protobuf) continue;
        auto file = read_protobuf(version.schema.text);
        if (!file) {
            file.error().category = Error::Category::data;
            return std::unexpected(std::move(file.error())
                                       .at(fmt::format("version {} of the subject \"{}\"",
                                                       version.version, subject.name)));
        }
        if (earlier) {
            add_history(*earlier, *file);
        } else {
            earlier = *std::move(file);
        }
    }
    ProtobufFile file = fresh;
    if (earlier) {
        if (auto kept = keep_numbers(file, *earlier); !kept) {
            return std::unexpected(std::move(kept.error()));
        }
    }
    return Plan{.schema = {.type = SchemaType::protobuf, .text = text_of(file)}};
}

// Where none can hold the rows, ours is looked for: the error shows it.
ProtobufHeads::Plan ProtobufHeads::as_registered(const ProtobufFile& fresh,
                                                 const SchemaRegistry::Versions& versions) {
    Plan plan{.schema = {.type = SchemaType::protobuf, .text = text_of(fresh)}};
    for (const RegisteredSchema& version : versions | std::views::reverse) {
        if (version.schema.type != SchemaType::protobuf) continue;
        ProtobufFile ours = fresh;
        const auto file = read_protobuf(version.schema.text);
        const auto taken = file ? take_numbers(ours, *file) : std::unexpected(file.error());
        if (taken) return Plan{.schema = version.schema};
        if (plan.lacking.empty()) {
            plan.lacking = fmt::format("version {} can't hold these messages: {}", version.version,
                                       taken.error().what);
        }
    }
    return plan;
}

}  // namespace pgc
