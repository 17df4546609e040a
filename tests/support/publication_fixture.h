// Rounds of a PublicationKeeper over a server in memory, with one published table.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "observe/log.h"
#include "postgres/setup/publication_keeper.h"
#include "support/fake_server.h"
#include "support/manual_clock.h"

namespace pgc {

class PublicationLog final : public LogLines {
public:
    void write(std::string_view line) noexcept override { text += line; }
    std::string text;
};

class PublicationKeeperTest : public testing::Test {
protected:
    void SetUp() override {
        config.publication = "pub";
        config.pipeline = "shop";
        config.slot = "shop_slot";
        config.connection.database = "shop";
        config.tables = TableFilter{{*NamePattern::parse("*.*", 2)}, {}};
        signature("one");
        server.answers("pg-capture: server */", fake_facts());
        server.answers("pg-capture: publication */", fake_publication());
        server.answers("publication of inserts */", no_publication());
        server.answers("publication members */", fake_members({}));
        server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "a"}}));
        server.answers("published tables */", fake_published({{"public", "a"}}));
        server.answers("CREATE PUBLICATION", Rows{});
        server.answers("ALTER PUBLICATION", Rows{});
    }

    void signature(const std::string& text) {
        server.answers("publication signature */", fake_row({{"signature", text}}));
    }
    void include(std::string_view pattern) {
        config.tables = TableFilter{{*NamePattern::parse(pattern, 2)}, {}};
        config.tables_given = true;
    }
    // The publication is not there until somebody makes it.
    void nothing_there() {
        server.answers("pg-capture: publication */", fake_publication());
        server.answers_once("pg-capture: publication */", no_publication());
    }

    Result<PublicationState> round(bool may_create = false) {
        if (!keeper) keeper.emplace(config, server.version, log.logger("postgres"));
        if (auto begun = keeper->begin(link, may_create); !begun)
            return std::unexpected(begun.error());
        for (int i = 0; i < 100; ++i) {
            auto state = keeper->step(link);
            if (!state) return std::unexpected(state.error());
            if (*state) return **state;
        }
        return std::unexpected(stop(Error::Category::internal, "no end"));
    }

    ManualClock clock;
    PublicationLog lines;
    Log log{LogOptions{}, lines, clock};
    PostgresConfig config;
    FakeServer server;
    FakeLink link{server, LinkFactory::Use::sql};
    std::optional<PublicationKeeper> keeper;
};

}  // namespace pgc
