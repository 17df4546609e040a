#include "format/registry/request.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/arena.h"
#include "base/ascii.h"
#include "base/percent.h"
#include "format/json/string.h"
#include "format/json/writer.h"
#include "observe/json_text.h"

namespace pgc {
namespace {

using What = RegistryRequest::What;

// What RFC 3986 calls unreserved: everything else is escaped, a slash above all.
bool is_unreserved(char c) noexcept {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string_view method(What what) noexcept {
    switch (what) {
        case What::set_level: return "PUT";
        case What::unset_level: return "DELETE";
        case What::register_schema:
        case What::find_schema: return "POST";
        case What::get_level:
        case What::list_versions:
        case What::get_version:
        case What::list_subjects: return "GET";
    }
    return {};
}

std::string path(const RegistryRequest& request) {
    std::string subject;
    percent_encode(subject, request.subject, is_unreserved);
    const std::string_view normalize = request.normalize ? "?normalize=true" : "";
    switch (request.what) {
        case What::set_level:
        case What::get_level:
        case What::unset_level: return fmt::format("/config/{}", subject);
        case What::register_schema:
            return fmt::format("/subjects/{}/versions{}", subject, normalize);
        case What::find_schema: return fmt::format("/subjects/{}{}", subject, normalize);
        case What::list_versions: return fmt::format("/subjects/{}/versions?deleted=true", subject);
        case What::get_version:
            return fmt::format("/subjects/{}/versions/{}?deleted=true", subject, request.version);
        case What::list_subjects: return "/subjects";
    }
    std::abort();  // no such question
}

std::string body(const RegistryRequest& request) {
    switch (request.what) {
        case What::set_level:
            return fmt::format(R"({{"compatibility":"{}"}})", kCompatibilities.word(request.level));
        case What::register_schema:
        case What::find_schema: return schema_json(request.schema);
        case What::get_level:
        case What::unset_level:
        case What::list_versions:
        case What::get_version:
        case What::list_subjects: return {};
    }
    return {};
}

}  // namespace

std::string_view name(SchemaType type) noexcept {
    switch (type) {
        case SchemaType::avro: return "AVRO";
        case SchemaType::protobuf: return "PROTOBUF";
        case SchemaType::json: return "JSON";
    }
    return {};
}

std::string schema_json(const SchemaText& schema) {
    std::string out = "{";
    if (schema.type != SchemaType::avro) {
        append_json_field(out, "schemaType", name(schema.type));
        out += ',';
    }
    if (!schema.references.empty()) {
        out += R"("references":[)";
        for (const SchemaReference& one : schema.references) {
            out += out.back() == '[' ? "{" : ",{";
            append_json_field(out, "name", one.name);
            out += ',';
            append_json_field(out, "subject", one.subject);
            out += fmt::format(R"(,"version":{}}})", one.version);
        }
        out += "],";
    }
    append_json_field(out, "schema", schema.text);
    out += '}';
    return out;
}

HttpCall http_call(const RegistryRequest& request, std::string_view url) {
    HttpCall call{.method = std::string{method(request.what)},
                  .url = std::string{url} + path(request),
                  .headers = {{"Accept",
                               "application/vnd.schemaregistry.v1+json, "
                               "application/vnd.schemaregistry+json, application/json"}},
                  .body = body(request)};
    if (!call.body.empty()) {
        call.headers.emplace_back("Content-Type", "application/vnd.schemaregistry.v1+json");
    }
    return call;
}

Result<void> add_credentials(HttpCall& call, const RegistryConfig& config) {
    const SecretSource& source = config.password ? config.password : config.bearer_token;
    if (!source) return {};
    const auto secret = source();
    if (!secret) return std::unexpected(secret.error());
    call.headers.emplace_back(
        "Authorization", config.password ? basic_authorization(config.username, *secret).reveal()
                                         : "Bearer " + secret->reveal());
    return {};
}

Secret basic_authorization(std::string_view username, const Secret& password) {
    const Secret both{fmt::format("{}:{}", username, password.reveal())};
    Arena arena;
    Writer out;
    out.begin(arena);
    out.text("Basic ");
    append_base64(out, both.reveal());
    return Secret{std::string{out.finish()}};
}

}  // namespace pgc
