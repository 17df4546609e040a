// Rounds of a PublicationKeeper over a server in memory, with one published table.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "observe/log.h"
#include "postgres/setup/publication_keeper.h"
#include "support/healthy_server.h"
#include "support/log_text.h"
#include "support/manual_clock.h"

namespace pgc {

class PublicationKeeperTest : public testing::Test {
protected:
    void SetUp() override {
        is_healthy(server, "a");
        signature("one");
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
    LogText lines;
    Log log{LogOptions{}, lines, clock};
    PostgresConfig config = shop_config();
    FakeServer server;
    FakeLink link{server, LinkFactory::Use::sql};
    std::optional<PublicationKeeper> keeper;
};

}  // namespace pgc
