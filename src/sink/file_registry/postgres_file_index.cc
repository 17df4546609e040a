#include "sink/file_registry/postgres_file_index.h"

#include <utility>

#include "sink/file_registry/faults.h"
#include "sink/file_registry/index_statements.h"
#include "sink/file_registry/schema.h"

namespace pgc {

PostgresFileIndex::PostgresFileIndex(std::unique_ptr<LinkFactory> links, FileRegistryConfig config,
                                     const Clock& clock, Waiter& waiter, Interrupt interrupt)
    : links_(std::move(links)),
      client_(*links_, std::move(config), clock),
      waiter_(waiter),
      interrupt_(interrupt) {}

Result<Rows> PostgresFileIndex::ask(Query query) {
    client_.ask(std::move(query));
    for (;;) {
        auto rows = client_.answer();
        if (!rows && client_.was_missing()) {
            return std::unexpected(registry_is_missing().at(where()));
        }
        if (!rows) return std::unexpected(std::move(rows.error()));
        if (*rows) return std::move(**rows);
        if (interrupt_.asked != nullptr && *interrupt_.asked) {
            return std::unexpected(
                retry(Error::Category::connection, "the end was not to be waited for"));
        }
        Wants wants;
        client_.wants(wants);
        if (interrupt_.fd >= 0) wants.readable(interrupt_.fd);
        waiter_.wait(wants);
    }
}

// What is strange about an answer says where it came from.
template <typename T>
Result<T> PostgresFileIndex::placed(Result<T> answer) const {
    if (!answer) return std::unexpected(std::move(answer.error()).at(where()));
    return answer;
}

Result<IndexState> PostgresFileIndex::state() {
    auto rows = ask(index_state_query(pipeline()));
    if (!rows) return std::unexpected(std::move(rows.error()));
    auto answer = placed(read_index_state(*rows));
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (answer->schema_version > kRegistryVersion) {
        return std::unexpected(
            registry_is_newer(answer->schema_version, kRegistryVersion).at(where()));
    }
    return std::move(answer->state);
}

Result<std::vector<IndexedFile>> PostgresFileIndex::files(std::uint64_t after, std::size_t most) {
    const auto rows = ask(index_files_query(pipeline(), after, most));
    if (!rows) return std::unexpected(rows.error());
    return placed(read_index_files(*rows));
}

Result<std::vector<std::string>> PostgresFileIndex::registered(
    const std::vector<std::string>& paths) {
    if (auto settled = ask(removals_settled_query(pipeline())); !settled) {
        return std::unexpected(std::move(settled.error()));
    }
    const auto rows = ask(registered_query(pipeline(), paths));
    if (!rows) return std::unexpected(rows.error());
    return placed(read_registered(*rows));
}

Result<std::vector<OldBatch>> PostgresFileIndex::removable(const RetentionRule& rule,
                                                           std::size_t most) {
    const auto rows = ask(removable_query(pipeline(), rule, most));
    if (!rows) return std::unexpected(rows.error());
    return placed(read_removable(*rows));
}

Result<void> PostgresFileIndex::remove(const std::vector<std::string>& paths, bool only_loaded,
                                       const std::string& why) {
    auto rows = ask(remove_query(pipeline(), paths, only_loaded, why));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return {};
}

}  // namespace pgc
