#include "config/load_errors.h"

#include <algorithm>

namespace pgc {

void LoadErrors::add(const Provenance& from, Place place, ConfigError error) {
    if (error.where.empty()) {
        error.where = from.where(place);
    }
    switch (from.source) {
        case Origin::Source::file: file_.emplace_back(place, std::move(error)); break;
        case Origin::Source::flag: flags_.add(std::move(error)); break;
        case Origin::Source::environment:
        case Origin::Source::fallback: variables_.add(std::move(error)); break;
    }
}

void LoadErrors::add_problem(const Provenance& from, std::string key, ValueProblem problem) {
    add(from, problem.place,
        {.where = {},
         .key = std::move(key),
         .reason = std::move(problem.reason),
         .nearest = std::move(problem.nearest),
         .hint = std::move(problem.hint)});
}

Errors LoadErrors::in_order(const Errors& command_line) && {
    Errors all = command_line;
    all.append(flags_);
    std::ranges::stable_sort(file_, [](const auto& a, const auto& b) {
        return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
    });
    for (auto& [place, error] : file_) {
        all.add(std::move(error));
    }
    all.append(variables_);
    all.append(missing_);
    all.append(contradictions_);
    return all;
}

}  // namespace pgc
