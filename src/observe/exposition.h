// Prometheus' text format 0.0.4:
//
//   # HELP name text         backslash and line end escaped
//   # TYPE name counter
//   name{label="value"} 12   backslash, quote and line end escaped
//
// A histogram is name_bucket{…,le="bound"} (cumulative, the last with le="+Inf"),
// name_sum and name_count. Label values are UTF-8: broken bytes become U+FFFD.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "observe/instruments.h"
#include "observe/metrics_catalog.h"

namespace pgc {

void expose_head(std::string& out, const MetricSpec& spec);

// name="value", escaped.
std::string label_text(std::string_view name, std::string_view value);

// `labels` holds at least spec.label_count() values. `always` comes before them: label texts
// with commas between, or nothing.
using LabelSpan = std::span<const std::string>;
void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels, const Counter&,
                   std::string_view always = {});
void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels, const Gauge&,
                   std::string_view always = {});
void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels, const Histogram&,
                   std::string_view always = {});

}  // namespace pgc
