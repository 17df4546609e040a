// What a snapshot reads: messages of COPY … TO STDOUT, the stored text of what is left, requests.
//
// The first byte chooses: bits 0 and 1 what is read; of a COPY bit 2 its form (binary or text) and
// bits 3 to 7 how many values a row has. A COPY is given the rest in two messages.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/snapshot/commands.h"
#include "postgres/snapshot/copy_rows.h"
#include "postgres/snapshot/markers.h"
#include "postgres/snapshot/progress.h"

namespace {

using namespace pgc;

void touch(const std::vector<Cell>& cells) {
    static volatile unsigned char sink = 0;
    for (const Cell& cell : cells) {
        for (const char c : cell.bytes()) {
            sink = static_cast<unsigned char>(sink ^ static_cast<unsigned char>(c));
        }
    }
}

void read_copy(std::uint8_t choice, std::string_view bytes) {
    const std::size_t columns = choice >> 3U;
    CopyRows rows{(choice & 4U) != 0 ? CopyForm::binary : CopyForm::text, columns};
    std::vector<Cell> cells(columns);
    const std::size_t half = bytes.size() / 2;
    for (const std::string_view part : {bytes.substr(0, half), bytes.substr(half)}) {
        std::vector<char> message(part.begin(), part.end());
        const auto found = rows.read(message, cells);
        if (!found) return;
        if (*found == CopyRows::Found::row) touch(cells);
    }
}

// What is understood is written and read back as the same.
void read_left(std::string_view text) {
    const auto jobs = read_progress(text);
    if (!jobs) return;
    const auto again = read_progress(write_progress(*jobs));
    if (!again || *again != *jobs) std::abort();
}

void read_orders(std::string_view text) {
    static_cast<void>(command_of_message(text));
    static_cast<void>(marker_of_message(kDdlPrefix, text));
    static_cast<void>(marker_of_message(kMarkerPrefix, text));
    const std::size_t half = text.find('\n');
    const std::string_view data = half == std::string_view::npos ? "" : text.substr(half + 1);
    static_cast<void>(commands_of_signal("id", text.substr(0, half), data));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    switch (data[0] & 3U) {
        case 0: read_left(bytes); break;
        case 1: read_orders(bytes); break;
        default: read_copy(data[0], bytes);
    }
    return 0;
}
