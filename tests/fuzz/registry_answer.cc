// Any bytes as the answer of a schema registry: never a crash; an id or a version is always one
// that can be written; what is shown of it holds no control characters and is short; and a schema
// that was read can be registered again as the same.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "format/registry/answer.h"
#include "observe/json_reader.h"

namespace {

using namespace pgc;
using What = RegistryRequest::What;

constexpr What kAll[] = {What::set_level,     What::register_schema, What::find_schema,
                         What::list_versions, What::get_version,     What::list_subjects};
constexpr int kStatuses[] = {200, 204, 302, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503};

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

bool is_clean(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

void check_schema(const RegisteredSchema& schema) {
    require(schema.id.value > 0 && schema.version == 1);
    const auto again = read_json(schema_json(schema.schema),
                                 {.bytes = std::size_t{64} << 20, .values = 1'000'000, .depth = 8});
    require(again && again->member("schema").text() == schema.schema.text);
    require(again->member("references").elements().size() == schema.schema.references.size());
}

void check(const RegistryRequest& request, const RegistryAnswer& answer) {
    if (answer.is != RegistryAnswer::Is::ok) {
        require(is_clean(answer.error.what) && is_clean(answer.error.hint));
        require(!answer.error.what.empty() && answer.error.what.size() < 4096);
        return;
    }
    if (request.what == What::register_schema || request.what == What::find_schema) {
        require(answer.id.value > 0);
    }
    require(std::ranges::is_sorted(answer.versions));
    require(answer.versions.empty() || answer.versions.front() > 0);
    if (request.what == What::get_version) check_schema(answer.schema);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body(reinterpret_cast<const char*>(data), size);
    for (const What what : kAll) {
        const RegistryRequest request{.what = what, .subject = "users-value", .version = 1};
        for (const int status : kStatuses) {
            check(request, read_answer(request, {.status = status, .headers = {}, .body = body},
                                       "http://registry"));
        }
    }
    return 0;
}
