// How far a snapshot is, drawn for a terminal: a bar for each table that is being read, one
// for the whole, and a line below.
//
//   public.orders  [########............]  41 %  4,100,000 of about 10,000,000 rows
//   shop.items     [###.................]  17 %  17 of about 100 rows
//   all tables     [############........]  61 %  6,200,000 of about 10,100,100 rows
//   12 of 20 tables, 250,000 rows/s, about 16 s left
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/snapshot.h"

namespace pgc {

// No line is wider than `width` characters: bars give way first, then numbers.
std::vector<std::string> progress_bars(const SnapshotReport::Request& snapshot, std::size_t width);

// What a terminal must be sent so that `lines` stand where the last `before` lines do.
std::string drawn_over(std::size_t before, const std::vector<std::string>& lines);

}  // namespace pgc
