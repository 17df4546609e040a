// An index of files in memory, for the tests of whoever shows, proves and removes them.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sink/file_registry/file_index.h"

namespace pgc {

class FakeFileIndex final : public FileIndex {
public:
    // -- what a test decides --
    std::vector<IndexedFile> rows;  // by id
    IndexState now;
    std::optional<Error> fails;         // remove()
    bool removes_all_the_same = false;  // likewise: nobody learns that it did
    std::function<void()> step;         // where a process may die: before and after each call

    void add(CompleteFile file, bool loaded = false) {
        rows.push_back({.id = rows.empty() ? 1 : rows.back().id + 1,
                        .file = std::move(file),
                        .registered_at = {},
                        .loaded = loaded,
                        .loaded_at = {}});
    }

    // -- what was said --
    bool asked_to_remove = false;
    std::string why;

    Result<IndexState> state() override {
        take_step();
        return now;
    }
    Result<std::vector<IndexedFile>> files(std::uint64_t after, std::size_t most) override {
        take_step();
        std::vector<IndexedFile> found;
        for (const IndexedFile& one : rows) {
            if (one.id > after && found.size() < most) found.push_back(one);
        }
        return found;
    }
    Result<std::vector<std::string>> registered(const std::vector<std::string>& paths) override {
        take_step();
        std::vector<std::string> found;
        for (const IndexedFile& one : rows) {
            if (is_one_of(paths, one.file.path)) found.push_back(one.file.path);
        }
        std::ranges::sort(found);
        return found;
    }
    // Of one file each.
    Result<std::vector<OldBatch>> removable(const RetentionRule& rule, std::size_t most) override {
        std::map<TableId, std::uint64_t> newer;
        std::vector<OldBatch> found;
        for (auto one = rows.rbegin(); one != rows.rend(); ++one) {
            const CompleteFile& file = one->file;
            const bool old = rule.closed_before && file.closed_at < *rule.closed_before;
            const bool beyond = rule.keep && newer[file.table]++ >= *rule.keep;
            if (rule.only_loaded && !one->loaded) continue;
            if (!old && !beyond && (rule.closed_before || rule.keep)) continue;
            found.push_back({.table = file.table,
                             .batch = file.batch,
                             .folder = file.path.substr(0, file.path.rfind('/')),
                             .paths = {file.path},
                             .rows = file.rows,
                             .bytes = file.bytes,
                             .closed_at = file.closed_at,
                             .loaded = one->loaded});
        }
        std::ranges::reverse(found);
        if (found.size() > most) found.resize(most);
        return found;
    }
    Result<void> remove(const std::vector<std::string>& paths, bool only_loaded,
                        const std::string& because) override {
        asked_to_remove = true;
        take_step();
        if (fails && !removes_all_the_same) return std::unexpected(*fails);
        why = because;
        std::erase_if(rows, [&](const IndexedFile& one) {
            return is_one_of(paths, one.file.path) && (one.loaded || !only_loaded);
        });
        take_step();
        if (fails) return std::unexpected(*fails);
        return {};
    }
    std::string where() const override { return "cdc_registry in memory"; }

private:
    static bool is_one_of(const std::vector<std::string>& paths, const std::string& path) {
        return std::ranges::find(paths, path) != paths.end();
    }
    void take_step() const {
        if (step) step();
    }
};

}  // namespace pgc
