// What a publication that is there shows of the tables, and what of them is to be remembered.
//
// Pure. Threads: any.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/catalog/lineage.h"
#include "postgres/options.h"
#include "postgres/setup/publication_findings.h"

namespace pgc {

// Both require a publication that is there; `published` are quoted names, as the server says.
CoveredTables covered_by(const PublicationFindings& found, const PostgresConfig& config,
                         const std::vector<std::string>& published);
// What is above tables that their own name does not decide (relations/lineages.h). Of one that is
// not ours to alter (`maintained`) and lists its tables, the others on the list as well.
std::unordered_map<Oid, Lineage> lineages_to_remember(const PublicationFindings& found,
                                                      const PostgresConfig& config,
                                                      const std::vector<std::string>& published,
                                                      bool maintained);

}  // namespace pgc
