#include "cli/check_files.h"

#include <fmt/core.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/spill_folder.h"
#include "cli/position_store.h"
#include "pgclient/answer.h"
#include "pgclient/blocking.h"
#include "pgclient/quote.h"
#include "postgres/check/ddl_trigger.h"
#include "sink/file/retention_options.h"

namespace pgc {
namespace {

Finding check_root(const std::string& root) {
    Finding finding{.id = "file_root", .subject = "file.root"};
    if (const auto usable = may_become_spill_folder(root); usable) {
        finding.message = fmt::format("files can be written in {}", root);
        return finding;
    }
    finding.level = Finding::Level::blocking;
    finding.message = fmt::format("files can't be written in {}", root);
    finding.hint =
        "let file.root be a folder that the user of pg-capture may write, on a disk that "
        "is not read-only";
    return finding;
}

// Nothing: it did not answer in time.
Result<std::optional<PositionStore::Loaded>> look(PositionStore& store, Waiter& waiter,
                                                  const Clock& clock, Duration limit) {
    const Instant until = clock.now() + limit;
    for (;;) {
        auto loaded = store.load();
        if (!loaded || *loaded || clock.now() >= until) return loaded;
        Wants wants;
        store.wants(wants);
        wants.until(until);
        waiter.wait(wants);
    }
}

Finding check_registry_of_files(Deps& deps, SqlSession& session) {
    const PipelineSpec& spec = session.spec();
    const auto store =
        make_position_store(spec, deps.files, deps.clock, session.logger("pipeline"));
    const auto loaded =
        look(*store, session.waiter(), deps.clock, spec.file_registry.connect_timeout);
    Finding finding{.id = "file_registry", .subject = store->where()};
    if (!loaded || !*loaded) {
        finding.level = Finding::Level::blocking;
        finding.message = loaded ? "the registry of files does not answer"
                                 : fmt::format("{}{}", loaded.error().what,
                                               loaded.error().where.empty()
                                                   ? ""
                                                   : fmt::format(" ({})", loaded.error().where));
        finding.hint = loaded ? "start its server, or correct file.registry" : loaded.error().hint;
        return finding;
    }
    finding.message = (*loaded)->store_is_missing
                          ? "the registry of files is not there yet: the first start makes it"
                      : (*loaded)->position ? "the registry of files has a position"
                                            : "the registry of files has no position yet";
    return finding;
}

// That old files may be removed, where they are to be. A registry that is not there yet is made by
// the role that will own it.
void check_retention(Deps& deps, SqlSession& session, Findings& findings) {
    const PipelineSpec& spec = session.spec();
    if (!file_retention_config(spec.settings).is_on()) return;
    const auto links = make_file_registry_links(spec, session.logger("file"));
    auto link = BlockingLink::connect(*links, LinkFactory::Use::sql, deps.clock, session.waiter(),
                                      spec.file_registry.connect_timeout);
    if (!link) return;  // a finding already
    const auto rows = link->ask(
        "SELECT coalesce(has_table_privilege(to_regclass('cdc_registry.file_log'), 'DELETE'), true)"
        " AS allowed");
    if (!rows) return;
    Finding finding{.id = "file_retention", .subject = "file.retention"};
    finding.message = "old files may be removed from the registry";
    if (!Answer{*rows}.flag("allowed")) {
        const std::string& role = spec.file_registry.username;
        finding.level = Finding::Level::warning;
        finding.message = fmt::format(
            "old files are not removed: {} may not DELETE from "
            "cdc_registry.file_log",
            role);
        finding.hint =
            fmt::format("GRANT DELETE ON cdc_registry.file_log TO {};", quote_name(role));
    }
    findings.push_back(std::move(finding));
}

// Nothing where the server can't be asked: that it can't is a finding already.
void check_ddl_history(SqlSession& session, Findings& findings) {
    auto link = session.connect();
    if (!link) return;
    if (auto finding = check_ddl_trigger(*link)) findings.push_back(std::move(*finding));
}

}  // namespace

void check_files(Deps& deps, SqlSession& session, Findings& findings) {
    const PipelineSpec& spec = session.spec();
    if (!spec.file) return;
    findings.push_back(check_root(spec.file->root));
    findings.push_back(check_registry_of_files(deps, session));
    check_ddl_history(session, findings);
    check_retention(deps, session, findings);
}

}  // namespace pgc
