// The text format is judged by a reader written from its description alone
// (prometheus.io, "Exposition formats", text 0.0.4), strict where a scraper is.
#include "observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pgc {
namespace {

using Labels = std::map<std::string, std::string>;

struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
};

struct Family {
    std::string help;
    std::string type;
    std::vector<Sample> samples;
};

using Families = std::map<std::string, Family>;

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    Families read() {
        while (!rest_.empty()) {
            const auto end = rest_.find('\n');
            require(end != std::string_view::npos, "last line without its end");
            line_ = rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            line_.starts_with("# ") ? comment() : sample();
        }
        return families_;
    }

private:
    static void require(bool holds, const char* otherwise) {
        if (!holds) {
            throw std::runtime_error(otherwise);
        }
    }
    static bool letter(char c, bool first) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
               (!first && c >= '0' && c <= '9');
    }
    std::string word() {
        std::string out;
        while (!line_.empty() && letter(line_[0], out.empty())) {
            out += line_[0];
            line_.remove_prefix(1);
        }
        require(!out.empty(), "a name is missing");
        return out;
    }
    void eat(char c) {
        require(!line_.empty() && line_[0] == c, "unexpected character");
        line_.remove_prefix(1);
    }
    std::string unescape(bool quoted) {
        std::string out;
        for (;;) {
            require(!quoted || !line_.empty(), "open quote");
            if (line_.empty() || (quoted && line_[0] == '"')) {
                return out;
            }
            char c = line_[0];
            line_.remove_prefix(1);
            if (c == '\\') {
                require(!line_.empty(), "escape at the end");
                c = line_[0];
                line_.remove_prefix(1);
                require(c == '\\' || c == 'n' || (quoted && c == '"'), "unknown escape");
                c = c == 'n' ? '\n' : c;
            }
            out += c;
        }
    }
    void comment() {
        line_.remove_prefix(2);
        const std::string kind = word();
        eat(' ');
        const std::string name = word();
        eat(' ');
        Family& family = families_[name];
        require(family.samples.empty(), "comment after the samples");
        if (kind == "HELP") {
            require(family.help.empty(), "second HELP");
            family.help = unescape(false);
        } else {
            require(kind == "TYPE" && family.type.empty(), "second TYPE");
            family.type = word();
            require(line_.empty(), "rest after TYPE");
            require(closed_.insert(current_).second || current_.empty(), "family in two parts");
            require(!closed_.contains(name), "family in two parts");
            current_ = name;
        }
    }
    void sample() {
        Sample one{word(), {}, 0};
        if (!line_.empty() && line_[0] == '{') {
            eat('{');
            while (line_.at(0) != '}') {
                std::string label = word();
                eat('=');
                eat('"');
                std::string value = unescape(true);
                eat('"');
                require(one.labels.emplace(label, value).second, "label twice");
                if (line_.at(0) != '}') {
                    eat(',');
                }
            }
            eat('}');
        }
        eat(' ');
        one.value = number();
        Family& family = families_[current_];
        const bool histogram = family.type == "histogram";
        require(histogram ? one.name == current_ + "_bucket" || one.name == current_ + "_sum" ||
                                one.name == current_ + "_count"
                          : one.name == current_,
                "sample of another family");
        require(seen_.emplace(one.name, one.labels).second, "series twice");
        family.samples.push_back(std::move(one));
    }
    double number() {
        if (line_ == "+Inf" || line_ == "-Inf") {
            return line_[0] == '+' ? INFINITY : -INFINITY;
        }
        if (line_ == "NaN") {
            return NAN;
        }
        double value = 0;
        const auto [end, error] = std::from_chars(line_.data(), line_.data() + line_.size(), value);
        require(error == std::errc{} && end == line_.data() + line_.size(), "not a number");
        return value;
    }

    std::string_view rest_;
    std::string_view line_;
    std::string current_;
    std::set<std::string> closed_;
    std::set<std::pair<std::string, Labels>> seen_;
    Families families_;
};

Families read(const std::string& text) {
    return Reader{text}.read();
}

std::optional<double> value(const Families& families, const std::string& name,
                            const Labels& labels = {}) {
    for (const auto& [family, content] : families) {
        for (const auto& sample : content.samples) {
            if (sample.name == name && sample.labels == labels) {
                return sample.value;
            }
        }
    }
    return std::nullopt;
}

class ExpositionTest : public ::testing::Test {
protected:
    Families read_all() { return read(metrics_.expose()); }
    Metrics metrics_{"1.2.3"};
};

TEST_F(ExpositionTest, ShowsCountersWithoutLabelsFromTheStart) {
    const auto families = read_all();
    for (const auto& spec : metrics_catalog()) {
        if (spec.kind == MetricSpec::Kind::counter && spec.label_count() == 0 &&
            spec.id != Metric::process_cpu_seconds_total) {
            EXPECT_EQ(value(families, std::string{spec.name}), 0.0) << spec.name;
        }
    }
    EXPECT_FALSE(families.contains("cdc_replication_lag_seconds"));
}

TEST(PipelineLabelTest, StandsOnEverySeries) {
    Metrics metrics{"1.2.3", "a\"b"};
    metrics.counter(Metric::changes_total, {"public.t", "insert"}).add();
    metrics.histogram(Metric::batch_row_count).observe(1);
    std::istringstream lines(metrics.expose());
    int series = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) continue;
        ++series;
        EXPECT_NE(line.find("{pipeline=\"a\\\"b\""), std::string::npos) << line;
    }
    EXPECT_GT(series, 20);
}

// The reader refuses a family that stands in two parts, a second HELP or TYPE, and a series twice.
TEST(PipelineLabelTest, SeveralPipelinesAreShownAsOne) {
    Metrics shop{"1.2.3", "shop"};
    Metrics orders{"1.2.3", "orders"};
    shop.counter(Metric::changes_total, {"public.t", "insert"}).add(3);
    orders.counter(Metric::changes_total, {"public.t", "insert"}).add(4);
    orders.histogram(Metric::batch_row_count).observe(1);
    Metrics* const both[] = {&shop, &orders};
    const auto families = read(Metrics::expose(both));
    for (const auto& [pipeline, changes] : {std::pair{"shop", 3.0}, std::pair{"orders", 4.0}}) {
        EXPECT_EQ(value(families, "cdc_changes_total",
                        {{"pipeline", pipeline}, {"table", "public.t"}, {"op", "insert"}}),
                  changes);
        EXPECT_TRUE(value(families, "process_open_fds", {{"pipeline", pipeline}}));
    }
    EXPECT_EQ(value(families, "cdc_batch_row_count_count", {{"pipeline", "orders"}}), 1.0);
    EXPECT_EQ(value(families, "cdc_batch_row_count_count", {{"pipeline", "shop"}}), std::nullopt);
    Metrics* const one[] = {&shop};
    EXPECT_EQ(read(Metrics::expose(one)).size(), read(shop.expose()).size());
}

TEST_F(ExpositionTest, ShowsEveryMetricOfTheCatalogWithHelpAndType) {
    for (const auto& spec : metrics_catalog()) {
        using Kind = MetricSpec::Kind;
        const auto touch = [&](Metrics::Labels labels) {
            switch (spec.kind) {
                case Kind::counter: metrics_.counter(spec.id, labels).add(); break;
                case Kind::gauge: metrics_.gauge(spec.id, labels).set(1); break;
                case Kind::histogram: metrics_.histogram(spec.id, labels).observe(1.0); break;
            }
        };
        switch (spec.label_count()) {
            case 0: touch({}); break;
            case 1: touch({"a"}); break;
            default: touch({"a", "b"}); break;
        }
    }
    const auto families = read_all();
    EXPECT_EQ(families.size(), metrics_catalog().size());
    for (const auto& spec : metrics_catalog()) {
        const auto& family = families.at(std::string{spec.name});
        EXPECT_EQ(family.help, spec.help);
        EXPECT_FALSE(family.type.empty());
        EXPECT_FALSE(family.samples.empty());
    }
}

TEST_F(ExpositionTest, ShowsLabelsInTheirSeries) {
    metrics_.counter(Metric::changes_total, {"public.orders", "insert"}).add(5);
    metrics_.counter(Metric::changes_total, {"public.orders", "delete"}).add(2);
    const auto families = read_all();
    EXPECT_EQ(value(families, "cdc_changes_total", {{"table", "public.orders"}, {"op", "insert"}}),
              5.0);
    EXPECT_EQ(value(families, "cdc_changes_total", {{"table", "public.orders"}, {"op", "delete"}}),
              2.0);
}

TEST_F(ExpositionTest, EscapesHostileLabelValues) {
    const std::string table = "pub\"lic\\.\n{a=\"b\"} 1\n# TYPE x counter";
    metrics_.counter(Metric::schema_changes_total, {table}).add();
    EXPECT_EQ(value(read_all(), "cdc_schema_changes_total", {{"table", table}}), 1.0);
}

TEST_F(ExpositionTest, ReplacesBrokenUtf8InLabelValues) {
    metrics_.counter(Metric::schema_changes_total, {"a\xff\xc3"}).add();
    EXPECT_EQ(
        value(read_all(), "cdc_schema_changes_total", {{"table", "a\xEF\xBF\xBD\xEF\xBF\xBD"}}),
        1.0);
}

TEST_F(ExpositionTest, CountsSecondsInNanoseconds) {
    metrics_.counter(Metric::backpressure_seconds_total).add(std::chrono::milliseconds{1500});
    metrics_.counter(Metric::backpressure_seconds_total).add(Duration{-7});
    EXPECT_EQ(value(read_all(), "cdc_backpressure_seconds_total"), 1.5);
}

TEST_F(ExpositionTest, KeepsLargeCountersExact) {
    metrics_.counter(Metric::sink_bytes_total).add(std::numeric_limits<std::uint64_t>::max());
    EXPECT_THAT(metrics_.expose(),
                ::testing::HasSubstr("cdc_sink_bytes_total 18446744073709551615\n"));
}

TEST_F(ExpositionTest, ShowsNumbersThatAreNone) {
    metrics_.gauge(Metric::buffer_bytes).set(INFINITY);
    metrics_.gauge(Metric::replication_lag_bytes).set(NAN);
    const auto families = read_all();
    EXPECT_EQ(value(families, "cdc_buffer_bytes"), INFINITY);
    EXPECT_TRUE(std::isnan(*value(families, "cdc_replication_lag_bytes")));
}

TEST_F(ExpositionTest, HistogramBucketsAddUpToTheirCount) {
    auto& latency = metrics_.histogram(Metric::end_to_end_latency_seconds);
    latency.observe(0.0005);
    latency.observe(0.001);  // a bound belongs to its bucket
    latency.observe(std::chrono::milliseconds{30}, 3);
    latency.observe(1000.0);
    const auto families = read_all();
    const std::string name = "cdc_end_to_end_latency_seconds";
    EXPECT_EQ(value(families, name + "_bucket", {{"le", "0.001"}}), 2.0);
    EXPECT_EQ(value(families, name + "_bucket", {{"le", "0.02"}}), 2.0);
    EXPECT_EQ(value(families, name + "_bucket", {{"le", "0.05"}}), 5.0);
    EXPECT_EQ(value(families, name + "_bucket", {{"le", "60"}}), 5.0);
    EXPECT_EQ(value(families, name + "_bucket", {{"le", "+Inf"}}), 6.0);
    EXPECT_EQ(value(families, name + "_count"), 6.0);
    EXPECT_NEAR(*value(families, name + "_sum"), 1000.0915, 1e-9);
}

TEST_F(ExpositionTest, ShowsTheProcessAndTheBuild) {
    const auto families = read_all();
    EXPECT_EQ(value(families, "cdc_build_info", {{"version", "1.2.3"}}), 1.0);
    EXPECT_GT(value(families, "process_resident_memory_bytes"), 1e6);
    EXPECT_GE(value(families, "process_open_fds"), 3.0);
    EXPECT_GT(value(families, "process_start_time_seconds"), 1.6e9);
    EXPECT_GE(value(families, "process_cpu_seconds_total"), 0.0);
}

}  // namespace
}  // namespace pgc
