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

#include "observe/instruments.h"
#include "observe/metrics_catalog.h"

namespace pgc {

void expose_head(std::string& out, const MetricSpec& spec);

// `labels` holds at least spec.label_count() values.
using LabelSpan = std::span<const std::string>;
void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels, const Counter&);
void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels, const Gauge&);
void expose_series(std::string& out, const MetricSpec& spec, LabelSpan labels, const Histogram&);

}  // namespace pgc
