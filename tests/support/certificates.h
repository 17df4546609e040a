// Keys and certificates for tests, made on the spot: PEM texts for localhost and 127.0.0.1.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace pgc {

struct TestCertificate {
    std::string certificate;
    std::string key;
};

namespace detail {

template <typename T, typename Write>
std::string pem_of(T* object, Write write) {
    const std::unique_ptr<BIO, decltype(&::BIO_free_all)> bio(::BIO_new(::BIO_s_mem()),
                                                              &::BIO_free_all);
    write(bio.get(), object);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

inline std::string key_pem(EVP_PKEY* key) {
    return pem_of(key, [](BIO* bio, EVP_PKEY* one) {
        ::PEM_write_bio_PrivateKey(bio, one, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

template <typename T, typename Read>
T* from_pem(const std::string& pem, Read read) {
    const std::unique_ptr<BIO, decltype(&::BIO_free_all)> bio(
        ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &::BIO_free_all);
    return read(bio.get(), nullptr, nullptr, nullptr);
}

}  // namespace detail

// Valid from an hour ago for `valid_seconds` from now, which may be over. Without `authority` it
// is its own, and may sign others.
inline TestCertificate make_certificate(const TestCertificate* authority = nullptr,
                                        const std::string& name = "localhost",
                                        long valid_seconds = 86'400) {
    static long serial = 0;
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                    &::EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&::X509_free)> made(::X509_new(), &::X509_free);
    ::X509_set_version(made.get(), 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), ++serial);
    ::X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    ::X509_gmtime_adj(X509_getm_notAfter(made.get()), valid_seconds);
    ::X509_set_pubkey(made.get(), key.get());
    X509_NAME* subject = ::X509_get_subject_name(made.get());
    ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    std::unique_ptr<X509, decltype(&::X509_free)> signer(nullptr, &::X509_free);
    std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> signing(nullptr, &::EVP_PKEY_free);
    if (authority != nullptr) {
        signer.reset(detail::from_pem<X509>(authority->certificate, &::PEM_read_bio_X509));
        signing.reset(detail::from_pem<EVP_PKEY>(authority->key, &::PEM_read_bio_PrivateKey));
    }
    ::X509_set_issuer_name(made.get(), signer ? ::X509_get_subject_name(signer.get()) : subject);
    const auto extend = [&](int nid, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        ::X509V3_set_ctx(&context, signer ? signer.get() : made.get(), made.get(), nullptr, nullptr,
                         0);
        X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        ::X509_add_ext(made.get(), extension, -1);
        ::X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, authority == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    if (name == "localhost") {
        extend(NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    } else {
        extend(NID_subject_alt_name, "DNS:" + name);
    }
    ::X509_sign(made.get(), signing ? signing.get() : key.get(), ::EVP_sha256());
    return {.certificate = detail::pem_of(
                made.get(), [](BIO* bio, X509* one) { ::PEM_write_bio_X509(bio, one); }),
            .key = detail::key_pem(key.get())};
}

// A directory with certificates in it, which goes with it.
class CertificateFiles {
public:
    CertificateFiles() {
        std::string name = std::filesystem::temp_directory_path() / "pgc-http-XXXXXX";
        directory_ = ::mkdtemp(name.data());
    }
    CertificateFiles(const CertificateFiles&) = delete;
    CertificateFiles& operator=(const CertificateFiles&) = delete;
    ~CertificateFiles() { std::filesystem::remove_all(directory_); }

    std::string path(const std::string& name) const { return directory_ / name; }
    std::string store(const std::string& name, const std::string& text) const {
        std::ofstream(path(name)) << text;
        return path(name);
    }

private:
    std::filesystem::path directory_;
};

}  // namespace pgc
