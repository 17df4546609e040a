// The certificate and key a server shows itself by, in PEM files.
//
// A certificate is replaced every few weeks while servers run for years: so the files are read
// again for new connections, and what was good before is kept while they are not.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "observe/log.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace pgc {

struct TlsFiles {
    std::string certificate;  // the server's own first, then those that signed it
    std::string key;
    bool operator==(const TlsFiles&) const = default;
};

// What a certificate says of itself.
struct CertificateFacts {
    std::string subject;
    WallTime valid_from;
    WallTime valid_until;
    // "sha256//…": the fingerprint of its public key, as HttpClientOptions::pinned_key takes it.
    std::string key_pin;
};
// Of the first certificate in the file. Category configuration: it can't be read, or holds none.
Result<CertificateFacts> read_certificate(const std::string& path, Files& files);

// A TLS server's context; null never.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// TLS 1.2 and later. Category configuration: a file can't be read or used, or the two don't fit.
// An encrypted key is refused; nobody is asked for a passphrase.
Result<TlsContext> load_tls_context(const TlsFiles& paths, Files& files);

// Threads: one at a time.
class ServerTls {
public:
    // How often the files are looked at, at most.
    static constexpr Duration kLookEvery = std::chrono::seconds{1};

    // `files` and the clock outlive this.
    static Result<std::unique_ptr<ServerTls>> open(TlsFiles paths, Files& files, const Clock& clock,
                                                   Logger log);

    // For the next connection. What can't be used is logged once, and the last that could is
    // given.
    TlsContext context();

private:
    ServerTls(TlsFiles paths, Files& files, const Clock& clock, Logger log, TlsContext context,
              std::string read);
    void look();

    const TlsFiles paths_;
    Files& files_;
    const Clock& clock_;
    const Logger log_;
    TlsContext context_;
    std::string read_;  // a fingerprint of both when last looked at
    Instant looked_at_;
};

}  // namespace pgc
