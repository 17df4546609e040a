// What is found out about a table before its first chunk: how its rows are shown, read and ordered,
// and where to cut it.
//
//   [condition ─▶ expression ─▶] columns ─▶ facts ─▶ order [─▶ split] ─▶ known
//        │            └ only of a table with a condition, which somebody else wrote
//        └ whether it is one condition and nothing else
//
// One question at a time, in the transaction that reads in the snapshot, with the table locked
// against being altered. Sends on the link it is given and leaves the answers to its owner.
//
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "pgclient/link.h"
#include "postgres/options.h"
#include "postgres/pgoutput/messages.h"
#include "postgres/relations/relations.h"
#include "postgres/relations/source_carry_over.h"
#include "postgres/snapshot/table_copy_state.h"

namespace pgc {

class TableInspection {
public:
    struct Deps {
        Link& link;  // all references outlive it
        const PostgresConfig& config;
        Relations& relations;
        const SourceCarryOver& carry_over;
        const TableCopyState& table;
        const std::vector<std::string>& publications;
    };
    // `now`: the columns as they are today. `readers`: how many may read parts of the table.
    TableInspection(Deps deps, std::vector<ColumnShape> now, std::size_t readers);

    enum class Step : std::uint8_t {
        asked,    // a question is on its way: its answer goes to take()
        gone,     // it was dropped: there is nothing to read
        altered,  // it is not what it was in the snapshot
        known,    // found() is all
    };
    [[nodiscard]] Result<Step> begin();
    [[nodiscard]] Result<Step> take(Rows rows);
    // The question that is on its way tries somebody's condition.
    bool tries_condition() const noexcept {
        return asked_ == Question::condition || asked_ == Question::expression;
    }

    struct Found {
        TableShape shape{};
        std::vector<Key> bounds{};  // keys that cut it
        std::uint32_t parts = 1;    // without a key: ranges of pages to cut it into
    };
    // After Step::known, once.
    Found&& found() && noexcept { return std::move(found_); }

private:
    enum class Question : std::uint8_t { condition, expression, columns, facts, order, split };

    Result<Step> send(const std::string& query, Question question);
    Result<Step> check(const std::string& query, Question question);
    Result<Step> ask_columns();
    Result<Step> take_columns(const Rows& rows);
    Result<Step> take_facts(const Rows& rows);
    Result<Step> take_order(const Rows& rows);
    Result<Step> cut();
    Result<Step> take_split(const Rows& rows);

    const Deps deps_;
    const std::vector<ColumnShape> now_;
    const std::size_t readers_;
    Question asked_ = Question::columns;
    Rows columns_answer_;
    pgoutput::RelationMessage message_;  // views into columns_answer_
    Found found_;
};

}  // namespace pgc
