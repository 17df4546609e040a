// Holds the registry of files against the disk: each registered file is there and is what the
// registry and its manifest say, nothing lies among them that is not registered, and what is being
// written is at least as long as is certain.
//
// Changes nothing, and may run beside the pipeline. What it then finds in the midst of a change is
// asked about again before it counts: a folder that was moved for a seal that is not committed yet
// is named in closing.json, one that is being removed in removing.json, and a file that is gone is
// not missing if its row is gone, too.
//
// Blocks. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/words.h"
#include "core/name_pattern.h"
#include "sink/file/disk.h"
#include "sink/file_registry/file_index.h"

namespace pgc {

struct FileDifference {
    enum class Kind : std::uint8_t {
        missing,       // a registered file, or one that belongs to its batch
        size,          // of a file
        checksum,      // likewise
        content,       // it can't be read as what it is
        rows,          // how many it has
        manifest,      // it says something else than the registry
        unregistered,  // a batch's folder that the registry does not know
        open_file,     // one that is being written has less than is certain
        checkpoint,    // checkpoint.json
    };
    Kind kind = Kind::missing;
    std::string path{};  // below the root
    std::string what{};  // in one clause
    bool operator==(const FileDifference&) const = default;
};
inline constexpr auto kFileDifferences =
    words_for<FileDifference::Kind>({{"missing", FileDifference::Kind::missing},
                                     {"size", FileDifference::Kind::size},
                                     {"checksum", FileDifference::Kind::checksum},
                                     {"content", FileDifference::Kind::content},
                                     {"rows", FileDifference::Kind::rows},
                                     {"manifest", FileDifference::Kind::manifest},
                                     {"unregistered", FileDifference::Kind::unregistered},
                                     {"open_file", FileDifference::Kind::open_file},
                                     {"checkpoint", FileDifference::Kind::checkpoint}});

struct VerifyReport {
    std::uint64_t files = 0;  // that were looked at
    std::uint64_t bytes = 0;
    std::uint64_t rows = 0;
    std::vector<FileDifference> differences;
    std::vector<std::string> under_way;  // folders that are being moved or removed
};

class FileVerifier {
public:
    struct Options {
        bool content = true;                // read it: checksums and rows, or only look at sizes
        std::vector<NamePattern> tables{};  // none: all, and the rest of what is there
        std::function<void(const VerifyReport&)> progress{};  // called after each file
    };
    // What is read at a time.
    static constexpr std::size_t kPart_bytes = std::size_t{1} << 20;
    static constexpr std::size_t kPage = 2000;

    // Both outlive it. `root` as the sink has it.
    FileVerifier(std::string root, std::string pipeline, FileIndex& index, Disk& disk,
                 Options options);

    // Of what is asked for.
    [[nodiscard]] Result<VerifyReport> verify();
    // Folders of batches that the registry does not know, without those that are under way. Only
    // those that a manifest of this pipeline lies in, if `ours`.
    [[nodiscard]] Result<std::vector<std::string>> unregistered(bool ours);

private:
    using Kind = FileDifference::Kind;

    [[nodiscard]] Result<void> verify_registered();
    [[nodiscard]] Result<void> verify_file(const CompleteFile& file);
    [[nodiscard]] Result<void> verify_content(const CompleteFile& file);
    [[nodiscard]] Result<void> verify_companions(const CompleteFile& file);
    [[nodiscard]] Result<void> drop_what_is_gone(std::size_t from);

    [[nodiscard]] Result<void> verify_open_files();
    // What is wrong with it; nothing if it is well.
    [[nodiscard]] Result<std::optional<std::string>> look_at_open(const OpenFile& file);
    [[nodiscard]] Result<void> verify_checkpoint();

    [[nodiscard]] Result<std::set<std::string>> folders_on_disk();
    [[nodiscard]] Result<void> walk(const std::string& folder, int depth,
                                    std::set<std::string>& found);
    [[nodiscard]] Result<void> add_strangers(std::map<std::string, std::string> paths,
                                             std::vector<std::string>& found);
    [[nodiscard]] Result<bool> is_ours(const std::string& folder);
    [[nodiscard]] Result<std::vector<std::string>> strangers(std::set<std::string> folders);
    [[nodiscard]] Result<std::set<std::string>> folders_under_way();

    void note(Kind kind, const std::string& path, std::string what);
    std::string place(const std::string& path) const { return root_ + "/" + path; }

    const std::string root_;
    const std::string pipeline_;
    FileIndex& index_;
    Disk& disk_;
    const Options options_;
    VerifyReport report_;
    std::set<std::string> registered_folders_;
};

}  // namespace pgc
