#include "sink/file/retention_options.h"

#include <chrono>

#include "config/errors.h"

namespace pgc {
namespace {

constexpr Option kRemovals[] = {
    {.path = "file.retention.age_hours",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "batches that were closed longer ago than this are removed; 0: however old they are",
     .doc = "Out of the registry first, then off the disk, a few at a time while the pipeline "
            "runs. A file that is gone can't be made again but by a snapshot of its table.",
     .min = 0,
     .max = 1'000'000},
    {.path = "file.retention.batches",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "so many of the newest batches of each table stay; 0: however many there are",
     .doc = "Given both, a batch goes when either says so.",
     .min = 0},
    {.path = "file.retention.only_loaded",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "of those, only batches whose files a loader has marked as loaded are removed",
     .doc = "See `loaded` in docs/reference/registry.md."},
};

void check_retention(const Settings& settings, Errors& errors) {
    if (!settings.boolean("file.retention.only_loaded")) return;
    if (file_retention_config(settings).is_on()) return;
    errors.contradiction(
        settings,
        {"file.retention.only_loaded", "file.retention.age_hours", "file.retention.batches"},
        "it is not said which of the loaded batches are removed",
        "set file.retention.age_hours or file.retention.batches, too");
}

}  // namespace

const OptionTable kFileRetentionOptions{
    .section = "file.retention",
    .about =
        "Which batches of files are removed by the running pipeline. None, unless one of these "
        "is set.",
    .options = kRemovals,
    .check = check_retention};

FileRetentionConfig file_retention_config(const Settings& settings) {
    return {.age = std::chrono::hours{settings.integer("file.retention.age_hours")},
            .batches = static_cast<std::uint64_t>(settings.integer("file.retention.batches")),
            .only_loaded = settings.boolean("file.retention.only_loaded")};
}

}  // namespace pgc
