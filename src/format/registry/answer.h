// What a registry's answer means. Pure; whoever answers may be anybody, so sizes are bounded, and
// what of an answer is shown has no control characters in it.
//
//   ok       it says what was asked for
//   absent   it knows no such subject, version or schema
//   refused  it knows better: incompatible (409), invalid (422), or another request that it doesn't
//            take; to ask the same again is of no use until somebody changes something there
//   denied   it doesn't accept who we are, or lets us not do it (401, 403)
//   failed   no answer, its own trouble (5xx, 408, 429), or nothing that a registry would say: to
//   be
//            asked again
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/registry/registry.h"
#include "format/registry/request.h"
#include "http/client.h"

namespace pgc {

struct RegistryAnswer {
    enum class Is : std::uint8_t { ok, absent, refused, denied, failed };
    Is is = Is::failed;
    Error error{};   // of all but ok; next: stop where it is denied
    int status = 0;  // HTTP's

    // Of one that is ok, by what was asked.
    SchemaId id{};                         // register_schema, find_schema
    std::vector<std::int32_t> versions{};  // list_versions; rising
    RegisteredSchema schema{};             // get_version
    Compatibility level{};                 // get_level
};

// "ok", "absent" …: the label of cdc_registry_requests_total{outcome}.
std::string_view name(RegistryAnswer::Is outcome) noexcept;

// `url`: the registry's, for the errors' places.
RegistryAnswer read_answer(const RegistryRequest& request, const HttpAnswer& answer,
                           std::string_view url);

// An answer of this size is none.
inline constexpr std::size_t kRegistryAnswerBytes_max = std::size_t{4} << 20;

}  // namespace pgc
