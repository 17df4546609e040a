// The options of `sink: file` as a configuration file has them, with what else the program knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/pipeline_spec.h"
#include "cli/program.h"
#include "config/loader.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class FileOptionsTest : public testing::Test {
protected:
    FileOptionsTest() { EXPECT_TRUE(files_.replace("/secret", "hush-hush")); }

    // `more`: lines of the section `file`, the first of which is line 7.
    auto settings(const std::string& more) {
        const std::string text =
            "sink: file\n"
            "postgres:\n"
            "  database: shop\n"
            "  username: cdc\n"
            "  password: ${file:/secret}\n"
            "file:\n" +
            more + "  root: /data\n";
        EXPECT_TRUE(files_.replace("shop.yaml", text));
        return load(declarations(), {.file = "shop.yaml", .environment = {}, .command_line = {}},
                    files_);
    }
    FileSinkConfig config(const std::string& more) {
        const auto loaded = settings(more);
        if (!loaded) {
            ADD_FAILURE() << describe(loaded.error());
            return {};
        }
        return *pipeline_spec(*loaded, files_).file;
    }
    std::vector<std::string> errors(const std::string& more) {
        std::vector<std::string> texts;
        if (const auto loaded = settings(more); !loaded) {
            for (const ConfigError& error : loaded.error()) texts.push_back(describe(error));
        }
        return texts;
    }

    SimulatedFiles files_;
};

TEST_F(FileOptionsTest, Defaults) {
    const FileSinkConfig c = config("");
    EXPECT_EQ(c.root, "/data");
    EXPECT_EQ(c.database, "shop");
    EXPECT_EQ(c.layout, kDefaultLayout);
    EXPECT_EQ(c.url, "");
    EXPECT_EQ(c.writers, 2U);
    EXPECT_EQ(c.modes.file, 0600U);
    EXPECT_EQ(c.modes.folder, 0700U);
    EXPECT_EQ(c.modes.uid, DiskModes::kAs_it_is);
    EXPECT_EQ(c.modes.gid, DiskModes::kAs_it_is);
}

TEST_F(FileOptionsTest, WhatIsSetArrives) {
    const FileSinkConfig c = config(
        "  layout: \"{schema}/{table}/dt={date}/{timestamp}\"\n"
        "  url: s3://warehouse/shop\n"
        "  writers: 4\n"
        "  mode: \"640\"\n"
        "  folder_mode: \"750\"\n"
        "  owner: \":0\"\n");
    EXPECT_EQ(c.layout, "{schema}/{table}/dt={date}/{timestamp}");
    EXPECT_EQ(c.url, "s3://warehouse/shop/");
    EXPECT_EQ(c.writers, 4U);
    EXPECT_EQ(c.modes.file, 0640U);
    EXPECT_EQ(c.modes.folder, 0750U);
    EXPECT_EQ(c.modes.uid, DiskModes::kAs_it_is);
    EXPECT_EQ(c.modes.gid, 0);
}

// So that changes of tables that are exported wait for no larger table.
TEST_F(FileOptionsTest, TheStreamGoesOnDuringAnExportOnceABatch) {
    const auto hold = [&](const std::string& more) {
        const auto loaded = settings(more);
        EXPECT_TRUE(loaded);
        return pipeline_spec(*loaded, files_).postgres.snapshot.hold_max;
    };
    EXPECT_EQ(hold(""), std::chrono::minutes{5});
    EXPECT_EQ(hold("  batch_interval_secs: 1\n"), std::chrono::minutes{1});
    EXPECT_EQ(hold("  batch_interval_secs: 86400\n"), std::chrono::hours{1});
}

TEST_F(FileOptionsTest, AFaultIsShownWhereItStands) {
    EXPECT_THAT(errors(""), IsEmpty());
    EXPECT_THAT(errors("  layout: \"{tabel}/{timestamp}\"\n"),
                ElementsAre(StartsWith("shop.yaml:7: file.layout: there is no {tabel}")));
    EXPECT_THAT(errors("  writers: 3\n  owner: nobody-of-that-name\n"),
                ElementsAre(StartsWith(
                    "shop.yaml:8: file.owner: there is no user 'nobody-of-that-name' here")));
    EXPECT_THAT(errors("  writers: 0\n"), ElementsAre(HasSubstr("file.writers")));
}

}  // namespace
}  // namespace pgc
