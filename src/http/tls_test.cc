#include "http/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificates.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::StartsWith;
using namespace std::chrono_literals;

class TlsTest : public ::testing::Test {
protected:
    void store(const TestCertificate& made) {
        ASSERT_TRUE(files.replace(paths.certificate, made.certificate));
        ASSERT_TRUE(files.replace(paths.key, made.key));
    }
    Error refusal() {
        const auto context = load_tls_context(paths, files);
        EXPECT_FALSE(context);
        return context ? Error{} : context.error();
    }

    const TlsFiles paths{"/tls/server.crt", "/tls/server.key"};
    SimulatedFiles files;
    ManualClock clock;
};

TEST_F(TlsTest, TakesACertificateAndItsKey) {
    store(make_certificate());
    EXPECT_TRUE(load_tls_context(paths, files));
    const auto authority = make_certificate();
    auto chain = make_certificate(&authority);
    chain.certificate += authority.certificate;
    store(chain);
    EXPECT_TRUE(load_tls_context(paths, files));
}

TEST_F(TlsTest, SaysWhichFileCantBeUsedAndWhy) {
    EXPECT_EQ(refusal().what, "there is no such file");
    const auto made = make_certificate();
    store({made.certificate, make_certificate().key});
    EXPECT_EQ(refusal().what, "the key is not that of the certificate");
    EXPECT_EQ(refusal().where, paths.key);
    store({"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", made.key});
    EXPECT_EQ(refusal().what, "the file holds no certificate");
    EXPECT_EQ(refusal().where, paths.certificate);
    store({made.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
           made.key});
    EXPECT_EQ(refusal().what, "the file holds no certificate");
    store({made.certificate, made.certificate});
    EXPECT_EQ(refusal().what, "the file holds no private key");
    store({made.certificate, ""});
    EXPECT_EQ(refusal().category, Error::Category::configuration);
}

TEST_F(TlsTest, AnEncryptedKeyIsRefusedAndNobodyIsAsked) {
    const auto made = make_certificate();
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key(
        detail::from_pem<EVP_PKEY>(made.key, &::PEM_read_bio_PrivateKey), &::EVP_PKEY_free);
    const auto encrypted = detail::pem_of(key.get(), [](BIO* bio, EVP_PKEY* one) {
        std::string word = "sesame";
        ::PEM_write_bio_PKCS8PrivateKey(bio, one, ::EVP_aes_256_cbc(), word.data(),
                                        static_cast<int>(word.size()), nullptr, nullptr);
    });
    store({made.certificate, encrypted});
    EXPECT_EQ(refusal().what, "the key is encrypted");
}

TEST_F(TlsTest, TellsWhatACertificateSays) {
    store(make_certificate(nullptr, "cdc.example.com"));
    const auto facts = read_certificate(paths.certificate, files);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->subject, "CN=cdc.example.com");
    EXPECT_EQ(facts->valid_until.unix_us - facts->valid_from.unix_us, 90'000'000'000);
    EXPECT_THAT(facts->key_pin, StartsWith("sha256//"));
    EXPECT_EQ(facts->key_pin.size(), 8U + 44U);
    const auto pin = facts->key_pin;
    store(make_certificate(nullptr, "cdc.example.com"));
    EXPECT_NE(read_certificate(paths.certificate, files)->key_pin, pin);
}

TEST_F(TlsTest, ANewCertificateIsTakenForNewConnections) {
    store(make_certificate());
    const auto tls = ServerTls::open(paths, files, clock, Logger{});
    ASSERT_TRUE(tls);
    const auto first = (*tls)->context();
    EXPECT_EQ((*tls)->context(), first);
    store(make_certificate());
    EXPECT_EQ((*tls)->context(), first) << "looked at too often";
    clock.advance(ServerTls::kLookEvery);
    const auto second = (*tls)->context();
    EXPECT_NE(second, first);
    clock.advance(ServerTls::kLookEvery);
    EXPECT_EQ((*tls)->context(), second);
}

TEST_F(TlsTest, WhileTheNewOneCantBeUsedThereIsTheOld) {
    store(make_certificate());
    const auto tls = ServerTls::open(paths, files, clock, Logger{});
    ASSERT_TRUE(tls);
    const auto first = (*tls)->context();
    const auto next = make_certificate();
    ASSERT_TRUE(files.replace(paths.certificate, next.certificate));  // its key is still to come
    clock.advance(1s);
    EXPECT_EQ((*tls)->context(), first);
    ASSERT_TRUE(files.remove(paths.certificate));
    clock.advance(1s);
    EXPECT_EQ((*tls)->context(), first);
    store(next);
    clock.advance(1s);
    EXPECT_NE((*tls)->context(), first);
}

}  // namespace
}  // namespace pgc
