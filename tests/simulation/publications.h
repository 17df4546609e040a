// Publications that list their tables, as their SQL makes and alters them. A row is published by
// what the catalog says when it is committed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/change.h"
#include "simulation/history.h"

namespace pgc::sim {

class Publications {
public:
    struct One {
        bool inserts_only = false;  // and truncates
        std::set<std::uint32_t> tables;
        std::string note;
    };

    // The statements of one command, which is one transaction; the SQLSTATE it fails with, and
    // then nothing is changed. Empty: it is done.
    std::string run(std::string_view sql);
    // Of this name; null: there is none.
    const One* find(std::string_view name) const;
    bool publishes(std::string_view name, std::uint32_t table, Operation operation) const;
    // Changes with everything that is in here.
    std::string signature() const;

    // Tables leave first, and join where they belong with the next change (a mutation).
    void move_in_two_steps() noexcept { in_two_steps_ = true; }

private:
    using All = std::map<std::string, One, std::less<>>;
    static std::string apply(std::string_view statement, All& all, bool adds);

    All all_;
    bool in_two_steps_ = false;
};

}  // namespace pgc::sim
