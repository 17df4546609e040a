// The real parts, twice in one process, beside a server that nobody runs.
#include "cli/hosted_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>

#include "cli/program.h"
#include "cli/signals.h"
#include "config/loader.h"
#include "server/health_json.h"
#include "server/health_routes.h"
#include "support/eventually.h"
#include "support/shared_lines.h"

namespace pgc {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class HostedPipelineTest : public testing::Test {
protected:
    // Port 1: a connection to it is refused at once, and tried again.
    std::shared_ptr<const PipelineSpec> spec(const std::string& slot,
                                             const Environment& more = {}) {
        Environment environment{
            {"PG_HOST", "127.0.0.1"},       {"PG_PORT", "1"},
            {"PG_DATABASE", slot},          {"PG_USERNAME", "cdc"},
            {"PG_PASSWORD", "hush-hush"},   {"PG_SLOT_NAME", slot},
            {"PG_CAPTURE_SINK", "discard"}, {"PG_CAPTURE_STATE_DIR", "/nowhere"}};
        for (const auto& [name, value] : more) environment.insert_or_assign(name, value);
        const auto settings =
            load(declarations(),
                 {.file = "", .environment = std::move(environment), .command_line = {}}, files);
        EXPECT_TRUE(settings);
        return std::make_shared<const PipelineSpec>(pipeline_spec(*settings, files));
    }
    HttpResponse get(std::string_view path) const {
        return router.answer({.method = "GET", .path = path, .query = {}, .headers = {}});
    }
    Result<StatusSnapshot> health(const std::string& pipeline) const {
        return read_health(get("/pipelines/" + pipeline + "/healthz").body);
    }
    bool has_failed_once(const std::string& pipeline) const {
        return health(pipeline)->last_error.has_value();
    }

    SystemFiles files;
    SystemClock clock;
    SharedLines lines;
    Log log{{}, lines, clock};
    HostedPipeline shop{spec("shop"), files, clock, log};
    HostedPipeline orders{spec("orders"), files, clock, log};
    Router router;
};

TEST_F(HostedPipelineTest, TwoLiveSideBySideAndEndByOneSignal) {
    add_health_routes(router, {shop.served(), orders.served()});
    Result<void> shop_ended;
    Result<void> orders_ended;
    {
        const Signals signals({&shop.stop(), &orders.stop()});
        const std::jthread one{[&] { shop_ended = shop.run(); }};
        const std::jthread other{[&] { orders_ended = orders.run(); }};
        EXPECT_TRUE(
            eventually([&] { return has_failed_once("shop") && has_failed_once("orders"); }));
        EXPECT_EQ(get("/livez").status, 200);
        EXPECT_THAT(get("/metrics").body,
                    AllOf(HasSubstr("cdc_failed_attempts{pipeline=\"shop\"}"),
                          HasSubstr("cdc_failed_attempts{pipeline=\"orders\"}")));
        std::raise(SIGTERM);
    }
    EXPECT_TRUE(shop_ended);
    EXPECT_TRUE(orders_ended);
    EXPECT_EQ(health("shop")->state, PipelineState::stopped);
    EXPECT_EQ(health("orders")->state, PipelineState::stopped);
    EXPECT_THAT(lines.text(), AllOf(HasSubstr("pipeline=shop"), HasSubstr("pipeline=orders")));
}

TEST_F(HostedPipelineTest, OneEndsAndTheOtherGoesOn) {
    add_health_routes(router, {shop.served(), orders.served()});
    const std::jthread other{[&] { EXPECT_TRUE(orders.run()); }};
    {
        const std::jthread one{[&] { EXPECT_TRUE(shop.run()); }};
        EXPECT_TRUE(eventually([&] { return has_failed_once("shop"); }));
        shop.stop().request();
    }
    EXPECT_EQ(health("shop")->state, PipelineState::stopped);
    const auto before = health("orders")->attempts;
    EXPECT_TRUE(eventually([&] { return health("orders")->attempts > before; }));
    EXPECT_THAT(get("/readyz").body, Not(HasSubstr("not ready: orders: stopped")));
    orders.stop().request();
}

TEST_F(HostedPipelineTest, IntroducesItselfByName) {
    shop.introduce("DATABASE_URL");
    EXPECT_THAT(lines.text(), AllOf(HasSubstr("starting  pipeline=shop"), HasSubstr("slot=shop"),
                                    HasSubstr("DATABASE_URL"), Not(HasSubstr("orders"))));
}

TEST_F(HostedPipelineTest, SaysWhichKafkaItWritesTo) {
    const HostedPipeline kafka{spec("kafka", {{"PG_CAPTURE_SINK", "kafka"},
                                              {"KAFKA_BROKERS", "kafka1:9093,kafka2:9093"},
                                              {"PG_CAPTURE_KAFKA_TOPIC_PREFIX", "cdc"},
                                              {"PG_CAPTURE_STATE_TOPIC", "positions"},
                                              {"PG_CAPTURE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL"},
                                              {"PG_CAPTURE_KAFKA_SECURITY_MECHANISM", "PLAIN"},
                                              {"PG_CAPTURE_KAFKA_SECURITY_USERNAME", "cdc"},
                                              {"PG_CAPTURE_KAFKA_SECURITY_PASSWORD", "s3cret"}}),
                               files, clock, log};
    kafka.introduce("");
    EXPECT_THAT(lines.text(), AllOf(HasSubstr("to Kafka  pipeline=kafka"),
                                    HasSubstr("brokers=kafka1:9093,kafka2:9093"),
                                    HasSubstr("topics="), HasSubstr("prefix=cdc"),
                                    HasSubstr("positions=positions"), Not(HasSubstr("s3cret"))));
}

TEST_F(HostedPipelineTest, WarnsOfARegistrysSecretInPlainText) {
    constexpr std::string_view warning = "the schema registry's password or token goes over";
    const auto starts_with = [&](const std::string& url) {
        const HostedPipeline avro{
            spec("avro", {{"PG_CAPTURE_FORMAT_TYPE", "debezium"},
                          {"PG_CAPTURE_FORMAT_ENCODING", "avro"},
                          {"PG_CAPTURE_FORMAT_REGISTRY_URL", url},
                          {"PG_CAPTURE_FORMAT_REGISTRY_BEARER_TOKEN", "s3cret"}}),
            files, clock, log};
        avro.introduce("");
    };
    starts_with("https://registry:8081");
    EXPECT_THAT(lines.text(), Not(HasSubstr(warning)));
    starts_with("http://registry:8081");
    EXPECT_THAT(lines.text(), AllOf(HasSubstr(warning), HasSubstr("give the https:// address"),
                                    Not(HasSubstr("s3cret"))));
}

}  // namespace
}  // namespace pgc
