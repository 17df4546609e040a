// The connection to the database that holds the registry: one question at a time, and Errors that
// say where it is and what somebody has to do there.
//
// Threads: one, the owner's.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "pgclient/query_runner.h"

namespace pgc {

struct FileRegistryConfig {
    std::string pipeline;
    std::string database;  // its name
    std::string server;    // "db:5432"; no secrets
    std::string role;      // as whom we connect
    bool may_make = true;  // the schema and its tables, and bring them up to date
};

class FileRegistryClient {
public:
    // Both outlive it.
    FileRegistryClient(LinkFactory& links, FileRegistryConfig config, const Clock& clock);

    const FileRegistryConfig& config() const noexcept { return config_; }
    std::string where() const;

    bool free() const noexcept { return runner_.free(); }
    // Requires free().
    void ask(Query query);
    // Nothing while there is no answer. After an Error it is free again.
    [[nodiscard]] Result<std::optional<Rows>> answer();
    // The last answer was that there is no such schema or table.
    bool was_missing() const noexcept;

    // There is a connection that is asked nothing, and something to be read from it, be it its end.
    bool is_disturbed() const noexcept { return runner_.is_disturbed(); }

    void wants(Wants& wants) const;
    // Of the question that is asked; 0 while none is.
    Duration waiting() const noexcept { return free() ? Duration{0} : clock_.now() - asked_at_; }
    // What has been answered last was Errors, so many.
    std::uint64_t failures() const noexcept { return failures_; }

private:
    Error explained(Error error) const;

    const FileRegistryConfig config_;
    const Clock& clock_;
    QueryRunner runner_;
    Instant asked_at_;
    std::uint64_t failures_ = 0;
};

}  // namespace pgc
