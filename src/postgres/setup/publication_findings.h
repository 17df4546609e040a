// What a look at the publication has found: the server's facts, our one or two publications, the
// tables there are, and what the filters ask for.
#pragma once

#include <optional>
#include <vector>

#include "postgres/setup/publication.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/tables.h"

namespace pgc {

struct PublicationFindings {
    ServerFacts facts;
    std::optional<Publication> publication;
    std::optional<Publication> inserts;  // the second one
    bool apart = false;                  // it is there, or will be
    std::vector<TableInfo> tables;
    WantedPublication wanted;
};

}  // namespace pgc
