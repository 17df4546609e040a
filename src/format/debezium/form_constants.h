// What is written where there is no value but has to be one, ready to be copied.
#pragma once

#include <string>

#include "format/debezium/column_form.h"
#include "format/debezium/form_writers.h"
#include "format/debezium/placeholder.h"

namespace pgc {

// In a column that can't be null, for a value that the server did not send: the old row of a
// removal has its key only. Zero, an empty text and the like.
template <typename Encoding>
std::string nothing_bytes(const ColumnForm& form, const FormPlan& plan);

// For a TOASTed value that did not change, so that the server did not send it.
template <typename Encoding>
std::string unsent_bytes(const ColumnForm& form, const FormPlan& plan,
                         const Placeholder& placeholder);

extern template std::string nothing_bytes<JsonEncoding>(const ColumnForm&, const FormPlan&);
extern template std::string nothing_bytes<AvroEncoding>(const ColumnForm&, const FormPlan&);
extern template std::string nothing_bytes<ProtobufEncoding>(const ColumnForm&, const FormPlan&);
extern template std::string unsent_bytes<JsonEncoding>(const ColumnForm&, const FormPlan&,
                                                       const Placeholder&);
extern template std::string unsent_bytes<AvroEncoding>(const ColumnForm&, const FormPlan&,
                                                       const Placeholder&);
extern template std::string unsent_bytes<ProtobufEncoding>(const ColumnForm&, const FormPlan&,
                                                           const Placeholder&);

}  // namespace pgc
