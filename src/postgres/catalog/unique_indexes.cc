#include "postgres/catalog/unique_indexes.h"

#include <fmt/format.h>

namespace pgc {
namespace {

// {0}: from 18 on NOT NULL may be of new rows only. {1}: an index's columns without those of
// INCLUDE, which 11 and later have: they do not come with old rows. Names begin with "ui", so that
// they hide none of the query around.
constexpr std::string_view kFault = R"sql(CASE
       WHEN i.indexprs IS NOT NULL THEN 'expression'
       WHEN i.indpred IS NOT NULL THEN 'partial'
       WHEN NOT i.indimmediate THEN 'deferrable'
       WHEN NOT i.indisvalid THEN 'invalid'
       WHEN EXISTS (
         SELECT FROM pg_catalog.pg_attribute ui_a
          WHERE ui_a.attrelid = i.indrelid AND ui_a.attnum = ANY (i.indkey::pg_catalog.int2[])
            AND NOT (ui_a.attnotnull{0})) THEN 'nullable'
       WHEN EXISTS (
         WITH RECURSIVE ui_below(oid) AS (
             SELECT ui_h.inhrelid FROM pg_catalog.pg_inherits ui_h
               JOIN pg_catalog.pg_class ui_r ON ui_r.oid = ui_h.inhparent AND ui_r.relkind = 'p'
              WHERE ui_h.inhparent = i.indrelid
           UNION ALL
             SELECT ui_h.inhrelid FROM ui_below
               JOIN pg_catalog.pg_inherits ui_h ON ui_h.inhparent = ui_below.oid)
         SELECT FROM ui_below
           JOIN pg_catalog.pg_class ui_l ON ui_l.oid = ui_below.oid
           JOIN pg_catalog.pg_index ui_s ON ui_s.indrelid = ui_l.oid
            AND CASE ui_l.relreplident WHEN 'd' THEN ui_s.indisprimary
                                       WHEN 'i' THEN ui_s.indisreplident END
           JOIN pg_catalog.pg_attribute ui_a
             ON ui_a.attrelid = i.indrelid AND ui_a.attnum = ANY (i.indkey::pg_catalog.int2[])
          WHERE NOT EXISTS (
              SELECT FROM pg_catalog.pg_attribute ui_b
               WHERE ui_b.attrelid = ui_l.oid AND ui_b.attname = ui_a.attname
                 AND ui_b.attnum = ANY ({1}))) THEN 'partition'
       ELSE '' END)sql";

constexpr std::string_view kNot_null_validated = R"sql( AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_constraint ui_k
                 WHERE ui_k.conrelid = ui_a.attrelid AND ui_k.contype = 'n'
                   AND NOT ui_k.convalidated AND ui_k.conkey = ARRAY[ui_a.attnum]))sql";

}  // namespace

std::string unique_index_fault_sql(int server_version) {
    const std::string_view columns = server_version >= 110000
                                         ? "(ui_s.indkey::pg_catalog.int2[])[:ui_s.indnkeyatts - 1]"
                                         : "ui_s.indkey::pg_catalog.int2[]";
    return fmt::format(fmt::runtime(kFault), server_version >= 180000 ? kNot_null_validated : "",
                       columns);
}

}  // namespace pgc
