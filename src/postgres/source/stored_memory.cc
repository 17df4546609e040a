#include "postgres/source/stored_memory.h"

#include <utility>

namespace pgc {

std::string stored_memory(SourceCarryOver& carry_over, const PostgresConfig& config,
                          const std::optional<KnownTables>& captured, const Logger& logger) {
    auto [text, whole] = carry_over.lineages.text(config.tables);
    if (!whole && !std::exchange(carry_over.reported_cut, true)) {
        logger.warning(
            "there are more partitions than can be remembered: of some that are detached, or whose "
            "partitioned table is renamed, while pg-capture is down, the last changes may be left "
            "out or be captured although no filter names them",
            {{"hint",
              "name them in source.tables.include or source.tables.exclude (shop.orders_*)"}});
    }
    const std::string known = captured ? write_known(*captured) : std::string{};
    if (captured && known.empty() && !std::exchange(carry_over.reported_captured_cut, true)) {
        logger.warning(
            "more tables are captured than can be remembered: the rows of one that is published "
            "by somebody else, attached or moved while pg-capture is down are not read by "
            "themselves",
            {{"tables", captured->tables.size()},
             {"hint", "after such a change: pg-capture snapshot TABLE"}});
    }
    return known.empty() ? std::move(text) : text + '\n' + known;
}

}  // namespace pgc
