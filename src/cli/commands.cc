// The subcommands and their flags, in the order of --help.
#include <array>
#include <vector>

#include "cli/adopt_command.h"
#include "cli/check_command.h"
#include "cli/command.h"
#include "cli/config_commands.h"
#include "cli/files_commands.h"
#include "cli/init_command.h"
#include "cli/lag_command.h"
#include "cli/metrics_command.h"
#include "cli/peek_command.h"
#include "cli/position_commands.h"
#include "cli/program.h"
#include "cli/reload_command.h"
#include "cli/run_command.h"
#include "cli/slots_commands.h"
#include "cli/snapshot_commands.h"
#include "cli/status_command.h"

namespace pgc {
namespace {

std::vector<Flag> with_common(std::vector<Flag> own) {
    own.insert(own.end(), common_flags().begin(), common_flags().end());
    return own;
}

const std::vector<Flag>& common() {
    static const std::vector<Flag> flags = with_common({});
    return flags;
}

const std::vector<Flag>& run_flags() {
    static const std::vector<Flag> flags =
        with_common({{.name = "until",
                      .value_name = "LSN",
                      .help = "end, with exit code 0, when all that committed before is delivered"},
                     {.name = "with-key",
                      .help = "console: the key and a tab before each message",
                      .sets_path = "console.with_key",
                      .sets_value = "true"},
                     {.name = "pretty",
                      .help = "console: messages over several lines",
                      .sets_path = "console.pretty",
                      .sets_value = "true"}});
    return flags;
}

const std::vector<Flag>& peek_flags() {
    static const std::vector<Flag> flags = [] {
        std::vector<Flag> own = run_flags();
        own[0] = {.name = "limit",
                  .letter = 'n',
                  .value_name = "COUNT",
                  .help = "stop after so many messages; without it, when nothing more is waiting"};
        return own;
    }();
    return flags;
}

const std::vector<Flag>& lag_flags() {
    static const std::vector<Flag> flags =
        with_common({{.name = "watch",
                      .value_name = "SECONDS",
                      .help = "repeat it every so many seconds, a line at a time"}});
    return flags;
}

const std::vector<Flag>& snapshot_flags() {
    static const std::vector<Flag> flags = with_common(
        {{.name = "where",
          .value_name = "SQL",
          .help = "an SQL condition for its rows, for one table that is named without * and ?"},
         {.name = "id", .value_name = "ID", .help = "the snapshot's id; generated if not given"},
         {.name = "wait", .help = "show its progress; exit code 1 if it fails or is cancelled"}});
    return flags;
}

const std::vector<Flag>& reload_flags() {
    static const std::vector<Flag> flags = with_common(
        {{.name = "id", .value_name = "ID", .help = "the snapshot's id; generated if not given"},
         {.name = "wait", .help = "show its progress; exit code 1 if it fails or is cancelled"}});
    return flags;
}

const std::vector<Flag>& init_flags() {
    static const std::vector<Flag> flags = with_common(
        {{.name = "sql",
          .help = "print the SQL that a DBA has to run for this configuration, for psql"},
         {.name = "registry", .help = "make the registry of files; with --sql print that alone"},
         {.name = "loader",
          .value_name = "ROLE",
          .help = "a role that loads files: it may read the registry and mark files as loaded"},
         {.name = "ddl",
          .help = "install the event trigger that reports DDL; with --sql print that alone"},
         {.name = "remove", .help = "with --ddl: remove it"}});
    return flags;
}

const std::vector<Flag>& adopt_flags() {
    static const std::vector<Flag> flags = with_common(
        {{.name = "snapshot", .help = "the next start reads all captured tables, too"},
         {.name = "no-snapshot",
          .help = "the next start only streams; without either, source.snapshot.mode decides"}});
    return flags;
}

const std::vector<Flag>& reset_flags() {
    static const std::vector<Flag> flags = with_common(
        {{.name = "drop-slot", .help = "drop the slot as well"},
         {.name = "yes", .help = "do it; without it only what it would cost is shown"}});
    return flags;
}

const std::vector<Flag>& files_list_flags() {
    static const std::vector<Flag> flags = with_common(
        {{.name = "by",
          .value_name = kFilesListings.all(),
          .words = kFilesListings.all(),
          .help = "a line for each file, or for each batch or table, added up; file if not given"},
         {.name = "since",
          .value_name = "TIME",
          .help = "those that were closed since then: 2h, 7d, 2026-11-30T17:45:00Z"},
         {.name = "not-loaded", .help = "those that no loader has marked as loaded"}});
    return flags;
}

const std::vector<Flag>& files_verify_flags() {
    static const std::vector<Flag> flags =
        with_common({{.name = "quick", .help = "look at sizes and manifests, and read no file"}});
    return flags;
}

const std::vector<Flag>& files_clean_flags() {
    static const std::vector<Flag> flags = with_common(
        {{.name = "older-than",
          .value_name = "AGE",
          .help = "batches that were closed longer ago: 7d, 12h, 30m"},
         {.name = "keep",
          .value_name = "COUNT",
          .help = "all but so many of the newest batches of each table"},
         {.name = "loaded", .help = "of those, or of all, only what a loader has marked as loaded"},
         {.name = "unregistered",
          .help = "batches' folders that the registry does not know; no instance may run"},
         {.name = "yes", .help = "do it; without it what would be removed is shown"}});
    return flags;
}

const std::vector<Flag>& example_flags() {
    static const std::vector<Flag> flags =
        with_common({{.name = "format",
                      .value_name = "yaml|toml|env",
                      .words = kExampleFormats.all(),
                      .help = "kind of the example; yaml if not given"}});
    return flags;
}

}  // namespace

std::span<const Command> commands() {
    static const std::array all = {
        Command{"run", "", "follow the database until SIGTERM", run_flags(), run_follow},
        Command{"check", "", "check every precondition; each finding comes with its fix", common(),
                run_check},
        Command{"init", "[FILE]",
                "write an annotated configuration (pg-capture.yaml), or prepare servers for it",
                init_flags(), run_init},
        Command{"config validate", "", "report all errors of the configuration", common(),
                run_config_validate},
        Command{"config show", "", "show every option's value and where it comes from", common(),
                run_config_show},
        Command{"config schema", "", "print the JSON schema of the configuration file", common(),
                run_config_schema},
        Command{"config reference", "", "print every option, as Markdown", common(),
                run_config_reference},
        Command{"config example", "", "print an annotated example", example_flags(),
                run_config_example},
        Command{"metrics", "", "print every metric, as Markdown", common(), run_metrics},
        Command{"status", "", "show the state of a running instance", common(), run_status},
        Command{"lag", "", "show how far the slot lags behind, asked of the server", lag_flags(),
                run_lag},
        Command{"peek", "", "show waiting changes without consuming them", peek_flags(), run_peek},
        Command{"snapshot", "TABLE...", "read tables again, as public.orders or shop.*",
                snapshot_flags(), run_snapshot},
        Command{"snapshot list", "", "list the snapshots under way and the last that ended",
                common(), run_snapshot_list},
        Command{"snapshot wait", "ID", "show a snapshot's progress until it has ended", common(),
                run_snapshot_wait},
        Command{"snapshot pause", "ID", "pause a snapshot", common(), run_snapshot_pause},
        Command{"snapshot resume", "ID", "resume a snapshot", common(), run_snapshot_resume},
        Command{"snapshot cancel", "ID", "cancel a snapshot", common(), run_snapshot_cancel},
        Command{"reload", "TABLE...", "read whole tables again, into files of their own",
                reload_flags(), run_reload},
        Command{"adopt", "", "take over a slot for which no position is stored", adopt_flags(),
                run_adopt},
        Command{"position show", "", "show what is stored, beside the slot's position", common(),
                run_position_show},
        Command{"position reset", "",
                "remove the stored position; without --yes show what that costs", reset_flags(),
                run_position_reset},
        Command{"files list", "[TABLE...]", "list the files of sink: file that are registered",
                files_list_flags(), run_files_list},
        Command{"files verify", "[TABLE...]",
                "compare the registry of files with the disk; changes nothing",
                files_verify_flags(), run_files_verify},
        Command{"files clean", "[TABLE...]",
                "remove old batches of files; without --yes show which", files_clean_flags(),
                run_files_clean},
        Command{"slots list", "", "list the server's logical slots and the WAL they hold back",
                common(), run_slots_list},
        Command{"slots drop", "SLOT", "drop a slot nobody needs: what it holds is lost", common(),
                run_slots_drop},
    };
    return all;
}

}  // namespace pgc
