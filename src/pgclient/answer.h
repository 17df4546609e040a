// Reads one row of an answer by the columns' names.
//
// What is missing or malformed reads as empty, zero or false and marks the answer, so a
// reader goes straight through and asks once (as ByteCursor does).
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "pgclient/link.h"

namespace pgc {

class Answer {
public:
    explicit Answer(const Rows& rows, std::size_t row = 0) noexcept : rows_(rows), row_(row) {}

    bool is_null(std::string_view column) { return cell(column) == nullptr; }

    // Null reads as empty.
    std::string text(std::string_view column) {
        const std::string* found = cell(column);
        return found == nullptr ? std::string{} : *found;
    }
    char letter(std::string_view column) {
        const std::string* found = cell(column);
        return found == nullptr || found->empty() ? '\0' : found->front();
    }
    bool flag(std::string_view column) { return letter(column) == 't'; }

    // Null reads as `otherwise`.
    std::int64_t number(std::string_view column, std::int64_t otherwise = 0) {
        const std::string* found = cell(column);
        if (found == nullptr) return otherwise;
        std::int64_t value = 0;
        const char* last = found->data() + found->size();
        const auto [end, error] = std::from_chars(found->data(), last, value);
        if (error != std::errc{} || end != last) sound_ = false;
        return value;
    }
    // A number that is not negative.
    std::uint64_t count(std::string_view column) {
        const std::int64_t value = number(column);
        if (value < 0) sound_ = false;
        return value < 0 ? 0 : static_cast<std::uint64_t>(value);
    }
    Oid oid(std::string_view column) { return {static_cast<std::uint32_t>(number(column))}; }
    Lsn lsn(std::string_view column) {
        const std::string* found = cell(column);
        if (found == nullptr) return {};
        const auto value = parse_lsn(*found);
        if (!value) sound_ = false;
        return value.value_or(Lsn{});
    }

    // Every column asked for was there and could be read.
    bool sound() const noexcept { return sound_; }

private:
    const std::string* cell(std::string_view column) {
        if (row_ < rows_.rows.size()) {
            const auto& row = rows_.rows[row_];
            for (std::size_t i = 0; i < rows_.columns.size() && i < row.size(); ++i) {
                if (rows_.columns[i] == column) return row[i] ? &*row[i] : nullptr;
            }
        }
        sound_ = false;
        return nullptr;
    }

    const Rows& rows_;
    const std::size_t row_;
    bool sound_ = true;
};

inline Error strange_answer(std::string_view question) {
    return stop(Error::Category::protocol,
                "the server's answer is not one to the question about " + std::string{question});
}

}  // namespace pgc
