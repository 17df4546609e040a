#include "pgclient/server_errors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pgclient/quote.h"

namespace pgc {

namespace {

using enum Error::Category;
using Next = Error::Next;

struct Verdict {
    std::string_view prefix;  // of the SQLSTATE
    Error::Category category;
    Next next;
};

// The first that fits counts. What no line names comes from a server we know nothing
// about: such errors often pass, and retrying loses nothing.
constexpr std::array kVerdicts{
    Verdict{"28", authentication, Next::stop},
    Verdict{"42501", permission, Next::stop},
    Verdict{"3D000", server, Next::stop},  // no such database
    Verdict{"53", server, Next::retry},    // too many connections, no memory, disk full
    Verdict{"08", connection, Next::retry},
    Verdict{"57", connection, Next::retry},  // shut down, starting up, cancelled
    Verdict{"40", server, Next::retry},      // serialization, deadlock
    Verdict{"55006", server, Next::retry},   // in use
    Verdict{"55P03", server, Next::retry},   // lock not available
    Verdict{"55000", server, Next::stop},    // wal_level, a slot that is not for us, …
    Verdict{"58P01", server, Next::stop},    // a file that is gone
    Verdict{"0A", server, Next::stop},
    Verdict{"2", server, Next::stop},
    Verdict{"42", server, Next::stop},
    Verdict{"44", server, Next::stop},
    Verdict{"", server, Next::retry},
};

bool may_hold_values(std::string_view sqlstate) noexcept {
    constexpr std::array<std::string_view, 4> classes{"21", "22", "23", "44"};
    return std::ranges::any_of(classes, [&](auto c) { return sqlstate.starts_with(c); });
}

bool detail_is_safe(std::string_view sqlstate) noexcept {
    constexpr std::array<std::string_view, 5> classes{"42501", "53", "55", "57", "58"};
    return std::ranges::any_of(classes, [&](auto c) { return sqlstate.starts_with(c); });
}

bool contains(std::string_view text, std::string_view part) noexcept {
    return text.find(part) != std::string_view::npos;
}

// The server has given the slot up; whoever hits this may part from it. SQLSTATE says less: 55000
// is also what wal_level or a standby lacks, 58P01 also a library that is not there. A server that
// speaks another language is not understood here, and what it said then costs nobody a slot.
bool slot_is_given_up(const ServerReport& c) noexcept {
    constexpr std::array<std::string_view, 4> texts{
        "can no longer get changes from replication slot",  // up to 17
        "can no longer access replication slot",            // from 18
        "can no longer use replication slot",
        "requested WAL segment",
    };
    const bool invalidated = contains(c.message, "cannot read from logical replication slot") &&
                             contains(c.detail, "has been invalidated");  // 13 to 17, at the start
    return (c.sqlstate == "55000" || c.sqlstate == "58P01") &&
           (invalidated ||
            std::ranges::any_of(texts, [&](auto text) { return contains(c.message, text); }));
}

// What a text of libpq or of the server stands for.
struct Symptom {
    std::string_view text;
    Error::Category category;
    Next next;
    std::string_view hint;
};

constexpr std::array kConnectSymptoms{
    Symptom{"no password supplied", authentication, Next::stop, "give PG_PASSWORD"},
    Symptom{"server does not support SSL, but SSL was required", connection, Next::stop,
            "set PG_SSL_MODE=disable if the network is trusted; or give the server a certificate "
            "and ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf();"},
    Symptom{"certificate verify failed", authentication, Next::stop,
            "name the authority that signed the server's certificate in postgres.ssl_root_cert"},
    Symptom{"does not match host name", authentication, Next::stop,
            "connect by a name that is in the server's certificate, or set PG_SSL_MODE to "
            "verify-ca"},
    Symptom{"root certificate file", configuration, Next::stop,
            "put the authority's certificate where postgres.ssl_root_cert says"},
    Symptom{"certificate file", configuration, Next::stop,
            "put the certificate where postgres.ssl_cert says"},
    Symptom{"private key file", configuration, Next::stop,
            "make postgres.ssl_key a file of ours with mode 600, and give "
            "postgres.ssl_key_password if it is encrypted"},
    Symptom{"channel binding required", authentication, Next::stop,
            "use TLS and a SCRAM password on the server, or set postgres.channel_binding to "
            "prefer"},
    Symptom{"authentication method requirement", authentication, Next::stop,
            "let pg_hba.conf ask for one of postgres.require_auth, or widen that"},
    Symptom{"SSL error", connection, Next::stop,
            "check that both sides speak a common TLS version (1.2 and later here)"},
    Symptom{"session is", connection, Next::retry,
            "none of the hosts is what postgres.target_session_attrs asks for"},
    Symptom{"server is", connection, Next::retry,
            "none of the hosts is what postgres.target_session_attrs asks for"},
    Symptom{"Connection refused", connection, Next::retry,
            "check PG_HOST and PG_PORT, and that the server runs and listens there "
            "(listen_addresses)"},
    Symptom{"No such file or directory", connection, Next::retry,
            "check the socket directory in PG_HOST, and that the server runs"},
    Symptom{"timed out", connection, Next::retry,
            "check PG_HOST, and that no firewall stands between"},
};

std::string hba_hint(std::string_view text, const ConnectionConfig& config) {
    const bool plain = contains(text, "no encryption") || contains(text, "SSL off");
    const std::string line =
        fmt::format("{} {} {} <this machine's address>/32 scram-sha-256",
                    plain && config.ssl_mode == "disable" ? "host" : "hostssl",
                    contains(text, "replication connection") ? "replication" : config.database,
                    config.username);
    std::string add = fmt::format("add to pg_hba.conf: {}; then SELECT pg_reload_conf();", line);
    if (!plain) return add;
    return "set PG_SSL_MODE=require (better: verify-full) if the server wants TLS; otherwise " +
           add;
}

std::string permission_hint(std::string_view text, const ConnectionConfig& config) {
    const std::string role = quote_name(config.username);
    if (contains(text, "replication") || contains(text, "WAL sender") ||
        contains(text, "walsender")) {
        return fmt::format("ALTER ROLE {} REPLICATION;", role);
    }
    return fmt::format("GRANT CONNECT ON DATABASE {} TO {};", quote_name(config.database), role);
}

void add_refusal_hint(Error& error, std::string_view sqlstate, std::string_view text,
                      const ConnectionConfig& config) {
    if (sqlstate == "28P01") {
        error.hint = fmt::format("give the right PG_PASSWORD, or ALTER ROLE {} PASSWORD '…';",
                                 quote_name(config.username));
    } else if (contains(text, "pg_hba.conf")) {
        error.hint = hba_hint(text, config);
    } else if (contains(text, "is not permitted to log in")) {
        error.hint = fmt::format("ALTER ROLE {} LOGIN;", quote_name(config.username));
    } else if (sqlstate == "28000") {
        error.hint = fmt::format(
            "CREATE ROLE {} LOGIN REPLICATION PASSWORD '…'; if the role is "
            "missing",
            quote_name(config.username));
    } else if (sqlstate == "3D000") {
        error.hint =
            fmt::format("correct PG_DATABASE, or CREATE DATABASE {};", quote_name(config.database));
    } else if (sqlstate == "42501") {
        error.hint = permission_hint(text, config);
    } else if (sqlstate == "53300") {
        error.hint = contains(text, "walsender") || contains(text, "max_wal_senders")
                         ? "raise max_wal_senders and restart the server"
                         : "close other connections, or raise max_connections and restart the "
                           "server";
    }
}

Error judged(std::string_view sqlstate, std::string what) {
    const auto verdict = std::ranges::find_if(
        kVerdicts, [&](const Verdict& v) { return sqlstate.starts_with(v.prefix); });
    return {verdict->category, verdict->next, std::move(what), {}, {}};
}

std::string addresses(const ConnectionConfig& config) {
    std::string text;
    for (const PostgresHost& host : config.hosts) {
        text += (text.empty() ? "" : ", ") + to_string(host);
    }
    return text;
}

}  // namespace

std::string_view find_sqlstate(std::string_view text) noexcept {
    // "FATAL:  28P01: password …": two blanks, five of A-Z0-9, a colon.
    const auto is_code = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    for (auto at = text.rfind(":  "); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : text.rfind(":  ", at - 1)) {
        const auto code = text.substr(at + 3, 5);
        if (code.size() == 5 && std::ranges::all_of(code, is_code) &&
            text.substr(at + 8).starts_with(':')) {
            return code;
        }
    }
    return {};
}

std::string one_line(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const bool continues = line.starts_with('\t');
        while (line.starts_with('\t') || line.starts_with(' ')) line.remove_prefix(1);
        if (line.empty() || line.starts_with("LOCATION:")) continue;
        if (!out.empty()) out += continues ? " " : "; ";
        const auto code = find_sqlstate(line);
        if (code.empty()) {
            out += line;
            continue;
        }
        const auto at = static_cast<std::size_t>(code.data() - line.data());
        out += line.substr(0, at - 1);
        out += line.substr(std::min(at + 7, line.size()));
    }
    if (out.ends_with('.')) out.pop_back();
    return out;
}

Error server_error(const ServerReport& c) {
    if (may_hold_values(c.sqlstate)) {
        const std::string of =
            c.constraint.empty() ? std::string{} : fmt::format(", constraint {}", c.constraint);
        return judged(c.sqlstate, fmt::format("the server reports a data error (SQLSTATE {}{})",
                                              c.sqlstate, of));
    }
    std::string what = fmt::format("the server reports: {}", c.message);
    if (detail_is_safe(c.sqlstate) && !c.detail.empty()) {
        what += fmt::format(" ({})", c.detail);
    }
    std::ranges::replace(what, '\n', ' ');
    what += fmt::format(" [{}]", c.sqlstate);
    Error error = judged(c.sqlstate, std::move(what));
    if (detail_is_safe(c.sqlstate)) error.hint = c.hint;
    if (slot_is_given_up(c)) {
        error.category = position;
        error.hint.clear();
    }
    if (contains(c.message, "publication") && contains(c.message, "does not exist")) {
        error.category = position;
        error.hint =
            "the publication was dropped or is younger than the slot: create it, unless pg-capture "
            "maintains it, then pg-capture position reset --drop-slot --yes, and start again: a "
            "new slot is made and all tables are read again; changes in between are lost, except "
            "for what the rows show then";
    }
    if (contains(c.message, "wal_level")) {
        error.category = server;
        error.hint = "ALTER SYSTEM SET wal_level = logical; then restart the server";
    }
    if (contains(c.message, "all replication slots are in use")) {
        error.hint =
            "raise max_replication_slots and restart the server; or drop a slot that nobody needs "
            "any more (pg-capture slots list; what it still holds is lost)";
    }
    return error;
}

bool lacks_publication(const Error& error, std::string_view publication) {
    // 55000: the warning of loss_warned_of().
    const bool refused = error.what.ends_with("[42704]") || error.what.ends_with("[55000]");
    return refused && contains(error.what, publication);
}

// Of all that a walsender warns of only the publication that is not there has 55000, but for a
// standby that it waits for (17+). The setting's name is in that in any language.
std::optional<Error> loss_warned_of(const ServerReport& warning) {
    if (warning.sqlstate != "55000") return std::nullopt;
    if (contains(warning.message, "synchronized_standby_slots")) return std::nullopt;
    Error error = server_error(warning);
    error.category = position;
    error.hint =
        "the publication was dropped: changes are being left out, and are lost. Create it again, "
        "unless pg-capture maintains it, then pg-capture position reset --drop-slot --yes, and "
        "start again: all tables are read again";
    return error;
}

Error connect_error(std::string_view text, const ConnectionConfig& config) {
    const auto sqlstate = find_sqlstate(text);
    std::string what = one_line(text);
    if (what.empty()) what = "the connection was closed";
    if (!sqlstate.empty()) {
        Error error = judged(sqlstate, std::move(what));
        add_refusal_hint(error, sqlstate, text, config);
        return std::move(error).at(addresses(config));
    }
    for (const Symptom& symptom : kConnectSymptoms) {
        if (!contains(text, symptom.text)) continue;
        Error error{symptom.category, symptom.next, std::move(what), {}, std::string{symptom.hint}};
        return std::move(error).at(addresses(config));
    }
    return retry(connection, std::move(what)).at(addresses(config));
}

Error lost_error(std::string_view text) {
    std::string what = one_line(text);
    return retry(connection, what.empty() ? "the connection to the server was lost"
                                          : "the connection to the server was lost: " + what);
}

}  // namespace pgc
