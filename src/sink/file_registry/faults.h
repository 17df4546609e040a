// What every registry of files says when it can't go on.
#pragma once

#include <string>

#include "base/error.h"

namespace pgc {

inline Error registry_is_fenced() {
    // The next attempt sees by the position what the other one did.
    return retry(
        Error::Category::position,
        "the files were not registered: another instance of this pipeline has begun since");
}

// And we may not make it.
inline Error registry_is_missing() {
    return stop(Error::Category::position, "the registry of files does not exist")
        .with_hint(
            "run pg-capture init --registry, which makes it, or what pg-capture init --sql "
            "--registry prints");
}

inline Error registry_is_newer(int theirs, int ours) {
    return stop(Error::Category::position,
                "the registry of files is of version " + std::to_string(theirs) +
                    ", and this pg-capture knows none after " + std::to_string(ours))
        .with_hint("start the pg-capture that made it, or a newer one");
}

inline Error registry_seals_positions() {
    return stop(Error::Category::internal,
                "a position is sealed here with its files, not saved by itself");
}

inline Error registry_not_open() {
    return stop(Error::Category::internal, "a seal before the registry was ready");
}

inline Error path_is_registered() {
    return stop(Error::Category::position,
                "a file of this seal has the path of one that is registered already");
}

inline Error folder_is_taken() {
    return stop(Error::Category::position,
                "a table of this seal has the folder of another one in cdc_registry.table_state")
        .with_hint(
            "if the registry was made by an earlier build of pg-capture: ALTER TABLE "
            "cdc_registry.table_state DROP CONSTRAINT IF EXISTS table_state_pipeline_folder_key");
}

inline Error registry_of_another(const std::string& theirs, const std::string& ours) {
    return stop(Error::Category::position,
                "the stored position belongs to pipeline " + theirs + ", not to " + ours);
}

}  // namespace pgc
