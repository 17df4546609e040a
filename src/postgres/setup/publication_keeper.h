// Makes the publication what the filters say, and says what it holds.
//
// Runs over a link that is idle when begin() is called and idle again when step() gave its
// answer or a server's error. Used once by SourceSetup (may_create) and, while the stream
// runs, every now and then for new tables.
//
// Only a publication that we made (its comment says so) is ever altered. One that somebody
// else made is used as it is; what the filters ask for beyond it is logged with the SQL
// that would add it. Ours come as two: publication.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "observe/log.h"
#include "pgclient/link.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/catalog/lineage.h"
#include "postgres/options.h"

namespace pgc {

struct ServerFacts;

struct PublicationState {
    bool created = false;     // by this run of the keeper
    bool maintained = false;  // made by us, and ours to alter
    bool in_step = false;     // that, and just as the filters say
    bool via_root = false;
    std::vector<std::string> publications;      // what the stream is to name: one, or our two
    std::vector<std::string> tables;            // quoted, as the server publishes them
    std::unordered_map<Oid, Lineage> lineages;  // to be remembered: relations/lineages.h
    CoveredTables covered;                      // in any publication, whoever made it
    // Since the keeper's last answer; empty in its first.
    std::vector<std::string> added;
    std::vector<std::string> removed;
    // Published since we altered a publication that was there, in this round or earlier, and
    // what they held before is in no stream. Quoted. Reported again until settle(), by whatever
    // process looks. Not where source.snapshot.new_tables is off.
    std::vector<std::string> joined;
};

class PublicationKeeper {
public:
    // `server_version` as 150018. `config` must outlive it. `without_inserts`: the slot is older
    // than the second publication, whatever is there now.
    PublicationKeeper(const PostgresConfig& config, int server_version, Logger logger,
                      bool without_inserts = false);
    ~PublicationKeeper();

    // Starts a round. Without `may_create` a missing publication is an Error that stops. `facts`,
    // where they were asked for just now, are not asked for again.
    [[nodiscard]] Result<void> begin(Link& link, bool may_create,
                                     const ServerFacts* facts = nullptr);
    // Nothing while the server has not answered everything. A round that finds nothing
    // changed costs one small query.
    [[nodiscard]] Result<std::optional<PublicationState>> step(Link& link);
    // That these have joined is remembered elsewhere now: the next round forgets it.
    void settle(const std::vector<std::string>& joined);

private:
    class Round;
    std::unique_ptr<Round> round_;
};

}  // namespace pgc
