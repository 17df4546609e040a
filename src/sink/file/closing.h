// The folders that a seal is about to move, written down before the first of them is: what the next
// process moves back if the registry never got the seal. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgc {

struct FolderMove {  // both below the root
    std::string from;
    std::string to;
    bool operator==(const FolderMove&) const = default;
};

struct Closing {
    std::uint64_t seal = 0;
    std::vector<FolderMove> moves;
    bool operator==(const Closing&) const = default;
};

std::string write_closing(const Closing& closing);
// Nothing if it isn't one that was written here.
std::optional<Closing> read_closing(std::string_view text);

}  // namespace pgc
