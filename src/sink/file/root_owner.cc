#include "sink/file/root_owner.h"

#include <fmt/core.h>

#include "observe/json_reader.h"
#include "sink/file/contents.h"
#include "sink/file/layout.h"

namespace pgc {
namespace {

Error root_of_another(const std::string& path, const std::string& theirs, const std::string& ours) {
    return stop(Error::Category::position,
                fmt::format("the root of the files is that of pipeline {}, and we are {}: what it "
                            "has not finished there would be removed",
                            theirs, ours))
        .at(path)
        .with_hint(fmt::format("give this pipeline a file.root of its own; or, if it is the same "
                               "pipeline, its old name (name: {})",
                               theirs));
}

}  // namespace

Result<bool> has_owner(Disk& disk, const std::string& root, const std::string& pipeline) {
    const std::string path = root + "/" + std::string{kCheckpointName};
    const auto text = disk.read(path);
    if (!text) return std::unexpected(text.error());
    if (!*text) return false;
    const auto checkpoint = read_json(**text);
    const auto owner = checkpoint ? checkpoint->member("pipeline").text() : std::nullopt;
    if (owner && *owner != pipeline) {
        return std::unexpected(root_of_another(path, *owner, pipeline));
    }
    return true;
}

Result<void> claim_root(Disk& disk, const FileSinkConfig& config, WallTime now) {
    const auto owned = has_owner(disk, config.root, config.pipeline);
    if (!owned) return std::unexpected(owned.error());
    if (*owned) return {};
    return disk.replace(
        config.root + "/" + std::string{kCheckpointName},
        checkpoint_text(
            {.pipeline = config.pipeline, .seal = 0, .complete = {}, .written_at = now}));
}

}  // namespace pgc
