#include "postgres/costly_steps.h"

#include <fmt/core.h>

namespace pgc {

std::string begin_anew(std::string_view slot) {
    return fmt::format(
        "pg-capture slots drop {}, remove the stored position and take a new snapshot; what was "
        "changed since the last position is lost, but for the rows as they are then",
        slot);
}

std::string drop_slot_step(std::string_view slot) {
    return fmt::format("pg-capture slots drop {} (what it still holds is lost)", slot);
}

std::string_view keep_and_mend() noexcept {
    return "remove the cause, which the server's log tells of (a data error comes from a row "
           "filter of the publication), and start again; nothing is lost meanwhile: the slot keeps "
           "what was not read yet; pg-capture check looks at slot, publication and tables";
}

}  // namespace pgc
