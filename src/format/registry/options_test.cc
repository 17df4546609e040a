#include "format/registry/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/options_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RegistryOptionsTest : public test::OptionsFixture {
protected:
    RegistryOptionsTest()
        : OptionsFixture({kRegistryOptions},
                         {{"PG_CAPTURE_FORMAT_REGISTRY_URL", "http://registry:8081"}}) {}

    RegistryConfig config() {
        return made([&](const Settings& settings) { return registry_config(settings, files); });
    }
};

TEST_F(RegistryOptionsTest, TheTableIsSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(RegistryOptionsTest, ByDefaultSchemasAreRegisteredAndLevelsLeftAlone) {
    const RegistryConfig c = config();
    EXPECT_THAT(c.urls, ElementsAre("http://registry:8081"));
    EXPECT_TRUE(c.auto_register);
    EXPECT_FALSE(c.normalize);
    EXPECT_FALSE(c.docs);
    EXPECT_EQ(c.strategy, SubjectStrategy::topic_name);
    EXPECT_EQ(c.level(SchemaOf::key), Compatibility::unchanged);
    EXPECT_EQ(c.level(SchemaOf::value), Compatibility::unchanged);
    EXPECT_FALSE(c.password);
    EXPECT_FALSE(c.bearer_token);
    EXPECT_EQ(c.timeout, 10s);
    EXPECT_EQ(c.backoff, 100ms);
    EXPECT_EQ(c.backoff_max, 5s);
}

TEST_F(RegistryOptionsTest, EveryOptionIsTaken) {
    give("format.registry.url", "https://a:8081/,https://b/apis/ccompat/v7//");
    give("format.registry.subject_strategy", "topic_record_name");
    give("format.registry.normalize", "true");
    give("format.registry.docs", "true");
    give("format.registry.compatibility", "FULL_TRANSITIVE");
    give("format.registry.key_compatibility", "NONE");
    give("format.registry.username", "cdc");
    give("format.registry.password", "s3cret");
    give("format.registry.ssl_root_cert", "ca.pem");
    give("format.registry.ssl_cert", "c.pem");
    give("format.registry.ssl_key", "k.pem");
    give("format.registry.ssl_key_password", "pass");
    give("format.registry.timeout_ms", "2000");
    give("format.registry.retry_backoff_ms", "50");
    give("format.registry.retry_backoff_max_ms", "900");
    const RegistryConfig c = config();
    EXPECT_THAT(c.urls, ElementsAre("https://a:8081", "https://b/apis/ccompat/v7"));
    EXPECT_EQ(c.strategy, SubjectStrategy::topic_record_name);
    EXPECT_TRUE(c.normalize);
    EXPECT_TRUE(c.docs);
    EXPECT_EQ(c.level(SchemaOf::value), Compatibility::full_transitive);
    EXPECT_EQ(c.level(SchemaOf::key), Compatibility::none);
    EXPECT_EQ(c.username, "cdc");
    ASSERT_TRUE(c.password && c.key_password);
    EXPECT_EQ(c.password()->reveal(), "s3cret");
    EXPECT_EQ(c.key_password()->reveal(), "pass");
    EXPECT_EQ(c.root_certificate, "ca.pem");
    EXPECT_EQ(c.certificate, "c.pem");
    EXPECT_EQ(c.key, "k.pem");
    EXPECT_EQ(c.timeout, 2s);
    EXPECT_EQ(c.backoff, 50ms);
    EXPECT_EQ(c.backoff_max, 900ms);
}

TEST_F(RegistryOptionsTest, SomebodyElseMayRegisterAndATokenMayServe) {
    give("format.registry.auto_register", "false");
    give("format.registry.bearer_token", "t0ken");
    const RegistryConfig c = config();
    EXPECT_FALSE(c.auto_register);
    ASSERT_TRUE(c.bearer_token);
    EXPECT_EQ(c.bearer_token()->reveal(), "t0ken");
}

TEST_F(RegistryOptionsTest, RefusesWhatIsNoAddress) {
    for (const auto* url : {"registry:8081", "ftp://registry", "http://", "http://a b/",
                            "http://registry?x=1", "http://a,registry"}) {
        give("format.registry.url", url);
        EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.registry.url: each must be"))) << url;
    }
    give("format.registry.url", "https://user:secret@registry");
    const auto said = errors();
    EXPECT_THAT(said, ElementsAre(HasSubstr("must hold no user and password")));
    EXPECT_THAT(said, Each(Not(HasSubstr("secret"))));
}

TEST_F(RegistryOptionsTest, WithoutARegistryTheRestMakesNoSense) {
    environment.clear();
    EXPECT_THAT(errors(), IsEmpty());
    give("format.registry.normalize", "true");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("there is no registry to use it with")));
}

TEST_F(RegistryOptionsTest, HalvesOfCredentialsAreRefused) {
    give("format.registry.username", "cdc");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("a user and the password go together")));
    give("format.registry.password", "s3cret");
    EXPECT_THAT(errors(), IsEmpty());
    give("format.registry.bearer_token", "t0ken");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("a token and a user exclude each other")));
}

TEST_F(RegistryOptionsTest, CertificatesNeedTlsAndTheirKeys) {
    give("format.registry.ssl_root_cert", "ca.pem");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("the registry is asked without TLS")));
    give("format.registry.url", "http://a,https://b");
    EXPECT_THAT(errors(), IsEmpty());
    give("format.registry.ssl_cert", "c.pem");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("a certificate and its key go together")));
    give("format.registry.ssl_key", "k.pem");
    EXPECT_THAT(errors(), IsEmpty());
    environment.erase("PG_CAPTURE_FORMAT_REGISTRY_SSL_CERT");
    environment.erase("PG_CAPTURE_FORMAT_REGISTRY_SSL_KEY");
    give("format.registry.ssl_key_password", "x");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("there is no key that it could open")));
}

TEST_F(RegistryOptionsTest, WhoDoesNotRegisterSetsNoLevels) {
    give("format.registry.auto_register", "false");
    give("format.registry.compatibility", "FULL");
    give("format.registry.key_compatibility", "unchanged");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("where somebody else registers the schemas")));
}

TEST_F(RegistryOptionsTest, PausesGrow) {
    give("format.registry.retry_backoff_ms", "7000");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("longer than the longest")));
}

TEST_F(RegistryOptionsTest, SecretsInPlainTextAreNoticed) {
    EXPECT_FALSE(config().secret_in_plain_text());
    give("format.registry.bearer_token", "t0ken");
    EXPECT_TRUE(config().secret_in_plain_text());
    for (const auto* url : {"https://registry", "http://localhost:8081", "http://127.0.0.1"}) {
        give("format.registry.url", url);
        EXPECT_FALSE(config().secret_in_plain_text()) << url;
    }
}

// Beside the option that says what becomes of a refused schema.
class SchemaChangeOptionTest : public test::OptionsFixture {
protected:
    static constexpr Option kSchemaChange[] = {{.path = "schema_change",
                                                .kind = OptionKind::choice,
                                                .fallback = "evolve",
                                                .help = "what then",
                                                .words = kSchemaChanges.all()}};

    SchemaChangeOptionTest()
        : OptionsFixture({{.section = {}, .about = {}, .options = kSchemaChange}, kRegistryOptions},
                         {{"PG_CAPTURE_FORMAT_REGISTRY_URL", "http://registry:8081"}}) {}

    SchemaChange chosen() {
        return made([&](const Settings& settings) { return registry_config(settings, files); })
            .schema_change;
    }
};

TEST_F(SchemaChangeOptionTest, EachWordIsTaken) {
    EXPECT_EQ(chosen(), SchemaChange::evolve) << "by default";
    give("schema_change", "pause");
    EXPECT_EQ(chosen(), SchemaChange::pause);
    give("schema_change", "fail");
    EXPECT_EQ(chosen(), SchemaChange::fail);
}

TEST_F(SchemaChangeOptionTest, WhoDoesNotRegisterLowersNoLevels) {
    give("format.registry.auto_register", "false");
    EXPECT_THAT(errors(), IsEmpty()) << "as nobody has asked for it";
    give("schema_change", "evolve");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("where somebody else registers the schemas")));
    give("schema_change", "pause");
    EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(SchemaChangeOptionTest, WithoutARegistryNothingIsRefused) {
    environment = {};
    give("schema_change", "evolve");
    EXPECT_THAT(errors(), IsEmpty());
    give("schema_change", "pause");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("without a schema registry nothing is refused")));
}

}  // namespace
}  // namespace pgc
