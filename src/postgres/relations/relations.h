// The tables of the stream: from Relation messages and the catalog to Relations.
//
//   Relation message ──▶ declare() ─┬─ same bytes as before: known, and asked again
//                                   │  behind the stream's back (the key may have changed)
//                                   ├─ not captured: known, nothing asked; unless what it is
//                                   │  a partition of could change that: then `ask`, each time
//                                   └─ ask: decoding stops here until
//                                      question() was answered; then declare() again
//
// Every version that differs from the one before gets a slot of its own. Rows look their
// table up with find(): one comparison where it is the table of the row before, a few for
// a handful of tables, a hash look-up at worst.
//
// The key is the primary key as the catalog has it today, if every old row the server
// sends contains it; else the replica identity, in its index's order; else there is none. Beside it
// stands the key that the configuration names for the table's records, if any, or that of a unique
// index.
//
// What is known of a table is let go of when the table is gone and none of its rows can come any
// more: the catalog had it once and has it no longer, so it was dropped and that has committed. A
// drop waits for whoever writes to the table, and prepared transactions too hold it off: all of
// them committed before. So when the stream has passed where the log ended then, nothing of it is
// left, in files of streamed transactions either. Should a later table get its OID, the server
// announces that one. A table that the catalog does not have yet (it shows a transaction only after
// the stream may have brought it) is not one that it had.
//
// Pure: sends nothing itself. Threads: one, the owner's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "core/named_columns.h"
#include "core/relation.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/catalog/table_facts.h"
#include "postgres/pgoutput/messages.h"
#include "postgres/relations/source_carry_over.h"
#include "postgres/types/type_map.h"

namespace pgc {

// What the configuration lets through. Asked once for each version of a table.
struct Selection {
    // By its own name.
    std::function<bool(std::string_view schema, std::string_view table)> table;
    std::function<bool(std::string_view schema, std::string_view table, std::string_view column)>
        column;
    // For tables that `table` does not let through: whether one above it does. `above` null:
    // whether any could. None: never.
    std::function<bool(std::string_view schema, std::string_view table, const Lineage* above)>
        through{};
    // What makes keys of records; null: the tables' own keys do. Outlives the Relations.
    const NamedColumns* message_keys = nullptr;
    // Where neither those nor a primary key make the key of records, a unique index does.
    bool unique_keys = false;

    bool captures(std::string_view schema, std::string_view name, const Lineage& above) const {
        return table(schema, name) || (through && through(schema, name, &above));
    }
    // What is above it counts.
    bool looks_above(std::string_view schema, std::string_view name) const {
        return through && through(schema, name, nullptr);
    }
};

// Of a table that the server sends and no filter names, nor anything that it is or was below as
// far as anybody knows.
enum class UnnamedTable : std::uint8_t {
    captured,       // nor does anything published today say why it was sent: it may have been
                    // below a table that is meant, so it is captured
    left_out,       // it is published as something else
    left_out_gone,  // it is not there any more, and everything is published
};

// A table of the stream as it is now.
struct KnownRelation {
    Oid oid;
    bool captured = false;  // false: rows are counted, not shown
    std::uint32_t columns = 0;
    RelationPtr relation;       // null if not captured
    std::uint64_t held_in = 0;  // the batch that holds `relation`, see Assembler
    std::string message;        // it was made from these bytes
    bool asked_again = false;   // waits in the line of refreshes
    std::uint64_t arrival = 0;  // of `message`, as Assembler numbers them
    std::uint64_t put_in = 0;   // the prepared transaction that has `message`, likewise
    bool existed = false;       // the catalog had it
    std::uint32_t missed = 0;   // looks at all captured tables in a row that lacked it
    Lsn gone_at{};              // the log's end after it was dropped; none: not that we know
};

class Relations {
public:
    // Called for a version that replaced another one, which is given as well.
    using Changed = std::function<void(const Relation& before, const Relation& now)>;
    // Called for a table that no filter names, each time that it is met.
    using OnUnnamedTable =
        std::function<void(std::string_view schema, std::string_view table, UnnamedTable)>;

    // `binary`: the server sends values in binary where it can.
    Relations(TypeMap& types, Selection selection, bool binary, SourceCarryOver& carry_over,
              Changed changed, OnUnnamedTable on_unnamed_table = {},
              std::shared_ptr<RelationSlots> slots = std::make_shared<RelationSlots>());

    KnownRelation* find(Oid oid) noexcept {
        KnownRelation* near = near_[oid.value % kNear];
        if (near != nullptr && near->oid == oid) [[likely]]
            return near;
        return find_far(oid);
    }

    enum class Declared : std::uint8_t { known, ask };
    // `message`: a Relation message whole. `ask`: give it again once question() is answered.
    [[nodiscard]] Result<Declared> declare(std::string_view message);
    // A Type message: what was known of it may be outdated. Its name is that of what the type is
    // made of, if it is a domain: all there is to know of one that is gone.
    void announce_type(const pgoutput::TypeMessage& type);

    struct Question {
        Oid relation;
        std::vector<Oid> types;
        bool urgent = false;   // decoding waits for it
        std::string schema{};  // as it is called in the stream
        bool unique_indexes = true;
    };
    // What to ask the catalog next, if anything.
    bool has_question() const noexcept { return (pending_ && !pending_->facts) || !again_.empty(); }
    std::optional<Question> question() const;
    // Whether a key may come from one. Not where the server sends a primary key's columns.
    bool wants_unique_indexes(const pgoutput::RelationMessage& message) const;
    [[nodiscard]] Result<void> answer(const Question& question, const TableFacts& facts);

    // A table that the stream has not announced, or not like this: for rows that come by
    // another way. The stream's version of it where the two are alike; the stream goes on with
    // its own in any case. The types that `message` is of are to be known: unknown_types().
    [[nodiscard]] Result<RelationPtr> describe(const pgoutput::RelationMessage& message,
                                               const TableFacts& facts);
    std::vector<Oid> unknown_types(const pgoutput::RelationMessage& message) const {
        return missing_types(message);
    }
    // What is known of what the table is below has changed: it is looked at once more.
    void look_again(Oid table);
    // Those that are gone for good are let go of; of those that are not among `covered`, the tables
    // captured today, the catalog is asked now and then whether they are there. `passed`: all that
    // committed before was taken from the stream.
    void let_go(const CoveredTables& covered, Lsn passed);
    bool let_some_go() const noexcept { return let_some_go_; }
    bool selects(std::string_view schema, std::string_view table, const Lineage& above) const {
        return selection_.captures(schema, table, above);
    }
    bool binary_known(Oid type) { return types_.binary_known(type); }

private:
    static constexpr std::size_t kNear = 64;

    struct Pending {
        Oid oid;
        std::string message;
        std::optional<TableFacts> facts;
    };

    KnownRelation* find_far(Oid oid) noexcept;
    KnownRelation& place_for(Oid oid);
    void look_whether_gone(KnownRelation& known);
    std::vector<Oid> missing_types(const pgoutput::RelationMessage& message) const;
    CatalogType remembered(Oid gone);
    void learn(std::span<const Oid> asked, const TableFacts& facts);
    // Its rows are to be counted only.
    void leave_out(const pgoutput::RelationMessage& decoded, std::string_view message);
    // `sent`: the stream has just announced it; else it is looked at once more.
    bool captured(const pgoutput::RelationMessage& message, const TableFacts& facts, bool sent);
    [[nodiscard]] Result<void> install(std::string_view message, const TableFacts& facts,
                                       bool sent);
    [[nodiscard]] Result<Relation> build(const pgoutput::RelationMessage& message,
                                         const TableFacts& facts);
    [[nodiscard]] static Result<void> check_key(const Relation& relation);
    [[nodiscard]] Result<void> check_binary(const Relation& relation,
                                            const pgoutput::RelationMessage& message);

    TypeMap& types_;
    const Selection selection_;
    const bool binary_;
    SourceCarryOver& carry_over_;
    const Changed changed_;
    const OnUnnamedTable on_unnamed_table_;
    const std::shared_ptr<RelationSlots> slots_;
    std::unordered_map<Oid, RelationPtr> described_;
    std::unordered_map<Oid, Oid> built_of_;  // domains of built-in types, as they were announced
    std::unordered_map<Oid, KnownRelation> known_;  // its elements never move
    std::array<KnownRelation*, kNear> near_{};      // by OID modulo, the last one looked up
    std::optional<Pending> pending_;                // at most one: decoding waits for it
    std::vector<Oid> again_;                        // to be refreshed, oldest first
    bool let_some_go_ = false;
};

}  // namespace pgc
