// All options of a program, gathered from the rooms' tables.
//
// Keeps pointers into the tables, which are constants; cheap to copy; immutable.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/option.h"

namespace pgc {

class Declarations {
public:
    Declarations(std::initializer_list<OptionTable> tables)
        : Declarations(std::span<const OptionTable>(tables.begin(), tables.size())) {}
    explicit Declarations(std::span<const OptionTable> tables);

    std::span<const Option* const> options() const noexcept { return options_; }
    std::span<const OptionTable> tables() const noexcept { return tables_; }

    const Option* find(std::string_view path) const;
    const Option* find_letter(char letter) const;
    // Some option's path begins with `path` and a dot.
    bool is_section(std::string_view path) const;
    // The table's words about a section; may be empty.
    std::string_view about(std::string_view section) const;

    // What a test of the program asks: mistakes in the tables themselves, such as a
    // default its own option refuses, or two options with one variable. Empty is good.
    std::vector<std::string> faults() const;

private:
    std::vector<OptionTable> tables_;
    std::vector<const Option*> options_;
    std::map<std::string_view, const Option*> by_path_;
    std::map<std::string, std::string_view, std::less<>> sections_;  // with their about
};

// The fields of an object of one variant; those of every object if `variant` is null. For a type
// without variants both are the same.
Declarations fields_of(const ObjectType& type, const ObjectVariant* variant);
// The paths of options and of the sections they stand in: what somebody may have meant.
std::vector<std::string> key_names(const Declarations& declarations);

// "PG_CAPTURE_POSTGRES_HOST"
std::string long_variable(const Option& option);
// Short name first if there is one.
std::vector<std::string> variables(const Option& option);
// "required", "required with sink: kafka"; empty for what may be left out.
std::string requirement(const Option& option);
// Its words, split.
std::vector<std::string_view> words(const Option& option);
// What a value may be: "integer from 1 to 65535", "one of a, b, c".
std::string expectation(const Option& option);
// min…max, narrowed to what a Duration can hold.
struct Range {
    std::int64_t min;
    std::int64_t max;
};
Range range(const Option& option);

}  // namespace pgc
