// Values made of values: their writers, of the form of ValueWriter.
//
//   array       [1,null,3]    [[1,2],[3,4]]     []         (lower bounds are left out)
//   composite   {"street":"Main","number":5}
//   range       "[1,10)"   "empty"   "(,5]"                as PostgreSQL writes it, with
//   multirange  "{[1,3),[5,8)}"                            bounds as they stand elsewhere
//   map         {"a":"1","b":null}
#pragma once

#include "format/native/value.h"

namespace pgc {

bool write_array(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& value);
bool write_composite(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& value);
bool write_range(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& value);
bool write_multirange(ValueContext& context, Writer& out, const ValuePlan& plan,
                      const Value& value);
bool write_map(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& value);

}  // namespace pgc
