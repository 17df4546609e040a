#include "sink/file/compressor.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/crc32c.h"
#include "base/random.h"
#include "sink/file/gzip.h"

namespace pgc {
namespace {

// Reads what a file of ours holds, as it comes, and sums it up.
class Unpacker {
public:
    Unpacker() = default;
    Unpacker(const Unpacker&) = delete;
    Unpacker& operator=(const Unpacker&) = delete;
    virtual ~Unpacker() = default;

    virtual void take(std::string_view bytes) = 0;
    // The file may end here.
    virtual bool is_complete() const = 0;

    std::string content;
    bool keeps_content = true;
    std::uint64_t size = 0;
    std::uint32_t crc = 0;

protected:
    void got(const char* at, std::size_t count) {
        size += count;
        crc = crc32c(crc, {at, count});
        if (keeps_content) content.append(at, count);
    }
    std::array<char, 65536> room_;
};

class PlainReader final : public Unpacker {
public:
    void take(std::string_view bytes) override { got(bytes.data(), bytes.size()); }
    bool is_complete() const override { return true; }
};

class GzipReader final : public Unpacker {
public:
    GzipReader() { EXPECT_EQ(inflateInit2(&stream_, 15 + 16), Z_OK); }
    ~GzipReader() override { inflateEnd(&stream_); }

    void take(std::string_view bytes) override {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
        do {
            if (complete_ && stream_.avail_in > 0) {
                inflateReset(&stream_);
                complete_ = false;
            }
            stream_.next_out = reinterpret_cast<Bytef*>(room_.data());
            stream_.avail_out = static_cast<uInt>(room_.size());
            const int code = inflate(&stream_, Z_NO_FLUSH);
            ASSERT_TRUE(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) << code;
            got(room_.data(), room_.size() - stream_.avail_out);
            complete_ = code == Z_STREAM_END;
        } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    }
    bool is_complete() const override { return complete_; }

private:
    z_stream stream_{};
    bool complete_ = false;
};

class ZstdReader final : public Unpacker {
public:
    ~ZstdReader() override { ZSTD_freeDStream(stream_); }

    void take(std::string_view bytes) override {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        ZSTD_outBuffer out{};
        do {
            out = {room_.data(), room_.size(), 0};
            const auto before = in.pos;
            const auto left = ZSTD_decompressStream(stream_, &out, &in);
            ASSERT_EQ(ZSTD_isError(left), 0U) << ZSTD_getErrorName(left);
            got(room_.data(), out.pos);
            // A call that finds nothing to do asks for the next frame.
            if (in.pos > before || out.pos > 0) complete_ = left == 0;
        } while (in.pos < in.size || out.pos == out.size);
    }
    bool is_complete() const override { return complete_; }

private:
    ZSTD_DStream* const stream_ = ZSTD_createDStream();
    bool complete_ = false;
};

template <typename T>
std::unique_ptr<Unpacker> make_reader() {
    return std::make_unique<T>();
}

// A library at a level.
struct Way {
    std::string name;
    Compression compression;
    std::unique_ptr<Compressor> (*make)(int level);
    int level;
};

void PrintTo(const Way& way, std::ostream* out) {
    *out << way.name;
}

std::unique_ptr<Compressor> make_none(int level) {
    return make_compressor(Compression::none, level);
}
std::unique_ptr<Compressor> make_gzip(int level) {
    return make_compressor(Compression::gzip, level);
}
std::unique_ptr<Compressor> make_zstd(int level) {
    return make_compressor(Compression::zstd, level);
}

std::vector<Way> ways() {
    std::vector<Way> all{{"None", Compression::none, make_none, 0}};
    const auto add = [&all](const std::string& name, Compression compression,
                            std::unique_ptr<Compressor> (*make)(int), int from, int to) {
        for (int level = from; level <= to; ++level) {
            all.push_back({name + std::to_string(level), compression, make, level});
        }
    };
    add("Gzip", Compression::gzip, make_gzip, 1, highest_level(Compression::gzip));
    add("Zlib", Compression::gzip, make_zlib_gzip, 1, 3);
    add("Zstd", Compression::zstd, make_zstd, 1, 3);
    add("Zstd", Compression::zstd, make_zstd, 9, highest_level(Compression::zstd));
    return all;
}

std::string rows(std::size_t size, std::uint64_t seed = 1) {
    Random random{seed};
    std::string text;
    while (text.size() < size) {
        text += "I,0/16B3748," + std::to_string(random.below(1'000'000)) + ",\"name " +
                std::to_string(random.below(1000)) + "\",2026-11-30T17:00:00Z\n";
    }
    text.resize(size);
    return text;
}

std::string noise(std::size_t size) {
    Random random{7};
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    return bytes;
}

class CompressorTest : public testing::TestWithParam<Way> {
protected:
    std::unique_ptr<Compressor> make() const { return GetParam().make(GetParam().level); }
    std::unique_ptr<Unpacker> reader() const {
        switch (GetParam().compression) {
            case Compression::none: return make_reader<PlainReader>();
            case Compression::gzip: return make_reader<GzipReader>();
            case Compression::zstd: return make_reader<ZstdReader>();
        }
        return nullptr;
    }
    std::string read(std::string_view file) const {
        const auto reads = reader();
        reads->take(file);
        EXPECT_TRUE(reads->is_complete());
        return reads->content;
    }
};

TEST_P(CompressorTest, WhatGoesInComesOut) {
    const auto compressor = make();
    std::vector<std::string> inputs{"",
                                    "x",
                                    std::string(1, '\0'),
                                    noise(1000),
                                    noise(200'000),
                                    rows(65536),
                                    rows(3'000'000),
                                    std::string(1'000'000, 'a')};
    // Just around where the input is divided.
    for (const std::size_t around : {1U << 15U, 1U << 16U, 1U << 20U}) {
        for (const std::size_t size : {around - 1, around + 0, around + 1}) {
            inputs.push_back(rows(size));
        }
    }
    for (const std::string& input : inputs) {
        std::string out;
        compressor->compress(input, out);
        EXPECT_TRUE(read(out) == input) << input.size() << " bytes";
    }
}

TEST_P(CompressorTest, EachPieceIsCompleteAndAllOfThemAreOneFile) {
    const auto compressor = make();
    const auto reads = reader();
    std::string file;
    std::string all;
    std::size_t seen = 0;
    for (std::size_t size = 0; size < 300'000; size = size * 3 + 1) {
        const std::string piece = rows(size, size);
        compressor->compress(piece, file);
        all += piece;
        reads->take(std::string_view{file}.substr(seen));
        seen = file.size();
        EXPECT_TRUE(reads->is_complete()) << size;
        EXPECT_TRUE(reads->content == all) << size;
    }
    EXPECT_TRUE(read(file) == all);
}

TEST_P(CompressorTest, WhatStandsInOutputStays) {
    std::string out = "before";
    make()->compress("content", out);
    EXPECT_EQ(out.substr(0, 6), "before");
    EXPECT_EQ(read(std::string_view{out}.substr(6)), "content");
}

TEST_P(CompressorTest, TheSameInputMakesTheSameBytesWhateverCameBefore) {
    const std::string input = rows(200'000);
    std::string fresh;
    make()->compress(input, fresh);
    const auto used = make();
    std::string before;
    used->compress(noise(100'000), before);
    used->compress(rows(2'000'000, 3), before);
    std::string again;
    used->compress(input, again);
    EXPECT_TRUE(fresh == again);
}

TEST_P(CompressorTest, AGzipMemberHasNeitherTimeNorName) {
    std::string out;
    make()->compress("content", out);
    if (GetParam().compression != Compression::gzip) return;
    EXPECT_EQ(out.substr(0, 3), "\x1f\x8b\x08");
    EXPECT_EQ(out.substr(3, 5), std::string(5, '\0')) << "flags or time";
}

TEST_P(CompressorTest, RowsShrinkAndNoiseHardlyGrows) {
    std::string out;
    make()->compress(rows(256 * 1024), out);
    if (GetParam().compression != Compression::none) {
        EXPECT_LT(out.size(), 256 * 1024 / 3);
    }
    out.clear();
    make()->compress(noise(256 * 1024), out);
    EXPECT_LT(out.size(), 256 * 1024 + 1024);
}

INSTANTIATE_TEST_SUITE_P(Libraries, CompressorTest, testing::ValuesIn(ways()),
                         [](const auto& param) { return param.param.name; });

TEST(CompressorsTest, AHundredMegabytesInPiecesOfEverySize) {
    for (const Compression compression : {Compression::gzip, Compression::zstd}) {
        const auto compressor = make_compressor(compression, 0);
        const auto reads = compression == Compression::gzip ? make_reader<GzipReader>()
                                                            : make_reader<ZstdReader>();
        reads->keeps_content = false;
        const std::string source = rows(4'000'000);
        Random random{5};
        std::uint64_t size = 0;
        std::uint32_t crc = 0;
        std::string out;
        while (size < 100'000'000) {
            const auto piece =
                std::string_view{source}.substr(random.below(1'000'000), random.below(3'000'000));
            size += piece.size();
            crc = crc32c(crc, piece);
            out.clear();
            compressor->compress(piece, out);
            reads->take(out);
        }
        EXPECT_TRUE(reads->is_complete());
        EXPECT_EQ(reads->size, size);
        EXPECT_EQ(reads->crc, crc);
    }
}

TEST(CompressorsTest, NamesEndAsTheirToolsExpect) {
    EXPECT_EQ(extension(Compression::none), "");
    EXPECT_EQ(extension(Compression::gzip), ".gz");
    EXPECT_EQ(extension(Compression::zstd), ".zst");
}

// What others read of it.
class OtherToolsTest : public testing::Test {
protected:
    OtherToolsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "pgc-gzip-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        content_ = rows(300'000) + noise(50'000);
    }
    ~OtherToolsTest() override { std::filesystem::remove_all(folder_); }

    std::string file(Compressor& compressor, std::string_view ending) const {
        std::string out;
        std::string_view rest = content_;
        while (!rest.empty()) {
            compressor.compress(rest.substr(0, 65536), out);
            rest.remove_prefix(std::min<std::size_t>(rest.size(), 65536));
        }
        compressor.compress("", out);
        const std::string path = folder_ + "/file" + std::string{ending};
        std::ofstream{path, std::ios::binary} << out;
        return path;
    }
    void expect_content_from(const std::string& command) const {
        FILE* const pipe = ::popen(command.c_str(), "r");
        ASSERT_NE(pipe, nullptr);
        std::string got;
        std::array<char, 65536> room;
        while (const auto count = std::fread(room.data(), 1, room.size(), pipe)) {
            got.append(room.data(), count);
        }
        EXPECT_EQ(::pclose(pipe), 0) << command;
        EXPECT_TRUE(got == content_) << command;
    }

private:
    std::string folder_;
    std::string content_;
};

TEST_F(OtherToolsTest, GzipAndPythonReadGzip) {
    std::vector<std::unique_ptr<Compressor>> compressors;
    for (int level = 1; level <= highest_level(Compression::gzip); ++level) {
        compressors.push_back(make_compressor(Compression::gzip, level));
    }
    compressors.push_back(make_zlib_gzip(1));
    for (const auto& compressor : compressors) {
        const std::string path = file(*compressor, extension(Compression::gzip));
        expect_content_from("zcat " + path);
        expect_content_from(
            "/usr/bin/python3 -c 'import gzip, shutil, sys; "
            "shutil.copyfileobj(gzip.open(sys.argv[1]), sys.stdout.buffer)' " +
            path);
    }
}

TEST_F(OtherToolsTest, ZstdReadsZstd) {
    for (int level = 1; level <= highest_level(Compression::zstd); ++level) {
        const auto compressor = make_compressor(Compression::zstd, level);
        expect_content_from("zstd -dcq " + file(*compressor, extension(Compression::zstd)));
    }
}

}  // namespace
}  // namespace pgc
