// Files and the registry of files in the simulated world: so the real FileSink runs in the seeds.
//
// A loader looks whenever something may have been committed: it reads what the registry knows of,
// files that are open as far as they are registered included, and tells the oracle of each line it
// has not seen, in the order of the commits; then of the position. A line that nobody wrote, one
// that disappears, or a file that is not what the registry says, is a failure.
//
// Each call of the disk may be the last of a process. A process that ends leaves what it did; now
// and then the machine fails with it, and what was not synced is lost. The registry is slow, loses
// connections before or after a commit arrives, and goes away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/sink.h"
#include "observe/metrics.h"
#include "simulation/ddl.h"
#include "simulation/mutation.h"
#include "simulation/oracle.h"
#include "simulation/reload_watch.h"
#include "simulation/world.h"
#include "sink/file/config.h"
#include "sink/file/simulated_disk.h"
#include "sink/file_registry/simulated_registry.h"

namespace pgc::sim {

struct FileHabits {
    bool there = false;
    Duration interval{0};    // of batches
    Duration checkpoint{0};  // between seals
    std::uint64_t bytes_max = 0;
    Duration work_max{0};             // of the worker, each time
    Duration answer_max{0};           // of the registry
    unsigned lost_percent = 0;        // commits whose outcome nobody learns
    unsigned faults_percent = 0;      // of calls of the disk
    unsigned power_cuts_percent = 0;  // of the ends of processes
    unsigned outages = 0;             // of the registry
    bool missing = false;             // the registry, at first
    bool ddl = false;                 // tables are altered, and messages tell of it
};

class FakeFiles {
public:
    FakeFiles(World& world, Oracle& oracle, const History& history, const FileHabits& habits,
              Mutation mutation);

    std::unique_ptr<Sink> make_sink();
    bool has_position();
    // A process of ours has ended; `alone`: no other one uses the files.
    void process_ended(bool alone);
    void registry_goes_away(Duration time) { registry_.go_away(time); }
    // The troubles are over.
    void settles();

    // By the sink: a batch was accepted.
    void accepted(const RecordBatch& batch);
    // Looks at what is committed.
    void look();
    DdlLaw& ddl() noexcept { return ddl_; }
    // Commits were lost on the way to us.
    void loss_happened() noexcept { lost_ = true; }
    // Reloads that were complete.
    std::size_t reloads() const noexcept { return reloads_.complete(); }

private:
    // A record with texts of its own.
    struct Copy {
        std::string key;
        std::string value;
        Record record;
        std::uint64_t number = 0;  // of all that were accepted
        std::size_t instance = 0;  // that wrote it
    };
    using Lines = std::vector<std::string>;

    void read_tables();
    void read_file(const std::string& path, const OpenFile& file, std::map<TableId, Lines>& into);
    std::vector<const Copy*> new_lines();
    // `before`: how many of these the table's file had already.
    void note_new(const TableId& table, const std::string& line, std::size_t before,
                  std::vector<const Copy*>& found);

    World& world_;
    Oracle& oracle_;
    const FileHabits& habits_;
    const Mutation mutation_;
    std::shared_ptr<FileSinkConfig> config_ = std::make_shared<FileSinkConfig>();
    Metrics metrics_{"simulation"};
    SimulatedDisk disk_;
    std::unique_ptr<Disk> asked_;  // what the sink asks: the disk, or one that spoils it
    SimulatedRegistryServer registry_;
    DdlLaw ddl_;
    bool lost_ = false;
    ReloadWatch reloads_;
    std::uint64_t seen_ = 0;  // the seal
    std::uint64_t accepted_ = 0;
    // By line, and by place: a transaction may truncate a table twice, in the same words.
    using Copies = std::map<std::pair<Lsn, std::uint64_t>, Copy>;
    std::map<std::pair<TableId, std::string>, Copies> copies_;
    std::map<TableId, Lines> streamed_;                                      // seen
    std::map<std::pair<TableId, std::string>, std::size_t> times_streamed_;  // of them, by line
    std::map<TableId, std::set<std::string>> read_;  // rows of snapshots, likewise
    std::map<TableId, Lines> streaming_now_;         // as the registry has them
    std::map<TableId, Lines> reads_now_;
};

}  // namespace pgc::sim
