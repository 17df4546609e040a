// Tables that have joined a publication of ours and whose rows nobody has read yet.
//
// What they held before is in no stream. Their names stand in the publication's comment, put there
// by the very change that published them, so whoever is killed when, the next round finds them.
// They are taken off it once that they are to be read is remembered elsewhere (settle()).
//
// Threads: one, the owner's.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "postgres/options.h"
#include "postgres/setup/publication_findings.h"

namespace pgc {

class JoinedTables {
public:
    explicit JoinedTables(const PostgresConfig& config) noexcept : config_(config) {}

    // That these are to be read is remembered elsewhere.
    void settle(const std::vector<std::string>& joined) {
        settled_.insert(joined.begin(), joined.end());
    }

    // Of what the comment names: what is not settled.
    std::vector<std::string> unread(const Publication& publication) const;
    // That, and what is about to join: whatever of our choice is not published yet may be by the
    // change that is about to be made; which it is, is seen when it was made.
    std::vector<std::string> unread_after(const PublicationFindings& found,
                                          const std::vector<std::string>& published);
    // Of those unread, what is published.
    std::vector<std::string> joined(const Publication& publication,
                                    const std::vector<std::string>& published) const;
    // What the comment names and has not joined needs no more care, and what it does not name any
    // more is forgotten.
    void settle_others(const Publication& publication, const std::vector<std::string>& joined);

private:
    const PostgresConfig& config_;
    std::unordered_set<std::string> settled_;  // of what the comment calls unread, quoted
};

}  // namespace pgc
