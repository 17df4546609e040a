#include "sink/file/record_counter.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "sink/file/compressor.h"
#include "sink/file/decompressor.h"

namespace pgc {
namespace {

constexpr std::size_t kFirst_max = 64;

// What stands in the column of the operation: no heading has such a name there.
bool is_operation(std::string_view field) {
    constexpr std::array<std::string_view, 6> words{"INSERT", "UPDATE",   "DELETE",
                                                    "READ",   "TRUNCATE", "MESSAGE"};
    return std::ranges::find(words, field) != words.end();
}

}  // namespace

void RecordCounter::add(std::string_view bytes) {
    form_ == Form::csv ? add_csv(bytes) : add_lines(bytes);
}

void RecordCounter::add_csv(std::string_view bytes) {
    if (!first_is_known_) note_first(bytes);
    for (const char c : bytes) {
        // A doubled quote closes and opens again: between the two nothing is.
        if (c == '"') quoted_ = !quoted_;
        const bool ends = c == '\n' && !quoted_;
        within_ = !ends;
        if (ends) ++records_;
    }
}

void RecordCounter::add_lines(std::string_view bytes) {
    if (bytes.empty()) return;
    records_ += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
    within_ = bytes.back() != '\n';
}

// Whatever the delimiter is: an operation ends where its letters do.
void RecordCounter::note_first(std::string_view bytes) {
    for (const char c : bytes) {
        if (c == '"' && first_field_.empty()) continue;
        first_is_known_ = !(is_letter(c) || c == '_') || first_field_.size() == kFirst_max;
        if (first_is_known_) return;
        first_field_ += c;
    }
}

std::uint64_t RecordCounter::rows() const noexcept {
    const bool heading = form_ == Form::csv && records_ > 0 && !is_operation(first_field_);
    return records_ - (heading ? 1 : 0);
}

RecordCounter::Form record_form(std::string_view name) noexcept {
    name.remove_suffix(extension(compression_of(name)).size());
    return name.ends_with(".csv") ? RecordCounter::Form::csv : RecordCounter::Form::lines;
}

}  // namespace pgc
