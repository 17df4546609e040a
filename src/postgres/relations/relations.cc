#include "postgres/relations/relations.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <memory>
#include <utility>

#include "postgres/types/builtin.h"

namespace pgc {

namespace {

bool same_type(const TypePtr& a, const TypePtr& b) {
    if (a == b) return true;
    if (!a || !b) return false;
    if (a->kind != b->kind || a->width != b->width || a->is_unsigned != b->is_unsigned ||
        a->oid != b->oid || a->name != b->name || a->delimiter != b->delimiter ||
        a->modifier != b->modifier || a->labels != b->labels || a->read_text != b->read_text ||
        a->read_binary != b->read_binary) {
        return false;
    }
    if (!same_type(a->element, b->element)) return false;
    return std::equal(a->fields.begin(), a->fields.end(), b->fields.begin(), b->fields.end(),
                      [](const Field& x, const Field& y) {
                          return x.name == y.name && same_type(x.type, y.type);
                      });
}

bool same_column(const Column& a, const Column& b) {
    return a.name == b.name && a.modifier == b.modifier && a.identity == b.identity &&
           a.captured == b.captured && a.nullable == b.nullable && a.generated == b.generated &&
           a.default_expression == b.default_expression && a.comment == b.comment &&
           same_type(a.type, b.type);
}

// All but the slot.
bool same_relation(const Relation& a, const Relation& b) {
    return a.oid == b.oid && a.schema == b.schema && a.name == b.name && a.identity == b.identity &&
           a.key == b.key && a.message_key == b.message_key && a.unique_key == b.unique_key &&
           a.comment == b.comment &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                      same_column);
}

// The places of the named columns; nothing if one is missing.
std::optional<std::vector<std::uint32_t>> places_of(const std::vector<std::string>& names,
                                                    const Relation& relation) {
    std::vector<std::uint32_t> places;
    for (const std::string& name : names) {
        const auto at = std::ranges::find(relation.columns, name, &Column::name);
        if (at == relation.columns.end()) return std::nullopt;
        places.push_back(static_cast<std::uint32_t>(at - relation.columns.begin()));
    }
    return places;
}

std::vector<std::uint32_t> identity_places(const Relation& relation) {
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < relation.columns.size(); ++i) {
        if (relation.columns[i].identity) places.push_back(i);
    }
    return places;
}

std::vector<std::uint32_t> choose_key(const Relation& relation, const TableFacts& facts) {
    const auto is_identity = [&](std::uint32_t i) { return relation.columns[i].identity; };
    const auto primary = places_of(facts.primary_key, relation);
    // A server that logs no old rows at all sends inserts only.
    if (primary && (relation.identity == ReplicaIdentity::nothing ||
                    std::ranges::all_of(*primary, is_identity))) {
        if (!primary->empty()) return *primary;
    }
    // A whole row is not a key.
    if (relation.identity == ReplicaIdentity::full) return {};
    const auto identity = identity_places(relation);
    const auto index = places_of(facts.identity_index, relation);
    const bool index_is_it = index && std::ranges::is_permutation(*index, identity);
    return index_is_it ? *index : identity;
}

// Of the unique indexes the first whose columns we have and the server sends with each old row.
// Where it sends no column of old rows it sends inserts only, or rows of partitions, at whose
// replica identities the catalog's answer has looked.
std::vector<std::uint32_t> choose_unique_key(const Relation& relation, const TableFacts& facts) {
    const bool inserts_only = identity_places(relation).empty();
    const auto known = [&](std::uint32_t i) {
        const Column& column = relation.columns[i];
        return column.captured && (inserts_only || column.identity);
    };
    for (const auto& index : facts.unique_indexes) {
        auto places = places_of(index, relation);
        if (places && std::ranges::all_of(*places, known)) return *std::move(places);
    }
    return {};
}

// A primary key's columns and those of an index that is the replica identity are NOT NULL, whatever
// is known of them otherwise: of a time when they had another type, say.
bool is_of_a_key(const Column& column, ReplicaIdentity identity) {
    return column.identity &&
           (identity == ReplicaIdentity::key || identity == ReplicaIdentity::index);
}

// What the catalog says of columns, which it has in nearly the same order.
class ColumnFinder {
public:
    explicit ColumnFinder(const std::vector<ColumnFacts>& all) : all_(all), next_(all.begin()) {}

    // None if there is no such column today, or its type is another.
    const ColumnFacts* find(const pgoutput::RelationColumn& column) {
        const auto is_it = [&](const ColumnFacts& facts) { return facts.name == column.name; };
        auto at = std::find_if(next_, all_.end(), is_it);
        if (at == all_.end()) {
            at = std::find_if(all_.begin(), next_, is_it);
            if (at == next_) return nullptr;
        }
        next_ = std::next(at);
        return at->type == column.type ? &*at : nullptr;
    }

private:
    const std::vector<ColumnFacts>& all_;
    std::vector<ColumnFacts>::const_iterator next_;
};

std::string schema_of(const pgoutput::RelationMessage& message) {
    return std::string{message.schema.empty() ? "pg_catalog" : message.schema};
}

Error broken_message(pgoutput::DecodeError error) {
    return stop(Error::Category::protocol, "the server sent a Relation message we can't decode: " +
                                               std::string{pgoutput::text(error)});
}

}  // namespace

Relations::Relations(TypeMap& types, Selection selection, bool binary, SourceCarryOver& carry_over,
                     Changed changed, OnUnnamedTable on_unnamed_table,
                     std::shared_ptr<RelationSlots> slots)
    : types_(types),
      selection_(std::move(selection)),
      binary_(binary),
      carry_over_(carry_over),
      changed_(std::move(changed)),
      on_unnamed_table_(std::move(on_unnamed_table)),
      slots_(std::move(slots)) {}

KnownRelation* Relations::find_far(Oid oid) noexcept {
    const auto at = known_.find(oid);
    if (at == known_.end()) return nullptr;
    near_[oid.value % kNear] = &at->second;
    return &at->second;
}

KnownRelation& Relations::place_for(Oid oid) {
    KnownRelation& place = known_[oid];
    place.oid = oid;
    return place;
}

Result<Relations::Declared> Relations::declare(std::string_view message) {
    if (pending_ && pending_->message == message) {
        if (!pending_->facts) return Declared::ask;
        const TableFacts facts = std::move(*pending_->facts);
        pending_.reset();
        if (auto done = install(message, facts, true); !done) return std::unexpected(done.error());
        return Declared::known;
    }
    const auto decoded = pgoutput::decode_relation(message, false);
    if (!decoded) return std::unexpected(broken_message(decoded.error()));
    KnownRelation* known = find(decoded->oid);
    if (known && known->message == message && known->captured) {
        if (!std::exchange(known->asked_again, true)) again_.push_back(known->oid);
        return Declared::known;
    }
    const std::string schema = schema_of(*decoded);
    if (!selection_.table(schema, decoded->name) &&
        !selection_.looks_above(schema, decoded->name)) {
        leave_out(*decoded, message);
        return Declared::known;
    }
    pending_ = Pending{decoded->oid, std::string{message}, std::nullopt};
    return Declared::ask;
}

std::vector<Oid> Relations::missing_types(const pgoutput::RelationMessage& message) const {
    std::vector<Oid> all;
    for (const pgoutput::RelationColumn& column : message.columns) {
        const auto missing = types_.missing(column.type);
        all.insert(all.end(), missing.begin(), missing.end());
    }
    std::ranges::sort(all);
    const auto doubled = std::ranges::unique(all);
    all.erase(doubled.begin(), doubled.end());
    return all;
}

std::optional<Relations::Question> Relations::question() const {
    const bool urgent = pending_ && !pending_->facts;
    if (!urgent && again_.empty()) return std::nullopt;
    const Oid oid = urgent ? pending_->oid : again_.front();
    const std::string& message = urgent ? pending_->message : known_.at(oid).message;
    const auto decoded = pgoutput::decode_relation(message, false);
    if (!decoded) return std::nullopt;  // it decoded before
    return Question{oid, missing_types(*decoded), urgent, schema_of(*decoded),
                    wants_unique_indexes(*decoded)};
}

bool Relations::wants_unique_indexes(const pgoutput::RelationMessage& message) const {
    const bool has_primary_key =
        message.identity == ReplicaIdentity::key &&
        std::ranges::any_of(message.columns, &pgoutput::RelationColumn::identity);
    return selection_.unique_keys && !has_primary_key;
}

void Relations::announce_type(const pgoutput::TypeMessage& type) {
    types_.forget(type.oid);
    built_of_.erase(type.oid);
    if (!type.schema.empty() && type.schema != "pg_catalog") return;
    if (const Oid base = types::find_built_in(type.name)) built_of_[type.oid] = base;
}

// A type that the catalog has no more, as it was; without an OID if nobody knows.
CatalogType Relations::remembered(Oid gone) {
    if (const auto type = carry_over_.types.find(gone); type != carry_over_.types.end()) {
        return type->second;
    }
    if (const auto base = built_of_.find(gone); base != built_of_.end()) {
        return {.oid = gone,
                .schema = "pg_catalog",
                .name = types_.find(base->second)->name,
                .type = 'd',
                .base = base->second,
                .has_send = true};
    }
    return {};
}

void Relations::learn(std::span<const Oid> asked, const TableFacts& facts) {
    for (const CatalogType& type : facts.types) {
        types_.add(type);
        if (carry_over_.types.size() < SourceCarryOver::kTypes_max ||
            carry_over_.types.contains(type.oid)) {
            carry_over_.types.insert_or_assign(type.oid, type);
        }
    }
    // The query brought all that belongs to a type: what is missing still is gone. What it was
    // made of may be gone, too.
    for (const Oid type : asked) {
        for (auto missing = types_.missing(type); !missing.empty();
             missing = types_.missing(type)) {
            for (const Oid gone : missing) {
                CatalogType was = remembered(gone);
                was.oid ? types_.add(std::move(was)) : types_.add_unknown(gone);
            }
        }
    }
}

Result<void> Relations::answer(const Question& question, const TableFacts& facts) {
    learn(question.types, facts);
    std::erase(again_, question.relation);
    KnownRelation* known = find(question.relation);
    const bool asked_again = known != nullptr && std::exchange(known->asked_again, false);
    if (pending_ && pending_->oid == question.relation) {
        // The old version ends here. What was asked for its sake lacks the new one's types.
        if (question.urgent) pending_->facts = facts;
        return {};
    }
    if (!asked_again) return {};
    if (known->missed > 0 && known->existed && !facts.exists) {
        known->gone_at = facts.log_end;
        return {};
    }
    const std::string message = known->message;
    // A type of it was announced since it was asked about, and this answer has nothing of it.
    const auto decoded = pgoutput::decode_relation(message, false);
    if (decoded && !missing_types(*decoded).empty()) {
        known->asked_again = true;
        again_.push_back(known->oid);
        return {};
    }
    return install(message, facts, false);
}

void Relations::leave_out(const pgoutput::RelationMessage& decoded, std::string_view message) {
    KnownRelation& place = place_for(decoded.oid);
    place.captured = false;
    place.columns = static_cast<std::uint32_t>(decoded.columns.size());
    place.relation.reset();
    place.message = message;
}

// The stream may be older than the catalog, but its names are as of the change. So a table counts
// by its name in the stream, and by all that it is or was below. The server sent it because it was
// published: one of which nothing says today why that was, was something else then.
bool Relations::captured(const pgoutput::RelationMessage& message, const TableFacts& facts,
                         bool sent) {
    const std::string schema = schema_of(message);
    const bool own = selection_.table(schema, message.name);
    Lineages& lineages = carry_over_.lineages;
    lineages.settle(facts.log_end);
    if (!selection_.looks_above(schema, message.name)) return own;
    const auto selected = [&](const Lineage& above) {
        return selection_.through(schema, message.name, &above);
    };
    const bool worth = selected(facts.above) || (!own && facts.published == Published::listed);
    lineages.saw(message.oid, facts.above, facts.exists && worth, facts.log_end);
    if (own || selected(lineages.above(message.oid))) return true;
    const bool known = lineages.knows(message.oid);
    const UnnamedTable outcome = known || facts.published == Published::listed
                                     ? UnnamedTable::left_out
                                 : facts.published == Published::no ? UnnamedTable::captured
                                 : facts.exists                     ? UnnamedTable::left_out
                                                                    : UnnamedTable::left_out_gone;
    const bool goes_on = outcome == UnnamedTable::captured && !sent;
    if (on_unnamed_table_ && !goes_on) on_unnamed_table_(schema, message.name, outcome);
    return outcome == UnnamedTable::captured;
}

void Relations::look_again(Oid table) {
    KnownRelation* known = find(table);
    if (known == nullptr || !known->captured) return;
    if (!std::exchange(known->asked_again, true)) again_.push_back(table);
}

void Relations::let_go(const CoveredTables& covered, Lsn passed) {
    for (auto next = known_.begin(); next != known_.end();) {
        KnownRelation& known = (next++)->second;
        const Oid oid = known.oid;
        const bool is_pending = pending_ && pending_->oid == oid;
        if (known.gone_at && known.gone_at < passed && !is_pending && !known.asked_again) {
            near_[oid.value % kNear] = nullptr;
            described_.erase(oid);
            known_.erase(oid);
            let_some_go_ = true;
        } else if (std::ranges::binary_search(covered.tables, oid, {}, &CoveredTable::oid)) {
            known.missed = 0;
        } else {
            look_whether_gone(known);
        }
    }
    // Of those that nobody has rows of, whether the stream knows them or not.
    std::erase_if(described_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

// After one look, two, four and so on: it may stay, under another name or in no publication.
void Relations::look_whether_gone(KnownRelation& known) {
    if (!known.captured || !known.existed || known.gone_at) return;
    if (std::has_single_bit(++known.missed)) look_again(known.oid);
}

Result<void> Relations::install(std::string_view message, const TableFacts& facts, bool sent) {
    const auto decoded = pgoutput::decode_relation(message, false);
    if (!decoded) return std::unexpected(broken_message(decoded.error()));
    if (!captured(*decoded, facts, sent)) {
        leave_out(*decoded, message);
        return {};
    }
    auto built = build(*decoded, facts);
    if (!built) return std::unexpected(built.error());
    if (auto fine = check_binary(*built, *decoded); !fine) return fine;
    KnownRelation& place = place_for(decoded->oid);
    place.existed = facts.exists || (place.existed && !sent);
    if (sent) place.missed = 0;
    place.gone_at = {};
    place.message = message;
    place.captured = true;
    place.columns = static_cast<std::uint32_t>(decoded->columns.size());
    const RelationPtr before = place.relation;
    if (before && same_relation(*before, *built)) return {};
    const auto described = described_.find(decoded->oid);
    if (described != described_.end() && same_relation(*described->second, *built)) {
        place.relation = described->second;
    } else {
        place.relation = slots_->make(std::move(*built));
    }
    place.held_in = 0;
    if (before && changed_) changed_(*before, *place.relation);
    return {};
}

Result<RelationPtr> Relations::describe(const pgoutput::RelationMessage& message,
                                        const TableFacts& facts) {
    learn(missing_types(message), facts);
    auto built = build(message, facts);
    if (!built) return std::unexpected(std::move(built.error()));
    const KnownRelation* streamed = find(message.oid);
    if (streamed != nullptr && streamed->relation && same_relation(*streamed->relation, *built)) {
        return streamed->relation;
    }
    RelationPtr& described = described_[message.oid];
    if (!described || !same_relation(*described, *built)) {
        described = slots_->make(std::move(*built));
    }
    return described;
}

Result<Relation> Relations::build(const pgoutput::RelationMessage& message,
                                  const TableFacts& facts) {
    Relation relation;
    relation.oid = message.oid;
    relation.schema = schema_of(message);
    relation.name = message.name;
    relation.identity = message.identity;
    relation.comment = facts.comment;
    relation.columns.reserve(message.columns.size());
    ColumnFinder finder{facts.columns};
    for (const pgoutput::RelationColumn& column : message.columns) {
        Column& made = relation.columns.emplace_back();
        made.name = column.name;
        made.type = types_.find(column.type);
        made.modifier = column.modifier;
        made.identity = column.identity;
        made.captured = selection_.column(relation.schema, relation.name, column.name);
        made.nullable = !is_of_a_key(made, relation.identity);
        const ColumnFacts* known = made.captured ? finder.find(column) : nullptr;
        if (known == nullptr) continue;
        made.nullable = made.nullable && known->nullable;
        made.generated = known->generated;
        made.default_expression = known->default_expression;
        made.comment = known->comment;
    }
    relation.key = choose_key(relation, facts);
    if (auto fine = check_key(relation); !fine) return std::unexpected(fine.error());
    if (selection_.message_keys != nullptr) {
        auto message_key = selection_.message_keys->places_in(relation);
        if (!message_key) return std::unexpected(std::move(message_key.error()));
        relation.message_key = std::move(*message_key);
    }
    if (selection_.unique_keys && relation.message_key.empty()) {
        relation.unique_key = choose_unique_key(relation, facts);
    }
    return relation;
}

Result<void> Relations::check_key(const Relation& relation) {
    for (const std::uint32_t place : relation.key) {
        const Column& column = relation.columns[place];
        if (column.captured) continue;
        return std::unexpected(
            stop(Error::Category::configuration, "an excluded column belongs to its table's key")
                .at(qualified_name(relation) + ", column " + column.name)
                .with_hint("take the column out of source.columns.exclude, or exclude the table"));
    }
    return {};
}

Result<void> Relations::check_binary(const Relation& relation,
                                     const pgoutput::RelationMessage& message) {
    if (!binary_) return {};
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (!column.captured || types_.binary_known(message.columns[i].type)) continue;
        carry_over_.text_only = true;
        return std::unexpected(
            restart_with(Error::Category::data,
                         "a column's type has no binary form that we know: continuing in text")
                .at(qualified_name(relation) + ", column " + column.name + ", type " +
                    column.type->name));
    }
    return {};
}

}  // namespace pgc
