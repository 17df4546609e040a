// What `sink: file` is configured to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/words.h"
#include "core/relation.h"
#include "sink/file/compressor.h"
#include "sink/file/disk.h"
#include "sink/file/layout_template.h"
#include "sink/file_registry/registry.h"

namespace pgc {

inline constexpr auto kCompressions = words_for<Compression>(
    {{"gzip", Compression::gzip}, {"zstd", Compression::zstd}, {"none", Compression::none}});

struct FileSinkConfig {
    std::string root;
    std::string pipeline;
    std::string database;  // that is captured
    std::string layout{kDefaultLayout};
    // What loaders call the root: goes before paths in manifests.
    std::string url;
    // A batch is closed at the next multiple of this after it was opened, by the clock …
    Duration interval = std::chrono::minutes{5};
    // … or when it has so many bytes on the disk, or rows; 0: however many.
    std::uint64_t bytes_max = std::uint64_t{200} << 20;
    std::uint64_t rows_max = 0;
    // How often what was written is made safe against a crash.
    Duration checkpoint_interval = std::chrono::seconds{10};
    Compression compression = Compression::gzip;
    int level = 0;
    // How many threads compress and sync.
    std::size_t writers = 2;
    DiskModes modes;
    // What is in the files: "csv", "jsonl"; and the line before the first row, empty where there is
    // none.
    std::string extension = "jsonl";
    std::function<std::string(const Relation&)> heading = [](const Relation&) {
        return std::string{};
    };
    // Whether a table's rows may come: what is done to the definition of others is not kept.
    std::function<bool(const TableId&)> captures = [](const TableId&) { return true; };
    // What else decides how a line is written. Lines of two forms are never in one file.
    std::string form{};
    // The registry is in the database that is captured: what it writes comes to us again.
    bool registry_is_captured_database = true;
};

}  // namespace pgc
