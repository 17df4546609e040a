// What the user can say about CSV: format.csv.*.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/option.h"
#include "config/settings.h"

namespace pgc {

// Which fields stand between quotes. One that is NULL never does.
enum class CsvQuote : std::uint8_t {
    minimal,  // those that would be read wrongly otherwise
    all,
};

enum class CsvBooleans : std::uint8_t {
    words,    // true, false
    letters,  // t, f
    digits,   // 1, 0
};

enum class CsvBinary : std::uint8_t {
    hex,  // \x00ff, as PostgreSQL prints and reads it
    base64,
};

// Names of the columns that are added to a table's own. An empty one leaves its column out.
struct CsvColumns {
    std::string op = "_op";
    std::string commit_lsn = "_commit_lsn";
    std::string seq = "_seq";
    std::string lsn = "_lsn";
    std::string xid = "_xid";
    std::string commit_ts = "_commit_ts";
    std::string before = "_before";
    std::string unchanged = "_unchanged";
    std::string notes = "_notes";
};

struct CsvOptions {
    char delimiter = ',';
    CsvQuote quote = CsvQuote::minimal;
    std::string null_text;
    bool header = true;
    CsvBooleans booleans = CsvBooleans::words;
    CsvBinary binary = CsvBinary::hex;
    CsvColumns columns;
};

// One of the added columns: its option below format.csv.columns, and where its name stands.
struct CsvColumn {
    std::string_view option;
    std::string CsvColumns::* name;
};
// In the order in which they stand in a line; the table's own come before `before`.
inline constexpr CsvColumn kCsvColumns[] = {
    {"op", &CsvColumns::op},         {"commit_lsn", &CsvColumns::commit_lsn},
    {"seq", &CsvColumns::seq},       {"lsn", &CsvColumns::lsn},
    {"xid", &CsvColumns::xid},       {"commit_ts", &CsvColumns::commit_ts},
    {"before", &CsvColumns::before}, {"unchanged", &CsvColumns::unchanged},
    {"notes", &CsvColumns::notes},
};

// "format.csv.columns.op"
std::string csv_column_option(const CsvColumn& column);

extern const OptionTable kCsvOptions;

// Of settings without faults.
CsvOptions csv_options(const Settings& settings);

}  // namespace pgc
