// Which tables and columns the configuration means: globs over dotted names.
//
//   public.*          every table of a schema      shop.order_?     one character more
//   *.audit_*         in any schema                "My.Shop"."T*"   quotes: taken as it is
//
// A pattern has as many parts as the names it is for: two for tables, three for columns.
// In an unquoted part * stands for any run of characters and ? for one; no dot is needed
// or crossed. Case counts, as it does in PostgreSQL's catalog.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgc {

// Where `sink: file` keeps its own books (sink/file_registry). In whichever database that is, and
// whatever publishes it, no table of it is ever meant: each seal would be changes to be sealed.
inline constexpr std::string_view kRegistrySchema = "cdc_registry";

class NamePattern {
public:
    // Nothing when the text has not exactly `parts` parts, or an empty one, or a quote
    // that is not closed.
    static std::optional<NamePattern> parse(std::string_view text, std::size_t parts);

    // As many names as it has parts.
    bool matches(std::span<const std::string_view> names) const noexcept;
    bool part_matches(std::size_t part, std::string_view name) const noexcept;

    // The part matches exactly one name: that name.
    std::optional<std::string> literal(std::size_t part) const;
    // What the part matches, as a pattern of SQL's LIKE.
    std::string like(std::size_t part) const;
    // The part matches everything.
    bool any(std::size_t part) const noexcept {
        return parts_[part].text == "*" && !parts_[part].quoted;
    }

private:
    struct Part {
        std::string text;
        bool quoted = false;
    };
    std::vector<Part> parts_;
};

// Included by one, excluded by none; an exclusion always wins. kRegistrySchema is excluded.
class TableFilter {
public:
    TableFilter() = default;
    TableFilter(std::vector<NamePattern> include, std::vector<NamePattern> exclude)
        : include_(std::move(include)), exclude_(std::move(exclude)) {}

    const std::vector<NamePattern>& include() const noexcept { return include_; }
    const std::vector<NamePattern>& exclude() const noexcept { return exclude_; }

    bool included(std::string_view schema, std::string_view table) const noexcept;
    bool excluded(std::string_view schema, std::string_view table) const noexcept;
    bool matches(std::string_view schema, std::string_view table) const noexcept {
        return included(schema, table) && !excluded(schema, table);
    }
    // Matched by a pattern that means no other table.
    bool names(std::string_view schema, std::string_view table) const noexcept;
    // No table of any schema but kRegistrySchema is left out, today's or tomorrow's.
    bool everything() const noexcept;
    // The schemas of which no table is left out, when the filter says nothing else than
    // such schemas; nothing otherwise.
    std::optional<std::vector<std::string>> whole_schemas() const;

private:
    std::vector<NamePattern> include_;
    std::vector<NamePattern> exclude_;
};

class ColumnFilter {
public:
    ColumnFilter() = default;
    explicit ColumnFilter(std::vector<NamePattern> exclude) : exclude_(std::move(exclude)) {}

    bool excluded(std::string_view schema, std::string_view table,
                  std::string_view column) const noexcept;
    bool empty() const noexcept { return exclude_.empty(); }

private:
    std::vector<NamePattern> exclude_;
};

// Without the spaces around it.
std::string_view without_spaces(std::string_view name) noexcept;

// Names with `at` between them, each without the spaces around it; one at least.
std::vector<std::string_view> split_names(std::string_view text, char at);

// "customer_id+region": two columns. Nothing when one has no name.
std::optional<std::vector<std::string>> column_names(std::string_view text);

}  // namespace pgc
