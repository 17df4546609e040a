// A server in memory on which everything that "shop" needs is there, and shop's configuration. A
// test spoils what it is about.
#pragma once

#include <chrono>
#include <string>

#include "postgres/options.h"
#include "support/fake_server.h"

namespace pgc {

inline PostgresConfig shop_config() {
    PostgresConfig config;
    config.publication = "pub";
    config.pipeline = "shop";
    config.slot = "shop_slot";
    config.connection.hosts = {{"db", 5432}};
    config.connection.database = "shop";
    config.connection.connect_timeout = std::chrono::seconds{30};
    config.tables = TableFilter{{*NamePattern::parse("*.*", 2)}, {}};
    return config;
}

inline Rows fake_system(const std::string& timeline = "1") {
    return fake_row(
        {{"systemid", "77"}, {"timeline", timeline}, {"xlogpos", "0/500"}, {"dbname", "shop"}});
}

// With one table, public.`table`, in the publication, and the slot.
inline void is_healthy(FakeServer& server, const std::string& table) {
    server.answers("pg-capture: server */", fake_facts());
    server.answers("IDENTIFY_SYSTEM", fake_system());
    server.answers("pg-capture: slots */", fake_slot());
    server.answers("publication signature */", fake_row({{"signature", "x"}}));
    server.answers("pg-capture: publication */", fake_publication());
    server.answers("publication of inserts */", no_publication());
    server.answers("publication members */", fake_members({}));
    server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = table}}));
    server.answers("published tables */", fake_published({{"public", table}}));
    server.answers("published types */", fake_row({{"types", "{23,25}"}}));
}

// What the table facts say of a table whose key is its column id.
inline Rows fake_id_key() {
    return fake_rows({}, {{"k", "0", "", "id", "", "", "0", "0", "0", "0", "", "", "1"}});
}

inline Rows fake_slot_health(const std::string& confirmed = "0/200",
                             const std::string& publication = "t") {
    return fake_rows(
        {}, {{"t", "t", "0/100", confirmed, "reserved", std::nullopt, std::nullopt, publication,
              "0/500", "1024", std::nullopt, std::nullopt, std::nullopt}});
}

}  // namespace pgc
