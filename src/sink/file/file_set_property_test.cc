// Rows of some tables and what changes them through files, with crashes, power cuts and a failing
// disk between any two steps: what loaders find by the registry is what was written, each row once,
// in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/random.h"
#include "core/own_messages.h"
#include "sink/file/file_set.h"
#include "sink/file/simulated_disk.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

struct Row {
    std::size_t table = 0;
    std::string line;
    Lsn commit;
    std::uint64_t ordinal = 0;
    bool ends = false;
    std::size_t version = 0;  // of the table's columns
    bool ddl = false;         // it is none, but a statement
};

std::string ddl_message(const Row& row) {
    return R"({"command":"ALTER TABLE","object_type":"table","schema":"public","name":"t)" +
           std::to_string(row.table) + R"(","statement":")" + row.line + "\"}";
}

std::vector<std::string> lines_of(const std::string& content) {
    std::vector<std::string> lines;
    std::size_t from = 0;
    for (std::size_t to = 0; (to = content.find('\n', from)) != std::string::npos; from = to + 1) {
        lines.push_back(content.substr(from, to - from));
    }
    return lines;
}

// "t1 17" is the 17th of the history.
std::size_t place_of(const std::string& line) {
    return std::stoul(line.substr(line.find(' ')));
}

class SeededRun {
public:
    explicit SeededRun(std::uint64_t seed) : random_(seed) {
        clock_.advance(std::chrono::hours{24 * 365});
        config_.root = "data";
        config_.pipeline = "p";
        config_.interval = 60s;
        config_.compression = Compression::none;
        config_.extension = "csv";
        if (random_.chance(50)) config_.layout = "{schema}/{table}/{date}/{time}-{sequence}";
        // Also so small that a transaction is cut next to where it changes the columns.
        if (random_.chance(60)) config_.bytes_max = random_.chance(50) ? 400 : 60;
        config_.form = "1";
        config_.heading = [](const Relation& relation) { return "v" + relation.columns[0].name; };
        make_history();
    }

    void run() {
        restart();
        for (int step = 0; step < 400; ++step) {
            clock_.advance(std::chrono::seconds{random_.below(20)});
            if (random_.chance(1)) clock_.jump_wall(-30min);
            if (random_.chance(3)) fail_something();
            if (!go_on()) restart();
            if (random_.chance(3)) crash();
        }
        heal();
        while (next_ < history_.size()) {
            if (!go_on()) restart();
        }
        clock_.advance(2min);
        for (int i = 0; i < 4; ++i) {
            if (!seal()) restart();
            clock_.advance(2min);
        }
        compare();
    }

private:
    void make_history() {
        std::vector<std::size_t> versions(3, 0);
        for (std::uint64_t commit = 100; commit < 100 + 60 * 10; commit += 10) {
            const std::size_t rows = 1 + random_.below(random_.chance(5) ? 60 : 6);
            for (std::size_t i = 0; i < rows; ++i) {
                const std::size_t table = random_.below(3);
                if (random_.chance(2)) ++versions[table];
                history_.push_back(
                    {.table = table,
                     .line = "t" + std::to_string(table) + " " + std::to_string(history_.size()),
                     .commit = Lsn{commit},
                     .ordinal = i + 1,
                     .ends = i + 1 == rows,
                     .version = versions[table],
                     .ddl = random_.chance(10)});
            }
        }
    }

    RelationPtr relation(const Row& row) {
        auto& known = relations_[{row.table, row.version}];
        if (known == nullptr) {
            auto type = std::make_shared<Type>();
            type->name = "text";
            Relation made;
            made.schema = "public";
            made.name = "t" + std::to_string(row.table);
            made.columns = {{.name = std::to_string(row.version), .type = type}};
            known = slots_.make(std::move(made));
        }
        return known;
    }

    StoredPosition position() const {
        StoredPosition position{.pipeline = "p", .resume_at = Lsn{1}};
        for (std::size_t i = 0; i < next_; ++i) {
            if (history_[i].ends) {
                position.resume_at = Lsn{history_[i].commit.value + 1};
                position.within = {};
            } else {
                position.within = {history_[i].commit, history_[i].ordinal};
            }
        }
        return position;
    }

    bool write() {
        RecordBatch batch;
        const std::size_t end = std::min(history_.size(), next_ + 1 + random_.below(10));
        for (; next_ < end; ++next_) {
            const Row& row = history_[next_];
            if (row.ddl) {
                batch.messages.push_back({.commit_lsn = row.commit,
                                          .ordinal = row.ordinal,
                                          .committed_at = {1'800'000'000'000'000},
                                          .transactional = true,
                                          .prefix = kDdlMessages,
                                          .content = batch.arena.copy(ddl_message(row))});
                continue;
            }
            batch.relations.push_back(relation(row));
            batch.records.push_back({.relation = batch.relations.back().get(),
                                     .value = row.line,
                                     .commit_lsn = row.commit,
                                     .ordinal = row.ordinal});
        }
        return files_->write(batch).has_value();
    }

    // False: it failed, or the process was ended in it.
    bool seal() {
        const StoredPosition at = position();
        auto seal = files_->seal(at, content_.seal + 1);
        if (!seal) return false;
        if (random_.chance(8) && !healed_) return false;
        commit(*seal);
        if (random_.chance(8) && !healed_) return false;
        return files_->sealed().has_value();
    }

    void commit(const RegistrySeal& seal) {
        ++content_.seal;
        stored_ = next_;
        for (const OpenFile& open : seal.open) {
            std::erase_if(content_.open, [&](const OpenFile& one) { return one.id == open.id; });
            content_.open.push_back(open);
            content_.last_id = std::max(content_.last_id, open.id);
        }
        for (const std::uint64_t id : seal.closed) {
            std::erase_if(content_.open, [&](const OpenFile& one) { return one.id == id; });
            content_.last_id = std::max(content_.last_id, id);
        }
        std::ranges::sort(content_.open, {}, &OpenFile::id);
        content_.folders.insert(content_.folders.end(), seal.folders.begin(), seal.folders.end());
        if (!seal.last_batch.empty()) content_.last_batch = seal.last_batch;
        complete_.insert(complete_.end(), seal.complete.begin(), seal.complete.end());
        for (const DdlEvent& event : seal.ddl) ddl_.push_back(event.statement.value_or(""));
    }

    bool go_on() {
        if (next_ < history_.size() && random_.chance(70)) return write();
        return seal();
    }

    void fail_something() {
        constexpr DiskCall calls[] = {DiskCall::create, DiskCall::write,       DiskCall::sync,
                                      DiskCall::rename, DiskCall::sync_folder, DiskCall::replace,
                                      DiskCall::append, DiskCall::make_folder, DiskCall::remove};
        disk_.fail_next(calls[random_.below(std::size(calls))], random_.chance(50) ? EIO : ENOSPC,
                        1, static_cast<unsigned>(random_.below(4)));
    }

    void crash() {
        files_.reset();
        if (random_.chance(50)) {
            disk_.crash(random_);
        } else {
            disk_.end_process();
        }
        restart();
    }

    void heal() {
        healed_ = true;
        for (int i = 0; i < 50; ++i) restart();  // whatever was to fail has failed by then
    }

    void restart() {
        for (int tries = 0; tries < 100; ++tries) {
            files_.reset();
            disk_.end_process();
            slots_ = RelationSlots{};
            relations_.clear();
            next_ = stored_;
            if (random_.chance(5)) config_.form = std::to_string(random_.below(3));
            files_ = std::make_unique<FileSet>(config_, disk_, clock_,
                                               std::make_unique<InTurn>(1 + random_.below(3)));
            const auto locked = files_->lock();
            if (!locked) continue;
            ASSERT_TRUE(*locked);
            const auto recovered = files_->recover(content_);
            if (!recovered) {
                ASSERT_NE(recovered.error().category, Error::Category::position)
                    << describe(recovered.error());
                continue;
            }
            check_complete();
            return;
        }
        FAIL() << "it can't begin";
    }

    // What the registry names is there, whole.
    void check_complete() const {
        for (const CompleteFile& file : complete_) {
            const auto content = disk_.content("data/" + file.path);
            ASSERT_TRUE(content) << file.path;
            ASSERT_EQ(content->size(), file.bytes) << file.path;
            ASSERT_EQ(crc32c(0, *content), file.crc32c) << file.path;
        }
    }

    // A batch of a table, as a loader has it.
    struct Batch {
        std::vector<std::string> rows;
        std::vector<std::string> ddl;
        bool has_ddl = false;  // as the registry says of its rows
    };

    std::map<std::string, std::map<std::string, Batch>> batches() const {
        std::map<std::string, std::map<std::string, Batch>> all;
        for (const CompleteFile& file : complete_) {
            auto lines = lines_of(disk_.content("data/" + file.path).value_or(""));
            Batch& batch = all[file.table.name][file.batch];
            if (file.kind == FileKind::ddl) {
                EXPECT_TRUE(batch.ddl.empty() && batch.rows.empty()) << "it comes first, once";
                std::erase_if(lines, [](const std::string& line) {
                    return line.empty() || line == ";" || line.starts_with("--");
                });
                EXPECT_EQ(lines.size(), file.rows);
                batch.ddl = std::move(lines);
                continue;
            }
            EXPECT_TRUE(batch.rows.empty()) << "one file of rows";
            EXPECT_TRUE(!lines.empty() && lines[0].starts_with('v')) << "the heading comes first";
            lines.erase(lines.begin());
            EXPECT_EQ(lines.size(), file.rows);
            batch.rows = std::move(lines);
            batch.has_ddl = file.has_ddl;
        }
        return all;
    }

    void compare() const {
        std::map<std::string, std::vector<std::string>> found, found_ddl;
        for (const auto& [table, by_name] : batches()) {
            for (const auto& [name, batch] : by_name) {
                auto& rows = found[table];
                auto& ddl = found_ddl[table];
                EXPECT_EQ(batch.has_ddl, !batch.rows.empty() && !batch.ddl.empty()) << name;
                if (!batch.ddl.empty() && !rows.empty()) {
                    EXPECT_LT(place_of(rows.back()), place_of(batch.ddl.front()))
                        << "what came before it is in an earlier batch";
                }
                if (!batch.ddl.empty() && !batch.rows.empty()) {
                    EXPECT_LT(place_of(batch.ddl.back()), place_of(batch.rows.back()))
                        << "it is in the batch of the next row";
                }
                rows.insert(rows.end(), batch.rows.begin(), batch.rows.end());
                ddl.insert(ddl.end(), batch.ddl.begin(), batch.ddl.end());
            }
        }
        std::map<std::string, std::vector<std::string>> wanted, wanted_ddl;
        std::vector<std::string> wanted_history;
        for (const Row& row : history_) {
            const std::string table = "t" + std::to_string(row.table);
            (row.ddl ? wanted_ddl : wanted)[table].push_back(row.line);
            if (row.ddl) wanted_history.push_back(row.line);
        }
        std::erase_if(found_ddl, [](const auto& entry) { return entry.second.empty(); });
        std::erase_if(found, [](const auto& entry) { return entry.second.empty(); });
        EXPECT_EQ(found, wanted);
        EXPECT_EQ(found_ddl, wanted_ddl);
        EXPECT_EQ(ddl_, wanted_history) << "each statement once";
        EXPECT_TRUE(content_.open.empty());
        for (const auto& [path, content] : disk_.tree()) {
            const bool left = path.find("/open/") != std::string::npos && !path.ends_with("/open/");
            EXPECT_FALSE(left) << path << " is left over";
        }
    }

    Random random_;
    SimulatedClock clock_;
    FileSinkConfig config_;
    SimulatedDisk disk_;
    std::vector<Row> history_;
    RelationSlots slots_;
    std::map<std::pair<std::size_t, std::size_t>, RelationPtr> relations_;
    std::unique_ptr<FileSet> files_;
    RegistryContent content_;
    std::vector<CompleteFile> complete_;
    std::vector<std::string> ddl_;
    std::size_t next_ = 0;
    std::size_t stored_ = 0;
    bool healed_ = false;
};

TEST(FileSetPropertyTest, LoadersFindEachRowOnceWhateverFails) {
    for (std::uint64_t seed = 1; seed <= 100 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        SeededRun{seed}.run();
    }
}

}  // namespace
}  // namespace pgc
