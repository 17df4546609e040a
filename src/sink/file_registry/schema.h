// The tables of the registry: how they are made, brought up to date, and who may do what there.
//
// A version is a step from the one before; a step that was released is never changed. Each runs in
// a transaction of its own, with a lock that lets a second instance wait and then find it done.
// What is at that version already is left as it is, so the same text makes a registry and updates
// one. PostgreSQL 10 to 18.
#pragma once

#include <string>
#include <string_view>

namespace pgc {

inline constexpr int kRegistryVersion = 1;

// One text for psql as for a simple query: makes what is missing.
std::string registry_statements();

// What a role needs that writes the registry and does not own it, and what one that loads files
// needs: to read, and to mark files as loaded.
std::string registry_writer_grants(std::string_view role);
std::string registry_loader_grants(std::string_view role);

}  // namespace pgc
