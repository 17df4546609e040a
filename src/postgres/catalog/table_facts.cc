#include "postgres/catalog/table_facts.h"

#include <charconv>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "postgres/catalog/unique_indexes.h"

namespace pgc {

namespace {

// An enumeration with more labels is as one whose labels nobody knows.
constexpr int kLabelsMax = 10'000;

// One shape for every row, so that one round trip suffices:
//   what      k: column of the primary key   i: of the identity index
//             t: a type                      a: an attribute of composite type `oid`
//             l: a label of enumeration `oid`; none if it has more than kLabelsMax
//             c: a column of the table: its type in `element`, its default in `schema`, its
//                comment in `category`, n in `kind` if it is NOT NULL, g in `sendable` if generated
//             r: the table itself, with what is above it in `name` (catalog/lineage.h) and its
//                comment in `category`
//             u: column of a unique index, whose rank among these is in `oid`
//             w: always there: the log's end in `name`; why the table is published in `kind`
//   oid       of the type
//   schema    of the type
//   name      of column, type, attribute, label
//   kind, category, element, base, subtype, range, delimiter, sendable: of the type;
//   an attribute has its type's OID in `element`
//   place     order among rows of one `what`; of a type: typtypmod
//
// {0}: condition that leaves an index's INCLUDE columns out (11 and later have them).
// {1}: a type's multirange row, 14 and later. {3}: lineage_sql(). {4}, {5}: kListedSchema and
// kWholeSchema, 15 and later; $4 is named once more, because before 15 nothing else does.
// {6}: columns_query(). {7}: kLabelsMax. {8}: unique_index_columns().
constexpr std::string_view kQuery = R"sql(/* pg-capture: table facts */
WITH RECURSIVE wanted(oid) AS (
    SELECT w.oid FROM pg_catalog.unnest($2::pg_catalog.oid[]) AS w(oid)
  UNION
    SELECT part.oid
      FROM wanted
      JOIN pg_catalog.pg_type t ON t.oid = wanted.oid
      CROSS JOIN LATERAL (
          SELECT t.typelem WHERE t.typinput = 'pg_catalog.array_in'::pg_catalog.regproc
          UNION ALL SELECT t.typbasetype
          UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
          {1}
          UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                     WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
                       AND a.attnum > 0 AND NOT a.attisdropped
      ) AS part(oid)
     WHERE part.oid <> 0
)
SELECT CASE WHEN i.indisprimary THEN 'k' ELSE 'i' END AS what, 0::pg_catalog.oid AS oid,
       '' AS schema, a.attname::pg_catalog.text AS name, '' AS kind, '' AS category,
       0::pg_catalog.oid AS element, 0::pg_catalog.oid AS base, 0::pg_catalog.oid AS subtype,
       0::pg_catalog.oid AS range, '' AS delimiter, '' AS sendable, c.place AS place
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[])
       WITH ORDINALITY AS c(attnum, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = c.attnum
 WHERE i.indrelid = $1::pg_catalog.oid AND (i.indisprimary OR i.indisreplident) AND {0}
UNION ALL
SELECT 'i', 0, '', a.attname::pg_catalog.text, '', '', 0, 0, 0, 0, '', '', c.place
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[])
       WITH ORDINALITY AS c(attnum, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = c.attnum
 WHERE i.indrelid = $1::pg_catalog.oid AND i.indisprimary AND i.indisreplident AND {0}
UNION ALL
SELECT 't', t.oid, n.nspname::pg_catalog.text, t.typname::pg_catalog.text,
       t.typtype::pg_catalog.text, t.typcategory::pg_catalog.text,
       CASE WHEN t.typinput = 'pg_catalog.array_in'::pg_catalog.regproc
            THEN t.typelem ELSE 0::pg_catalog.oid END,
       t.typbasetype,
       COALESCE((SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid),
                0::pg_catalog.oid),
       {2},
       t.typdelim::pg_catalog.text,
       CASE WHEN t.typsend <> 0::pg_catalog.oid THEN 't' ELSE 'f' END, t.typtypmod
  FROM wanted
  JOIN pg_catalog.pg_type t ON t.oid = wanted.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
UNION ALL
SELECT 'a', t.oid, '', a.attname::pg_catalog.text, '', '', a.atttypid, 0, 0, 0, '', '', a.attnum
  FROM wanted
  JOIN pg_catalog.pg_type t ON t.oid = wanted.oid AND t.typtype = 'c'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
       AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'l', wanted.oid, '', l.enumlabel::pg_catalog.text, '', '', 0, 0, 0, 0, '', '', l.place
  FROM wanted
  CROSS JOIN LATERAL (
      SELECT e.enumlabel, pg_catalog.row_number() OVER (ORDER BY e.enumsortorder) AS place,
             pg_catalog.count(*) OVER () AS labels
        FROM pg_catalog.pg_enum e
       WHERE e.enumtypid = wanted.oid) AS l
 WHERE l.labels <= {7}
UNION ALL
{6}
{8}
UNION ALL
SELECT 'r', c.oid, '', COALESCE({3}, ''), '',
       COALESCE((SELECT m.description FROM pg_catalog.pg_description m
                  WHERE m.objoid = c.oid AND m.objsubid = 0
                    AND m.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass), ''),
       0, 0, 0, 0, '', '', 0
  FROM pg_catalog.pg_class c
 WHERE c.oid = $1::pg_catalog.oid
UNION ALL
SELECT 'w', 0, '', (CASE WHEN pg_catalog.pg_is_in_recovery()
                         THEN pg_catalog.pg_last_wal_replay_lsn()
                         ELSE pg_catalog.pg_current_wal_insert_lsn() END)::pg_catalog.text,
       CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_publication p
                          WHERE p.pubname = ANY ($3::pg_catalog.text[])
                            AND (p.puballtables{5} OR $4::pg_catalog.text IS NULL))
            THEN 'a'
            WHEN EXISTS (
              WITH RECURSIVE line(oid) AS (
                  SELECT l_c.oid FROM pg_catalog.pg_class l_c WHERE l_c.oid = $1::pg_catalog.oid
                UNION ALL
                  SELECT l_i.inhparent FROM line
                    JOIN pg_catalog.pg_class l_c ON l_c.oid = line.oid AND l_c.relispartition
                    JOIN pg_catalog.pg_inherits l_i ON l_i.inhrelid = line.oid)
              SELECT FROM line JOIN pg_catalog.pg_class l_c ON l_c.oid = line.oid
                JOIN pg_catalog.pg_publication p ON p.pubname = ANY ($3::pg_catalog.text[])
               WHERE EXISTS (SELECT FROM pg_catalog.pg_publication_rel m
                              WHERE m.prpubid = p.oid AND m.prrelid = l_c.oid){4})
            THEN 'l' ELSE 'n' END, '', 0, 0, 0, 0, '', '', 0
 ORDER BY 1, 2, 13)sql";

constexpr std::string_view kListedSchema = R"sql(
                  OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace m
                              WHERE m.pnpubid = p.oid AND m.pnnspid = l_c.relnamespace))sql";

constexpr std::string_view kWholeSchema = R"sql(
                  OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace m
                               JOIN pg_catalog.pg_namespace m_n ON m_n.oid = m.pnnspid
                              WHERE m.pnpubid = p.oid AND m_n.nspname = $4::pg_catalog.text))sql";

// Given the table, pg_get_expr() would lock it; a default names no columns and needs none. And it
// fails when what the default calls is gone, which a snapshot that is older does not show: output
// functions do, as they look at what is there now, and give a number for what is not.
//
// {0}: leaves the expressions of generated columns out. {1}: whether it is one, both 12 and later.
// {2}: from 18 on NOT NULL may be of new rows only.
constexpr std::string_view kTableColumns = R"sql(SELECT 'c', 0,
       COALESCE((SELECT pg_catalog.pg_get_expr(d.adbin, 0::pg_catalog.oid)
                   FROM pg_catalog.pg_attrdef d
                  WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum{0}
                    AND NOT EXISTS (
                        SELECT FROM pg_catalog.pg_depend p
                         WHERE p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                           AND p.objid = d.oid
                           AND p.refobjid::pg_catalog.text = CASE p.refclassid
                               WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass
                               THEN p.refobjid::pg_catalog.regprocedure::pg_catalog.text
                               WHEN 'pg_catalog.pg_operator'::pg_catalog.regclass
                               THEN p.refobjid::pg_catalog.regoperator::pg_catalog.text
                               WHEN 'pg_catalog.pg_type'::pg_catalog.regclass
                               THEN p.refobjid::pg_catalog.regtype::pg_catalog.text END)), ''),
       a.attname::pg_catalog.text,
       CASE WHEN a.attnotnull{2} OR (t.typtype = 'd' AND t.typnotnull) THEN 'n' ELSE '' END,
       COALESCE((SELECT m.description FROM pg_catalog.pg_description m
                  WHERE m.objoid = a.attrelid AND m.objsubid = a.attnum
                    AND m.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass), ''),
       a.atttypid, 0, 0, 0, '', {1}, a.attnum
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped)sql";

constexpr std::string_view kValidated = R"sql( AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_constraint k
                 WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND NOT k.convalidated
                   AND k.conkey = ARRAY[a.attnum]))sql";

constexpr std::string_view kMultirangePart =
    "UNION ALL SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid";
constexpr std::string_view kMultirangeColumn =
    "COALESCE((SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid),\n"
    "                0::pg_catalog.oid)";

enum Place : std::size_t {
    kWhat,
    kOid,
    kSchema,
    kName,
    kKind,
    kCategory,
    kElement,
    kBase,
    kSubtype,
    kRange,
    kDelimiter,
    kSendable,
    kPlace,
    kColumns,
};

using Row = std::vector<std::optional<std::string>>;

Oid read_oid(const Row& row, Place place) {
    std::uint32_t value = 0;
    const std::string& text = *row[place];
    std::from_chars(text.data(), text.data() + text.size(), value);
    return Oid{value};
}

char read_char(const Row& row, Place place, char otherwise) {
    return row[place]->empty() ? otherwise : row[place]->front();
}

CatalogType read_type(const Row& row) {
    CatalogType type;
    type.oid = read_oid(row, kOid);
    type.schema = *row[kSchema];
    type.name = *row[kName];
    type.type = read_char(row, kKind, 'b');
    type.category = read_char(row, kCategory, 'U');
    type.element = read_oid(row, kElement);
    type.base = read_oid(row, kBase);
    type.subtype = read_oid(row, kSubtype);
    type.range = read_oid(row, kRange);
    type.delimiter = read_char(row, kDelimiter, ',');
    type.has_send = *row[kSendable] == "t";
    const std::string& modifier = *row[kPlace];
    std::from_chars(modifier.data(), modifier.data() + modifier.size(), type.modifier);
    return type;
}

ColumnFacts read_column(const Row& row) {
    return {.name = *row[kName],
            .type = read_oid(row, kElement),
            .nullable = row[kKind]->empty(),
            .generated = !row[kSendable]->empty(),
            .default_expression = *row[kSchema],
            .comment = *row[kCategory]};
}

Published read_published(char word) noexcept {
    switch (word) {
        case 'a': return Published::all;
        case 'l': return Published::listed;
        case 'n': return Published::no;
        default: return Published::unknown;
    }
}

// As text of an array.
std::string name_array(std::span<const std::string> names) {
    std::string list = "{";
    for (const std::string& name : names) {
        list += list.size() > 1 ? ",\"" : "\"";
        for (const char c : name) {
            if (c == '"' || c == '\\') list += '\\';
            list += c;
        }
        list += '"';
    }
    return list + '}';
}

std::string columns_query(int server_version) {
    const bool has_generated = server_version >= 120000;
    return fmt::format(fmt::runtime(kTableColumns), has_generated ? " AND a.attgenerated = ''" : "",
                       has_generated ? "CASE WHEN a.attgenerated <> '' THEN 'g' ELSE '' END" : "''",
                       server_version >= 180000 ? kValidated : "");
}

std::string unique_index_columns(int server_version) {
    return fmt::format(fmt::runtime(R"sql(UNION ALL
SELECT 'u', u.rank::pg_catalog.oid, '',
       a.attname::pg_catalog.text, '', '', 0, 0, 0, 0, '', '', c.place
  FROM (SELECT i.indrelid, i.indkey, {0} AS fault,
               pg_catalog.row_number() OVER (ORDER BY {1}) AS rank
          FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
         WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_index k
                            WHERE k.indrelid = i.indrelid AND k.indisprimary)) AS u
  CROSS JOIN LATERAL pg_catalog.unnest(u.indkey::pg_catalog.int2[])
       WITH ORDINALITY AS c(attnum, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = u.indrelid AND a.attnum = c.attnum
 WHERE u.fault = '')sql"),
                       unique_index_fault_sql(server_version), kUniqueIndexOrder);
}

bool has_shape(const Row& row) {
    if (row.size() != kColumns) return false;
    for (const auto& field : row) {
        if (!field) return false;
    }
    return row[kWhat]->size() == 1;
}

}  // namespace

std::string table_facts_query(int server_version, bool unique_indexes) {
    const bool has_multiranges = server_version >= 140000;
    return fmt::format(
        fmt::runtime(kQuery),
        server_version >= 110000 ? "c.place <= i.indnkeyatts" : "c.place <= i.indnatts",
        has_multiranges ? kMultirangePart : "",
        has_multiranges ? kMultirangeColumn : "0::pg_catalog.oid", lineage_sql("c.oid"),
        server_version >= 150000 ? kListedSchema : "", server_version >= 150000 ? kWholeSchema : "",
        columns_query(server_version), kLabelsMax,
        unique_indexes ? unique_index_columns(server_version) : "");
}

std::vector<std::optional<std::string>> table_facts_parameters(
    Oid table, std::span<const Oid> types, std::span<const std::string> publications,
    std::string_view schema) {
    std::string list = "{";
    for (const Oid type : types) {
        if (list.size() > 1) list += ',';
        fmt::format_to(std::back_inserter(list), "{}", type.value);
    }
    list += '}';
    return {std::to_string(table.value), std::move(list), name_array(publications),
            std::string{schema}};
}

Result<TableFacts> read_table_facts(const Rows& rows) {
    TableFacts facts;
    // They come before types.
    std::vector<std::pair<Oid, CatalogType::Attribute>> attributes;
    std::vector<std::pair<Oid, std::string>> labels;
    std::unordered_map<Oid, std::size_t> places;
    Oid indexes_of{};  // the rank of the last unique index
    for (const Row& row : rows.rows) {
        if (!has_shape(row)) {
            return std::unexpected(
                retry(Error::Category::server, "the catalog's answer has an unexpected shape"));
        }
        switch (row[kWhat]->front()) {
            case 'k': facts.primary_key.push_back(*row[kName]); break;
            case 'i': facts.identity_index.push_back(*row[kName]); break;
            case 'r': {
                auto above = read_lineage(*row[kName]);
                if (!above) {
                    return std::unexpected(retry(Error::Category::server,
                                                 "the catalog's answer has an unexpected shape"));
                }
                facts.exists = true;
                facts.above = std::move(*above);
                facts.comment = *row[kCategory];
                break;
            }
            case 'w':
                facts.published = read_published(read_char(row, kKind, ' '));
                facts.log_end = parse_lsn(*row[kName]).value_or(Lsn{});
                break;
            case 'c': facts.columns.push_back(read_column(row)); break;
            case 'u':
                if (const Oid rank = read_oid(row, kOid); rank != indexes_of) {
                    indexes_of = rank;
                    facts.unique_indexes.emplace_back();
                }
                facts.unique_indexes.back().push_back(*row[kName]);
                break;
            case 'a':
                attributes.push_back({read_oid(row, kOid), {*row[kName], read_oid(row, kElement)}});
                break;
            case 'l': labels.emplace_back(read_oid(row, kOid), *row[kName]); break;
            case 't':
                places.emplace(read_oid(row, kOid), facts.types.size());
                facts.types.push_back(read_type(row));
                break;
            default: break;
        }
    }
    for (auto& [type, attribute] : attributes) {
        const auto at = places.find(type);
        if (at != places.end()) facts.types[at->second].attributes.push_back(std::move(attribute));
    }
    for (auto& [type, label] : labels) {
        const auto at = places.find(type);
        if (at != places.end()) facts.types[at->second].labels.push_back(std::move(label));
    }
    return facts;
}

}  // namespace pgc
