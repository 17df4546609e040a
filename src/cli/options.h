// The options that belong to no room but the program: the sink's name and the logs.
#pragma once

#include <cstdint>

#include "base/words.h"
#include "config/option.h"

namespace pgc {

enum class SinkKind : std::uint8_t { kafka, file, console, discard };
inline constexpr auto kSinks = words_for<SinkKind>({{"kafka", SinkKind::kafka},
                                                    {"file", SinkKind::file},
                                                    {"console", SinkKind::console},
                                                    {"discard", SinkKind::discard}});

// What may become of a change when something dies.
enum class Delivery : std::uint8_t {
    at_least_once,  // it may come again
    exactly_once,
};
inline constexpr auto kDeliveries = words_for<Delivery>(
    {{"at_least_once", Delivery::at_least_once}, {"exactly_once", Delivery::exactly_once}});

// What stays together.
enum class Consistency : std::uint8_t {
    record,
    transaction,  // what committed in one transaction of the source does so in one of the sink
};
inline constexpr auto kConsistencies = words_for<Consistency>(
    {{"record", Consistency::record}, {"transaction", Consistency::transaction}});

extern const OptionTable kProgramOptions;
extern const OptionTable kLoggingOptions;

}  // namespace pgc
