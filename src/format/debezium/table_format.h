// What Debezium's form and flat messages have in common: how a batch is walked, the plans of
// tables, keys, logical messages and marks. What is made of a row, `Self` says:
//
//   Table compile(const Relation&, const SchemaNumbers&);
//   static Result<void> check_numbers(const SchemaNumbers&);  whether it can write by them
//   bool append_row(const Table&, const Batch&, std::uint32_t index, RecordBatch&);
//   void append_truncate(const Table&, const Change&, std::uint32_t index, RecordBatch&);
//
// append_row() returns false with the fault in row_.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/by_slot.h"
#include "core/format.h"
#include "core/old_key.h"
#include "format/debezium/envelope_writer.h"
#include "format/debezium/field_names.h"
#include "format/debezium/field_numbers.h"
#include "format/debezium/options.h"
#include "format/debezium/row_encoder.h"
#include "format/debezium/table_plan.h"
#include "format/encoding/json_encoding.h"
#include "format/fault.h"
#include "format/heads/message_heads.h"
#include "format/json/names.h"
#include "format/options.h"

namespace pgc {

// What such a format is made of, in any encoding.
struct TableFormatDeps {
    FormatOptions options;
    DebeziumOptions debezium;
    FormatContext about;
    MessageTopics topics;
    std::unique_ptr<MessageHeads> heads;
};

template <typename Encoding, typename Table, typename Self>
class TableFormat : public Format {
public:
    explicit TableFormat(TableFormatDeps deps)
        : options_(std::move(deps.options)),
          debezium_(std::move(deps.debezium)),
          about_(std::move(deps.about)),
          topics_(std::move(deps.topics)),
          heads_(std::move(deps.heads)),
          row_(options_.invalid_utf8, !debezium_.nested_arrays),
          envelope_(debezium_, about_, row_) {}

    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) final {
        envelope_.begin_batch(batch);
        for (const Transaction& transaction : batch.transactions) {
            const std::size_t end = std::size_t{transaction.first} + transaction.count;
            if (end <= from) continue;
            envelope_.begin_transaction(batch, transaction);
            for (std::size_t i = std::max<std::size_t>(transaction.first, from); i < end; ++i) {
                const std::size_t before = out.records.size();
                auto done = encode_change(batch, static_cast<std::uint32_t>(i), out);
                if (!done) [[unlikely]] {
                    if (fatal_) return std::unexpected(std::move(done.error()));
                    out.records.resize(before);
                    auto refused = Encoded::refused(i, std::move(done.error()));
                    refused.text_would_do = row_.fault() == ValueFault::not_of_type;
                    return refused;
                }
                if (!*done) [[unlikely]] {
                    return Encoded::waits(i);
                }
            }
        }
        return Encoded::all(batch.changes.size());
    }

    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) final {
        if (auto ready = plain_prepared(envelope_.marks(), topics_.transactions);
            !ready || !*ready) {
            return ready;
        }
        envelope_.append_mark(mark, out);
        return true;
    }

    Result<bool> encode_heartbeat(WallTime at, RecordBatch& out) final {
        auto ready = plain_prepared(envelope_.heartbeats(), topics_.heartbeats);
        if (ready && *ready) envelope_.append_heartbeat(at, out);
        return ready;
    }

    std::string heading(const Relation*) const final { return {}; }
    void wants(Wants& wants) const final { heads_->wants(wants); }
    std::string waits_for() const final { return heads_->waits_for(); }

protected:
    // These return false with the fault in row_.
    bool write_key(const DebeziumTable& table, const Cell* cells, const Cell* older,
                   RecordBatch& out, std::string_view& key) {
        out_.begin(out.arena);
        out_.text(table.key_head.before);
        if (!row_.write_key(out_, table.key, cells, older)) return false;
        out_.text(table.key_head.after);
        key = out_.finish();
        return true;
    }
    // The keys of a change's record: its own, and that of the other part of a change of the key,
    // which stands beside it.
    bool write_keys(const DebeziumTable& table, const Batch& batch, std::uint32_t index,
                    RecordBatch& out, Record& record, std::string_view& other) {
        const Change& change = batch.changes[index];
        record.has_key = !table.key.columns.empty();
        if (!record.has_key) return true;
        if (lacks_old_key(change)) [[unlikely]] {
            return row_.fail(ValueFault::old_key_unknown, unsent_key_columns(change).front());
        }
        const Cell* const newest = change.after != nullptr ? change.after : change.before;
        if (!write_key(table, newest, change.before, out, record.key)) return false;
        if (change.part == Change::Part::whole) return true;
        const bool removed = change.part == Change::Part::old_key;
        const Change& beside = batch.changes[removed ? index + 1 : index - 1];
        if (!write_key(table, removed ? beside.after : beside.before, nullptr, out, other)) {
            return false;
        }
        // In headers Kafka Connect writes structures as JSON without a schema, whatever the
        // converter does.
        if constexpr (std::is_same_v<Encoding, JsonEncoding>) {
            other.remove_prefix(table.key_head.before.size());
            other.remove_suffix(table.key_head.after.size());
        }
        return true;
    }

    const FormatOptions options_;
    const DebeziumOptions debezium_;
    const FormatContext about_;
    const MessageTopics topics_;
    const std::unique_ptr<MessageHeads> heads_;
    RowEncoder<Encoding> row_;
    EnvelopeWriter<Encoding> envelope_;
    Writer out_;

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }

    // Fails when a name is not UTF-8 and format.invalid_utf8 is fail, and when two fields would
    // have one name: readers would see one of the values only.
    Result<Table*> table_of(const Relation& relation) {
        if (Table* const known = tables_.find(relation)) [[likely]] {
            return known;
        }
        if (options_.invalid_utf8 == InvalidUtf8::fail) {
            if (auto checked = check_names(relation); !checked) {
                return std::unexpected(std::move(checked.error()));
            }
        }
        Table table = self().compile(relation, {});
        if (auto checked = check_field_names(relation, {table.key_schema, table.value_schema});
            !checked) {
            return std::unexpected(std::move(checked.error()));
        }
        return tables_.keep(relation, std::move(table));
    }

    // False: what stands around such messages is not known yet. An error that is not of these
    // messages alone is fatal_.
    Result<bool> prepared(HeadedMessages& messages, std::string_view topic) {
        if (messages.ready) [[likely]] {
            return true;
        }
        auto answer = make_ready(messages, *heads_, topic);
        if (!answer) {
            fatal_ = true;
            return std::unexpected(std::move(answer.error()));
        }
        if (answer->is == HeadAnswer::Is::refused) {
            return std::unexpected(std::move(answer->reason));
        }
        return answer->is == HeadAnswer::Is::known;
    }
    // The same, of messages that are about no table.
    Result<bool> plain_prepared(HeadedMessages& messages, std::string_view topic) {
        auto ready = prepared(messages, topic);
        if (!ready || !*ready) return ready;
        return accepted(messages, check_places({messages.numbers.key, messages.numbers.value}));
    }
    // The same, of a table's: where the registry has numbers of its own, its plan is
    // compiled again by those.
    Result<bool> table_prepared(Table& table, const Relation& relation) {
        auto topic = topics_.of_table(relation.schema, relation.name);
        if (!topic) {
            fatal_ = true;
            return std::unexpected(std::move(topic.error()));
        }
        auto ready = prepared(table, *topic);
        if (!ready || !*ready || !table.numbers.any()) return ready;
        auto accepted = this->accepted(table, Self::check_numbers(table.numbers));
        if (!accepted) return accepted;
        Table numbered = self().compile(compiled_of(table, relation), table.numbers);
        numbered.loosened = std::move(table.loosened);
        static_cast<HeadedMessages&>(numbered) = std::move(static_cast<HeadedMessages&>(table));
        table = std::move(numbered);
        return true;
    }
    static const Relation& compiled_of(const Table& table, const Relation& relation) noexcept {
        return table.loosened != nullptr ? *table.loosened : relation;
    }
    bool lacks_null(const Table& table, const Relation& relation) const noexcept {
        return row_.fault() == ValueFault::null_required &&
               !compiled_of(table, relation).columns[row_.failed_column()].nullable;
    }
    // A row from before the column was NOT NULL has a null there: its schema is compiled again with
    // room for that, and so are those of the rows that follow it.
    Table* loosen(const Table& table, const Relation& relation, std::uint32_t column) {
        auto loosened = std::make_shared<Relation>(compiled_of(table, relation));
        loosened->columns[column].nullable = true;
        Table again = self().compile(*loosened, {});
        again.loosened = std::move(loosened);
        return tables_.keep(relation, std::move(again));
    }
    static Result<bool> accepted(HeadedMessages& messages, Result<void> checked) {
        if (checked) return true;
        messages.ready = false;
        return std::unexpected(std::move(checked.error()));
    }

    // False: it waits.
    Result<bool> encode_change(const Batch& batch, std::uint32_t index, RecordBatch& out) {
        row_.begin_record();
        const Change& change = batch.changes[index];
        if (debezium_.skipped[static_cast<std::size_t>(change.operation)]) return true;
        bool done = true;
        if (change.operation == Operation::message) {
            auto ready = plain_prepared(envelope_.messages(), topics_.messages);
            if (!ready || !*ready) return ready;
            done = envelope_.append_message(change, index, out);
        } else {
            const Relation& relation = *change.relation;
            const auto table = table_of(relation);
            if (!table) return std::unexpected(table.error());
            return encode_row(*table, batch, index, out);
        }
        return encoded(done, change);
    }
    Result<bool> encode_row(Table* table, const Batch& batch, std::uint32_t index,
                            RecordBatch& out) {
        const Change& change = batch.changes[index];
        for (;;) {
            if (!table->ready) [[unlikely]] {
                auto ready = table_prepared(*table, *change.relation);
                if (!ready || !*ready) return ready;
            }
            if (change.operation == Operation::truncate) {
                self().append_truncate(*table, change, index, out);
                return true;
            }
            const bool done = self().append_row(*table, batch, index, out);
            if (done || !lacks_null(*table, *change.relation)) [[likely]] {
                return encoded(done, change);
            }
            table = loosen(*table, *change.relation, row_.failed_column());
            row_.begin_record();
        }
    }
    Result<bool> encoded(bool done, const Change& change) const {
        if (done) [[likely]] {
            return true;
        }
        return std::unexpected(change_failure(row_.fault(), change, row_.failed_column()));
    }

    bool fatal_ = false;
    BySlot<Table, kPlans_max> tables_;
};

// The rows of a change. Of a table without columns there are no cells, and their address means
// nothing.
struct ChangedRows {
    const Cell* before = nullptr;
    const Cell* after = nullptr;
};
inline ChangedRows rows_of(const Change& change) noexcept {
    static constexpr Cell kNoCells{};
    ChangedRows rows{change.before, change.after};
    if (change.relation->columns.empty()) {
        (change.operation == Operation::remove ? rows.before : rows.after) = &kNoCells;
    }
    return rows;
}

}  // namespace pgc
