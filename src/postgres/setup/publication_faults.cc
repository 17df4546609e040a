#include "postgres/setup/publication_faults.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "pgclient/quote.h"
#include "postgres/costly_steps.h"

namespace pgc {

Error missing_publication(std::string_view name) {
    Error error = stop(Error::Category::position,
                       fmt::format("publication {} is not there, and decoding finds only those "
                                   "that are older than the slot's position",
                                   quote_name(name)));
    error.hint = begin_anew();
    return error;
}

Error taken_publication(std::string_view name) {
    Error error = stop(Error::Category::configuration,
                       fmt::format("publication {} is not ours, and its name is that of the "
                                   "one for tables without a replica identity",
                                   quote_name(name)));
    error.hint = "set PG_PUBLICATION to another name";
    return error;
}

Result<void> require_via_root(const PostgresConfig& config, int version) {
    if (!config.publish_via_partition_root || version >= 130000) return {};
    Error error = stop(Error::Category::configuration,
                       fmt::format("source.publish_via_partition_root needs PostgreSQL 13; "
                                   "the server is {}",
                                   version_name(version)));
    error.hint = "set source.publish_via_partition_root to false";
    return std::unexpected(std::move(error));
}

Result<void> require_create(const PostgresConfig& config, const ServerFacts& facts,
                            std::string_view sql) {
    if (config.manage_publication && (facts.superuser || facts.may_create)) return {};
    Error error = stop(
        config.manage_publication ? Error::Category::permission : Error::Category::configuration,
        fmt::format("publication {} is not there, and {}", quote_name(config.publication),
                    config.manage_publication ? "we may not create it"
                                              : "source.manage_publication says not to create it"));
    error.hint =
        config.manage_publication
            ? fmt::format("GRANT CREATE ON DATABASE {} TO {}; or, as a superuser: {}",
                          quote_name(config.connection.database), quote_name(facts.role), sql)
            : std::string{sql};
    return std::unexpected(std::move(error));
}

}  // namespace pgc
