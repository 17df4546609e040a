#include "observe/status_metrics.h"

#include <array>
#include <limits>

namespace pgc {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

constexpr std::array kStates{PipelineState::starting,  PipelineState::connecting,
                             PipelineState::streaming, PipelineState::waiting,
                             PipelineState::draining,  PipelineState::stopped,
                             PipelineState::failed};
constexpr std::array kWaits{WaitsOn::source, WaitsOn::sink, WaitsOn::format, WaitsOn::store};
constexpr std::array kStreams{StreamState::idle, StreamState::working, StreamState::blocked,
                              StreamState::dead};

}  // namespace

void publish(const StatusSnapshot& status, Metrics& metrics) {
    for (const PipelineState state : kStates) {
        metrics.gauge(Metric::pipeline_state, {name(state)}).set(state == status.state ? 1 : 0);
    }
    for (const WaitsOn on : kWaits) {
        metrics.gauge(Metric::pipeline_waiting, {name(on)}).set(on == status.waits_on ? 1 : 0);
    }
    for (const StreamState stream : kStreams) {
        metrics.gauge(Metric::stream_state, {name(stream)}).set(stream == status.stream ? 1 : 0);
    }
    metrics.gauge(Metric::failed_attempts).set(static_cast<double>(status.attempts));

    const PipelineProgress& progress = status.progress;
    const auto behind = progress.behind_bytes();
    metrics.gauge(Metric::replication_lag_seconds)
        .set(progress.lag ? std::chrono::duration<double>(*progress.lag).count() : kUnknown);
    metrics.gauge(Metric::replication_lag_bytes)
        .set(behind ? static_cast<double>(*behind) : kUnknown);
    metrics.gauge(Metric::wal_position_bytes)
        .set(progress.confirmed ? static_cast<double>(progress.confirmed.value) : kUnknown);
    metrics.gauge(Metric::buffer_bytes).set(static_cast<double>(progress.buffer_bytes));

    // While there is a sink it says so itself.
    if (status.about.sink == "kafka" && progress.sink == SinkState::closed) {
        const bool waits = status.waits_on == WaitsOn::sink || status.waits_on == WaitsOn::store;
        metrics.gauge(Metric::kafka_waiting).set(waits ? 1 : 0);
    }
}

}  // namespace pgc
