// What a registry can be asked, as a question of ours and as a call over HTTP. Pure.
//
//   set_level        PUT  /config/S              {"compatibility":"BACKWARD"}
//   get_level        GET  /config/S
//   unset_level      DELETE /config/S            the subject has none of its own any more
//   register_schema  POST /subjects/S/versions   {"schema":"…"}
//   find_schema      POST /subjects/S            {"schema":"…"}
//   list_versions    GET  /subjects/S/versions   ?deleted=true
//   get_version      GET  /subjects/S/versions/V ?deleted=true
//   list_subjects    GET  /subjects
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/registry/config.h"
#include "format/registry/registry.h"
#include "http/client.h"

namespace pgc {

struct RegistryRequest {
    enum class What : std::uint8_t {
        set_level,
        get_level,
        unset_level,
        register_schema,
        find_schema,
        list_versions,
        get_version,
        list_subjects,
    };
    What what{};
    std::string subject;
    Compatibility level{};     // set_level
    SchemaText schema{};       // register_schema, find_schema
    bool normalize = false;    // likewise
    std::int32_t version = 0;  // get_version
};

// "AVRO", "PROTOBUF", "JSON"
std::string_view name(SchemaType type) noexcept;

// {"schema":…} as it is registered. Of Avro's no type is given: registries before 5.5 know none.
std::string schema_json(const SchemaText& schema);

// Without who asks. `url`: the registry's, without a slash at its end.
HttpCall http_call(const RegistryRequest& request, std::string_view url);

// Who asks. Secrets are read for this.
Result<void> add_credentials(HttpCall& call, const RegistryConfig& config);

// "Basic dXNlcjpwYXNz" as RFC 7617 wants it.
Secret basic_authorization(std::string_view username, const Secret& password);

}  // namespace pgc
