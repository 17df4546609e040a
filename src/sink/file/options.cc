#include "sink/file/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/errors.h"
#include "sink/file/layout_template.h"
#include "sink/file/owner.h"

namespace pgc {
namespace {

constexpr Option kOptions[] = {
    {.path = "file.root",
     .required_with = "sink=file",
     .help = "the folder in which each table has one",
     .doc = "Made with mode 700 where it is missing. One pipeline has it alone: it holds a lock in "
            "`.pg-capture` there. All of it must be one file system.",
     .example = "/var/lib/pg-capture/files"},
    {.path = "file.layout",
     .fallback = "{table}/{timestamp}",
     .help = "the folder of a batch, below the root",
     .doc = "Of `{table}`, `{schema}`, `{database}`; `{timestamp}` (`20261130T174500Z`), `{date}` "
            "(`2026-11-30`), `{time}` (`174500`), all UTC; `{end_lsn}` (16 hexadecimal digits) and "
            "`{sequence}` (12 digits), which rises with each file that is begun. It has to name "
            "the table and to distinguish its batches. Characters of names that are not letters, "
            "digits, `_`, `-` or `.` become `%XX`; where two tables would have one folder, the "
            "second is called `schema.table`. What was written with another layout stays where it "
            "is.",
     .example = "{schema}/{table}/dt={date}/{timestamp}"},
    {.path = "file.url",
     .help = "what loaders call the root: goes before the paths in `manifest.json`",
     .doc = "With the address that the root is copied to, Redshift's COPY takes the manifests as "
            "they are. Without it they have paths below the root.",
     .example = "s3://warehouse/shop/"},
    {.path = "file.batch_interval_secs",
     .kind = OptionKind::seconds,
     .fallback = "300",
     .help = "how long a batch may collect rows: it is closed at the next multiple of this",
     .doc = "By the clock: with 300 at 12:00, 12:05 and so on, whenever its first row came.",
     .min = 1,
     .max = 86'400},
    {.path = "file.batch_bytes",
     .kind = OptionKind::integer,
     .fallback = "209715200",
     .help = "a batch is closed when its file has so many bytes; 0: however many",
     .doc =
         "As they are on the disk. A transaction is not cut for it, unless that alone is larger.",
     .min = 0},
    {.path = "file.batch_rows",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "a batch is closed when it has so many rows; 0: however many",
     .min = 0},
    {.path = "file.compression",
     .kind = OptionKind::choice,
     .fallback = "gzip",
     .help = "how files are compressed",
     .words = kCompressions.all()},
    {.path = "file.compression_level",
     .kind = OptionKind::integer,
     .fallback = "0",
     .help = "how hard; 0: what has proved good",
     .doc = "A higher one makes smaller files and takes more time.",
     .min = 0,
     .max = 22},
    {.path = "file.writers",
     .kind = OptionKind::integer,
     .fallback = "2",
     .help = "how many threads compress and sync files",
     .doc =
         "Pieces of one file or of many are compressed at the same time, and files are synced at "
         "the same time. One more than there are cores is of use only where the disk is slow to "
         "sync, and there are many tables.",
     .min = 1,
     .max = 64},
    {.path = "file.mode", .fallback = "600", .help = "permissions of files, as chmod takes them"},
    {.path = "file.folder_mode",
     .fallback = "700",
     .help = "permissions of folders, as chmod takes them"},
    {.path = "file.owner",
     .fallback_note = "who pg-capture runs as",
     .help = "who files and folders belong to, as chown takes it",
     .doc = "`user`, `user:group` or `:group`, names or numbers. A group that one is a member of "
            "can be given by anybody; another user only by root, or with the capability CAP_CHOWN. "
            "What is there already keeps its owner.",
     .example = ":warehouse"},
    {.path = "file.registry.host",
     .fallback_note = "as `postgres.host`",
     .help = "server of the registry of files",
     .doc = "The schema `cdc_registry` in its database says which files are complete "
            "(docs/reference/registry.md), and is where the position is kept."},
    {.path = "file.registry.port",
     .kind = OptionKind::integer,
     .fallback = "0",
     .fallback_note = "as `postgres.port`",
     .help = "its port",
     .min = 0,
     .max = 65'535},
    {.path = "file.registry.database",
     .fallback_note = "as `postgres.database`",
     .help = "its database"},
    {.path = "file.registry.username",
     .fallback_note = "as `postgres.username`",
     .help = "role to log in as there; needs no REPLICATION"},
    {.path = "file.registry.password",
     .kind = OptionKind::secret,
     .help = "its password",
     .doc = "Without it that of `postgres.password`."},
    {.path = "file.registry.ssl_mode",
     .fallback_note = "as `postgres.ssl_mode`",
     .help = "TLS on the way there",
     .doc = "Its words are those of `postgres.ssl_mode`; certificates are the ones of `postgres`."},
};

std::optional<unsigned> mode_of(std::string_view text) {
    if (text.empty() || text.size() > 4) return std::nullopt;
    unsigned mode = 0;
    for (const char c : text) {
        if (c < '0' || c > '7') return std::nullopt;
        mode = mode * 8 + static_cast<unsigned>(c - '0');
    }
    return mode;
}

void check_modes(const Settings& settings, Errors& errors) {
    constexpr std::pair<std::string_view, unsigned> modes[] = {{"file.mode", 0600},
                                                               {"file.folder_mode", 0700}};
    for (const auto& [path, needed] : modes) {
        const auto mode = mode_of(settings.text(path));
        if (mode && (*mode & needed) == needed) continue;
        errors.add({.where = settings.origin(path).text,
                    .key = std::string{path},
                    .reason = "expected permissions in octal digits that let the owner in",
                    .nearest = {},
                    .hint = "write it as chmod does: 640 for a group that reads"});
    }
}

void check_layout(const Settings& settings, Errors& errors) {
    const auto refuse = [&](std::string_view path, std::string reason, std::string hint) {
        errors.add({.where = settings.origin(path).text,
                    .key = std::string{path},
                    .reason = std::move(reason),
                    .nearest = {},
                    .hint = std::move(hint)});
    };
    if (auto fault = layout_fault(settings.text("file.layout")); !fault.empty()) {
        refuse("file.layout", std::move(fault),
               "for example {schema}/{table}/{timestamp}; docs/reference/configuration.md says "
               "what there is");
    }
    const std::string& owner = settings.text("file.owner");
    if (owner.empty()) return;
    if (auto found = find_owner(owner); !found) {
        refuse("file.owner", std::move(found.error()), "user, user:group or :group, as with chown");
    }
}

void check_level(const Settings& settings, Errors& errors) {
    const auto compression = settings.choice("file.compression", kCompressions);
    const std::int64_t highest = highest_level(compression);
    if (settings.integer("file.compression_level") <= highest) return;
    errors.contradiction(
        settings, {"file.compression_level", "file.compression"},
        fmt::format("the highest level of {} is {}", kCompressions.word(compression), highest),
        "set a lower one, or 0");
}

void check_file(const Settings& settings, Errors& errors) {
    check_modes(settings, errors);
    check_layout(settings, errors);
    check_level(settings, errors);
    const std::string& mode = settings.text("file.registry.ssl_mode");
    if (!mode.empty() && !kSslModes.find(mode)) {
        errors.add({.where = settings.origin("file.registry.ssl_mode").text,
                    .key = "file.registry.ssl_mode",
                    .reason = "expected one of the words of postgres.ssl_mode",
                    .nearest = {},
                    .hint = {}});
    }
    const std::string& root = settings.text("file.root");
    if (!root.empty() && !root.starts_with('/')) {
        errors.add({.where = settings.origin("file.root").text,
                    .key = "file.root",
                    .reason = "expected a whole path, which begins with /",
                    .nearest = {},
                    .hint = {}});
    }
}

}  // namespace

const OptionTable kFileSinkOptions{
    .section = "file",
    .about = "What `sink: file` writes: a folder for each table, and in it one for each batch.",
    .options = kOptions,
    .check = check_file};

FileSinkConfig file_sink_config(const Settings& settings, std::string pipeline) {
    FileSinkConfig config;
    config.root = settings.text("file.root");
    while (config.root.size() > 1 && config.root.ends_with('/')) config.root.pop_back();
    config.pipeline = std::move(pipeline);
    config.database = settings.text("postgres.database");
    config.layout = settings.text("file.layout");
    config.url = settings.text("file.url");
    if (!config.url.empty() && !config.url.ends_with('/')) config.url += '/';
    config.interval = settings.duration("file.batch_interval_secs");
    config.bytes_max = static_cast<std::uint64_t>(settings.integer("file.batch_bytes"));
    config.rows_max = static_cast<std::uint64_t>(settings.integer("file.batch_rows"));
    config.checkpoint_interval = settings.duration("replication.checkpoint_interval_secs");
    config.compression = settings.choice("file.compression", kCompressions);
    config.level = static_cast<int>(settings.integer("file.compression_level"));
    config.writers = static_cast<std::size_t>(settings.integer("file.writers"));
    config.modes.file = mode_of(settings.text("file.mode")).value_or(config.modes.file);
    config.modes.folder = mode_of(settings.text("file.folder_mode")).value_or(config.modes.folder);
    if (const std::string& owner = settings.text("file.owner"); !owner.empty()) {
        const FileOwner found = find_owner(owner).value_or(FileOwner{});
        config.modes.uid = found.uid;
        config.modes.gid = found.gid;
    }
    return config;
}

ConnectionConfig file_registry_connection(const Settings& settings, const ConnectionConfig& source,
                                          Files& files) {
    ConnectionConfig registry = source;
    registry.target_session_attrs = "read-write";
    const auto port = static_cast<std::uint16_t>(settings.integer("file.registry.port"));
    if (const std::string& host = settings.text("file.registry.host"); !host.empty()) {
        registry.hosts = {{host, port > 0 ? port : source.hosts.front().port}};
    } else if (port > 0) {
        for (PostgresHost& one : registry.hosts) one.port = port;
    }
    const auto replace = [&](std::string_view path, std::string& part) {
        if (const std::string& text = settings.text(path); !text.empty()) part = text;
    };
    replace("file.registry.database", registry.database);
    replace("file.registry.username", registry.username);
    replace("file.registry.ssl_mode", registry.ssl_mode);
    if (settings.given("file.registry.password")) {
        registry.password = settings.secret_source("file.registry.password", files);
    }
    return registry;
}

bool registry_is_in(const ConnectionConfig& source, const ConnectionConfig& registry) {
    const auto same = [](const PostgresHost& a, const PostgresHost& b) {
        return a.name == b.name && a.port == b.port;
    };
    return source.database == registry.database &&
           std::ranges::equal(source.hosts, registry.hosts, same);
}

}  // namespace pgc
