#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/error_output.h"
#include "cli/files_access.h"
#include "cli/files_arguments.h"
#include "cli/files_commands.h"
#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/status_line.h"
#include "sink/file/verifier.h"

namespace pgc {
namespace {

// A line now and then, for whoever waits.
constexpr Duration kProgress_every = std::chrono::seconds{5};

std::string counts(const VerifyReport& report) {
    return fmt::format("{} files, {}, {} rows", grouped(report.files), readable_bytes(report.bytes),
                       grouped(report.rows));
}

std::string as_text(const VerifyReport& report, bool read) {
    std::vector<std::vector<std::string>> rows;
    for (const FileDifference& one : report.differences) {
        rows.push_back({std::string{kFileDifferences.word(one.kind)}, printable(one.path),
                        printable(one.what)});
    }
    std::string text = aligned(rows);
    for (const std::string& folder : report.under_way) {
        text += fmt::format("{} is being moved or removed.\n", printable(folder));
    }
    const std::size_t differences = report.differences.size();
    text += counts(report);
    if (differences > 0) {
        return text + fmt::format(": {} {}.\n", grouped(differences),
                                  differences == 1 ? "difference" : "differences");
    }
    return text + (read ? ": all is as registered.\n" : ": all is there; nothing was read.\n");
}

std::string as_json(const FilesAccess& access, const VerifyReport& report, bool read) {
    std::string out = "{";
    append_json_field(out, "pipeline", access.pipeline());
    out += ',';
    append_json_field(out, "root", access.root());
    out += fmt::format(",\"read\":{},\"files\":{},\"bytes\":{},\"rows\":{},\"differences\":[", read,
                       report.files, report.bytes, report.rows);
    for (const FileDifference& one : report.differences) {
        if (out.back() == '}') out += ',';
        out += '{';
        append_json_field(out, "kind", kFileDifferences.word(one.kind));
        out += ',';
        append_json_field(out, "path", one.path);
        out += ',';
        append_json_field(out, "what", one.what);
        out += '}';
    }
    out += "],\"under_way\":[";
    for (const std::string& folder : report.under_way) {
        if (out.back() == '"') out += ',';
        append_json_string(out, folder);
    }
    return out + "]}\n";
}

class Progress {
public:
    explicit Progress(Invocation& invocation)
        : invocation_(invocation), next_(invocation.deps.clock.now() + kProgress_every) {}

    void operator()(const VerifyReport& report) {
        const Instant now = invocation_.deps.clock.now();
        if (invocation_.json() || now < next_) return;
        next_ = now + kProgress_every;
        print_note(invocation_.deps, counts(report) + " so far");
    }

private:
    Invocation& invocation_;
    Instant next_;
};

}  // namespace

ExitCode run_files_verify(Invocation& invocation) {
    auto tables = given_tables(invocation.line);
    if (!tables) return report_usage_error(invocation.deps, tables.error());
    const auto program = load_program(invocation);
    if (!program) return program.error();
    auto access = FilesAccess::make(invocation.deps, *program, SqlSession::Access::read_only);
    if (!access) return report_error(invocation, access.error());
    if (auto there = (*access)->require_root(); !there) {
        return report_error(invocation, there.error());
    }
    const bool read = !invocation.line.has("quick");
    FileVerifier verifier{
        (*access)->root(),
        (*access)->pipeline(),
        (*access)->index(),
        (*access)->disk(),
        {.content = read, .tables = std::move(*tables), .progress = Progress{invocation}}};
    const auto report = verifier.verify();
    if (!report) return report_error(invocation, report.error());
    invocation.deps.console.out(invocation.json() ? as_json(**access, *report, read)
                                                  : as_text(*report, read));
    return report->differences.empty() ? ExitCode::done : ExitCode::findings;
}

}  // namespace pgc
