#include "http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <utility>

#include "base/secret.h"

namespace pgc {
namespace {

template <auto kFree>
struct Frees {
    template <typename T>
    void operator()(T* object) const noexcept {
        kFree(object);
    }
};
using Bio = std::unique_ptr<BIO, Frees<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Frees<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Frees<EVP_PKEY_free>>;

struct PemTexts {
    std::string certificate;
    Secret key;
};

// By which a change is seen, without keeping the key.
std::string fingerprint(const PemTexts& texts) {
    const std::unique_ptr<EVP_MD_CTX, Frees<EVP_MD_CTX_free>> hash{::EVP_MD_CTX_new()};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    ::EVP_DigestInit_ex(hash.get(), ::EVP_sha256(), nullptr);
    ::EVP_DigestUpdate(hash.get(), texts.certificate.data(), texts.certificate.size());
    ::EVP_DigestUpdate(hash.get(), texts.key.reveal().data(), texts.key.reveal().size());
    ::EVP_DigestFinal_ex(hash.get(), digest.data(), &length);
    return std::string(digest.data(), digest.data() + length);
}

// Asked for the passphrase of an encrypted key. Without it OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

Error unusable(std::string what, const std::string& path, std::string hint) {
    ::ERR_clear_error();
    return stop(Error::Category::configuration, std::move(what))
        .at(path)
        .with_hint(std::move(hint));
}

Result<std::string> read_file(const std::string& path, Files& files) {
    auto content = files.read(path);
    if (!content) {
        return std::unexpected(unusable(content.error().what, path,
                                        "let the user that pg-capture runs as read the file"));
    }
    if (!*content) {
        return std::unexpected(
            unusable("there is no such file", path, "name an existing file in PEM format"));
    }
    return std::move(**content);
}

Bio memory(const std::string& text) {
    return Bio{::BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

Error no_certificate(const std::string& path) {
    return unusable("the file holds no certificate", path,
                    "name a file in PEM format: the server's certificate first, then those that "
                    "signed it");
}

Result<void> use_certificates(SSL_CTX& context, const std::string& pem, const std::string& path) {
    ::ERR_clear_error();
    const Bio bio = memory(pem);
    const Certificate own{::PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr)};
    if (!own || ::SSL_CTX_use_certificate(&context, own.get()) != 1) {
        return std::unexpected(no_certificate(path));
    }
    for (;;) {
        Certificate signer{::PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)};
        if (!signer) break;
        if (::SSL_CTX_add0_chain_cert(&context, signer.get()) != 1) {
            return std::unexpected(no_certificate(path));
        }
        static_cast<void>(signer.release());  // the context's now
    }
    const auto last = ::ERR_peek_last_error();
    const bool ended = last == 0 || (ERR_GET_LIB(last) == ERR_LIB_PEM &&
                                     ERR_GET_REASON(last) == PEM_R_NO_START_LINE);
    if (!ended) return std::unexpected(no_certificate(path));
    ::ERR_clear_error();
    return {};
}

Result<void> use_key(SSL_CTX& context, const Secret& text, const TlsFiles& paths) {
    const std::string& pem = text.reveal();
    const Bio bio = memory(pem);
    const Key key{::PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
    if (!key) {
        const bool encrypted = pem.contains("ENCRYPTED");
        return std::unexpected(unusable(
            encrypted ? "the key is encrypted" : "the file holds no private key", paths.key,
            encrypted ? "store it without a passphrase, readable by pg-capture's user "
                        "alone: openssl pkey -in KEY -out NEW_KEY"
                      : "name a file in PEM format with the certificate's private key"));
    }
    if (::SSL_CTX_use_PrivateKey(&context, key.get()) != 1 ||
        ::SSL_CTX_check_private_key(&context) != 1) {
        return std::unexpected(
            unusable("the key is not that of the certificate", paths.key,
                     "name the key that " + paths.certificate + " was made for"));
    }
    return {};
}

Result<TlsContext> make_context(const PemTexts& texts, const TlsFiles& paths) {
    TlsContext context{::SSL_CTX_new(::TLS_server_method()), ::SSL_CTX_free};
    if (!context) {
        return std::unexpected(stop(Error::Category::internal, "OpenSSL makes no TLS context"));
    }
    ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    if (auto used = use_certificates(*context, texts.certificate, paths.certificate); !used) {
        return std::unexpected(std::move(used.error()));
    }
    if (auto used = use_key(*context, texts.key, paths); !used) {
        return std::unexpected(std::move(used.error()));
    }
    return context;
}

Result<PemTexts> read_both(const TlsFiles& paths, Files& files) {
    auto certificate = read_file(paths.certificate, files);
    if (!certificate) return std::unexpected(std::move(certificate.error()));
    auto key = read_file(paths.key, files);
    if (!key) return std::unexpected(std::move(key.error()));
    return PemTexts{std::move(*certificate), Secret{std::move(*key)}};
}

WallTime wall_time(const ASN1_TIME* time) {
    std::tm parts{};
    if (::ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return {static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000};
}

std::string subject_of(const X509& certificate) {
    const Bio bio{::BIO_new(::BIO_s_mem())};
    if (!bio) return {};
    ::X509_NAME_print_ex(bio.get(), ::X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string{};
}

// Of the public key in DER, as RFC 7469 defines it.
std::string key_pin_of(const X509& certificate) {
    unsigned char* der = nullptr;
    const int length = ::i2d_X509_PUBKEY(::X509_get_X509_PUBKEY(&certificate), &der);
    if (length <= 0) return {};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned digest_length = 0;
    ::EVP_Digest(der, static_cast<std::size_t>(length), digest.data(), &digest_length,
                 ::EVP_sha256(), nullptr);
    OPENSSL_free(der);
    std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> encoded{};
    const int size =
        ::EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest_length));
    return "sha256//" + std::string(encoded.data(), encoded.data() + size);
}

}  // namespace

Result<CertificateFacts> read_certificate(const std::string& path, Files& files) {
    const auto pem = read_file(path, files);
    if (!pem) return std::unexpected(pem.error());
    const Bio bio = memory(*pem);
    const Certificate own{::PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr)};
    if (!own) return std::unexpected(no_certificate(path));
    return CertificateFacts{.subject = subject_of(*own),
                            .valid_from = wall_time(::X509_get0_notBefore(own.get())),
                            .valid_until = wall_time(::X509_get0_notAfter(own.get())),
                            .key_pin = key_pin_of(*own)};
}

Result<TlsContext> load_tls_context(const TlsFiles& paths, Files& files) {
    const auto texts = read_both(paths, files);
    if (!texts) return std::unexpected(texts.error());
    return make_context(*texts, paths);
}

Result<std::unique_ptr<ServerTls>> ServerTls::open(TlsFiles paths, Files& files, const Clock& clock,
                                                   Logger log) {
    const auto texts = read_both(paths, files);
    if (!texts) return std::unexpected(texts.error());
    auto context = make_context(*texts, paths);
    if (!context) return std::unexpected(std::move(context.error()));
    return std::unique_ptr<ServerTls>(new ServerTls(std::move(paths), files, clock, std::move(log),
                                                    std::move(*context), fingerprint(*texts)));
}

ServerTls::ServerTls(TlsFiles paths, Files& files, const Clock& clock, Logger log,
                     TlsContext context, std::string read)
    : paths_(std::move(paths)),
      files_(files),
      clock_(clock),
      log_(std::move(log)),
      context_(std::move(context)),
      read_(std::move(read)),
      looked_at_(clock.now()) {}

TlsContext ServerTls::context() {
    if (clock_.now() - looked_at_ >= kLookEvery) {
        looked_at_ = clock_.now();
        look();
    }
    return context_;
}

void ServerTls::look() {
    constexpr std::string_view kKept =
        "the new certificate can't be used, connections get the one before";
    const auto texts = read_both(paths_, files_);
    // What is there now; an error in place of the files is logged once, too.
    std::string read = texts ? fingerprint(*texts) : texts.error().what;
    if (read == read_) return;
    read_ = std::move(read);
    auto context = texts ? make_context(*texts, paths_) : std::unexpected(texts.error());
    if (!context) {
        log_.failure(LogLevel::warning, kKept, context.error());
        return;
    }
    context_ = std::move(*context);
    log_.info("a new certificate is in use", {{"file", paths_.certificate}});
}

}  // namespace pgc
