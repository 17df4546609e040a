#include "sink/file_registry/client.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "pgclient/quote.h"
#include "sink/file_registry/faults.h"
#include "sink/file_registry/schema.h"

namespace pgc {
namespace {

constexpr std::string_view kNoSchema = "3F000";
constexpr std::string_view kNoTable = "42P01";
constexpr std::string_view kNotAllowed = "42501";
constexpr std::string_view kReadOnly = "25006";
constexpr std::string_view kUnique = "23505";
// As PostgreSQL names what schema.cc makes.
constexpr std::string_view kPaths = "constraint file_log_pipeline_path_key";
constexpr std::string_view kFolders = "constraint table_state_pipeline_";
// Bytes that are not the database's encoding's, or a character that it does not have.
constexpr std::array<std::string_view, 2> kNotInEncoding{"22021", "22P05"};

}  // namespace

FileRegistryClient::FileRegistryClient(LinkFactory& links, FileRegistryConfig config,
                                       const Clock& clock)
    : config_(std::move(config)), clock_(clock), runner_(links, nullptr) {}

std::string FileRegistryClient::where() const {
    return fmt::format("cdc_registry in database {} at {}", config_.database, config_.server);
}

void FileRegistryClient::ask(Query query) {
    asked_at_ = clock_.now();
    runner_.ask(std::move(query), asked_at_);
}

Result<std::optional<Rows>> FileRegistryClient::answer() {
    auto answer = runner_.step(clock_.now());
    if (!answer) return std::nullopt;
    if (!*answer) {
        ++failures_;
        return std::unexpected(explained(std::move(answer->error())));
    }
    failures_ = 0;
    return std::move(**answer);
}

bool FileRegistryClient::was_missing() const noexcept {
    return runner_.sqlstate() == kNoSchema || runner_.sqlstate() == kNoTable;
}

void FileRegistryClient::wants(Wants& wants) const {
    if (!free()) runner_.wants(wants);
}

Error FileRegistryClient::explained(Error error) const {
    const std::string& sqlstate = runner_.sqlstate();
    // Any other is named in the error: nothing is known of it.
    if (sqlstate == kUnique && error.what.contains(kPaths)) error = path_is_registered();
    if (sqlstate == kUnique && error.what.contains(kFolders)) error = folder_is_taken();
    if (sqlstate == kNotAllowed) error.hint = registry_writer_grants(config_.role);
    if (sqlstate == kReadOnly) {
        error.next = Error::Next::retry;
        error.hint =
            "the registry has to be in a database that may be written: of a cluster, name "
            "the primary";
    }
    for (const std::string_view state : kNotInEncoding) {
        if (sqlstate != state) continue;
        error.hint =
            "keep the registry in a database with the encoding UTF8, and of a source with "
            "the encoding SQL_ASCII give tables names that are UTF-8";
    }
    return std::move(error).at(where());
}

}  // namespace pgc
