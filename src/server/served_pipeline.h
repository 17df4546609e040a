// What is shown over HTTP of one pipeline of this process, and where its requests are left.
//
// Where there is one, the paths are /healthz, /snapshots/ID, …; where there are several, these of
// each are below /pipelines/NAME.
#pragma once

#include <string>
#include <vector>

#include "observe/metrics.h"
#include "observe/status.h"
#include "pipeline/snapshot_requests.h"

namespace pgc {

// All outlive the routes. No two of a process have the same name, which is the metrics' label too.
struct ServedPipeline {
    std::string name;
    const Status& status;
    Metrics& metrics;
    SnapshotRequests& snapshot_requests;
};
using ServedPipelines = std::vector<ServedPipeline>;

// What comes before the paths of one of several.
inline std::string path_of(const ServedPipeline& pipeline) {
    return "/pipelines/" + pipeline.name;
}

}  // namespace pgc
