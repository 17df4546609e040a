// Laws broken on purpose: each of these must be found out by the oracle, or it judges
// nothing. They wrap the engine's parts from outside; the engine itself stays as it is.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/format.h"
#include "core/sink.h"
#include "core/source.h"
#include "core/store.h"
#include "kafka/position_log.h"
#include "simulation/server.h"

namespace pgc::sim {

enum class Mutation : std::uint8_t {
    none,
    confirms_what_it_received,  // instead of what it was told to confirm
    confirms_a_bit_more,
    accepted_is_called_durable,
    store_forgets,            // says saved, wrote nothing
    store_is_late,            // writes the position before the one it was given
    append_is_called_stored,  // before Kafka has acknowledged it
    guard_is_blind,           // a moved slot looks as if it were ours
    stream_begins_late,
    loses_a_record,
    swaps_two_records,
    sends_a_record_twice,
    ignores_the_budget,
    stores_at_the_interval,  // of the confirmations, however much is durable
    kafka_failure_counts,    // a record reported as failed is taken for written
    kafka_reports_early,     // records are reported that no broker has
    kafka_swaps_two_records,
    kafka_truncates_one_partition,
    read_is_called_durable,  // of a snapshot
    loses_a_read,
    stream_passes_the_snapshot,   // its rows come after newer changes
    snapshot_is_called_done,      // now and then, by the store
    snapshot_is_an_ordinary_one,  // what can be seen, not what is before its place
    store_overwrites_the_unseen,  // what another instance has stored meanwhile
    successor_knows_what_was,     // the position as it was before the slot was waited for
    moves_in_two_steps,           // of a table between publications: it is in none meanwhile
    asks_for_one_publication,     // of the two
    aborts_are_lost,              // of parts of streamed transactions
    confirms_past_a_prepare,      // that is not decided, or its commit not stored
    publishes_at_prepare,
    seals_without_the_place_within,  // a transaction
    seals_without_the_position,
    seals_without_the_records,
    fences_nobody,               // a predecessor commits after its successor has opened
    kafka_fences_nobody,         // likewise
    kafka_forgets_the_position,  // commits the records alone
    reads_before_it_fences,      // the sink is called open at once
    commit_is_called_done,       // when it has begun
    waiting_loses_a_change,      // the one its format waited for
    refuses_another_change,      // than the one that can't be written
    transform_drops_another,     // likewise
    mark_miscounts,
    cuts_transactions,  // that are to be committed as a whole
    registry_is_not_awaited,
    registry_is_no_memory,            // of the numbers of fields
    rows_ignore_numbers,              // that are registered, and have those of their places
    files_are_not_synced,             // before they are registered
    folders_are_not_synced,           // likewise
    files_stay_where_they_are_moved,  // though their seal was lost
    files_are_called_registered,      // before they are
    ddl_is_left_out,                  // of ddl_history and batches
    reload_that_is_over_goes_on,      // in the registry
    reload_that_is_given_up_is_complete,
};
inline constexpr std::array kMutations{
    Mutation::confirms_what_it_received,
    Mutation::confirms_a_bit_more,
    Mutation::accepted_is_called_durable,
    Mutation::store_forgets,
    Mutation::store_is_late,
    Mutation::append_is_called_stored,
    Mutation::guard_is_blind,
    Mutation::stream_begins_late,
    Mutation::loses_a_record,
    Mutation::swaps_two_records,
    Mutation::sends_a_record_twice,
    Mutation::ignores_the_budget,
    Mutation::stores_at_the_interval,
    Mutation::kafka_failure_counts,
    Mutation::kafka_reports_early,
    Mutation::kafka_swaps_two_records,
    Mutation::kafka_truncates_one_partition,
    Mutation::read_is_called_durable,
    Mutation::loses_a_read,
    Mutation::stream_passes_the_snapshot,
    Mutation::snapshot_is_called_done,
    Mutation::snapshot_is_an_ordinary_one,
    Mutation::store_overwrites_the_unseen,
    Mutation::successor_knows_what_was,
    Mutation::moves_in_two_steps,
    Mutation::asks_for_one_publication,
    Mutation::aborts_are_lost,
    Mutation::confirms_past_a_prepare,
    Mutation::publishes_at_prepare,
    Mutation::seals_without_the_place_within,
    Mutation::seals_without_the_position,
    Mutation::seals_without_the_records,
    Mutation::fences_nobody,
    Mutation::kafka_fences_nobody,
    Mutation::kafka_forgets_the_position,
    Mutation::reads_before_it_fences,
    Mutation::commit_is_called_done,
    Mutation::waiting_loses_a_change,
    Mutation::refuses_another_change,
    Mutation::transform_drops_another,
    Mutation::mark_miscounts,
    Mutation::cuts_transactions,
    Mutation::registry_is_not_awaited,
    Mutation::registry_is_no_memory,
    Mutation::rows_ignore_numbers,
    Mutation::files_are_not_synced,
    Mutation::folders_are_not_synced,
    Mutation::files_stay_where_they_are_moved,
    Mutation::files_are_called_registered,
    Mutation::ddl_is_left_out,
    Mutation::reload_that_is_over_goes_on,
    Mutation::reload_that_is_given_up_is_complete,
};

constexpr std::string_view name(Mutation mutation) noexcept {
    using enum Mutation;
    switch (mutation) {
        case none: return "none";
        case confirms_what_it_received: return "confirms_what_it_received";
        case confirms_a_bit_more: return "confirms_a_bit_more";
        case accepted_is_called_durable: return "accepted_is_called_durable";
        case store_forgets: return "store_forgets";
        case store_is_late: return "store_is_late";
        case append_is_called_stored: return "append_is_called_stored";
        case guard_is_blind: return "guard_is_blind";
        case stream_begins_late: return "stream_begins_late";
        case loses_a_record: return "loses_a_record";
        case swaps_two_records: return "swaps_two_records";
        case sends_a_record_twice: return "sends_a_record_twice";
        case ignores_the_budget: return "ignores_the_budget";
        case stores_at_the_interval: return "stores_at_the_interval";
        case kafka_failure_counts: return "kafka_failure_counts";
        case kafka_reports_early: return "kafka_reports_early";
        case kafka_swaps_two_records: return "kafka_swaps_two_records";
        case kafka_truncates_one_partition: return "kafka_truncates_one_partition";
        case read_is_called_durable: return "read_is_called_durable";
        case loses_a_read: return "loses_a_read";
        case stream_passes_the_snapshot: return "stream_passes_the_snapshot";
        case snapshot_is_called_done: return "snapshot_is_called_done";
        case snapshot_is_an_ordinary_one: return "snapshot_is_an_ordinary_one";
        case store_overwrites_the_unseen: return "store_overwrites_the_unseen";
        case successor_knows_what_was: return "successor_knows_what_was";
        case moves_in_two_steps: return "moves_in_two_steps";
        case asks_for_one_publication: return "asks_for_one_publication";
        case aborts_are_lost: return "aborts_are_lost";
        case confirms_past_a_prepare: return "confirms_past_a_prepare";
        case publishes_at_prepare: return "publishes_at_prepare";
        case seals_without_the_place_within: return "seals_without_the_place_within";
        case seals_without_the_position: return "seals_without_the_position";
        case seals_without_the_records: return "seals_without_the_records";
        case fences_nobody: return "fences_nobody";
        case kafka_fences_nobody: return "kafka_fences_nobody";
        case kafka_forgets_the_position: return "kafka_forgets_the_position";
        case reads_before_it_fences: return "reads_before_it_fences";
        case commit_is_called_done: return "commit_is_called_done";
        case waiting_loses_a_change: return "waiting_loses_a_change";
        case refuses_another_change: return "refuses_another_change";
        case transform_drops_another: return "transform_drops_another";
        case mark_miscounts: return "mark_miscounts";
        case cuts_transactions: return "cuts_transactions";
        case registry_is_not_awaited: return "registry_is_not_awaited";
        case registry_is_no_memory: return "registry_is_no_memory";
        case rows_ignore_numbers: return "rows_ignore_numbers";
        case files_are_not_synced: return "files_are_not_synced";
        case folders_are_not_synced: return "folders_are_not_synced";
        case files_stay_where_they_are_moved: return "files_stay_where_they_are_moved";
        case files_are_called_registered: return "files_are_called_registered";
        case ddl_is_left_out: return "ddl_is_left_out";
        case reload_that_is_over_goes_on: return "reload_that_is_over_goes_on";
        case reload_that_is_given_up_is_complete: return "reload_that_is_given_up_is_complete";
    }
    return "none";
}

// Each gives back `part`, or something that spoils it.
std::unique_ptr<Source> spoilt(std::unique_ptr<Source> part, Mutation mutation, Oracle& oracle);
std::unique_ptr<Format> spoilt(std::unique_ptr<Format> part, Mutation mutation, Random& random);
std::unique_ptr<Sink> spoilt(std::unique_ptr<Sink> part, Mutation mutation);
std::unique_ptr<PositionStore> spoilt(std::unique_ptr<PositionStore> part, Mutation mutation,
                                      Server& server);
std::unique_ptr<PositionLog> spoilt(std::unique_ptr<PositionLog> part, Mutation mutation);

}  // namespace pgc::sim
