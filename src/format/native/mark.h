// Marks of transactions, as the native format writes them:
//
//   {"op":"BEGIN","ts_ms":1634567890123,
//    "source":{"version":"0.1.0","connector":"pg-capture","ts_ms":1634567890100,"db":"mydb",
//              "lsn":"16/B374D848","xid":567}}
//   {"op":"END","ts_ms":…,"events":3,
//    "tables":[{"schema":"public","table":"users","events":3}],"source":{…}}
//
// The key is {"lsn":"16/B374D848","xid":567}: the commit's LSN, which no other transaction has.
#pragma once

#include "core/format.h"
#include "format/options.h"

namespace pgc {

void append_native_mark(const TransactionMark& mark, const FormatContext& about, RecordBatch& out);

}  // namespace pgc
