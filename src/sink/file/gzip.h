// The two libraries that write gzip, for whoever picks one: compressor.cc and tests.
#pragma once

#include <memory>

#include "sink/file/compressor.h"

namespace pgc {

// Null in a build without ISA-L. Requires: `level` is 1 to 3. (Its level 0 uses fixed codes, which
// make what can't be compressed a quarter larger.)
std::unique_ptr<Compressor> make_isal_gzip(int level);

// Requires: `level` is 1 to 9.
std::unique_ptr<Compressor> make_zlib_gzip(int level);

}  // namespace pgc
