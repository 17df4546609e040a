// The errors of one load, collected as they are found and reported in one order: those of the
// command line, of the file by line, of the environment, what is missing, and what doesn't go
// together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/convert.h"
#include "config/errors.h"
#include "config/given.h"

namespace pgc {

class LoadErrors {
public:
    // error.where is filled in, unless it is set.
    void add(const Provenance& from, Place place, ConfigError error);
    // What is wrong with the value of `key`.
    void add_problem(const Provenance& from, std::string key, ValueProblem problem);
    void add_missing(ConfigError error) { missing_.add(std::move(error)); }
    // For the checks of tables and objects.
    Errors& contradictions() noexcept { return contradictions_; }

    Errors in_order(const Errors& command_line) &&;

private:
    std::vector<std::pair<Place, ConfigError>> file_;
    Errors flags_;
    Errors variables_;
    Errors missing_;
    Errors contradictions_;
};

}  // namespace pgc
