#include "sink/file_registry/registry.h"

#include <set>
#include <string_view>

namespace pgc {
namespace {

Error not_sound(std::string_view what) {
    return stop(Error::Category::internal,
                "a seal of files is not sound: " + std::string{what} + " twice");
}

template <typename Pairs>
bool names_a_table_twice(const Pairs& pairs) {
    std::set<TableId> seen;
    for (const auto& pair : pairs) {
        if (!seen.insert(pair.first).second) return true;
    }
    return false;
}

}  // namespace

Result<void> require_sound(const RegistrySeal& seal) {
    std::set<std::uint64_t> ids(seal.closed.begin(), seal.closed.end());
    for (const OpenFile& file : seal.open) {
        if (!ids.insert(file.id).second) return std::unexpected(not_sound("it names an open file"));
    }
    std::set<std::string_view> paths;
    for (const CompleteFile& file : seal.complete) {
        if (!paths.insert(file.path).second) return std::unexpected(not_sound("it names a path"));
    }
    std::set<std::pair<TableId, std::string_view>> reloads;
    for (const ReloadOperation& reload : seal.reloads) {
        if (!reloads.emplace(reload.table, reload.ordered_by).second) {
            return std::unexpected(not_sound("it names a reload"));
        }
    }
    if (names_a_table_twice(seal.folders) || names_a_table_twice(seal.modes)) {
        return std::unexpected(not_sound("it names a table"));
    }
    return {};
}

}  // namespace pgc
