// What is decided once for a version of a table: the forms of its columns, every constant part of
// its messages, and their schemas.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/change.h"
#include "core/relation.h"
#include "format/connect/schema.h"
#include "format/debezium/column_form.h"
#include "format/debezium/form_writers.h"
#include "format/debezium/options.h"
#include "format/heads/message_heads.h"
#include "format/options.h"

namespace pgc {

struct DebeziumColumn {
    std::uint32_t place = 0;  // in the relation
    std::string present;      // before a value
    std::string null;         // for NULL
    std::string absent;       // for a value that was not sent: null, or what stands for it
    std::string unsent;       // for one that did not change and was not sent
    FormPlan form;
    ConnectSchemaPtr schema;
    TypePtr type;
    Reader read_text = nullptr;
    Reader read_binary = nullptr;
    bool takes_text = false;  // a text may stand for a value that can't be read
    bool compound = false;    // its readers fill more of a Value than the scalar members
};

// A structure of columns: a row, or a key.
struct ColumnsPlan {
    std::vector<DebeziumColumn> columns;
    ConnectSchemaPtr schema;
};

struct DebeziumTable : HeadedMessages {
    // What it was compiled of, where that is not the relation itself: with columns that may be null
    // although the catalog calls them NOT NULL.
    RelationPtr loosened;
    ColumnsPlan row;
    ColumnsPlan key;    // without columns: records have no key
    std::string names;  // the fields schema and table of the source block
};

// What the names of its schemas begin with, which is its topic in Debezium: "cdc.public.users".
std::string table_topic(const Relation& relation, const FormatContext& about);

ConnectSchemaPtr row_schema(const ColumnsPlan& row, const std::string& name, bool optional);

// Of the columns in `places`. `numbered`: a structure that begins with them, whose fields have the
// numbers by which they are written; null: each by its place.
template <typename Encoding>
ColumnsPlan compile_columns(const Relation& relation, const std::vector<std::uint32_t>& places,
                            const DebeziumOptions& options, const FormatContext& about,
                            const ConnectSchema* numbered);

std::vector<std::uint32_t> captured_columns(const Relation& relation);

extern template ColumnsPlan compile_columns<JsonEncoding>(const Relation&,
                                                          const std::vector<std::uint32_t>&,
                                                          const DebeziumOptions&,
                                                          const FormatContext&,
                                                          const ConnectSchema*);
extern template ColumnsPlan compile_columns<AvroEncoding>(const Relation&,
                                                          const std::vector<std::uint32_t>&,
                                                          const DebeziumOptions&,
                                                          const FormatContext&,
                                                          const ConnectSchema*);
extern template ColumnsPlan compile_columns<ProtobufEncoding>(const Relation&,
                                                              const std::vector<std::uint32_t>&,
                                                              const DebeziumOptions&,
                                                              const FormatContext&,
                                                              const ConnectSchema*);

}  // namespace pgc
