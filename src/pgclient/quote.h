// Names and texts as they stand in SQL and in replication commands: always quoted, so
// that no name can be anything but a name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgc {

// "a""b"
std::string quote_name(std::string_view name);

// "schema"."table"
std::string quote_name(std::string_view schema, std::string_view name);

// 'it''s'; with a backslash in it E'a\\b', which means the same under every
// standard_conforming_strings. Replication commands know no E'': see below.
std::string quote_text(std::string_view text);

// 'a', 'b'
std::string quote_texts(const std::vector<std::string>& texts);

// Takes the "a""b" that the text begins with off it: a"b. Nothing, and the text as it was, if it
// begins with something else.
std::optional<std::string> take_quoted_name(std::string_view& text);

// For replication commands, whose quoted texts know only the doubled quote.
std::string quote_replication_text(std::string_view text);

}  // namespace pgc
