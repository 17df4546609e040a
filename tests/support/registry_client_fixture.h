// A client of the schema registry against one in memory, over a clock that is moved.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "format/registry/registry_client.h"
#include "support/fake_registry.h"
#include "support/manual_clock.h"

namespace pgc::test {

class RegistryClientFixture : public ::testing::Test {
protected:
    using Is = SchemaAnswer::Is;
    RegistryClientFixture() { config.urls = {"http://a"}; }

    RegistryClient& client() {
        if (!client_) {
            client_ = std::make_unique<RegistryClient>(
                RegistryLine::Deps{config, registry, clock, metrics, Logger{}, 1});
        }
        return *client_;
    }
    Result<SchemaAnswer> look_up(std::string text, std::string subject = "s-value",
                                 SchemaOf of = SchemaOf::value) {
        return client().look_up({std::move(subject), of}, {SchemaType::avro, std::move(text)});
    }
    // Until the answer is there, as the pipeline's loop would; at most `patience`.
    SchemaAnswer answer_to(const std::string& text, const std::string& subject = "s-value",
                           SchemaOf of = SchemaOf::value,
                           Duration patience = std::chrono::minutes{10}) {
        const Instant end = clock.now() + patience;
        for (;;) {
            auto answer = look_up(text, subject, of);
            if (!answer) {
                ADD_FAILURE() << describe(answer.error());
                return {};
            }
            if (answer->is != Is::pending || clock.now() >= end) return *answer;
            sleep(end);
        }
    }
    // What the registry as a whole says against it.
    Error error_of(const std::string& text) {
        for (int turn = 0; turn < 100; ++turn) {
            const auto answer = look_up(text);
            if (!answer) return answer.error();
            if (answer->is != Is::pending) break;
            sleep(clock.now() + std::chrono::hours{1});
        }
        ADD_FAILURE() << "no error";
        return {};
    }
    // As the loop sleeps: until something is wanted, which must not be in the past.
    void sleep(Instant end) {
        Wants wants;
        client().wants(wants);
        ASSERT_GT(wants.deadline, clock.now()) << "the loop would spin";
        clock.advance(std::min(wants.deadline, end) - clock.now());
    }
    std::uint64_t counted(std::string_view outcome) {
        return metrics.counter(Metric::registry_requests_total, {outcome}).value();
    }

    ManualClock clock;
    Metrics metrics{"test"};
    RegistryConfig config;
    FakeRegistry registry{clock};

private:
    std::unique_ptr<RegistryClient> client_;
};

}  // namespace pgc::test
