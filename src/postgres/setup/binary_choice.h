// Whether every published column can be taken in binary.
//
// Published, not captured: the server encodes what we leave out, too. Asks the catalog for the
// types until none is unknown; runs over an idle link. Types the catalog does not know (dropped
// meanwhile) are none of a published column, but the log may hold some: SourceCarryOver.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "pgclient/link.h"
#include "postgres/types/type_map.h"

namespace pgc {

class BinaryChoice {
public:
    BinaryChoice(int server_version, std::vector<std::string> publications)
        : version_(server_version), publications_(std::move(publications)) {}

    [[nodiscard]] Result<void> begin(Link& link);
    // True: all of them. Nothing while the server has not answered everything.
    [[nodiscard]] Result<std::optional<bool>> step(Link& link);
    // The type that can't be, once step() said false.
    const std::string& obstacle() const noexcept { return obstacle_; }

private:
    Result<std::optional<bool>> ask_or_decide(Link& link);

    const int version_;
    const std::vector<std::string> publications_;
    bool listed_ = false;
    std::vector<Oid> types_;
    std::vector<Oid> asked_;
    TypeMap map_;
    std::string obstacle_;
};

// "{23,25}" as OIDs; nothing if it is not of that form.
std::optional<std::vector<Oid>> parse_oids(std::string_view text);

}  // namespace pgc
