// What is warned about once a publication was looked at: tables whose changes are not captured, or
// that the server refuses UPDATE and DELETE on. Each once, until it is another.
//
// Threads: one, the owner's.
#pragma once

#include <string>
#include <vector>

#include "observe/log.h"
#include "postgres/options.h"
#include "postgres/setup/publication_findings.h"

namespace pgc {

class PublicationWarnings {
public:
    PublicationWarnings(const PostgresConfig& config, int version, Logger logger)
        : config_(config), version_(version), logger_(std::move(logger)) {}

    struct Look {
        const PublicationFindings& found;  // with a publication that is there
        const std::vector<std::string>& published;
        bool gaps = false;           // tables that the filters mean may be missing
        bool taken_care_of = false;  // tables without a replica identity are apart
    };
    void warn(const Look& look);

    // Only what the user asked for: a publication used as it is may hold what it likes.
    bool asks_for_tables() const { return config_.manage_publication || config_.tables_given; }

private:
    void warn_of_gaps(const Look& look);
    void warn_of_unidentifiable(const Look& look);
    void warn_of_left_out(const Look& look);

    const PostgresConfig& config_;
    const int version_;
    const Logger logger_;
    // As they were last warned about.
    std::vector<std::string> gaps_;
    std::vector<std::string> unidentifiable_;
    std::vector<std::string> left_out_;
    bool reported_leaves_ = false;
};

}  // namespace pgc
