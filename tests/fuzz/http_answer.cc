// Any bytes as the body of what answers `pg-capture status` and `snapshot`: never a crash, never a
// read too far; what is JSON is within its limits, and what is read as health or as a report of
// snapshots can be written again. (The head is libcurl's to read, which is fuzzed elsewhere.)
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "observe/json_reader.h"
#include "server/health_json.h"
#include "server/snapshot_json.h"

namespace {

using namespace pgc;

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

void read_reports(std::string_view json) {
    const auto all = read_snapshots(json);
    require(!all || snapshots_json(*read_snapshots(snapshots_json(*all))) == snapshots_json(*all));
    const auto one = read_snapshot(json);
    require(!one || snapshot_json(*read_snapshot(snapshot_json(*one))) == snapshot_json(*one));
}

// How many there are; none lies deeper than `depth` lets it.
std::size_t values_of(const Json& json, std::size_t depth) {
    std::size_t all = 1;
    require(depth > 0 || (!json.is_list() && !json.is_object()));
    for (const Json& element : json.elements()) all += values_of(element, depth - 1);
    for (const std::string& name : json.names()) all += values_of(json.member(name), depth - 1);
    return all;
}

void read(std::string_view json) {
    read_reports(json);
    const auto small = read_json(json, {.bytes = 4096, .values = 64, .depth = 8});
    require(!small || values_of(*small, 8) <= 64);
    const auto health = read_health(json);
    if (!health) return;
    const auto again = read_health(health_json(*health));
    require(again && again->state == health->state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // As it is, and what follows the head of an HTTP answer.
    const std::string exact(reinterpret_cast<const char*>(data), size);
    const std::string_view input{exact};
    read(input);
    const auto head = input.find("\r\n\r\n");
    if (head != std::string_view::npos) read(std::string{input.substr(head + 4)});
    return 0;
}
