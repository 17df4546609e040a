#include "postgres/setup/publication_keeper.h"

#include <fmt/format.h>

#include <cassert>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "postgres/setup/joined_tables.h"
#include "postgres/setup/name_lists.h"
#include "postgres/setup/publication.h"
#include "postgres/setup/publication_change.h"
#include "postgres/setup/publication_coverage.h"
#include "postgres/setup/publication_faults.h"
#include "postgres/setup/publication_findings.h"
#include "postgres/setup/publication_warnings.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/statements.h"
#include "postgres/setup/tables.h"

namespace pgc {

namespace {

Result<std::vector<std::string>> read_published(const Rows& rows) {
    std::vector<std::string> names;
    names.reserve(rows.rows.size());
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        names.push_back(quote_name(row.text("schema"), row.text("name")));
        if (!row.sound()) return std::unexpected(strange_answer("published tables"));
    }
    return names;
}

constexpr std::string_view kWhoHoldsTables =
    "it is tried again automatically; pg_locks shows who locks the tables";

}  // namespace

class PublicationKeeper::Round {
public:
    Round(const PostgresConfig& config, int version, Logger logger, bool without_inserts)
        : config_(config),
          version_(version),
          logger_(std::move(logger)),
          inserts_name_(inserts_publication(config.publication)),
          without_inserts_(without_inserts),
          joined_(config),
          warnings_(config, version, logger_) {}

    void settle(const std::vector<std::string>& joined) {
        joined_.settle(joined);
        signature_.clear();
    }

    Result<void> begin(Link& link, bool may_create, const ServerFacts* facts) {
        assert(asking_ == Asking::nothing && "a round is not over");
        may_create_ = may_create;
        fresh_ = facts != nullptr;
        if (fresh_) found_.facts = *facts;
        changed_ = created_ = out_of_step_ = later_ = false;
        collisions_ = 0;
        auto asked = ask(link, Asking::signature, signature_query());
        if (!asked) return failed(std::move(asked.error()));
        return asked;
    }

    Result<std::optional<PublicationState>> step(Link& link) {
        while (true) {
            auto answer = link.result();
            if (!answer) {
                const bool refused = asking_ == Asking::change && !link.sqlstate().empty();
                if (refused && collided(link.sqlstate(), found_)) {
                    if (auto again = look_again(link, std::move(answer.error())); !again) {
                        return failed(std::move(again.error()));
                    }
                    continue;
                }
                if (!refused) return failed(std::move(answer.error()));
                if (auto next = change_refused(link, std::move(answer.error())); !next) {
                    return failed(std::move(next.error()));
                }
                continue;
            }
            if (!*answer) return std::nullopt;
            auto done = take(link, **answer);
            if (!done) return failed(std::move(done.error()));
            if (*done) {
                asking_ = Asking::nothing;
                return state_;
            }
        }
    }

private:
    enum class Asking : std::uint8_t {
        nothing,
        signature,
        facts,
        publication,
        members,
        inserts,
        inserts_members,
        tables,
        published_before,
        change,
        published,
        tables_again,
    };

    std::unexpected<Error> failed(Error error) {
        asking_ = Asking::nothing;
        signature_.clear();
        return std::unexpected(std::move(error));
    }

    Result<void> ask(Link& link, Asking what, const std::string& sql) {
        asking_ = what;
        return link.send(sql);
    }

    // True when the round is over.
    Result<bool> take(Link& link, const Rows& rows) {
        switch (asking_) {
            case Asking::signature: return take_signature(link, rows);
            case Asking::facts: {
                auto facts = read_server_facts(rows, version_);
                if (!facts) return std::unexpected(std::move(facts.error()));
                found_.facts = std::move(*facts);
                return ask_publication(link);
            }
            case Asking::publication: {
                auto publication = read_publication(rows);
                if (!publication) return std::unexpected(std::move(publication.error()));
                publication_ = std::move(*publication);
                if (!publication_ && !may_create_) {
                    return std::unexpected(missing_publication(config_.publication));
                }
                if (publication_ && publication_->maintained && config_.manage_publication) {
                    auto ours = require_owner(config_, *publication_, !may_create_);
                    if (!ours) return std::unexpected(std::move(ours.error()));
                }
                return go_on(link, Asking::members,
                             publication_members_query(version_, config_.publication));
            }
            case Asking::members: {
                if (publication_) {
                    if (auto read = read_members(rows, *publication_); !read) {
                        return std::unexpected(std::move(read.error()));
                    }
                }
                return go_on(link, Asking::inserts,
                             inserts_publication_query(version_, inserts_name_, config_.slot));
            }
            case Asking::inserts: return take_inserts(link, rows);
            case Asking::inserts_members: {
                if (auto read = read_members(rows, *inserts_); !read) {
                    return std::unexpected(read.error());
                }
                return go_on(link, Asking::tables, tables_query());
            }
            case Asking::tables: return take_tables(link, rows);
            case Asking::published_before: return take_published_before(link, rows);
            case Asking::change: return change_made(link);
            case Asking::published: return take_published(link, rows);
            case Asking::tables_again: return take_tables_again(rows);
            case Asking::nothing: break;
        }
        return std::unexpected(stop(Error::Category::internal, "an unexpected answer"));
    }

    Result<bool> go_on(Link& link, Asking what, const std::string& sql) {
        if (auto asked = ask(link, what, sql); !asked) return std::unexpected(asked.error());
        return false;
    }

    Result<bool> take_signature(Link& link, const Rows& rows) {
        Answer row{rows};
        std::string signature = row.text("signature");
        if (!row.sound()) return std::unexpected(strange_answer("the publication's signature"));
        if (signature == signature_) {
            state_.created = false;
            state_.added.clear();
            state_.removed.clear();
            state_.joined.clear();
            return true;
        }
        signature_ = std::move(signature);
        if (std::exchange(fresh_, false)) return ask_publication(link);
        return go_on(link, Asking::facts, server_facts_query());
    }

    Result<bool> ask_publication(Link& link) {
        return go_on(link, Asking::publication,
                     publication_query(version_, config_.publication, config_.slot));
    }

    std::vector<std::string> names() const { return publications_of(config_, found_.apart); }
    std::string signature_query() const {
        return publication_signature_query(version_, publications_of(config_, true));
    }
    bool is_ours() const { return publication_->maintained && config_.manage_publication; }

    Result<bool> take_inserts(Link& link, const Rows& rows) {
        auto inserts = read_publication(rows);
        if (!inserts) return std::unexpected(std::move(inserts.error()));
        inserts_ = std::move(*inserts);
        found_.apart =
            !without_inserts_ && has_inserts(config_, publication_, inserts_, !may_create_);
        if (!found_.apart) {
            inserts_.reset();
            return go_on(link, Asking::tables, tables_query());
        }
        const bool to_be_altered = !publication_ || is_ours();
        if (inserts_ && to_be_altered && !inserts_->maintained) {
            return std::unexpected(taken_publication(inserts_name_));
        }
        if (!inserts_ && publication_ && !publication_->owner.inserts.empty() &&
            (!may_create_ || !to_be_altered)) {
            Error error = missing_publication(inserts_name_);
            if (may_create_) error.hint = "pg-capture init --sql prints what makes it";
            return std::unexpected(std::move(error));
        }
        if (!inserts_) return go_on(link, Asking::tables, tables_query());
        return go_on(link, Asking::inserts_members, inserts_members_query(version_, inserts_name_));
    }

    Result<bool> take_tables(Link& link, const Rows& rows) {
        auto tables = read_tables(rows);
        if (!tables) return std::unexpected(std::move(tables.error()));
        found_.tables = std::move(*tables);
        if (!publication_ || is_ours()) {
            if (auto can = require_via_root(config_, version_); !can) {
                return std::unexpected(can.error());
            }
            found_.wanted = wanted_publication(config_, found_.facts, found_.tables, publication_,
                                               found_.apart);
            if (!publication_) {
                for_others_ = create_publication_sql(version_, config_.publication, found_.wanted);
            }
            // What is published already must not be out for a moment.
            const bool at_once = publication_ && !may_create_ &&
                                 (publication_->all_tables || !publication_->schemas.empty());
            more_ = !at_once && leave_for_later(found_.wanted, publication_, inserts_);
            if (publication_) {
                change_ = publication_change_sql(version_, config_, found_);
                if (!changed_) made_ = change_;
                if (!change_.empty() && !changed_ && !created_ && config_.snapshot.new_tables) {
                    return go_on(link, Asking::published_before, published_tables_query(names()));
                }
                const auto unread = joined_.unread(*publication_);
                if (changes_owner() || unread.size() < publication_->unread.size()) {
                    append_note(unread);
                }
            } else {
                if (auto may = require_create(config_, found_.facts, for_others_); !may) {
                    return std::unexpected(may.error());
                }
                change_ = publication_change_sql(version_, config_, found_);
            }
            return make_change(link);
        }
        found_.wanted = {};
        return go_on(link, Asking::published, published_tables_query(names()));
    }

    Result<bool> make_change(Link& link) {
        if (change_.empty()) refused_.clear();
        // Something has changed meanwhile; but what stays wrong is not altered again and again.
        if (changed_ && !change_.empty() && change_ != made_) signature_.clear();
        // What was refused once is refused again until something changes.
        if (!change_.empty() && change_ != refused_ && !changed_) {
            return go_on(link, Asking::change,
                         guard_publication_sql(config_.publication, publication_) + " " + change_);
        }
        out_of_step_ = out_of_step_ || (!change_.empty() && change_ == refused_);
        return go_on(link, Asking::published, published_tables_query(names()));
    }

    Result<bool> take_published_before(Link& link, const Rows& rows) {
        const auto published = read_published(rows);
        if (!published) return std::unexpected(published.error());
        const auto unread = joined_.unread_after(found_, *published);
        if (unread != publication_->unread || changes_owner()) append_note(unread);
        return make_change(link);
    }

    // It was nobody's, or its pipeline has got another name.
    bool changes_owner() const { return publication_->owner != owner_of(config_, found_.apart); }

    void append_note(const std::vector<std::string>& unread) {
        if (!change_.empty()) change_ += " ";
        change_ += note_sql(config_.publication, owner_of(config_, found_.apart), unread);
    }

    Result<void> look_again(Link& link, Error error) {
        constexpr int collisions_max = 10;
        if (++collisions_ > collisions_max) {
            error.next = Error::Next::retry;
            return std::unexpected(std::move(error));
        }
        signature_.clear();
        return ask(link, Asking::signature, signature_query());
    }

    Result<void> change_refused(Link& link, Error error) {
        const bool passes = change_may_pass(link.sqlstate());
        if (!publication_) {
            error.hint = passes ? std::string{kWhoHoldsTables}
                                : "let the tables' owner or a superuser run: " + for_others_;
            if (passes) error.next = Error::Next::retry;
            return std::unexpected(std::move(error));
        }
        if (passes) error.hint = kWhoHoldsTables;
        const bool reported_already = passes && std::exchange(reported_, change_) == change_;
        logger_.failure(reported_already ? LogLevel::debug : LogLevel::warning,
                        "the publication could not be updated", error,
                        {{"publication", config_.publication}, {"sql", change_}});
        out_of_step_ = true;
        later_ = passes;
        if (found_.apart && !inserts_) return second_refused(link);
        // Another time it goes: so the next round tries again.
        (passes ? signature_ : refused_) = passes ? std::string{} : change_;
        return ask(link, Asking::published, published_tables_query(names()));
    }

    // Whatever stands against the tables: without it now there would be none for this slot, ever.
    Result<void> second_refused(Link& link) {
        std::string second = add_inserts_sql(version_, config_, *publication_);
        if (change_ != second) {
            more_ = true;
            change_ = std::move(second);
            return ask(link, Asking::change,
                       guard_publication_sql(config_.publication, publication_) + " " + change_);
        }
        without_inserts_ = true;
        signature_.clear();
        return ask(link, Asking::signature, signature_query());
    }

    Result<bool> change_made(Link& link) {
        changed_ = !more_;
        created_ = created_ || !publication_;
        refused_.clear();
        out_of_step_ = false;
        const bool only_note = publication_ && made_.empty();
        logger_.write(only_note ? LogLevel::debug : LogLevel::info,
                      publication_ ? "publication altered" : "publication created",
                      {{"publication", config_.publication}, {"sql", change_}});
        // Read again what it has become; the signature has changed by our own doing.
        signature_.clear();
        may_create_ = false;
        return go_on(link, Asking::signature, signature_query());
    }

    Result<bool> take_published(Link& link, const Rows& rows) {
        auto published = read_published(rows);
        if (!published) return std::unexpected(std::move(published.error()));
        if (!publication_) return std::unexpected(missing_publication(config_.publication));
        const bool first = !known_;
        state_.added = first ? std::vector<std::string>{} : only_in(*published, state_.tables);
        state_.removed = first ? std::vector<std::string>{} : only_in(state_.tables, *published);
        state_.joined = joined_.joined(*publication_, *published);
        joined_.settle_others(*publication_, state_.joined);
        state_.tables = std::move(*published);
        known_ = true;
        state_.created = created_;
        state_.maintained = publication_->maintained && config_.manage_publication;
        // One we may not bring in step may hold what the filters leave out.
        state_.in_step = state_.maintained && !out_of_step_;
        state_.via_root = publication_->via_root;
        state_.publications = names();
        state_.covered = covered_by(found_, config_, state_.tables);
        state_.lineages = lineages_to_remember(found_, config_, state_.tables, state_.maintained);
        report_changes();
        // Two looks, at the tables and at what is published, and one may be gone in between.
        if (!state_.in_step && warnings_.asks_for_tables() &&
            !uncovered_tables(found_.tables, config_.tables, state_.tables).empty()) {
            return go_on(link, Asking::tables_again, tables_query());
        }
        warn();
        return true;
    }

    Result<bool> take_tables_again(const Rows& rows) {
        const auto still = read_tables(rows);
        if (!still) return std::unexpected(still.error());
        std::unordered_set<std::string> names;
        for (const TableInfo& table : *still) names.insert(quote_name(table.schema, table.name));
        std::erase_if(found_.tables, [&](const TableInfo& table) {
            return !names.contains(quote_name(table.schema, table.name));
        });
        warn();
        return true;
    }

    void report_changes() const {
        for (const std::string& table : state_.added) {
            logger_.info("a table has joined the publication", {{"table", table}});
        }
        for (const std::string& table : state_.removed) {
            logger_.info("a table has left the publication", {{"table", table}});
        }
    }

    void warn() {
        warnings_.warn({.found = found_,
                        .published = state_.tables,
                        .gaps = !state_.in_step && !later_,
                        // Until the second one has what the filters say, they may be in the first.
                        .taken_care_of = found_.apart && refused_.empty()});
    }

    const PostgresConfig& config_;
    const int version_;
    const Logger logger_;
    const std::string inserts_name_;

    Asking asking_ = Asking::nothing;
    bool may_create_ = false;
    bool changed_ = false;
    bool created_ = false;
    bool more_ = false;      // tables to be added by the next change
    int collisions_ = 0;     // in this round
    std::string signature_;  // of what was found last; empty: look at everything
    bool without_inserts_;   // whatever is there
    PublicationFindings found_;
    bool fresh_ = false;  // its facts need not be asked for
    // Of these, as they are spoken of most.
    std::optional<Publication>& publication_ = found_.publication;
    std::optional<Publication>& inserts_ = found_.inserts;
    std::string change_;
    std::string for_others_;    // what makes the publication without us
    std::string made_;          // what this round has altered, if it has
    std::string refused_;       // the change the server did not let us make
    bool out_of_step_ = false;  // this round could not change what it wanted to
    bool later_ = false;        // though the next one may
    std::string reported_;      // the change that was said to come later
    bool known_ = false;        // state_ holds an answer given before
    PublicationState state_;
    JoinedTables joined_;
    PublicationWarnings warnings_;
};

PublicationKeeper::PublicationKeeper(const PostgresConfig& config, int server_version,
                                     Logger logger, bool without_inserts)
    : round_(std::make_unique<Round>(config, server_version, std::move(logger), without_inserts)) {}

PublicationKeeper::~PublicationKeeper() = default;

Result<void> PublicationKeeper::begin(Link& link, bool may_create, const ServerFacts* facts) {
    return round_->begin(link, may_create, facts);
}

Result<std::optional<PublicationState>> PublicationKeeper::step(Link& link) {
    return round_->step(link);
}

void PublicationKeeper::settle(const std::vector<std::string>& joined) {
    round_->settle(joined);
}

}  // namespace pgc
