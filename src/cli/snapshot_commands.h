// pg-capture snapshot TABLE… and list | wait | pause | resume | cancel: asks a running instance.
#pragma once

#include "cli/command.h"

namespace pgc {

ExitCode run_snapshot(Invocation& invocation);
ExitCode run_snapshot_list(Invocation& invocation);
ExitCode run_snapshot_wait(Invocation& invocation);
ExitCode run_snapshot_pause(Invocation& invocation);
ExitCode run_snapshot_resume(Invocation& invocation);
ExitCode run_snapshot_cancel(Invocation& invocation);

}  // namespace pgc
