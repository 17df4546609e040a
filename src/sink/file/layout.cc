#include "sink/file/layout.h"

#include <fmt/core.h>

#include <optional>

#include "base/ascii.h"
#include "base/fnv.h"
#include "base/percent.h"
#include "observe/wall_text.h"

namespace pgc {
namespace {

constexpr std::size_t kFolderName_max = 200;
constexpr std::int64_t kSecond = 1'000'000;

// "2026-11-30T17:45:00.000Z" without what separates.
std::string text_of(std::int64_t unix_seconds) {
    std::string text;
    append_wall_time(text, WallTime{unix_seconds * kSecond});
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text.substr(0, text.find('.')) + "Z";
}

// "20261130T174500Z" as wall_text.h writes it.
std::optional<std::int64_t> seconds_of(const std::string& name) {
    if (name.size() != 16) return std::nullopt;
    const auto at = parse_wall_time(
        fmt::format("{}-{}-{}T{}:{}:{}.000Z", name.substr(0, 4), name.substr(4, 2),
                    name.substr(6, 2), name.substr(9, 2), name.substr(11, 2), name.substr(13, 2)));
    if (!at) return std::nullopt;
    return at->unix_us / kSecond;
}

}  // namespace

std::string hidden_folder(const std::string& root) {
    return root + "/.pg-capture";
}
std::string open_files_folder(const std::string& root) {
    return hidden_folder(root) + "/open";
}
std::string open_file_folder(const std::string& root, std::uint64_t id) {
    return root + "/" + relative_open_folder(id);
}
std::string relative_open_folder(std::uint64_t id) {
    return fmt::format(".pg-capture/open/{}", id);
}
std::string closing_path(const std::string& root) {
    return hidden_folder(root) + "/closing.json";
}
std::string removing_path(const std::string& root) {
    return hidden_folder(root) + "/removing.json";
}
std::string lock_path(const std::string& root) {
    return hidden_folder(root) + "/lock";
}

std::string folder_name(std::string_view name) {
    std::string folder;
    percent_encode(folder, name, [&](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-' || (c == '.' && !folder.empty());
    });
    if (folder.size() <= kFolderName_max) return folder;
    return fmt::format("{}-{:016x}", folder.substr(0, kFolderName_max - 17), fnv1a(name));
}

void TableFolders::restore(const std::vector<std::pair<TableId, std::string>>& folders) {
    for (const auto& [table, folder] : folders) {
        if (!places_.insert(layout_.place(table.schema, folder)).second) continue;
        folders_.emplace(table, folder);
    }
}

const std::string& TableFolders::of(const TableId& table) {
    const auto at = folders_.find(table);
    if (at != folders_.end()) return at->second;
    const auto take = [&](const std::string& folder) {
        return !folder.starts_with(kCheckpointName) &&
               places_.insert(layout_.place(table.schema, folder)).second;
    };
    std::string folder = folder_name(table.name);
    if (!take(folder)) {
        const std::string whole = table.schema + "." + table.name;
        folder = folder_name(whole);
        // What stands for another table by its dots: "a.b" of schema s, and b of schema "s.a".
        for (int i = 2; !take(folder); ++i) folder = folder_name(fmt::format("{}-{}", whole, i));
    }
    new_.emplace_back(table, folder);
    return folders_.emplace(table, std::move(folder)).first->second;
}

std::string batch_name(WallTime at, const std::string& last) {
    std::int64_t seconds = at.unix_us / kSecond;
    if (const auto before = seconds_of(last); before && seconds <= *before) seconds = *before + 1;
    return text_of(seconds);
}

}  // namespace pgc
