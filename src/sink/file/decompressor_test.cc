#include "sink/file/decompressor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace pgc {
namespace {

using testing::HasSubstr;

constexpr Compression kAll[] = {Compression::none, Compression::gzip, Compression::zstd};

std::string text_of(std::size_t size) {
    Random random(7);
    std::string text;
    while (text.size() < size) text += std::to_string(random.below(100'000)) + ",";
    text.resize(size);
    return text;
}

struct Read {
    std::string text;
    std::string wrong;
};

Read read(Compression compression, std::string_view bytes, std::size_t step) {
    Read read;
    const auto reader = make_decompressor(compression);
    const auto take = [&](std::string_view part) { read.text += part; };
    for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
        if (auto done = reader->add(bytes.substr(0, step), take); !done) {
            read.wrong = done.error();
            return read;
        }
    }
    if (auto done = reader->end(); !done) read.wrong = done.error();
    return read;
}

TEST(DecompressorTest, WhatWasCompressedInPiecesComesBackWhole) {
    for (const Compression compression : kAll) {
        const auto writer = make_compressor(compression, 0);
        std::string bytes, text;
        for (const std::size_t size : {200'000UL, 0UL, 1UL, 65'536UL, 300'000UL}) {
            const std::string piece = text_of(size);
            writer->compress(piece, bytes);
            text += piece;
        }
        for (const std::size_t step : {1UL, 7UL, 4096UL, 1'000'000UL}) {
            const Read got = read(compression, bytes, step);
            EXPECT_EQ(got.wrong, "") << extension(compression) << " in steps of " << step;
            EXPECT_TRUE(got.text == text) << extension(compression) << " in steps of " << step;
        }
    }
}

TEST(DecompressorTest, NothingIsAFileOfNothing) {
    for (const Compression compression : kAll) {
        const Read got = read(compression, "", 10);
        EXPECT_EQ(got.wrong + got.text, "");
    }
}

TEST(DecompressorTest, AFileThatEndsTooEarlyIsNotWhole) {
    for (const Compression compression : {Compression::gzip, Compression::zstd}) {
        std::string bytes;
        make_compressor(compression, 0)->compress(text_of(100'000), bytes);
        for (const std::size_t size : {1UL, bytes.size() / 2, bytes.size() - 1}) {
            EXPECT_THAT(read(compression, bytes.substr(0, size), 4096).wrong,
                        HasSubstr("not whole"))
                << extension(compression) << " of " << size;
        }
    }
}

TEST(DecompressorTest, WhatIsSomethingElseIsSaidToBe) {
    for (const Compression compression : {Compression::gzip, Compression::zstd}) {
        EXPECT_THAT(read(compression, "id,name\n1,Jane\n", 4096).wrong, HasSubstr("not valid"));
        std::string bytes;
        make_compressor(compression, 0)->compress(text_of(100'000), bytes);
        bytes += "more";
        EXPECT_THAT(read(compression, bytes, 4096).wrong, HasSubstr("not valid"));
    }
}

TEST(DecompressorTest, AFilesNameSaysHowItIsCompressed) {
    EXPECT_EQ(compression_of("streaming.csv.gz"), Compression::gzip);
    EXPECT_EQ(compression_of("streaming.jsonl.zst"), Compression::zstd);
    EXPECT_EQ(compression_of("ddl.sql"), Compression::none);
}

}  // namespace
}  // namespace pgc
