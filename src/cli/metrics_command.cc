#include "cli/metrics_command.h"

#include <fmt/format.h>

#include "cli/error_output.h"
#include "observe/json_text.h"
#include "observe/metrics_catalog.h"

namespace pgc {
namespace {

std::string_view name(MetricSpec::Kind kind) {
    switch (kind) {
        case MetricSpec::Kind::counter: return "counter";
        case MetricSpec::Kind::gauge: return "gauge";
        case MetricSpec::Kind::histogram: return "histogram";
    }
    return {};
}

std::string labels(const MetricSpec& metric) {
    std::string text;
    for (std::size_t i = 0; i < metric.label_count(); ++i) {
        text += (i == 0 ? "" : ", ") + std::string(metric.labels[i]);
    }
    return text;
}

std::string markdown() {
    std::string text =
        "# Metrics\n\nWhat `GET /metrics` shows, in Prometheus' text format. Written by "
        "`pg-capture metrics`.\n\nEvery series bears the label `pipeline`, the pipeline's name, "
        "besides those of the table. `NaN` means: not known now.\n\n| metric | kind | labels | "
        "meaning |\n|---|---|---|---|\n";
    for (const MetricSpec& metric : metrics_catalog()) {
        text += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, name(metric.kind),
                            labels(metric), metric.help);
    }
    return text;
}

std::string json() {
    std::string text = "{\"metrics\":[";
    for (const MetricSpec& metric : metrics_catalog()) {
        if (text.back() != '[') text += ',';
        text += fmt::format("{{\"name\":\"{}\",\"kind\":\"{}\",\"help\":", metric.name,
                            name(metric.kind));
        append_json_string(text, metric.help);
        text += ",\"labels\":[\"pipeline\"";
        for (std::size_t i = 0; i < metric.label_count(); ++i) {
            text += fmt::format(",\"{}\"", metric.labels[i]);
        }
        text += "]}";
    }
    return text + "]}\n";
}

}  // namespace

ExitCode run_metrics(Invocation& invocation) {
    if (!invocation.line.errors.empty())
        return report_error(invocation.deps, invocation.line.errors);
    invocation.deps.console.out(invocation.json() ? json() : markdown());
    return ExitCode::done;
}

}  // namespace pgc
