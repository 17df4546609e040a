// ${env:NAME} and ${file:PATH} inside a value.
//
// What a reference gives is not looked at again: no reference within a reference.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace pgc {

struct TextPart {
    enum class Kind : std::uint8_t { text, variable, file };
    Kind kind = Kind::text;
    std::string text;  // itself, the variable's name, the file's path
};

enum class ReferenceStyle : std::uint8_t {
    strict,   // in files: any other ${ is an error, $${ is ${
    lenient,  // in variables and flags: only ${env: and ${file: mean anything; a $ before
              // one of them makes it plain
};

// The reason says what is wrong without quoting the value.
std::expected<std::vector<TextPart>, std::string> split_references(std::string_view value,
                                                                   ReferenceStyle style);

bool has_reference(const std::vector<TextPart>& parts);

// A file's content as a value: without the one line end that editors and echo leave.
Result<std::string> read_value_file(const std::string& path, Files& files);

}  // namespace pgc
