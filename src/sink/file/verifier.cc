#include "sink/file/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/crc32c.h"
#include "observe/json_reader.h"
#include "sink/file/cleaner.h"
#include "sink/file/closing.h"
#include "sink/file/contents.h"
#include "sink/file/decompressor.h"
#include "sink/file/disk_error.h"
#include "sink/file/layout.h"
#include "sink/file/record_counter.h"
#include "sink/file_registry/checksum.h"

namespace pgc {
namespace {

// A batch lies no deeper below the root than this.
constexpr int kDepth_max = 12;

bool is_wanted(const std::vector<NamePattern>& patterns, const TableId& table) {
    const std::array<std::string_view, 2> names{table.schema, table.name};
    return patterns.empty() ||
           std::ranges::any_of(patterns, [&](const NamePattern& p) { return p.matches(names); });
}

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// What lies in a batch's folder, and nowhere else.
bool is_of_a_batch(std::string_view name) {
    if (name == kManifestName) return true;
    const std::string_view stem = name.substr(0, name.find('.'));
    return name.size() > stem.size() && kFileKinds.find(stem).has_value();
}

// The first thing in which a manifest differs from the registry; empty if it is none of it.
std::string difference(const Json& manifest, const CompleteFile& file,
                       const std::string& pipeline) {
    const auto is = [&](const char* name, std::string_view expected) {
        return manifest.member(name).text().value_or("") == expected;
    };
    if (!is("pipeline", pipeline)) return "it is of another pipeline";
    if (!is("schema", file.table.schema) || !is("table", file.table.name)) {
        return "it is of another table";
    }
    if (!is("batch", file.batch)) return "it is of another batch";
    const auto entries = file.kind == FileKind::ddl ? std::vector{manifest.member("ddl")}
                                                    : manifest.member("entries").elements();
    for (const Json& entry : entries) {
        // Below whatever loaders call the root (file.url).
        const std::string url = entry.member("url").text().value_or("");
        if (url != file.path && !url.ends_with("/" + file.path)) continue;
        const Json meta = entry.member("meta");
        if (meta.member("content_length").count() != file.bytes) return "it has another length";
        if (meta.member("record_count").count() != file.rows) return "it has other rows";
        if (meta.member("checksum").text() != checksum_text(file.crc32c)) {
            return "it has another checksum";
        }
        return {};
    }
    return "it does not name the file";
}

}  // namespace

FileVerifier::FileVerifier(std::string root, std::string pipeline, FileIndex& index, Disk& disk,
                           Options options)
    : root_(std::move(root)),
      pipeline_(std::move(pipeline)),
      index_(index),
      disk_(disk),
      options_(std::move(options)) {}

void FileVerifier::note(Kind kind, const std::string& path, std::string what) {
    report_.differences.push_back({.kind = kind, .path = path, .what = std::move(what)});
}

// What is on the disk comes first: what is registered meanwhile is no stranger then.
Result<VerifyReport> FileVerifier::verify() {
    report_ = {};
    std::set<std::string> folders;
    if (options_.tables.empty()) {
        auto found = folders_on_disk();
        if (!found) return std::unexpected(std::move(found.error()));
        folders = std::move(*found);
    }
    if (auto state = index_.state(); !state) return std::unexpected(std::move(state.error()));
    if (auto done = verify_registered(); !done) return std::unexpected(std::move(done.error()));
    if (!options_.tables.empty()) return report_;
    if (auto done = verify_open_files(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = verify_checkpoint(); !done) return std::unexpected(std::move(done.error()));
    const auto extra = strangers(std::move(folders));
    if (!extra) return std::unexpected(extra.error());
    for (const std::string& folder : *extra) {
        note(Kind::unregistered, folder, "the registry knows no file in it");
    }
    return report_;
}

// -- what is registered ---------------------------------------------------------------------

Result<void> FileVerifier::verify_registered() {
    registered_folders_.clear();
    std::uint64_t after = 0;
    for (;;) {
        const auto page = index_.files(after, kPage);
        if (!page) return std::unexpected(page.error());
        const std::size_t from = report_.differences.size();
        for (const IndexedFile& one : *page) {
            after = one.id;
            registered_folders_.insert(parent_folder(one.file.path));
            if (!is_wanted(options_.tables, one.file.table)) continue;
            if (auto done = verify_file(one.file); !done) return done;
            if (options_.progress) options_.progress(report_);
        }
        if (auto done = drop_what_is_gone(from); !done) return done;
        if (page->size() < kPage) return {};
    }
}

// A batch may have been removed while it was looked at.
Result<void> FileVerifier::drop_what_is_gone(std::size_t from) {
    auto& all = report_.differences;
    if (all.size() == from) return {};
    std::vector<std::string> paths;
    for (std::size_t i = from; i < all.size(); ++i) paths.push_back(all[i].path);
    const auto left = index_.registered(paths);
    if (!left) return std::unexpected(left.error());
    const auto gone = [&](const FileDifference& one) {
        return !std::ranges::binary_search(*left, one.path);
    };
    all.erase(std::remove_if(all.begin() + static_cast<std::ptrdiff_t>(from), all.end(), gone),
              all.end());
    return {};
}

Result<void> FileVerifier::verify_file(const CompleteFile& file) {
    ++report_.files;
    report_.rows += file.rows;
    report_.bytes += file.bytes;
    if (!is_sound_below_root(file.path)) {
        note(Kind::missing, file.path, "its path leads out of the root");
        return {};
    }
    const auto size = disk_.size(place(file.path));
    if (!size) return std::unexpected(size.error());
    if (!*size) {
        note(Kind::missing, file.path, "it is registered and not on the disk");
        return {};
    }
    if (**size != file.bytes) {
        note(Kind::size, file.path,
             fmt::format("it has {} bytes, registered are {}", **size, file.bytes));
    } else if (options_.content) {
        if (auto done = verify_content(file); !done) return done;
    }
    return verify_companions(file);
}

Result<void> FileVerifier::verify_content(const CompleteFile& file) {
    const std::string_view name = last_part(file.path);
    const auto reader = make_decompressor(compression_of(name));
    RecordCounter counter(record_form(name));
    std::string wrong;
    std::uint32_t crc = 0;
    const auto understood = [&](Result<void, std::string> done) {
        if (!done && wrong.empty()) wrong = std::move(done.error());
    };
    for (std::uint64_t at = 0;;) {
        const auto part = disk_.read_part(place(file.path), at, kPart_bytes);
        if (!part) return std::unexpected(part.error());
        if (!*part) {
            note(Kind::missing, file.path, "it is registered and not on the disk");
            return {};
        }
        if ((*part)->empty()) break;
        at += (*part)->size();
        crc = crc32c(crc, **part);
        if (wrong.empty()) {
            understood(reader->add(**part, [&](std::string_view text) { counter.add(text); }));
        }
    }
    understood(reader->end());
    if (crc != file.crc32c) {
        note(Kind::checksum, file.path,
             fmt::format("its checksum is {}, registered is {}", checksum_text(crc),
                         checksum_text(file.crc32c)));
    }
    if (wrong.empty() && file.kind != FileKind::ddl && !counter.whole()) {
        wrong = "its last row is not whole";
    }
    if (!wrong.empty()) {
        note(Kind::content, file.path, wrong);
    } else if (file.kind != FileKind::ddl && counter.rows() != file.rows) {
        note(Kind::rows, file.path,
             fmt::format("it has {} rows, registered are {}", counter.rows(), file.rows));
    }
    return {};
}

Result<void> FileVerifier::verify_companions(const CompleteFile& file) {
    const std::string folder = parent_folder(file.path);
    if (file.kind != FileKind::ddl) {
        const auto schema = disk_.size(place(folder + "/" + std::string{kSchemaName}));
        if (!schema) return std::unexpected(schema.error());
        if (!*schema) {
            note(Kind::missing, file.path, fmt::format("{} is not beside it", kSchemaName));
        }
    }
    const auto text = disk_.read(place(folder + "/" + std::string{kManifestName}));
    if (!text) return std::unexpected(text.error());
    if (!*text) {
        note(Kind::missing, file.path, fmt::format("{} is not beside it", kManifestName));
        return {};
    }
    const auto manifest = read_json(**text);
    const std::string wrong =
        manifest ? difference(*manifest, file, pipeline_) : "it can't be read: " + manifest.error();
    if (!wrong.empty()) note(Kind::manifest, file.path, "its manifest differs: " + wrong);
    return {};
}

// -- what is being written ------------------------------------------------------------------

// One that is well at one of two looks is well: it may be moved between the state and the look.
Result<void> FileVerifier::verify_open_files() {
    const auto before = index_.state();
    if (!before) return std::unexpected(before.error());
    std::vector<std::pair<OpenFile, std::string>> doubtful;
    for (const OpenFile& file : before->open) {
        auto wrong = look_at_open(file);
        if (!wrong) return std::unexpected(std::move(wrong.error()));
        if (*wrong) doubtful.emplace_back(file, std::move(**wrong));
    }
    if (doubtful.empty()) return {};
    const auto after = index_.state();
    if (!after) return std::unexpected(after.error());
    for (auto& [file, wrong] : doubtful) {
        const auto same = std::ranges::find(after->open, file.id, &OpenFile::id);
        if (same == after->open.end()) continue;
        auto again = look_at_open(*same);
        if (!again) return std::unexpected(std::move(again.error()));
        if (*again) note(Kind::open_file, relative_open_folder(file.id), std::move(**again));
    }
    return {};
}

Result<std::optional<std::string>> FileVerifier::look_at_open(const OpenFile& file) {
    const auto details = read_details(file.details);
    if (!details) return "what the registry says of it can't be read";
    const std::string path = open_file_folder(root_, file.id) + "/" + details->name;
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < file.bytes;) {
        const std::size_t most =
            std::min<std::uint64_t>(options_.content ? kPart_bytes : 1, file.bytes - at);
        if (!options_.content) at = file.bytes - 1;
        const auto part = disk_.read_part(path, at, most);
        if (!part) return std::unexpected(part.error());
        if (!*part) return fmt::format("it is gone, and {} bytes of it are certain", file.bytes);
        if ((*part)->empty()) {
            return fmt::format("it ends before the {} bytes that are certain", file.bytes);
        }
        at += (*part)->size();
        crc = crc32c(crc, **part);
    }
    if (!options_.content || crc == file.crc32c) return std::nullopt;
    return fmt::format("the checksum of its first {} bytes is {}, registered is {}", file.bytes,
                       checksum_text(crc), checksum_text(file.crc32c));
}

// It is written after each commit, and so read before the state.
Result<void> FileVerifier::verify_checkpoint() {
    const std::string name{kCheckpointName};
    const auto text = disk_.read(place(name));
    if (!text) return std::unexpected(text.error());
    const auto state = index_.state();
    if (!state) return std::unexpected(state.error());
    if (!*text) {
        if (state->seal > 1) note(Kind::checkpoint, name, "it is missing");
        return {};
    }
    const auto document = read_json(**text);
    const auto seal = document ? document->member("seal").count() : std::nullopt;
    const auto complete =
        parse_lsn(document ? document->member("complete_before_lsn").text().value_or("") : "");
    if (!seal || !complete) {
        note(Kind::checkpoint, name, "it can't be read");
    } else if (document->member("pipeline").text() != pipeline_) {
        note(Kind::checkpoint, name, "it is of another pipeline");
    } else if (*seal > state->seal) {
        note(Kind::checkpoint, name,
             fmt::format("it is of seal {}, the registry has {}", *seal, state->seal));
    } else if (*complete > state->resume_at) {
        note(Kind::checkpoint, name,
             fmt::format("it says that all before {} is complete, the registry's position is {}",
                         to_string(*complete), to_string(state->resume_at)));
    }
    return {};
}

// -- what is not registered -----------------------------------------------------------------

Result<std::vector<std::string>> FileVerifier::unregistered(bool ours) {
    auto folders = folders_on_disk();
    if (!folders) return std::unexpected(std::move(folders.error()));
    registered_folders_.clear();
    auto extra = strangers(std::move(*folders));
    if (!extra || !ours) return extra;
    std::vector<std::string> found;
    for (std::string& folder : *extra) {
        const auto is = is_ours(folder);
        if (!is) return std::unexpected(is.error());
        if (*is) found.push_back(std::move(folder));
    }
    return found;
}

Result<std::vector<std::string>> FileVerifier::strangers(std::set<std::string> folders) {
    std::erase_if(folders, [&](const auto& one) { return registered_folders_.contains(one); });
    std::vector<std::string> found;
    if (folders.empty()) return found;
    const auto under_way = folders_under_way();
    if (!under_way) return std::unexpected(under_way.error());
    std::map<std::string, std::string> paths;  // and the folder of each
    for (const std::string& folder : folders) {
        if (under_way->contains(folder)) {
            report_.under_way.push_back(folder);
            continue;
        }
        const auto names = disk_.list(place(folder));
        if (!names) return std::unexpected(names.error());
        for (const std::string& name : *names) paths.emplace(folder + "/" + name, folder);
        if (paths.size() < kPage) continue;
        if (auto done = add_strangers(std::exchange(paths, {}), found); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    if (auto done = add_strangers(std::move(paths), found); !done) {
        return std::unexpected(std::move(done.error()));
    }
    return found;
}

// Those of which no file is registered. One that is not there any more has none to ask about.
Result<void> FileVerifier::add_strangers(std::map<std::string, std::string> paths,
                                         std::vector<std::string>& found) {
    std::vector<std::string> asked;
    std::set<std::string> folders;
    for (const auto& [path, folder] : paths) {
        asked.push_back(path);
        folders.insert(folder);
    }
    const auto known = index_.registered(asked);
    if (!known) return std::unexpected(known.error());
    for (const std::string& path : *known) folders.erase(paths.at(path));
    found.insert(found.end(), folders.begin(), folders.end());
    return {};
}

Result<bool> FileVerifier::is_ours(const std::string& folder) {
    const auto text = disk_.read(place(folder + "/" + std::string{kManifestName}));
    if (!text) return std::unexpected(text.error());
    if (!*text) return false;
    const auto manifest = read_json(**text);
    return manifest && manifest->member("pipeline").text() == pipeline_;
}

// The lists are read before the registry is asked: one that is over by then is registered, or gone.
Result<std::set<std::string>> FileVerifier::folders_under_way() {
    std::set<std::string> folders;
    const auto closing_text = disk_.read(closing_path(root_));
    if (!closing_text) return std::unexpected(closing_text.error());
    const auto removing = disk_.read(removing_path(root_));
    if (!removing) return std::unexpected(removing.error());
    const auto state = index_.state();
    if (!state) return std::unexpected(state.error());
    if (*closing_text) {
        const auto closing = read_closing(**closing_text);
        const bool open = closing && closing->seal > state->seal;
        for (const FolderMove& move : open ? closing->moves : std::vector<FolderMove>{}) {
            folders.insert(move.to);
        }
    }
    if (*removing) {
        constexpr JsonLimits limits{
            .bytes = std::size_t{16} << 20, .values = std::size_t{1} << 20, .depth = 8};
        const auto document = read_json(**removing, limits);
        if (!document) return folders;
        for (const Json& item : document->member("folders").elements()) {
            folders.insert(item.member("folder").text().value_or(""));
        }
    }
    return folders;
}

Result<std::set<std::string>> FileVerifier::folders_on_disk() {
    std::set<std::string> found;
    if (auto walked = walk("", 0, found); !walked) {
        return std::unexpected(std::move(walked.error()));
    }
    return found;
}

// Folders that hold what belongs to a batch. What else lies below the root is not ours.
Result<void> FileVerifier::walk(const std::string& folder, int depth,
                                std::set<std::string>& found) {
    const auto names = disk_.list(folder.empty() ? root_ : place(folder));
    // What is no folder and no file has no names in it, nor has a folder of somebody else's.
    if (!names && !folder.empty()) return {};
    if (!names) return std::unexpected(names.error());
    if (!folder.empty() && std::ranges::any_of(*names, is_of_a_batch)) {
        found.insert(folder);
        return {};
    }
    if (depth == kDepth_max) return {};
    for (const std::string& name : *names) {
        if (name.starts_with('.')) continue;
        const std::string path = folder.empty() ? name : folder + "/" + name;
        if (disk_.size(place(path))) continue;
        if (auto walked = walk(path, depth + 1, found); !walked) return walked;
    }
    return {};
}

}  // namespace pgc
