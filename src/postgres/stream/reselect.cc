#include "postgres/stream/reselect.h"

#include <string>

#include "postgres/stream/statements.h"

namespace pgc {

Reselection reselection(const Assembler::Wanted& wanted) {
    const Relation& relation = *wanted.relation;
    Reselection result;
    for (std::uint32_t i = 0; i < wanted.row.size(); ++i) {
        if (wanted.row[i].state == Cell::State::unchanged && relation.columns[i].captured) {
            result.places.push_back(i);
        }
    }
    for (const std::uint32_t place : relation.key) {
        result.query.parameters.emplace_back(std::string{wanted.row[place].bytes()});
    }
    result.query.text = reselect_query(relation, result.places);
    result.query.may_repeat = false;  // an answer too late is worth no more than none
    return result;
}

Reselected reselected(const Reselection& asked, const Rows& rows) {
    if (rows.rows.size() != 1 || rows.rows[0].size() != asked.places.size()) return {};
    Reselected result;
    for (std::size_t i = 0; i < asked.places.size(); ++i) {
        result.columns.push_back({asked.places[i], rows.rows[0][i]});
    }
    return result;
}

}  // namespace pgc
