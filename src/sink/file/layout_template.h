// Where the folder of a batch is below the root, as `file.layout` has it:
//
//   {table}/{timestamp}                             orders/20261130T174500Z, unless it is set
//   {schema}/{table}/dt={date}/{time}-{sequence}    public/orders/dt=2026-11-30/174500-000000000017
//
// No two batches get one folder: a template names its table and distinguishes that table's batches
// (layout_fault()), and TableFolders gives no two tables one place(). What stands for times and
// numbers always has as many characters, so two that have other places have other folders. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/lsn.h"

namespace pgc {

inline constexpr std::string_view kDefaultLayout = "{table}/{timestamp}";

// What is wrong with a template, as one clause; empty if nothing is.
std::string layout_fault(std::string_view text);

class LayoutTemplate {
public:
    struct Batch {
        std::string_view database;
        std::string_view schema;
        std::string_view folder;  // the table's, by TableFolders
        std::string_view name;    // "20261130T174500Z"
        Lsn end_lsn;
        std::uint64_t sequence = 0;
    };

    // Requires: no layout_fault().
    explicit LayoutTemplate(std::string_view text = kDefaultLayout);

    std::string folder(const Batch& batch) const;
    // The template with nothing but a table filled in.
    std::string place(std::string_view schema, std::string_view folder) const;

private:
    std::string text_;
};

}  // namespace pgc
