// What the played server answers to the SQL and the replication commands of the postgres
// room, recognised by the comment each of them begins with.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "postgres/link/link.h"
#include "simulation/server.h"

namespace pgc::sim {

inline constexpr std::uint32_t kFirstOid = 16401;  // of table 0
inline constexpr const char* kSlot = "shop_slot";
inline constexpr const char* kPublication = "shop_pub";

// Table 0 has the default replica identity, table 1 FULL, table 2 the default again.
constexpr char identity_of(std::uint32_t table) noexcept {
    return table == 1 ? 'f' : 'd';
}
inline std::string name_of(std::uint32_t table) {
    return "t" + std::to_string(table);
}

struct Answered {
    Result<Rows> rows;
    std::string sqlstate{};
};

class Catalog {
public:
    Catalog(World& world, Server& server, int version)
        : world_(world), server_(server), version_(version) {}

    int version() const noexcept { return version_; }
    Answered answer(std::string_view command);

private:
    Answered system() const;
    Answered create_slot();
    Rows facts() const;
    Rows tables() const;
    Rows publication() const;
    Rows slots() const;
    Rows slot_health() const;
    Rows key_of_any_table() const;

    World& world_;
    Server& server_;
    const int version_;
};

}  // namespace pgc::sim
