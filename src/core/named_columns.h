// The columns that the user named for tables, as the key of their records or for their partition.
// Two spellings:
//
//   {"public.orders": "customer_id+id"}           by names with * and ?, columns in this order
//   public.orders:customer_id,id;(.*).log:host    Debezium's message.key.columns: by regular
//                                                 expressions, columns in this order, too
//
// Tables go by the name that their changes carry.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "core/name_pattern.h"
#include "core/name_regex.h"
#include "core/relation.h"

namespace pgc {

class NamedColumns {
public:
    NamedColumns() = default;

    // `option`: where they are given. What is malformed is passed over: the options' check has
    // refused it. A table's own name counts before patterns, and of several patterns that match it
    // the first in the alphabet.
    static NamedColumns of_map(std::string_view option,
                               const std::map<std::string, std::string>& columns_by_table);
    // The columns of all expressions that match a table count. Otherwise says what is wrong.
    static std::expected<NamedColumns, std::string> of_debezium(std::string_view option,
                                                                std::string_view text);

    bool empty() const noexcept { return patterns_.empty() && expressions_.empty(); }
    const std::string& option() const noexcept { return option_; }

    // Of one table; empty where none are named for it.
    std::vector<std::string> of(std::string_view schema, std::string_view table) const;
    // Likewise, as indexes of its columns. Fails when one is not there or is not captured.
    [[nodiscard]] Result<std::vector<std::uint32_t>> places_in(const Relation& relation) const;

private:
    struct Pattern {
        NamePattern table;
        std::vector<std::string> columns;
    };
    struct Expression {
        NameRegex table;
        std::vector<std::string> columns;
    };
    [[nodiscard]] static std::expected<Expression, std::string> expression(std::string_view text);

    std::string option_;
    std::vector<Pattern> patterns_;
    std::vector<Expression> expressions_;
};

}  // namespace pgc
