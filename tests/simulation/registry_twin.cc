#include "simulation/registry_twin.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "format/debezium/debezium_format.h"
#include "format/encoding/wire_header.h"
#include "format/heads/registry_heads.h"
#include "observe/json_reader.h"
#include "observe/json_text.h"
#include "observe/log.h"
#include "support/copied_record.h"
#include "support/forwarding.h"

namespace pgc::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMessages = "messages";
constexpr std::string_view kTransactions = "transactions";
constexpr std::string_view kHeartbeats = "heartbeats";
constexpr std::string_view kOfTables = "sim.";

std::string topic_of(std::string_view schema, std::string_view table) {
    return fmt::format("{}{}.{}", kOfTables, schema, table);
}

// A law broken on purpose: what has no number yet is written all the same.
class HastyHeads final : public MessageHeads {
public:
    explicit HastyHeads(std::unique_ptr<MessageHeads> inner) : inner_(std::move(inner)) {}

    Result<HeadAnswer> head(const ConnectSchemaPtr& schema, MessagePart part,
                            std::string_view topic) override {
        auto answer = inner_->head(schema, part, topic);
        if (!answer || answer->is != HeadAnswer::Is::pending) return answer;
        return HeadAnswer::known({.before = wire_header(0), .after = {}});
    }
    void wants(Wants& wants) const override { inner_->wants(wants); }
    std::string waits_for() const override { return inner_->waits_for(); }

private:
    const std::unique_ptr<MessageHeads> inner_;
};

// A law broken on purpose: the registry is no memory of numbers.
class ForgetfulRegistry final : public SchemaRegistry {
public:
    explicit ForgetfulRegistry(SchemaRegistry& inner) : inner_(inner) {}

    Result<SchemaAnswer> look_up(const Subject& subject, const SchemaText& schema) override {
        return inner_.look_up(subject, schema);
    }
    void drop(const Subject& subject, const SchemaText& schema) override {
        inner_.drop(subject, schema);
    }
    Result<std::optional<Versions>> versions(const Subject&) override {
        return std::optional<Versions>{std::in_place};
    }
    void wants(Wants& wants) const override { inner_.wants(wants); }
    std::string waits_for() const override { return inner_.waits_for(); }

private:
    SchemaRegistry& inner_;
};

// Somebody was there before, and, with a law broken on purpose, rows are not written by the numbers
// that are registered.
class HeadsWithPast final : public MessageHeads {
public:
    HeadsWithPast(std::unique_ptr<MessageHeads> inner, RegistryTwin& registry, bool by_places)
        : inner_(std::move(inner)), registry_(registry), by_places_(by_places) {}

    Result<HeadAnswer> head(const ConnectSchemaPtr& schema, MessagePart part,
                            std::string_view topic) override {
        const std::string_view is = part == MessagePart::key ? "-key" : "-value";
        if (topic.starts_with(kOfTables))
            registry_.has_past(fmt::format("{}{}", topic, is), *schema);
        auto answer = inner_->head(schema, part, topic);
        if (answer && by_places_) answer->numbered = nullptr;
        return answer;
    }
    void wants(Wants& wants) const override { inner_->wants(wants); }
    std::string waits_for() const override { return inner_->waits_for(); }

private:
    const std::unique_ptr<MessageHeads> inner_;
    RegistryTwin& registry_;
    const bool by_places_;
};

std::optional<std::uint32_t> number_of(std::string_view message) {
    if (message.size() < 5 || message.front() != '\0') return std::nullopt;
    std::uint32_t number = 0;
    for (const char byte : message.substr(1, 4)) {
        number = number << 8 | static_cast<unsigned char>(byte);
    }
    return number;
}

class TwinFormat final : public test::ForwardingFormat {
public:
    TwinFormat(std::unique_ptr<Format> native, std::unique_ptr<Format> twin, World& world,
               RegistryTwin& registry)
        : ForwardingFormat(std::move(native)),
          twin_(std::move(twin)),
          world_(world),
          registry_(registry) {}

    // The native one gets as far as its twin.
    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override {
        twins_.clear();
        auto told = twin_->encode(batch, from, twins_);
        if (!told) return told;
        if (told->why == Encoded::Why::waits) ++registry_.counts().waits;
        natives_.clear();
        auto native = inner().encode(batch, from, natives_);
        if (!native) return native;
        const std::size_t upto = std::min(told->next, native->next);
        const std::size_t first = out.records.size();
        for (const Record& record : natives_.records) {
            if (record.change < upto) out.records.push_back(test::copied(record, out.arena));
        }
        if (native->next < told->next) return native;
        compare(std::span{out.records}.subspan(first));
        return told;
    }
    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override {
        twins_.clear();
        auto told = twin_->encode_mark(mark, twins_);
        if (!told || !*told) {
            if (told) ++registry_.counts().waits;
            return told;
        }
        for (const Record& twin : twins_.records) is_known(twin, std::string{kTransactions});
        return inner().encode_mark(mark, out);
    }
    // The native form has none.
    Result<bool> encode_heartbeat(WallTime at, RecordBatch& out) override {
        auto told = twin_->encode_heartbeat(at, out);
        if (told && !*told) ++registry_.counts().waits;
        if (told && *told) is_known(out.records.back(), std::string{kHeartbeats});
        return told;
    }
    void wants(Wants& wants) const override {
        inner().wants(wants);
        twin_->wants(wants);
    }
    std::string waits_for() const override { return twin_->waits_for(); }

private:
    // Each record has a twin, of which a reader finds the schema.
    void compare(std::span<const Record> records) {
        const auto alike = [](const Record& one, const Record& other) {
            return one.change == other.change && one.operation == other.operation &&
                   one.relation == other.relation;
        };
        if (!std::ranges::equal(records, twins_.records, alike)) {
            return world_.fail("what is written in Debezium's form is of other changes");
        }
        for (const Record& twin : twins_.records) {
            const Relation* const table = twin.relation;  // null: a logical message
            is_known(twin, table != nullptr ? topic_of(table->schema, table->name)
                                            : std::string{kMessages});
        }
    }
    void is_known(const Record& twin, const std::string& topic) {
        ++registry_.counts().twins;
        if (registry_.is_protobuf()) ++registry_.counts().protobuf;
        is_known(twin.value, topic + "-value");
        if (twin.has_key) is_known(twin.key, topic + "-key");
    }
    void is_known(std::string_view message, const std::string& subject) {
        if (const auto fault = registry_.fault_of(subject, message)) world_.fail(*fault);
    }
    const std::unique_ptr<Format> twin_;
    World& world_;
    RegistryTwin& registry_;
    RecordBatch twins_;
    RecordBatch natives_;
};

}  // namespace

Result<RegistryHttp::Id> RegistryTwin::Http::begin(HttpCall call) {
    registry_.delay = world_.between(0ns, habits_.delay_max);
    auto wrong = wrong_answer();
    auto id = registry_.begin(std::move(call));
    if (wrong && id) registry_.answers_with(*id, std::move(*wrong));
    return id;
}

// Whoever ends has often been heard.
void RegistryTwin::Http::give_up(Id id) {
    if (world_.random.chance(50)) registry_.carry_out(id);
    registry_.give_up(id);
}

// A refusal is asked about as soon as it is said: 422 is final, 409 once.
std::optional<HttpAnswer> RegistryTwin::Http::wrong_answer() {
    using Fake = test::FakeRegistry;
    if (std::exchange(refuses_, false)) {
        refused_ = !habits_.pauses;
        ++counts_.refusals;
        return Fake::error(422, 42201, "Invalid schema");
    }
    if (settled_ || !world_.random.chance(habits_.errors_percent)) return std::nullopt;
    ++counts_.failures;
    const std::array<HttpAnswer, 4> answers{
        Fake::error(500, 50001, "Error in the backend data store"),
        Fake::error(429, 42901, "Too many requests"), Fake::answer(200, "{\"id\":\"what?\"}"),
        Fake::answer(502, "<html>Bad Gateway</html>")};
    return answers.at(world_.random.below(answers.size()));
}

void RegistryTwin::Http::go_away(bool silently) {
    if (settled_) return;
    ++counts_.failures;
    registry_.silent = silently;
    if (!silently) {
        registry_.unreachable = retry(Error::Category::connection, "Connection refused");
    }
}

void RegistryTwin::Http::come_back() {
    registry_.silent = false;
    registry_.unreachable.reset();
}

void RegistryTwin::Http::settles() {
    settled_ = true;
    refuses_ = false;
    come_back();
}

RegistryTwin::Life::Life(RegistryTwin& twin, Metrics& metrics) : twin_(twin) {
    if (!twin_.habits_.there) return;
    twin_.http_.life_begins();
    twin_.protobuf_.emplace();
    twin_.client_ =
        std::make_unique<RegistryClient>(RegistryLine::Deps{.config = twin_.config_,
                                                            .http = twin_.http_,
                                                            .clock = twin_.world_.clock,
                                                            .metrics = metrics,
                                                            .logger = Logger{},
                                                            .seed = twin_.world_.random.next()});
}

void RegistryTwin::go_away(Duration time) {
    world_.note("the registry goes away");
    http_.go_away(world_.random.chance(30));
    world_.after(time, [this] { http_.come_back(); });
}

bool RegistryContents::holds(const std::string& subject, std::uint32_t id) const {
    const auto found = kept.subjects.find(subject);
    if (found == kept.subjects.end()) return false;
    return std::ranges::any_of(found->second, [&](const test::FakeRegistry::Registered& one) {
        return one.id == static_cast<int>(id);
    });
}

std::optional<std::string> RegistryContents::fault_of(const std::string& subject, std::uint32_t id,
                                                      std::string_view message) {
    Judged& judged = judged_[subject];
    const auto& versions = kept.subjects[subject];
    for (; judged.versions < versions.size(); ++judged.versions) {
        const auto& version = versions[judged.versions];
        auto file = read_protobuf(read_json(version.body)->member("schema").text().value_or(""));
        if (!file) return "what is registered can't be read: " + describe(file.error());
        if (auto wrong = judged.numbers.add(subject, *file)) return wrong;
        judged.files.emplace(static_cast<std::uint32_t>(version.id), *std::move(file));
    }
    if (is_written_by(judged.files.at(id), message.substr(wire_header(id).size()))) {
        return std::nullopt;
    }
    return "a message is not written by the numbers that are registered under " + subject;
}

void RegistryTwin::has_past(const std::string& subject, const ConnectSchema& schema) {
    if (!habits_.past || contents_.kept.subjects.contains(subject)) return;
    const auto text = past_of(schema);
    if (!text) return;
    std::string body = R"({"schemaType":"PROTOBUF",)";
    append_json_field(body, "schema", *text);
    http_.registry().keep(subject, body + "}");
}

std::optional<std::string> RegistryTwin::fault_of(const std::string& subject,
                                                  std::string_view message) {
    const auto number = number_of(message);
    if (!number || !contents_.holds(subject, *number)) {
        return "a message was written whose schema is not registered under " + subject;
    }
    if (!is_protobuf()) return std::nullopt;
    return contents_.fault_of(subject, *number, message);
}

std::unique_ptr<MessageHeads> RegistryTwin::heads(Mutation mutation) {
    std::unique_ptr<MessageHeads> heads;
    if (is_protobuf()) {
        forgetful_ = std::make_unique<ForgetfulRegistry>(*client_);
        const bool forgets = mutation == Mutation::registry_is_no_memory;
        heads = std::make_unique<HeadsWithPast>(
            std::make_unique<ProtobufHeads>(forgets ? *forgetful_ : *client_, *protobuf_,
                                            ProtobufHeads::Options{}),
            *this, mutation == Mutation::rows_ignore_numbers);
    } else {
        heads =
            std::make_unique<RegistryHeads>(*client_, RegistryHeads::Options{.type = habits_.type});
    }
    if (mutation != Mutation::registry_is_not_awaited) return heads;
    return std::make_unique<HastyHeads>(std::move(heads));
}

std::unique_ptr<Format> RegistryTwin::beside(std::unique_ptr<Format> native,
                                             const std::string& database, Mutation mutation) {
    DebeziumOptions debezium;
    debezium.nested_arrays = false;
    debezium.transaction_metadata = habits_.marks;
    TableFormatDeps deps{.options = {},
                         .debezium = debezium,
                         .about = {.version = "0", .database = database, .name = "sim"},
                         .topics = {.of_table = topic_of,
                                    .messages = std::string{kMessages},
                                    .transactions = std::string{kTransactions},
                                    .heartbeats = std::string{kHeartbeats}},
                         .heads = heads(mutation)};
    std::unique_ptr<Format> twin;
    switch (habits_.type) {
        case SchemaType::avro:
            twin = std::make_unique<DebeziumFormat<AvroEncoding>>(std::move(deps));
            break;
        case SchemaType::protobuf:
            twin = std::make_unique<DebeziumFormat<ProtobufEncoding>>(std::move(deps));
            break;
        case SchemaType::json:
            twin = std::make_unique<DebeziumFormat<JsonEncoding>>(std::move(deps));
            break;
    }
    return std::make_unique<TwinFormat>(std::move(native), std::move(twin), world_, *this);
}

}  // namespace pgc::sim
