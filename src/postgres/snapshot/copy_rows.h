// Rows of COPY … TO STDOUT, from the messages of copy mode into cells.
//
//   binary   first message: "PGCOPY\n\377\r\n\0" Int32 flags  Int32 n  n bytes, then a row
//            a row: Int16 columns, for each Int32 length (-1: null) and its bytes
//            the end: Int16 -1
//   text     a row: values with tabs between them and a newline after; \N is null; \b \f \n
//            \r \t \v \\ stand for what would be mistaken for these
//
// The server sends one message a row. Cells view into it; values of text are unescaped where
// they lie. Survives any bytes (tests/fuzz/copy_rows.cc). Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "core/change.h"

namespace pgc {

enum class CopyForm : std::uint8_t { text, binary };

class CopyRows {
public:
    enum class Fault : std::uint8_t { header, column_count, truncated, trailing_bytes };

    // `columns`: how many values a row has.
    CopyRows(CopyForm form, std::size_t columns) noexcept
        : form_(form), columns_(columns), begun_(form == CopyForm::text) {}

    enum class Found : std::uint8_t { row, nothing };
    // `cells` has room for the columns. Nothing: the message held no row.
    [[nodiscard]] Result<Found, Fault> read(std::span<char> message,
                                            std::span<Cell> cells) noexcept;

private:
    Result<Found, Fault> read_binary(std::span<char> message, std::span<Cell> cells) noexcept;
    Result<Found, Fault> read_text(std::span<char> message, std::span<Cell> cells) noexcept;

    CopyForm form_;
    std::size_t columns_;
    bool begun_;
};

}  // namespace pgc
