#include "observe/exposition.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <string_view>

#include "observe/json_text.h"

namespace pgc {
namespace {

std::string_view name(MetricSpec::Kind kind) noexcept {
    switch (kind) {
        case MetricSpec::Kind::counter: return "counter";
        case MetricSpec::Kind::gauge: return "gauge";
        case MetricSpec::Kind::histogram: return "histogram";
    }
    return "untyped";
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        const char c = text[0];
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\\' || (quotes && c == '"')) {
            out += {'\\', c};
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

std::string number(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    return fmt::format("{}", value);
}

// {a="x",b="y",le="0.1"}; nothing at all without labels.
void append_labels(std::string& out, const MetricSpec& spec, LabelSpan labels,
                   std::string_view always, std::string_view le = {}) {
    char before = '{';
    if (!always.empty()) {
        out += before;
        out += always;
        before = ',';
    }
    for (std::size_t i = 0; i < spec.label_count(); ++i) {
        out += before;
        out += label_text(spec.labels[i], labels[i]);
        before = ',';
    }
    if (!le.empty()) {
        fmt::format_to(std::back_inserter(out), "{}le=\"{}\"", before, le);
        before = ',';
    }
    if (before == ',') {
        out += '}';
    }
}

void append_sample(std::string& out, std::string_view value) {
    out += ' ';
    out += value;
    out += '\n';
}

}  // namespace

std::string label_text(std::string_view name, std::string_view value) {
    std::string text = fmt::format("{}=\"", name);
    append_escaped(text, value, true);
    return text + '"';
}

void expose_head(std::string& out, const MetricSpec& spec) {
    fmt::format_to(std::back_inserter(out), "# HELP {} ", spec.name);
    append_escaped(out, spec.help, false);
    fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", spec.name, name(spec.kind));
}

void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels,
                   const Counter& counter, std::string_view always) {
    out += spec.name;
    append_labels(out, spec, labels, always);
    append_sample(out, spec.unit == MetricSpec::Unit::nanoseconds
                           ? number(static_cast<double>(counter.value()) / 1e9)
                           : fmt::format("{}", counter.value()));
}

void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels, const Gauge& gauge,
                   std::string_view always) {
    out += spec.name;
    append_labels(out, spec, labels, always);
    append_sample(out, number(gauge.value()));
}

void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels,
                   const Histogram& histogram, std::string_view always) {
    const HistogramCounts counts = histogram.counts();
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts.buckets.size(); ++i) {
        below += counts.buckets[i];
        out += spec.name;
        out += "_bucket";
        append_labels(out, spec, labels, always,
                      i < counts.bounds.size() ? number(counts.bounds[i]) : "+Inf");
        append_sample(out, fmt::format("{}", below));
    }
    out += spec.name;
    out += "_sum";
    append_labels(out, spec, labels, always);
    append_sample(out, number(counts.sum));
    out += spec.name;
    out += "_count";
    append_labels(out, spec, labels, always);
    append_sample(out, fmt::format("{}", below));
}

}  // namespace pgc
