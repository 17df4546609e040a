#include "cli/files_access.h"

#include <fmt/format.h>

#include <utility>

#include "cli/options.h"
#include "cli/position_store.h"
#include "sink/file/layout.h"

namespace pgc {
namespace {

// A standby may be behind, and say less than is true.
PipelineSpec only_looking(PipelineSpec spec) {
    spec.file_registry.read_only = true;
    spec.file_registry.target_session_attrs = "primary";
    return spec;
}

}  // namespace

FilesAccess::FilesAccess(Deps& deps, const Program& program, SqlSession::Access access)
    : session_(deps, program, "pg-capture files", access),
      disk_(session_.spec().file->modes),
      index_(std::make_unique<PostgresFileIndex>(
          make_file_registry_links(access == SqlSession::Access::read_only
                                       ? only_looking(session_.spec())
                                       : session_.spec(),
                                   session_.logger("file")),
          file_registry_config(session_.spec()), deps.clock, session_.waiter(),
          PostgresFileIndex::Interrupt{})) {}

Result<std::unique_ptr<FilesAccess>> FilesAccess::make(Deps& deps, const Program& program,
                                                       SqlSession::Access access) {
    if (program.settings.choice("sink", kSinks) != SinkKind::file) {
        return std::unexpected(stop(Error::Category::configuration,
                                    fmt::format("sink is {}, and only sink: file has files",
                                                program.settings.word("sink")))
                                   .with_hint("give the configuration of the pipeline that writes "
                                              "files"));
    }
    return std::unique_ptr<FilesAccess>{new FilesAccess(deps, program, access)};
}

Result<void> FilesAccess::require_root() {
    const auto names = disk_.list(hidden_folder(root()));
    if (!names) return std::unexpected(names.error());
    if (!names->empty()) return {};
    return std::unexpected(
        stop(Error::Category::storage, "no pipeline has written files in " + root())
            .at("file.root")
            .with_hint("run it on the machine that writes them, as the user that does"));
}

}  // namespace pgc
