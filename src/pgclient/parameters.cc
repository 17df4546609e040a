#include "pgclient/parameters.h"

#include <fmt/core.h>

#include "pgclient/session.h"

namespace pgc {

namespace {

// A dead peer is noticed by the kernel in about ten seconds, whichever way we wait.
constexpr const char* kKeepAliveIdleSecs = "5";
constexpr const char* kKeepAliveIntervalSecs = "2";
constexpr const char* kKeepAliveCount = "3";
constexpr const char* kTcpUserTimeoutMs = "10000";

void add_tls(Parameters& p, const ConnectionConfig& c) {
    p.emplace_back("sslmode", c.ssl_mode);
    p.emplace_back("sslnegotiation", "postgres");
    p.emplace_back("ssl_min_protocol_version", "TLSv1.2");
    p.emplace_back("sslrootcert", c.ssl_root_cert.empty() ? kNoFile : c.ssl_root_cert);
    p.emplace_back("sslcrl", c.ssl_crl.empty() ? kNoFile : c.ssl_crl);
    if (c.ssl_cert.empty()) {
        p.emplace_back("sslcertmode", "disable");
    } else {
        p.emplace_back("sslcertmode", "allow");
        p.emplace_back("sslcert", c.ssl_cert);
        p.emplace_back("sslkey", c.ssl_key);
    }
    p.emplace_back("channel_binding", c.channel_binding);
    p.emplace_back("gssencmode", "disable");
    if (!c.require_auth.empty()) p.emplace_back("require_auth", c.require_auth);
}

}  // namespace

std::string session_options(bool read_only) {
    std::string options;
    for (const SessionSetting& setting : kSessionSettings) {
        options +=
            fmt::format("{}-c {}={}", options.empty() ? "" : " ", setting.name, setting.value);
    }
    // After the general setting: the last one counts.
    if (read_only) options += " -c default_transaction_read_only=on";
    return options;
}

Parameters connection_parameters(const ConnectionConfig& c, const AddressList& addresses,
                                 const std::string& application_name, LinkFactory::Use use) {
    Parameters p;
    p.emplace_back("host", addresses.hosts);
    if (addresses.addresses.find_first_not_of(',') != std::string::npos) {
        p.emplace_back("hostaddr", addresses.addresses);
    }
    p.emplace_back("port", addresses.ports);
    p.emplace_back("dbname", c.database);
    p.emplace_back("user", c.username);
    p.emplace_back("passfile", kNoFile);
    p.emplace_back("application_name", application_name);
    p.emplace_back("client_encoding", "UTF8");
    p.emplace_back("options", session_options(c.read_only));
    p.emplace_back("target_session_attrs", c.target_session_attrs);
    p.emplace_back("load_balance_hosts", "disable");
    p.emplace_back("keepalives", "1");
    p.emplace_back("keepalives_idle", kKeepAliveIdleSecs);
    p.emplace_back("keepalives_interval", kKeepAliveIntervalSecs);
    p.emplace_back("keepalives_count", kKeepAliveCount);
    p.emplace_back("tcp_user_timeout", kTcpUserTimeoutMs);
    if (use == LinkFactory::Use::replication) p.emplace_back("replication", "database");
    add_tls(p, c);
    return p;
}

std::string late_session_settings(int version, const std::string& encoding, LinkFactory::Use use) {
    std::string sql;
    if (use == LinkFactory::Use::replication && version >= kWalSenderTimeoutSince) {
        sql += fmt::format("SET wal_sender_timeout = '{}';", kWalSenderTimeout);
    }
    // The catalog is looked at by queries that the planner takes for costly and that are not: to
    // compile one takes the server most of a second.
    if (use == LinkFactory::Use::sql && version >= kJitSince) sql += "SET jit = off;";
    if (use == LinkFactory::Use::sql && version >= kIdleSessionTimeoutSince) {
        sql += "SET idle_session_timeout = 0;";
    }
    if (version >= kTransactionTimeoutSince) sql += "SET transaction_timeout = 0;";
    // A database without an encoding would refuse to send what is not UTF-8.
    if (encoding == "SQL_ASCII") sql += "SET client_encoding = 'SQL_ASCII';";
    return sql;
}

std::span<const char* const> libpq_variables() noexcept {
    static constexpr const char* kVariables[] = {
        "PGSERVICE",
        "PGSERVICEFILE",
        "PGSYSCONFDIR",
        "PGUSER",
        "PGPASSWORD",
        "PGPASSFILE",
        "PGCHANNELBINDING",
        "PGCONNECT_TIMEOUT",
        "PGDATABASE",
        "PGHOST",
        "PGHOSTADDR",
        "PGPORT",
        "PGCLIENTENCODING",
        "PGOPTIONS",
        "PGAPPNAME",
        "PGSSLMODE",
        "PGREQUIRESSL",
        "PGSSLNEGOTIATION",
        "PGSSLCOMPRESSION",
        "PGSSLCERT",
        "PGSSLKEY",
        "PGSSLCERTMODE",
        "PGSSLROOTCERT",
        "PGSSLCRL",
        "PGSSLCRLDIR",
        "PGSSLSNI",
        "PGREQUIREPEER",
        "PGREQUIREAUTH",
        "PGSSLMINPROTOCOLVERSION",
        "PGSSLMAXPROTOCOLVERSION",
        "PGGSSENCMODE",
        "PGKRBSRVNAME",
        "PGGSSLIB",
        "PGGSSDELEGATION",
        "PGTARGETSESSIONATTRS",
        "PGLOADBALANCEHOSTS",
        "PGDATESTYLE",
        "PGTZ",
        "PGGEQO",
        "PGLOCALEDIR",
    };
    return kVariables;
}

}  // namespace pgc
