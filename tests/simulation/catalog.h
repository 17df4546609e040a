// What the fake server answers to the SQL and the replication commands of the postgres
// room, recognised by the comment each of them begins with.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pgclient/link.h"
#include "simulation/server.h"

namespace pgc::sim {

inline constexpr const char* kSlot = "shop_slot";
inline constexpr const char* kPublication = kPublished;

struct Answered {
    Result<Rows> rows;
    std::string sqlstate{};
};

class Catalog {
public:
    Catalog(World& world, Server& server, int version)
        : world_(world), server_(server), version_(version) {}

    int version() const noexcept { return version_; }
    using Parameters = std::span<const std::optional<std::string>>;
    Answered answer(std::string_view command, Parameters parameters);

private:
    Answered system() const;
    Rows facts() const;
    Rows tables() const;
    Rows publication() const;
    Rows listing_publication(std::string_view name) const;
    Rows members(std::string_view name) const;
    std::string signature() const;
    Rows published_tables() const;
    Rows slots() const;
    Rows slot_health() const;
    Rows table_facts(Parameters parameters) const;
    void add_types(std::string_view asked, Rows& rows) const;

    World& world_;
    Server& server_;
    const int version_;
};

}  // namespace pgc::sim
