#include "postgres/types/builtin.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "postgres/types/array.h"
#include "postgres/types/bytes.h"
#include "postgres/types/datetime.h"
#include "postgres/types/geometry.h"
#include "postgres/types/hstore.h"
#include "postgres/types/interval.h"
#include "postgres/types/log_positions.h"
#include "postgres/types/network.h"
#include "postgres/types/numbers.h"
#include "postgres/types/numeric.h"
#include "postgres/types/search.h"
#include "postgres/types/text.h"

namespace pgc::types {
namespace {

using enum Kind;

// The server names an object as it was called at the row's place in the log; in binary it gives a
// number, and what that was called then, only it knows.
constexpr ScalarType names_only(std::uint32_t oid, std::uint32_t array, std::string_view name) {
    return {.oid = oid, .array = array, .name = name, .kind = text, .read_text = read_plain};
}

template <typename T>
constexpr ScalarType integer_of(std::uint32_t oid, std::uint32_t array, std::string_view name) {
    return {.oid = oid,
            .array = array,
            .name = name,
            .kind = integer,
            .read_text = read_integer_text<T>,
            .read_binary = read_integer_binary<T>,
            .width = sizeof(T),
            .is_unsigned = std::unsigned_integral<T>};
}

// clang-format off
constexpr ScalarType kScalars[] = {
    {16, 1000, "bool", boolean, read_boolean_text, read_boolean_binary},
    {17, 1001, "bytea", bytes, read_bytea_text, read_plain},
    {18, 1002, "char", text, read_plain, read_char_binary},
    {19, 1003, "name", text, read_plain, read_plain},
    integer_of<std::int64_t>(20, 1016, "int8"),
    integer_of<std::int16_t>(21, 1005, "int2"),
    {22, 1006, "int2vector", text, read_plain, read_int2vector_binary},
    integer_of<std::int32_t>(23, 1007, "int4"),
    names_only(24, 1008, "regproc"),
    {25, 1009, "text", text, read_plain, read_plain},
    integer_of<std::uint32_t>(26, 1028, "oid"),
    {27, 1010, "tid", text, read_plain, read_tid_binary},
    integer_of<std::uint32_t>(28, 1011, "xid"),
    integer_of<std::uint32_t>(29, 1012, "cid"),
    {30, 1013, "oidvector", text, read_plain, read_oidvector_binary},
    {114, 199, "json", json, read_plain, read_plain},
    {142, 143, "xml", text, read_plain, read_plain},
    {194, 0, "pg_node_tree", text, read_plain, read_plain},
    {600, 1017, "point", text, read_plain, read_point_binary},
    {601, 1018, "lseg", text, read_plain, read_lseg_binary},
    {602, 1019, "path", text, read_plain, read_path_binary},
    {.oid = 603, .array = 1020, .name = "box", .kind = text, .read_text = read_plain,
     .read_binary = read_box_binary, .delimiter = ';'},
    {604, 1027, "polygon", text, read_plain, read_polygon_binary},
    {628, 629, "line", text, read_plain, read_line_binary},
    {650, 651, "cidr", text, read_plain, read_inet_binary},
    {700, 1021, "float4", real32, read_real32_text, read_real32_binary},
    {701, 1022, "float8", real64, read_real64_text, read_real64_binary},
    {705, 0, "unknown", text, read_plain, read_plain},
    {718, 719, "circle", text, read_plain, read_circle_binary},
    {774, 775, "macaddr8", text, read_plain, read_macaddr_binary},
    {790, 791, "money", decimal, read_money_text, read_money_binary},
    {829, 1040, "macaddr", text, read_plain, read_macaddr_binary},
    {869, 1041, "inet", text, read_plain, read_inet_binary},
    {.oid = 1033, .array = 1034, .name = "aclitem", .kind = text, .read_text = read_plain,
     .has_send = false},
    {1042, 1014, "bpchar", text, read_plain, read_plain},
    {1043, 1015, "varchar", text, read_plain, read_plain},
    {1082, 1182, "date", date, read_date_text, read_date_binary},
    {1083, 1183, "time", time, read_time_text, read_time_binary},
    {1114, 1115, "timestamp", timestamp, read_timestamp_text, read_timestamp_binary},
    {1184, 1185, "timestamptz", timestamp_tz, read_timestamp_tz_text, read_timestamp_binary},
    {1186, 1187, "interval", interval, read_interval_text, read_interval_binary},
    {1266, 1270, "timetz", time_tz, read_time_tz_text, read_time_tz_binary},
    {1560, 1561, "bit", bits, read_bits_text, read_bits_binary},
    {1562, 1563, "varbit", bits, read_bits_text, read_bits_binary},
    {1700, 1231, "numeric", decimal, read_numeric_text, read_numeric_binary},
    {1790, 2201, "refcursor", text, read_plain, read_plain},
    names_only(2202, 2207, "regprocedure"),
    names_only(2203, 2208, "regoper"),
    names_only(2204, 2209, "regoperator"),
    names_only(2205, 2210, "regclass"),
    names_only(2206, 2211, "regtype"),
    {2950, 2951, "uuid", uuid, read_uuid_text, read_uuid_binary},
    {2970, 2949, "txid_snapshot", text, read_plain, read_snapshot_binary},
    {3220, 3221, "pg_lsn", text, read_plain, read_lsn_binary},
    {3614, 3643, "tsvector", text, read_plain, read_tsvector_binary},
    {3615, 3645, "tsquery", text, read_plain, read_tsquery_binary},
    {.oid = 3642, .array = 3644, .name = "gtsvector", .kind = text, .read_text = read_plain,
     .has_send = false},
    names_only(3734, 3735, "regconfig"),
    names_only(3769, 3770, "regdictionary"),
    {3802, 3807, "jsonb", json, read_plain, read_versioned},
    {4072, 4073, "jsonpath", text, read_plain, read_versioned},
    names_only(4089, 4090, "regnamespace"),
    names_only(4096, 4097, "regrole"),
    names_only(4191, 4192, "regcollation"),
    {5038, 5039, "pg_snapshot", text, read_plain, read_snapshot_binary},
    {5069, 271, "xid8", text, read_plain, read_xid8_binary},
};

constexpr ScalarType kExtensions[] = {
    {0, 0, "citext", text, read_plain, read_plain},
    {0, 0, "cube", text, read_plain, read_cube_binary},
    {0, 0, "geography", text, read_plain, read_geometry_binary},
    {0, 0, "geometry", text, read_plain, read_geometry_binary},
    {0, 0, "halfvec", array, read_vector_text, read_halfvec_binary},
    {0, 0, "hstore", map, read_hstore_text, read_hstore_binary},
    {0, 0, "lquery", text, read_plain, read_versioned},
    {0, 0, "ltree", text, read_plain, read_versioned},
    {0, 0, "ltxtquery", text, read_plain, read_versioned},
    {0, 0, "sparsevec", text, read_plain, read_sparsevec_binary},
    {0, 0, "vector", array, read_vector_text, read_vector_binary},
};

struct RangeType {
    std::uint32_t oid;
    std::uint32_t array;
    std::string_view name;
    std::uint32_t subtype;
    std::uint32_t multirange;
    std::uint32_t multirange_array;
    std::string_view multirange_name;
};

constexpr RangeType kRanges[] = {
    {3904, 3905, "int4range", 23, 4451, 6150, "int4multirange"},
    {3906, 3907, "numrange", 1700, 4532, 6151, "nummultirange"},
    {3908, 3909, "tsrange", 1114, 4533, 6152, "tsmultirange"},
    {3910, 3911, "tstzrange", 1184, 4534, 6153, "tstzmultirange"},
    {3912, 3913, "daterange", 1082, 4535, 6155, "datemultirange"},
    {3926, 3927, "int8range", 20, 4536, 6157, "int8multirange"},
};
// clang-format on

static_assert(std::ranges::is_sorted(kScalars, {}, &ScalarType::oid));
static_assert(std::ranges::is_sorted(kExtensions, {}, &ScalarType::name));

}  // namespace

const ScalarType* find_scalar(Oid oid) noexcept {
    const auto found = std::ranges::lower_bound(kScalars, oid.value, {}, &ScalarType::oid);
    return found != std::end(kScalars) && found->oid == oid.value ? found : nullptr;
}

std::optional<BuiltType> find_built(Oid oid) noexcept {
    if (!oid) {
        return std::nullopt;
    }
    for (const ScalarType& scalar : kScalars) {
        if (scalar.array == oid.value) {
            return BuiltType{.name = {}, .element = Oid{scalar.oid}, .subtype = {}, .range = {}};
        }
    }
    for (const RangeType& range : kRanges) {
        if (oid.value == range.oid) {
            return BuiltType{range.name, {}, Oid{range.subtype}, {}};
        }
        if (oid.value == range.multirange) {
            return BuiltType{range.multirange_name, {}, {}, Oid{range.oid}};
        }
        if (oid.value == range.array) {
            return BuiltType{{}, Oid{range.oid}, {}, {}};
        }
        if (oid.value == range.multirange_array) {
            return BuiltType{{}, Oid{range.multirange}, {}, {}};
        }
    }
    return std::nullopt;
}

Oid find_built_in(std::string_view name) noexcept {
    const bool is_array = name.starts_with('_');
    const std::string_view element = is_array ? name.substr(1) : name;
    for (const ScalarType& scalar : kScalars) {
        if (scalar.name == element) return Oid{is_array ? scalar.array : scalar.oid};
    }
    for (const RangeType& range : kRanges) {
        if (range.name == element) return Oid{is_array ? range.array : range.oid};
        if (range.multirange_name == element) {
            return Oid{is_array ? range.multirange_array : range.multirange};
        }
    }
    return {};
}

const ScalarType* find_extension(std::string_view name) noexcept {
    const auto found = std::ranges::lower_bound(kExtensions, name, {}, &ScalarType::name);
    return found != std::end(kExtensions) && found->name == name ? found : nullptr;
}

}  // namespace pgc::types
