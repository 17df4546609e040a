// How many small rows a second the native format and CSV write on one core: the row of the
// throughput goals (id, int4, 40 characters, timestamptz, numeric), from prepared values.
//
//   micro_native_bench [ROUNDS]
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/change.h"
#include "format/csv/csv_format.h"
#include "format/native/native_format.h"

namespace {

using namespace pgc;

constexpr std::size_t kRows = 1000;
constexpr std::size_t kColumns = 5;

bool read_integer(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.is_null = false;
    std::memcpy(&out.integer, bytes.data(), sizeof out.integer);
    return true;
}

bool read_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.is_null = false;
    out.text = bytes;
    return true;
}

TypePtr type(Kind kind, Reader reader) {
    Type made;
    made.kind = kind;
    made.read_binary = reader;
    return std::make_shared<const Type>(made);
}

Relation table() {
    Relation relation;
    relation.schema = "public";
    relation.name = "events";
    relation.columns = {{.name = "id", .type = type(Kind::integer, read_integer), .identity = true},
                        {.name = "n", .type = type(Kind::integer, read_integer)},
                        {.name = "payload", .type = type(Kind::text, read_text)},
                        {.name = "at", .type = type(Kind::timestamp_tz, read_integer)},
                        {.name = "amount", .type = type(Kind::decimal, read_text)}};
    relation.key = {0};
    return relation;
}

// A batch of inserts, ten to a transaction.
void fill(Batch& batch, const Relation& relation) {
    const auto bytes = [&](const auto& value) {
        const std::string_view kept = batch.arena.copy(value);
        return Cell{.data = kept.data(),
                    .size = static_cast<std::uint32_t>(kept.size()),
                    .state = Cell::State::binary};
    };
    const auto integer = [&](std::int64_t value) {
        return bytes(std::string_view{reinterpret_cast<const char*>(&value), sizeof value});
    };
    for (std::uint32_t row = 0; row < kRows; ++row) {
        Cell* const cells = batch.arena.allocate<Cell>(kColumns);
        cells[0] = integer(1'000'000 + row);
        cells[1] = integer(row * 7919 % 1000);
        cells[2] = bytes(std::string_view{"abcdefghijklmnopqrstuvwxyz0123456789ABCD"});
        cells[3] = integer(750'000'000'000'000 + row * 1'234'567LL);
        cells[4] = bytes(std::string_view{"12345.67"});
        if (row % 10 == 0) {
            batch.transactions.push_back({.xid = Xid{1000 + row},
                                          .commit_lsn = Lsn{0x16B374D848U + row},
                                          .first = row,
                                          .count = 10,
                                          .ends = true});
        }
        batch.changes.push_back({.relation = &relation,
                                 .after = cells,
                                 .lsn = Lsn{0x16B374D848U + row},
                                 .ordinal = row % 10 + 1});
    }
}

// The median of five, in rows a second of CPU time: neighbours don't count. 0: it failed.
double rate(Format& format, const Batch& batch, int rounds, std::size_t& size) {
    RecordBatch out;
    std::vector<double> rates;
    for (int part = 0; part < 5; ++part) {
        const std::clock_t start = std::clock();
        for (int round = 0; round < rounds / 5; ++round) {
            out.clear();
            const auto done = format.encode(batch, 0, out);
            if (!done || done->why != Encoded::Why::all) {
                std::cerr << describe(done ? done->error : done.error()) << '\n';
                return 0;
            }
            size = out.records.back().value.size();
        }
        const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        rates.push_back(static_cast<double>(rounds / 5) * kRows / seconds);
    }
    std::sort(rates.begin(), rates.end());
    return rates[2];
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
    const Relation relation = table();
    Batch batch;
    fill(batch, relation);
    NativeFormat native{{}, {.version = "0.1.0", .database = "bench"}};
    CsvFormat csv{{}, {}};
    for (const auto& [name, format] :
         {std::pair<const char*, Format*>{"native JSON", &native}, {"CSV", &csv}}) {
        std::size_t size = 0;
        const double rows = rate(*format, batch, rounds, size);
        if (rows == 0) return 1;
        std::cout << name << ": " << rows / 1e6 << " million rows/s (median of 5), " << 1e9 / rows
                  << " ns a row of " << size << " bytes\n";
    }
    return 0;
}
