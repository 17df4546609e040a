#include "postgres/costly_steps.h"

#include <fmt/core.h>

namespace pgc {

std::string begin_anew() {
    return "pg-capture position reset --drop-slot --yes, and start again: a new slot is made and, "
           "unless source.snapshot.mode is never, all tables are read again; changes since the "
           "last position are lost, except for what the rows show then";
}

std::string drop_slot_step(std::string_view slot) {
    return fmt::format("pg-capture slots drop {} (what it still holds is lost)", slot);
}

std::string_view fix_and_go_on() noexcept {
    return "remove the cause, which is in the server's log (a data error comes from a row filter "
           "of the publication), and start again; nothing is lost meanwhile: the slot keeps what "
           "was not read yet; pg-capture check looks at slot, publication and tables";
}

}  // namespace pgc
