// How fast rows of CSV are compressed, and how small they get: gzip by ISA-L and by zlib, and zstd,
// in members of 64 KiB and 256 KiB, on one core. CPU time is measured, the best of the rounds
// counts.
//
//   micro_compression_bench [ROUNDS]
#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "base/crc32c.h"
#include "base/random.h"
#include "sink/file/compressor.h"
#include "sink/file/gzip.h"

namespace {

using namespace pgc;

constexpr std::size_t kBytes = std::size_t{32} << 20;

// Rows as the file sink writes them: what the change was, then an order of a shop.
std::string rows() {
    constexpr std::string_view kStates[] = {"new", "paid", "shipped", "returned"};
    constexpr std::string_view kWords[] = {"blue",   "chair", "table", "oak", "lamp",
                                           "lamp",   "small", "large", "red", "with",
                                           "drawer", "round", "steel"};
    Random random{1};
    std::string text;
    std::uint64_t lsn = 0x16B374848;
    for (std::uint64_t id = 1; text.size() < kBytes; ++id) {
        if (id % 10 == 1) lsn += 1000 + random.below(2000);
        fmt::format_to(std::back_inserter(text),
                       "insert,{:X}/{:X},{},{:X}/{:X},{},2026-11-30T17:{:02}:{:02}.{:06}Z,{},{},\"",
                       lsn >> 32U, lsn & 0xFFFFFFFFU, id % 10, lsn >> 32U,
                       (lsn - 2000 + 200 * (id % 10)) & 0xFFFFFFFFU, 700'000 + id / 10,
                       id / 60'000 % 60, id / 1000 % 60, random.below(1'000'000), id,
                       random.below(50'000));
        for (int word = 0; word < 5; ++word) {
            text += kWords[random.below(std::size(kWords))];
            text += word == 4 ? "" : " ";
        }
        fmt::format_to(std::back_inserter(text), "\",{}.{:02},{},\n", random.below(1000),
                       random.below(100), kStates[random.below(std::size(kStates))]);
    }
    return text;
}

double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void measure(std::string_view name, Compressor& compressor, std::string_view text,
             std::size_t member, int rounds) {
    std::string out;
    std::size_t compressed = 0;
    double best = 1e9;
    for (int round = 0; round < rounds; ++round) {
        compressed = 0;
        const double started = cpu_seconds();
        for (std::size_t at = 0; at < text.size(); at += member) {
            out.clear();
            compressor.compress(text.substr(at, member), out);
            compressed += out.size();
        }
        best = std::min(best, cpu_seconds() - started);
    }
    std::cout << fmt::format("{:>8} KiB  {:<8} {:>7.0f} MB/s  {:>5.2f} : 1\n", member / 1024, name,
                             static_cast<double>(text.size()) / best / 1e6,
                             static_cast<double>(text.size()) / static_cast<double>(compressed));
}

void measure_crc32c(std::string_view text, int rounds) {
    double best = 1e9;
    std::uint32_t crc = 0;
    for (int round = 0; round < rounds; ++round) {
        const double started = cpu_seconds();
        crc = crc32c(crc, text);
        best = std::min(best, cpu_seconds() - started);
    }
    std::cout << fmt::format("crc32c {:>7.0f} MB/s ({:08x})\n",
                             static_cast<double>(text.size()) / best / 1e6, crc);
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
    const std::string text = rows();
    for (const std::size_t member : {std::size_t{64} << 10, std::size_t{256} << 10}) {
        for (int level = 1; level <= 3; ++level) {
            if (const auto isal = make_isal_gzip(level)) {
                measure(fmt::format("ISA-L {}", level), *isal, text, member, rounds);
            }
        }
        for (const int level : {1, 2, 4, 6}) {
            measure(fmt::format("zlib {}", level), *make_zlib_gzip(level), text, member, rounds);
        }
        for (const int level : {1, 3, 6, 9}) {
            const auto zstd = make_compressor(Compression::zstd, level);
            measure(fmt::format("zstd {}", level), *zstd, text, member, rounds);
        }
    }
    measure_crc32c(text, rounds);
}
