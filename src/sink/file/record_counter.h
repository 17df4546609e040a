// Counts the rows in what a file holds, as a loader that reads it would: records of CSV, of which
// one may have many lines, or lines. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgc {

class RecordCounter {
public:
    enum class Form : std::uint8_t { csv, lines };

    explicit RecordCounter(Form form) noexcept : form_(form) {}

    // The next bytes.
    void add(std::string_view bytes);

    // Without the heading, which is the first record of CSV unless its first field is an operation.
    std::uint64_t rows() const noexcept;
    // What came ends with a whole record.
    bool whole() const noexcept { return !within_; }

private:
    void add_csv(std::string_view bytes);
    void add_lines(std::string_view bytes);
    void note_first(std::string_view bytes);

    const Form form_;
    std::uint64_t records_ = 0;
    bool within_ = false;  // a record has begun
    bool quoted_ = false;
    bool first_is_known_ = false;
    std::string first_field_;  // of the first record, as far as it is of interest
};

// By the name of the file, without what it is compressed with: ".csv", else lines.
RecordCounter::Form record_form(std::string_view name) noexcept;

}  // namespace pgc
