// What the commands of `pg-capture files` have in common: the registry of this pipeline's files and
// the disk that they are on.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "cli/program.h"
#include "cli/sql_session.h"
#include "sink/file/system_disk.h"
#include "sink/file_registry/postgres_file_index.h"

namespace pgc {

class FilesAccess {
public:
    // Both outlive it. Of one that only looks the registry's server takes no statement that writes.
    // An Error: the sink is another than files.
    static Result<std::unique_ptr<FilesAccess>> make(Deps& deps, const Program& program,
                                                     SqlSession::Access access);

    // There is a root on this machine, and it is one.
    [[nodiscard]] Result<void> require_root();

    const std::string& pipeline() const noexcept { return session_.spec().name(); }
    const std::string& root() const noexcept { return session_.spec().file->root; }
    FileIndex& index() noexcept { return *index_; }
    Disk& disk() noexcept { return disk_; }

private:
    FilesAccess(Deps& deps, const Program& program, SqlSession::Access access);

    SqlSession session_;
    SystemDisk disk_;
    std::unique_ptr<PostgresFileIndex> index_;
};

}  // namespace pgc
