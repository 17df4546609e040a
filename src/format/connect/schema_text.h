// Strings within the text of a schema, which is made once for a version of a table.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgc {

// Appends `text` as a JSON string, quotes included, byte for byte as Jackson writes it: the library
// of Kafka Connect's converters, so that a registry knows our texts for those it has from them.
// What is not UTF-8 is written in base64, as names in messages are (json/text.h).
void append_quoted(std::string& out, std::string_view text);

// Bytes as the characters of ISO 8859-1, quoted: how Avro's schemas write a default of bytes. They
// are given as JSON has them, in base64 and quoted.
void append_quoted_latin1(std::string& out, std::string_view quoted_base64);

// {"allowed":"a,b","scale":"2"}: the parameters of a schema.
void append_object(std::string& out,
                   const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace pgc
