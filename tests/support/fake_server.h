// A server that gives the answers a test lays out, for the state machines above Link.
//
// Rules: the command that holds a text gets an answer. The youngest rule that fits counts,
// so a test lays a healthy server out first and then spoils it. Everything said is kept.
// A command without a rule fails the test.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "base/wait.h"
#include "pgclient/link.h"

namespace pgc {

using FakeRow = std::vector<std::optional<std::string>>;

inline Rows fake_rows(std::vector<std::string> columns, std::vector<FakeRow> rows) {
    Rows answer;
    answer.columns = std::move(columns);
    answer.rows = std::move(rows);
    return answer;
}

// One row, column by column.
inline Rows fake_row(
    std::initializer_list<std::pair<std::string, std::optional<std::string>>> cells) {
    Rows answer;
    auto& row = answer.rows.emplace_back();
    for (const auto& [name, value] : cells) {
        answer.columns.push_back(name);
        row.push_back(value);
    }
    return answer;
}

struct FakeServer {
    struct Rule {
        std::string part;
        Result<Rows> answer;
        std::string sqlstate;
        int times = -1;      // -1: always
        bool never = false;  // no answer comes
    };

    int version = 150018;
    bool encrypted = false;
    bool local = true;
    bool loopback = false;
    bool slow = false;  // every answer is late once
    std::map<LinkFactory::Use, Error> refuses_to_connect;
    bool never_connects = false;
    int life = 1;  // another one: connections that were made before have ended
    std::vector<Rule> rules;
    std::vector<std::string> said;

    void answers(std::string part, Rows rows) {
        rules.push_back({std::move(part), std::move(rows), {}});
    }
    void answers_once(std::string part, Rows rows) {
        rules.push_back({std::move(part), std::move(rows), {}, 1});
    }
    void refuses(std::string part, std::string sqlstate, Error error) {
        rules.push_back({std::move(part), std::unexpected(std::move(error)), std::move(sqlstate)});
    }
    void stays_silent_on(std::string part) {
        rules.push_back({std::move(part), Rows{}, {}, -1, true});
    }

    // How often something with this text in it was said.
    int count(std::string_view part) const {
        int n = 0;
        for (const std::string& s : said) n += s.find(part) != std::string::npos ? 1 : 0;
        return n;
    }
    // The place of the first such thing among all that was said; -1 if it was not.
    int place(std::string_view part) const {
        for (std::size_t i = 0; i < said.size(); ++i) {
            if (said[i].find(part) != std::string::npos) return static_cast<int>(i);
        }
        return -1;
    }
};

class FakeLink final : public Link {
public:
    FakeLink(FakeServer& server, LinkFactory::Use use) : server_(server), use_(use) {}

    Result<Connecting> connect() override {
        if (server_.never_connects) return Connecting::wait_readable;
        const auto refused = server_.refuses_to_connect.find(use_);
        if (refused != server_.refuses_to_connect.end()) return std::unexpected(refused->second);
        if (server_.slow && !std::exchange(asked_once_, true)) return Connecting::wait_writable;
        return Connecting::done;
    }
    int fd() const noexcept override { return use_ == LinkFactory::Use::sql ? 1001 : 1002; }
    bool has_something_to_say() const noexcept override { return made_in_ != server_.life; }
    bool wants_to_write() const noexcept override { return false; }
    int server_version() const noexcept override { return server_.version; }
    std::uint32_t backend_pid() const noexcept override { return 4711; }
    bool encrypted() const noexcept override { return server_.encrypted; }
    bool local() const noexcept override { return server_.local; }
    bool loopback() const noexcept override { return server_.loopback; }
    std::string parameter(const char*) const override { return {}; }

    Result<void> send(std::string_view command) override {
        server_.said.emplace_back(command);
        late_ = server_.slow;
        answer_ = nullptr;
        for (auto& rule : std::views::reverse(server_.rules)) {
            if (command.find(rule.part) == std::string_view::npos || rule.times == 0) continue;
            if (rule.times > 0) --rule.times;
            answer_ = std::make_unique<FakeServer::Rule>(rule);
            return {};
        }
        ADD_FAILURE() << "nothing is laid out for: " << command;
        return std::unexpected(stop(Error::Category::internal, "nothing is laid out"));
    }
    Result<void> send(std::string_view command, std::span<const std::optional<std::string>>,
                      bool) override {
        return send(command);
    }
    Result<std::optional<Rows>> result() override {
        if (!answer_) {
            ADD_FAILURE() << "an answer to nothing was asked for";
            return std::unexpected(stop(Error::Category::internal, "no question"));
        }
        if (answer_->never || std::exchange(late_, false)) return std::nullopt;
        const auto rule = std::exchange(answer_, nullptr);
        sqlstate_ = rule->sqlstate;
        if (!rule->answer) return std::unexpected(rule->answer.error());
        return *rule->answer;
    }
    const std::string& sqlstate() const noexcept override { return sqlstate_; }
    bool copying() const noexcept override { return false; }

    Result<Drained> drain(std::vector<CopyMessage>&, std::size_t, std::size_t,
                          std::size_t&) override {
        return Drained::all;
    }
    Release release() const noexcept override { return nullptr; }
    Result<void> put(std::string_view) override { return {}; }
    Result<void> flush() override { return {}; }
    void set_low_water(std::size_t) noexcept override {}
    Result<bool> end_copy() override { return true; }

private:
    FakeServer& server_;
    const LinkFactory::Use use_;
    const int made_in_ = server_.life;
    bool asked_once_ = false;
    bool late_ = false;
    std::unique_ptr<FakeServer::Rule> answer_;
    std::string sqlstate_;
};

class FakeLinks final : public LinkFactory {
public:
    explicit FakeLinks(FakeServer& server) : server_(server) {}
    Result<std::unique_ptr<Link>> make(Use use) override {
        return std::make_unique<FakeLink>(server_, use);
    }

private:
    FakeServer& server_;
};

// Whatever is waited for is there already.
class NoWait final : public Waiter {
public:
    void wait(const Wants&) override {}
};

// -- a healthy server's answers to the questions of setup -----------------------------------

struct FakeTable {
    std::string schema;
    std::string name;
    std::string kind = "r";
    std::string parent{};  // name, in the same schema
    std::string identity = "d";
    bool keyed = true;
    bool readable = true;
    bool owned = true;
    bool unlogged = false;
    bool has_children = false;
    bool rewritten = false;
    std::uint32_t attached_by = 0;
};

inline Rows fake_tables(const std::vector<FakeTable>& tables) {
    Rows rows;
    rows.columns = {"oid",       "schema",       "name",      "kind",       "persistence",
                    "partition", "has_children", "parent",    "identity",   "keyed",
                    "readable",  "owned",        "rewritten", "attached_by"};
    const auto oid = [&](const std::string& name) -> std::optional<std::string> {
        for (std::size_t i = 0; i < tables.size(); ++i) {
            if (tables[i].name == name) return std::to_string(20000 + i);
        }
        return std::nullopt;
    };
    const auto flag = [](bool on) { return on ? "t" : "f"; };
    for (const FakeTable& t : tables) {
        rows.rows.push_back(
            {oid(t.name), t.schema, t.name, t.kind, t.unlogged ? "u" : "p", flag(!t.parent.empty()),
             flag(t.has_children), t.parent.empty() ? std::nullopt : oid(t.parent), t.identity,
             flag(t.keyed), flag(t.readable), flag(t.owned), flag(t.rewritten),
             t.attached_by > 0 ? std::optional{std::to_string(t.attached_by)} : std::nullopt});
    }
    return rows;
}

inline Rows fake_published(const std::vector<std::pair<std::string, std::string>>& tables) {
    Rows rows;
    rows.columns = {"schema", "name"};
    for (const auto& [schema, name] : tables) rows.rows.push_back({schema, name});
    return rows;
}

inline Rows fake_facts(const std::map<std::string, std::optional<std::string>>& but = {}) {
    std::map<std::string, std::optional<std::string>> facts{{"version", "15.18"},
                                                            {"wal_level", "logical"},
                                                            {"wal_sender_timeout_ms", "60000"},
                                                            {"max_slot_wal_keep_mb", "-1"},
                                                            {"idle_slot_timeout_s", std::nullopt},
                                                            {"slots_max", "10"},
                                                            {"slots", "1"},
                                                            {"senders_max", "10"},
                                                            {"senders", "1"},
                                                            {"encoding", "UTF8"},
                                                            {"standby", "f"},
                                                            {"role", "cdc"},
                                                            {"superuser", "t"},
                                                            {"replication", "t"},
                                                            {"may_create", "t"}};
    for (const auto& [name, value] : but) facts[name] = value;
    Rows rows;
    auto& row = rows.rows.emplace_back();
    for (auto& [name, value] : facts) {
        rows.columns.push_back(name);
        row.push_back(value);
    }
    return rows;
}

inline const std::vector<std::string>& fake_slot_columns() {
    static const std::vector<std::string> columns{
        "name",   "plugin",     "database",   "here",          "active",
        "pid",    "restart",    "confirmed",  "server_end",    "retained",
        "safe",   "wal_status", "invalid",    "two_phase",     "failover",
        "synced", "reader",     "inactive_s", "idle_timeout_s"};
    return columns;
}

inline Rows no_slots() {
    return fake_rows(fake_slot_columns(), {});
}

inline Rows fake_slot(const std::map<std::string, std::optional<std::string>>& but = {}) {
    std::map<std::string, std::optional<std::string>> slot{{"name", "shop_slot"},
                                                           {"plugin", "pgoutput"},
                                                           {"database", "shop"},
                                                           {"here", "t"},
                                                           {"active", "f"},
                                                           {"pid", std::nullopt},
                                                           {"restart", "0/100"},
                                                           {"confirmed", "0/200"},
                                                           {"server_end", "0/300"},
                                                           {"retained", "4096"},
                                                           {"safe", std::nullopt},
                                                           {"wal_status", "reserved"},
                                                           {"invalid", std::nullopt},
                                                           {"two_phase", "f"},
                                                           {"failover", "f"},
                                                           {"synced", "f"},
                                                           {"reader", std::nullopt},
                                                           {"inactive_s", std::nullopt},
                                                           {"idle_timeout_s", std::nullopt}};
    for (const auto& [name, value] : but) slot[name] = value;
    FakeRow row;
    for (const std::string& column : fake_slot_columns()) row.push_back(slot[column]);
    return fake_rows(fake_slot_columns(), {row});
}

inline Rows fake_publication(const std::map<std::string, std::optional<std::string>>& but = {}) {
    std::map<std::string, std::optional<std::string>> publication{
        {"all_tables", "t"},
        {"inserts", "t"},
        {"updates", "t"},
        {"deletes", "t"},
        {"truncates", "t"},
        {"via_root", "f"},
        {"generated", "n"},
        {"owned", "t"},
        {"note", R"(maintained by pg-capture for pipeline "shop", slot "shop_slot")"},
        {"other_slots", "0"}};
    for (const auto& [name, value] : but) publication[name] = value;
    Rows rows;
    auto& row = rows.rows.emplace_back();
    for (auto& [name, value] : publication) {
        rows.columns.push_back(name);
        row.push_back(value);
    }
    return rows;
}

inline Rows no_publication() {
    Rows rows = fake_publication();
    rows.rows.clear();
    return rows;
}

// kind, schema, name
inline Rows fake_members(const std::vector<std::array<std::string, 3>>& members) {
    Rows rows;
    rows.columns = {"kind", "oid", "schema", "name", "filter"};
    for (const auto& m : members) rows.rows.push_back({m[0], "20000", m[1], m[2], ""});
    return rows;
}

}  // namespace pgc
