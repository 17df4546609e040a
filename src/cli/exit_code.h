// What the process's end says to whoever started it. Documented in README.md.
#pragma once

#include "base/error.h"

namespace pgc {

enum class ExitCode : int {
    done = 0,
    findings = 1,       // check found something blocking; a slot is missing or lost; not live;
                        // position: a start would stop, nothing is there to reset; files verify:
                        // disk and registry differ; a snapshot failed, was cancelled or is unknown
    configuration = 2,  // command line, file or environment are wrong
    source = 3,         // PostgreSQL or a schema registry said no: password, privilege, setting
    absent = 4,         // status, snapshot: no running instance answers
    position = 5,       // going on would skip changes: slot, server and stored position disagree
    data = 6,           // a row can't be encoded as configured, or its schema is refused
    sink = 7,           // the destination refused for good
    storage = 8,        // a local file can't be read or written
    internal = 9,       // a bug of ours, or a peer that breaks its protocol
    interrupted = 10,   // a second signal: ended at once, before everything was confirmed;
                        // snapshot: a signal ended the watching
};

constexpr ExitCode exit_code(Error::Category category) noexcept {
    using enum Error::Category;
    switch (category) {
        case configuration: return ExitCode::configuration;
        case connection:
        case authentication:
        case permission:
        case server: return ExitCode::source;
        case position: return ExitCode::position;
        case data: return ExitCode::data;
        case sink: return ExitCode::sink;
        case storage: return ExitCode::storage;
        case protocol:
        case internal: return ExitCode::internal;
    }
    return ExitCode::internal;
}

}  // namespace pgc
