// The disk under the position file: survives the process, fails now and then, and tells
// the oracle what was stored.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/file.h"
#include "core/position_text.h"
#include "simulation/oracle.h"
#include "simulation/world.h"

namespace pgc::sim {

class Disk final : public Files {
public:
    Disk(World& world, Oracle& oracle) : world_(world), oracle_(oracle) {}

    Result<std::optional<std::string>> read(const std::string& path) override {
        world_.step("disk read");
        const auto found = files_.find(path);
        if (found == files_.end()) return std::nullopt;
        return found->second;
    }
    Result<void> replace(const std::string& path, std::string_view content) override {
        world_.step("before the disk has it");
        return put(path, content);
    }
    Result<bool> exchange(const std::string& path, const std::optional<std::string>& expected,
                          std::string_view content) override {
        world_.step("before the disk looks");
        const auto found = files_.find(path);
        const bool there = found != files_.end();
        const bool same = there == expected.has_value() && (!there || found->second == *expected);
        if (!same && !blind_) {
            world_.note("the disk has what somebody else stored");
            return false;
        }
        if (auto replaced = put(path, content); !replaced) {
            return std::unexpected(std::move(replaced.error()));
        }
        return true;
    }
    Result<void> remove(const std::string& path) override {
        files_.erase(path);
        return {};
    }
    Result<void> make_directory(const std::string&) override { return {}; }

    void set_full(bool full) noexcept { full_ = full; }
    // With that write, counted from 1; 0: never by itself.
    void fill_at(unsigned write) noexcept { fills_in_ = write; }
    bool has_position() const noexcept { return has_position_; }

    // Overwrites what it has not seen (a mutation).
    void make_blind() noexcept { blind_ = true; }

private:
    Result<void> put(const std::string& path, std::string_view content) {
        oracle_.repeats_oracle().save_ends();  // it takes no time
        if (fills_in_ > 0 && --fills_in_ == 0) full_ = true;
        if (full_) {
            world_.note("disk full");
            return std::unexpected(stop(Error::Category::storage, "no space left on device"));
        }
        files_[path] = content;
        const auto position = read_position(content);
        if (!position) {
            world_.fail("a position was stored that can't be read: " + position.error());
        } else {
            oracle_.stored(*position);
            has_position_ = static_cast<bool>(position->resume_at);
        }
        world_.step("after the disk has it");
        return {};
    }

    World& world_;
    Oracle& oracle_;
    bool blind_ = false;
    std::map<std::string, std::string> files_;
    bool full_ = false;
    unsigned fills_in_ = 0;
    bool has_position_ = false;
};

}  // namespace pgc::sim
