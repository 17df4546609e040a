#include "postgres/setup/publication_change.h"

#include <algorithm>
#include <array>

#include "postgres/setup/publication.h"

namespace pgc {

std::string publication_change_sql(int server_version, const PostgresConfig& config,
                                   const PublicationFindings& found) {
    const auto& publication = found.publication;
    const auto& inserts = found.inserts;
    const PublicationOwner owner = owner_of(config, found.apart);
    std::string sql = publication ? alter_publication_sql(server_version, config.publication,
                                                          *publication, found.wanted, owner)
                                  : create_our_publication_sql(server_version, config.publication,
                                                               found.wanted, owner);
    if (!found.apart) return sql;
    const std::string name = inserts_publication(config.publication);
    const WantedPublication wanted = wanted_inserts(found.wanted);
    const PublicationOwner second = owner_of(config, false);
    std::string more = inserts
                           ? alter_publication_sql(server_version, name, *inserts, wanted, second)
                           : create_our_publication_sql(server_version, name, wanted, second);
    if (inserts && inserts->owner != second) {
        more += (more.empty() ? "" : " ") + note_sql(name, second, {});
    }
    return sql + (sql.empty() || more.empty() ? "" : " ") + more;
}

bool collided(std::string_view sqlstate, const PublicationFindings& found) noexcept {
    const bool to_be_made = !found.publication || (found.apart && !found.inserts);
    return sqlstate == kChangedMeanwhile ||
           (to_be_made && (sqlstate == "42710" || sqlstate == "23505"));
}

bool change_may_pass(std::string_view sqlstate) noexcept {
    constexpr std::array<std::string_view, 4> classes{"40", "53", "55P03", "57"};
    return std::ranges::any_of(classes, [&](auto c) { return sqlstate.starts_with(c); });
}

}  // namespace pgc
