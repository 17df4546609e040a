#include "postgres/snapshot/table_copy_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "base/fnv.h"
#include "core/name_pattern.h"
#include "pgclient/answer.h"

namespace pgc {
namespace {

// A part smaller than this isn't worth a connection of its own.
constexpr std::uint64_t kPartBytes = std::uint64_t{8} << 20;
// More parts than readers, so that none waits long for the last; not so many that what is left
// of a table makes a long text.
constexpr std::uint32_t kParts_max = 64;
// Rows that moved, read by one statement.
constexpr std::size_t kAloneAtOnce_max = 100;
// Where the server has no estimate.
constexpr std::uint64_t kRowBytes = 100;

// A stored text may hold anything.
bool fits(const OpenTable& open, const std::vector<OrderedColumn>& key) {
    return std::ranges::all_of(open.left, [&](const KeyRange& range) {
        const auto fine = [&](const Key& bound) {
            return bound.empty() || bound.size() == key.size();
        };
        return fine(range.after) && fine(range.upto);
    });
}

void conjoin(std::string& condition, const std::string& more) {
    if (more.empty()) return;
    condition += (condition.empty() ? "(" : " AND (") + more + "\n)";  // it may end in a comment
}

}  // namespace

void merge(SnapshotTable& table, SnapshotTable again) {
    if (again.shown.oid != table.shown.oid) {
        if (table.shown.oid == table.address.oid) table = std::move(again);
        return;
    }
    if (again.filter == table.filter) return;
    const bool all = table.filter.empty() || again.filter.empty();
    table.filter = all ? std::string{} : "(" + table.filter + ") OR (" + again.filter + ")";
}

// Rows of one table stand one after the other.
Result<std::vector<SnapshotTable>> read_snapshot_tables(const Rows& rows) {
    std::vector<SnapshotTable> tables;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        SnapshotTable table{
            .address = {row.oid("oid"), row.text("schema"), row.text("name")},
            .shown = {row.oid("shown_oid"), row.text("shown_schema"), row.text("shown_name")},
            .bytes = row.count("bytes"),
            .filter = row.text("filter"),
            .above = {}};
        auto above = read_lineage(row.text("above"));
        if (above) table.above = std::move(*above);
        if (!row.sound() || !above)
            return std::unexpected(strange_answer("the tables of a snapshot"));
        if (!tables.empty() && tables.back().address.oid == table.address.oid) {
            merge(tables.back(), std::move(table));
        } else {
            tables.push_back(std::move(table));
        }
    }
    return tables;
}

TableFilter tables_named(const SnapshotRequest& request) {
    std::vector<NamePattern> patterns;
    for (const std::string& text : request.tables) {
        if (auto pattern = NamePattern::parse(text, 2)) patterns.push_back(std::move(*pattern));
    }
    return TableFilter{std::move(patterns), {}};
}

bool covers(const SnapshotJob& job, const TableFilter& named, const SnapshotTable& table) {
    const Oid oid = table.address.oid;
    if (job.all() || job.pending.contains(oid) || job.open.contains(oid)) return true;
    return named.included(table.address.schema, table.address.name) ||
           filter_means(named, table.shown.schema, table.shown.name, table.above);
}

std::set<Oid> partly_covered(const SnapshotJob& job, const TableFilter& named,
                             const std::vector<SnapshotTable>& tables) {
    std::set<Oid> covered;
    std::set<Oid> left_out;
    for (const SnapshotTable& table : tables) {
        const bool is_done = job.done.contains(table.address.oid);
        (is_done || covers(job, named, table) ? covered : left_out).insert(table.shown.oid);
    }
    std::set<Oid> partly;
    std::ranges::set_intersection(covered, left_out, std::inserter(partly, partly.end()));
    return partly;
}

bool is_still(const std::vector<ColumnShape>& was, const std::vector<ColumnShape>& now) noexcept {
    return std::ranges::all_of(was, [&](const ColumnShape& column) {
        return std::ranges::find(now, column) != now.end();
    });
}

ColumnsRead columns_read(const std::vector<ColumnVersion>& columns) {
    ColumnsRead read;
    std::string text;
    for (const ColumnVersion& column : columns) {
        read.last = std::max(read.last, column.number);
        text += fmt::format("{}.{} ", column.number, column.version);
    }
    const std::uint64_t sum = fnv1a(text);
    read.sum = static_cast<std::uint32_t>(sum ^ sum >> 32U);
    return read;
}

bool has_values_of(const std::vector<ColumnVersion>& now, const ColumnsRead& read) {
    if (read.last == 0) return true;
    std::vector<ColumnVersion> known;
    for (const ColumnVersion& column : now) {
        if (column.number <= read.last) {
            known.push_back(column);
        } else if (column.fills) {
            return false;
        }
    }
    return columns_read(known) == read;
}

TableCopyState::TableCopyState(SnapshotTable table, std::string where,
                               std::optional<OpenTable> left)
    : table_(std::move(table)),
      where_(std::move(where)),
      carried_(std::move(left)),
      begun_(carried_ && carried_->begun) {}

std::uint32_t TableCopyState::parts_wanted(const TableShape& shape,
                                           std::size_t readers) const noexcept {
    if (readers < 2 || carried_ || table_.bytes < 2 * kPartBytes) return 1;
    if (shape.key.empty() && shape.pages == 0) return 1;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(table_.bytes / kPartBytes, kParts_max));
}

void TableCopyState::open(TableShape shape, const std::vector<Key>& bounds, std::uint32_t parts) {
    shape_ = std::move(shape);
    state_ = State::open;
    parts_.clear();
    if (shape_.key.empty()) {
        cut_by_pages(parts);
    } else if (!carried_ || carried_->key != shape_.ordered_by || !fits(*carried_, shape_.key) ||
               !has_values_of(shape_.versions, carried_->columns)) {
        cut_by_keys(bounds);
    } else {
        for (const KeyRange& range : carried_->left) {
            parts_.push_back({.to_read = range, .left = range});
        }
        if (parts_.empty()) state_ = State::read;
    }
}

void TableCopyState::cut_by_keys(const std::vector<Key>& bounds) {
    Key after;
    for (const Key& bound : bounds) {
        const KeyRange range{std::exchange(after, bound), bound};
        parts_.push_back({.to_read = range, .left = range});
    }
    const KeyRange last{std::move(after), {}};
    parts_.push_back({.to_read = last, .left = last});
}

void TableCopyState::cut_by_pages(std::uint32_t parts) {
    if (parts < 2) {
        parts_.emplace_back();
        return;
    }
    const std::uint32_t step = shape_.pages / parts + 1;
    for (std::uint32_t i = 0; i < parts; ++i) {
        const bool last = i + 1 == parts;
        const auto upto = last ? std::nullopt : std::optional{(i + 1) * step};
        parts_.push_back({.pages = pages_condition(i * step, upto)});
    }
}

bool TableCopyState::has_chunk() const noexcept {
    return state_ == State::open &&
           std::ranges::any_of(parts_, [&](const Part& part) { return is_free(part); });
}

std::optional<TableCopyState::Chunk> TableCopyState::take(std::uint64_t rows_max) {
    if (state_ != State::open) return std::nullopt;
    const auto at = std::ranges::find_if(parts_, [&](const Part& part) { return is_free(part); });
    if (at == parts_.end()) return std::nullopt;
    at->busy = true;
    Chunk chunk{.part = static_cast<std::size_t>(at - parts_.begin()), .condition = {}};
    if (!shape_.key.empty() && at->to_read.alone) {
        conjoin(chunk.condition, take_alone(chunk.part, rows_max));
    } else if (!shape_.key.empty()) {
        chunk.limit = rows_max;
        conjoin(chunk.condition, condition(at->to_read, shape_.key));
    }
    conjoin(chunk.condition, at->pages);
    conjoin(chunk.condition, table_.filter);
    conjoin(chunk.condition, where_);
    return chunk;
}

// And as many others of its like. A statement and a transaction for each would take as long for one
// row as for thousands.
std::string TableCopyState::take_alone(std::size_t part, std::uint64_t rows_max) {
    std::string any = condition(parts_[part].to_read, shape_.key);
    parts_[part].with.clear();
    const std::size_t most = std::min<std::uint64_t>(rows_max, kAloneAtOnce_max);
    for (std::size_t i = part + 1; i < parts_.size() && parts_[part].with.size() + 1 < most; ++i) {
        if (!is_free(parts_[i]) || !parts_[i].to_read.alone) continue;
        any += "\n OR " + condition(parts_[i].to_read, shape_.key);
        parts_[i].busy = true;
        parts_[part].with.push_back(i);
    }
    return any;
}

void TableCopyState::read_up_to(std::size_t part, Key key) {
    parts_[part].dirty = true;
    parts_[part].to_read.after = std::move(key);
}

void TableCopyState::end_chunk(std::size_t part, bool whole) {
    parts_[part].busy = false;
    parts_[part].read = whole;
    for (const std::size_t other : parts_[part].with) {
        parts_[other].busy = false;
        parts_[other].read = whole;
    }
    if (state_ == State::open && std::ranges::all_of(parts_, &Part::read)) state_ = State::read;
}

void TableCopyState::read_again(std::optional<Key> key) {
    if (parts_.empty()) {
        if (carried_) add_moved(*carried_, key);
        return;
    }
    if (shape_.key.empty()) return;
    const auto alone = std::ranges::count_if(
        parts_, [](const Part& part) { return part.left.alone && !part.durable; });
    if (!key || alone >= static_cast<std::ptrdiff_t>(kAlone_max)) {
        anew_ = true;
        return;
    }
    const KeyRange range{.after = {}, .upto = std::move(*key), .alone = true};
    parts_.push_back({.to_read = range, .left = range});
}

void TableCopyState::durable_up_to(std::size_t part, Key key) {
    parts_[part].left.after = std::move(key);
    begun_ = true;
}

void TableCopyState::durable_whole(std::size_t part) {
    parts_[part].durable = true;
    begun_ = begun_ || parts_[part].dirty;
    for (const std::size_t other : parts_[part].with) parts_[other].durable = true;
}

bool TableCopyState::all_durable() const noexcept {
    return state_ == State::gone ||
           (state_ == State::read && !anew_ && std::ranges::all_of(parts_, &Part::durable));
}

std::optional<OpenTable> TableCopyState::left() const {
    if (parts_.empty()) return carried_;
    if (shape_.key.empty()) return std::nullopt;
    OpenTable open{.shown = table_.shown.oid,
                   .key = shape_.ordered_by,
                   .begun = begun_,
                   .schema = table_.shown.schema,
                   .name = table_.shown.name,
                   .columns = columns_read(shape_.versions)};
    if (anew_) {
        open.left.emplace_back();
        return open;
    }
    for (const Part& part : parts_) {
        if (!part.durable) open.left.push_back(part.left);
    }
    return open;
}

std::uint64_t TableCopyState::rows_expected() const noexcept {
    if (state_ == State::read || state_ == State::gone) return rows;
    const std::uint64_t guess = shape_.rows >= 0 && state_ == State::open
                                    ? static_cast<std::uint64_t>(shape_.rows)
                                    : table_.bytes / kRowBytes;
    return std::max(guess, rows);
}

}  // namespace pgc
