#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace pgc {
namespace {

struct Vector {
    std::string bytes;
    std::uint32_t crc;
};

std::string rising(char first, int step) {
    std::string bytes(32, first);
    for (std::size_t n = 1; n < bytes.size(); ++n) {
        bytes[n] = static_cast<char>(bytes[n - 1] + step);
    }
    return bytes;
}

// RFC 3720, appendix B.4, and the check value that everybody has.
std::vector<Vector> vectors() {
    return {
        {"", 0},
        {"123456789", 0xE3069283U},
        {std::string(32, '\0'), 0x8A9136AAU},
        {std::string(32, '\xFF'), 0x62A8AB43U},
        {rising(0, 1), 0x46DD794EU},
        {rising(31, -1), 0x113FDB5CU},
        {std::string{"\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                     "\x14\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x14\x00\x00\x00\x18"
                     "\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00",
                     48},
         0xD9963A56U},
    };
}

TEST(Crc32cTest, IsTheStandardsOwn) {
    for (const Vector& vector : vectors()) {
        EXPECT_EQ(crc32c(0, vector.bytes), vector.crc);
        EXPECT_EQ(crc32c_by_tables(0, vector.bytes), vector.crc);
    }
}

TEST(Crc32cTest, ThatOfTwoPartsIsThatOfBothTogether) {
    Random random{1};
    std::string bytes;
    for (int n = 0; n < 300; ++n) bytes.push_back(static_cast<char>(random.below(256)));
    const std::uint32_t whole = crc32c(0, bytes);
    const std::string_view view{bytes};
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        EXPECT_EQ(crc32c(crc32c(0, view.substr(0, at)), view.substr(at)), whole) << at;
        EXPECT_EQ(crc32c_by_tables(crc32c(0, view.substr(0, at)), view.substr(at)), whole) << at;
    }
}

TEST(Crc32cTest, InstructionAndTablesAgreeAtEveryLengthAndAlignment) {
    Random random{2};
    std::string bytes;
    for (int n = 0; n < 100; ++n) bytes.push_back(static_cast<char>(random.below(256)));
    for (std::size_t from = 0; from < 9; ++from) {
        for (std::size_t size = 0; size + from <= bytes.size(); ++size) {
            const auto part = std::string_view{bytes}.substr(from, size);
            const auto seed = static_cast<std::uint32_t>(random.next());
            EXPECT_EQ(crc32c(seed, part), crc32c_by_tables(seed, part)) << from << " " << size;
        }
    }
}

}  // namespace
}  // namespace pgc
