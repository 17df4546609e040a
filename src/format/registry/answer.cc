#include "format/registry/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <expected>
#include <limits>
#include <optional>
#include <string>

#include "config/text.h"
#include "observe/json_reader.h"

namespace pgc {
namespace {

using Is = RegistryAnswer::Is;
using What = RegistryRequest::What;
using Category = Error::Category;

constexpr JsonLimits kLimits{.bytes = kRegistryAnswerBytes_max, .values = 65'536, .depth = 32};
constexpr std::size_t kMessageBytes_max = 2'000;
// Registries number what they don't know from here on, each thing by its own number.
constexpr std::uint64_t kAbsent_min = 40'400;
constexpr std::uint64_t kAbsent_max = 40'499;

// What a peer says, as it may be shown.
std::string clean(std::string text) {
    if (text.size() > kMessageBytes_max) {
        text.resize(valid_utf8_prefix(std::string_view{text}.substr(0, kMessageBytes_max)));
        text += "…";
    }
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) c = ' ';
    }
    return text;
}

bool sets_level(const RegistryRequest& request) {
    return request.what == What::set_level || request.what == What::unset_level;
}

std::optional<std::int32_t> positive(const Json& value) {
    const auto count = value.count();
    constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (!count || *count == 0 || *count > kMost) return std::nullopt;
    return static_cast<std::int32_t>(*count);
}

// What it said in the form in which registries say what is wrong.
struct Said {
    std::uint64_t code = 0;  // 0: it has none
    std::string message;
};

Said said(const HttpAnswer& answer) {
    const auto json = read_json(answer.body, kLimits);
    if (!json || !json->is_object()) return {};
    return {json->member("error_code").count().value_or(0),
            clean(json->member("message").text().value_or(""))};
}

std::string quoted(const Said& said, int status) {
    std::string text = said.message.empty() ? "it says no more" : said.message;
    if (said.code != 0) return fmt::format("{} (error code {})", text, said.code);
    return fmt::format("{} (HTTP {})", text, status);
}

std::string intention(const RegistryRequest& request) {
    switch (request.what) {
        case What::set_level:
        case What::unset_level: return "set the compatibility level of";
        case What::get_level: return "read the compatibility level of";
        case What::register_schema: return "register a schema under";
        case What::find_schema: return "look up a schema under";
        case What::list_versions:
        case What::get_version: return "read the schemas of";
        case What::list_subjects: return "list";
    }
    return {};
}

RegistryAnswer failed(std::string why, std::string hint = {}) {
    Error error = retry(Category::server, std::move(why));
    error.hint = std::move(hint);
    return {.is = Is::failed, .error = std::move(error)};
}

RegistryAnswer garbage(std::string_view why) {
    Error error = retry(Category::protocol,
                        fmt::format("what it answers is not what a schema registry says: {}", why));
    return {.is = Is::failed, .error = std::move(error)};
}

std::expected<SchemaType, std::string_view> type_of(const Json& schema) {
    const Json type = schema.member("schemaType");
    const auto word = type.text();
    if (!word) return SchemaType::avro;  // which has none
    for (const auto known : {SchemaType::avro, SchemaType::protobuf, SchemaType::json}) {
        if (*word == name(known)) return known;
    }
    return std::unexpected("a schema of an unknown type");
}

std::expected<RegisteredSchema, std::string_view> read_schema(const Json& answer) {
    const auto version = positive(answer.member("version"));
    const auto id = positive(answer.member("id"));
    auto text = answer.member("schema").text();
    if (!version || !id || !text) return std::unexpected("no version, id and schema");
    const auto type = type_of(answer);
    if (!type) return std::unexpected(type.error());
    RegisteredSchema schema{*version, SchemaId{*id}, {.type = *type, .text = std::move(*text)}};
    for (const Json& one : answer.member("references").elements()) {
        auto name = one.member("name").text();
        auto subject = one.member("subject").text();
        const auto reference = positive(one.member("version"));
        if (!name || !subject || !reference) return std::unexpected("a reference to nothing");
        schema.schema.references.push_back({std::move(*name), std::move(*subject), *reference});
    }
    return schema;
}

std::expected<std::vector<std::int32_t>, std::string_view> read_versions(const Json& answer) {
    if (!answer.is_list()) return std::unexpected("no list of versions");
    std::vector<std::int32_t> versions;
    for (const Json& one : answer.elements()) {
        const auto version = positive(one);
        if (!version) return std::unexpected("a version that is not a number");
        versions.push_back(*version);
    }
    std::ranges::sort(versions);
    const auto twice = std::ranges::unique(versions);
    versions.erase(twice.begin(), twice.end());
    return versions;
}

RegistryAnswer read_good(const RegistryRequest& request, const HttpAnswer& answer) {
    RegistryAnswer good{.is = Is::ok, .status = answer.status};
    if (sets_level(request) && answer.status == 204) return good;  // no content
    const auto json = read_json(answer.body, kLimits);
    if (!json) return garbage(json.error());
    switch (request.what) {
        case What::set_level:
            if (!json->is_object()) return garbage("not an object");
            break;
        case What::unset_level: break;  // the level it had, as a word or an object
        case What::get_level: {
            const auto level =
                kCompatibilities.find(json->member("compatibilityLevel").text().value_or(""));
            if (!level || *level == Compatibility::unchanged) return garbage("no such level");
            good.level = *level;
            break;
        }
        case What::register_schema:
        case What::find_schema: {
            const auto id = positive(json->member("id"));
            if (!id) return garbage("no id of a schema");
            good.id = SchemaId{*id};
            break;
        }
        case What::list_versions: {
            auto versions = read_versions(*json);
            if (!versions) return garbage(versions.error());
            good.versions = std::move(*versions);
            break;
        }
        case What::get_version: {
            auto schema = read_schema(*json);
            if (!schema) return garbage(schema.error());
            if (schema->version != request.version) return garbage("another version");
            good.schema = std::move(*schema);
            break;
        }
        case What::list_subjects:
            if (!json->is_list()) return garbage("no list of subjects");
            break;
    }
    return good;
}

RegistryAnswer denied(const RegistryRequest& request, const HttpAnswer& answer) {
    const std::string why = quoted(said(answer), answer.status);
    if (answer.status == 401) {
        return {
            .is = Is::denied,
            .error = stop(Category::authentication,
                          fmt::format("the schema registry does not accept who we are: {}", why))
                         .with_hint("check format.registry.username and "
                                    "format.registry.password, or format.registry.bearer_token")};
    }
    if (request.what == What::list_subjects) {
        return {.is = Is::denied,
                .error = stop(Category::permission,
                              "the schema registry does not let us list its subjects: " + why)
                             .with_hint("see that this user may read and register schemas; this "
                                        "is not needed for it")};
    }
    return {
        .is = Is::denied,
        .error = stop(Category::permission,
                      fmt::format("the schema registry does not let us {} the subject \"{}\": {}",
                                  intention(request), clean(request.subject), why))
                     .with_hint("give this user the right to do so; where schemas are "
                                "registered by somebody else, set "
                                "format.registry.auto_register to false")};
}

std::string refusal_hint(const RegistryRequest& request, int status) {
    if (sets_level(request)) {
        return "set the level in the registry, and leave format.registry.compatibility and "
               "format.registry.key_compatibility unchanged";
    }
    if (status == 409) {
        return fmt::format(
            "undo the change of the table, or let the registry take it: a lower compatibility "
            "level of the subject, as by PUT /config/{}, by format.registry.compatibility or by "
            "schema_change=evolve; pause waits for it",
            clean(request.subject));
    }
    return {};
}

// What it refuses.
std::string matter(const RegistryRequest& request) {
    const auto of_subject = [&](std::string_view what) {
        return fmt::format("{} of the subject \"{}\"", what, clean(request.subject));
    };
    switch (request.what) {
        case What::set_level:
        case What::unset_level: return of_subject("the compatibility level");
        case What::get_level: return of_subject("to show the compatibility level");
        case What::register_schema:
        case What::find_schema: return of_subject("the schema");
        case What::list_versions:
        case What::get_version: return of_subject("to show the schemas");
        case What::list_subjects: return "to list its subjects";
    }
    return {};
}

RegistryAnswer refused(const RegistryRequest& request, const HttpAnswer& answer) {
    Error error =
        stop(Category::data, fmt::format("the schema registry refuses {}: {}", matter(request),
                                         quoted(said(answer), answer.status)));
    error.hint = refusal_hint(request, answer.status);
    return {.is = Is::refused, .error = std::move(error)};
}

RegistryAnswer absent(const RegistryRequest& request, const HttpAnswer& answer) {
    Said why = said(answer);
    if (why.code < kAbsent_min || why.code > kAbsent_max) {
        return failed("HTTP 404: nothing is there",
                      "check the path in format.registry.url: Confluent's is empty, Apicurio's "
                      "/apis/ccompat/v7");
    }
    return {.is = Is::absent,
            .error = stop(Category::data,
                          fmt::format("the schema registry knows nothing of the subject \"{}\": {}",
                                      clean(request.subject), quoted(why, answer.status)))};
}

RegistryAnswer read(const RegistryRequest& request, const HttpAnswer& answer) {
    const int status = answer.status;
    if (status >= 200 && status < 300) return read_good(request, answer);
    switch (status) {
        case 401:
        case 403: return denied(request, answer);
        case 404: return absent(request, answer);
        case 408:
        case 425:
        case 429: return failed(quoted(said(answer), status));
        default: break;
    }
    if (status >= 400 && status < 500) return refused(request, answer);
    if (status >= 300 && status < 400) {
        return failed(fmt::format("HTTP {}: it sends us to another address", status),
                      "give that address in format.registry.url");
    }
    return failed(quoted(said(answer), status));
}

}  // namespace

std::string_view name(RegistryAnswer::Is outcome) noexcept {
    switch (outcome) {
        case Is::ok: return "ok";
        case Is::absent: return "absent";
        case Is::refused: return "refused";
        case Is::denied: return "denied";
        case Is::failed: return "failed";
    }
    return {};
}

RegistryAnswer read_answer(const RegistryRequest& request, const HttpAnswer& answer,
                           std::string_view url) {
    RegistryAnswer read = pgc::read(request, answer);
    read.status = answer.status;
    if (read.is == Is::ok) return read;
    Error placed = std::move(read.error).at(std::string{url});
    read.error = std::move(placed);
    return read;
}

}  // namespace pgc
