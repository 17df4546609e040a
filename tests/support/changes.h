// Builds what a source would hand over: types, relations, batches of changes.
//
//   Changes changes;
//   changes.begin(567, Lsn{0x1634FA8});
//   changes.insert(users, {changes.text("123"), changes.null()});
//   format.encode(changes.batch(), 0, out);
//
// A cell made by value() carries a pointer to a Value, which its type's read_binary gives
// back: so a test can feed a format any value whatever, without wire bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/change.h"

namespace pgc::test {

inline bool read_value_pointer(const Type&, std::string_view bytes, Scratch&, Value& out) {
    const Value* value = nullptr;
    if (bytes.size() != sizeof value) {
        return false;
    }
    std::memcpy(&value, bytes.data(), sizeof value);
    out = *value;
    return true;
}

inline bool read_as_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.is_null = false;
    out.text = bytes;
    return true;
}

// Digits only: what is not a number shows what an unreadable text does.
inline bool read_as_integer(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.is_null = false;
    out.integer = 0;
    for (const char c : bytes) {
        if (c < '0' || c > '9') {
            return false;
        }
        out.integer = out.integer * 10 + (c - '0');
    }
    return !bytes.empty();
}

inline TypePtr type(Kind kind, TypePtr element = nullptr, std::vector<Field> fields = {}) {
    Type made;
    made.kind = kind;
    made.name = "test";
    made.width = 8;
    made.read_text = kind == Kind::integer ? read_as_integer : read_as_text;
    made.read_binary = read_value_pointer;
    made.element = std::move(element);
    made.fields = std::move(fields);
    return std::make_shared<const Type>(std::move(made));
}

inline Value text_value(std::string_view text) {
    Value value;
    value.text = text;
    return value;
}

inline Value integer_value(std::int64_t integer) {
    Value value;
    value.integer = integer;
    return value;
}

inline Value real_value(double real) {
    Value value;
    value.real = real;
    return value;
}

inline Value null_value() {
    Value value;
    value.is_null = true;
    return value;
}

inline Column column(std::string name, Kind kind = Kind::text, bool identity = false) {
    return {.name = std::move(name), .type = type(kind), .identity = identity};
}

// public.users(id integer primary key, name text) unless given otherwise.
inline Relation users() {
    Relation relation;
    relation.slot = 0;
    relation.oid = Oid{16384};
    relation.schema = "public";
    relation.name = "users";
    relation.columns = {column("id", Kind::integer, true), column("name")};
    relation.key = {0};
    return relation;
}

class Changes {
public:
    Changes() {
        batch_.handled_at = {1'634'567'890'123'000};
        batch_.end = Position::whole(Lsn{1});
    }

    Batch& batch() { return batch_; }

    void begin(std::uint32_t xid, Lsn commit_lsn, WallTime committed_at = {1'634'567'890'100'000}) {
        batch_.transactions.push_back({.xid = Xid{xid},
                                       .commit_lsn = commit_lsn,
                                       .end_lsn = {},
                                       .committed_at = committed_at,
                                       .first = static_cast<std::uint32_t>(batch_.changes.size()),
                                       .ends = true});
        batch_.end = Position::whole(commit_lsn);
        ordinal_ = 0;
    }

    // Cells.
    Cell text(std::string_view bytes) {
        const std::string_view kept = batch_.arena.copy(bytes);
        return {.data = kept.data(),
                .size = static_cast<std::uint32_t>(kept.size()),
                .state = Cell::State::text};
    }
    Cell value(const Value& value) {
        const Value* const kept = &values_.emplace_back(value);
        char* const bytes = batch_.arena.allocate<char>(sizeof kept);
        std::memcpy(bytes, &kept, sizeof kept);
        return {.data = bytes, .size = sizeof kept, .state = Cell::State::binary};
    }
    static Cell null() { return {.state = Cell::State::null}; }
    static Cell absent() { return {.state = Cell::State::absent}; }
    static Cell unchanged() { return {.state = Cell::State::unchanged}; }

    using Cells = std::vector<Cell>;
    Change& insert(const Relation& relation, const Cells& after) {
        return add(Operation::insert, &relation, nullptr, row(after));
    }
    Change& update(const Relation& relation, const Cells& after) {
        return add(Operation::update, &relation, nullptr, row(after));
    }
    Change& update(const Relation& relation, const Cells& before, const Cells& after) {
        return add(Operation::update, &relation, row(before), row(after));
    }
    Change& remove(const Relation& relation, const Cells& before) {
        return add(Operation::remove, &relation, row(before), nullptr);
    }
    Change& read(const Relation& relation, const Cells& after) {
        return add(Operation::read, &relation, nullptr, row(after));
    }
    Change& truncate(const Relation& relation) {
        return add(Operation::truncate, &relation, nullptr, nullptr);
    }
    Change& message(std::string_view prefix, std::string_view content, bool transactional) {
        Change& change = add(Operation::message, nullptr, nullptr, nullptr);
        change.message = &messages_.emplace_back(batch_.arena.copy(prefix),
                                                 batch_.arena.copy(content), transactional);
        return change;
    }

private:
    const Cell* row(const Cells& cells) {
        Cell* const kept = batch_.arena.allocate<Cell>(cells.size());
        std::uninitialized_copy(cells.begin(), cells.end(), kept);
        return kept;
    }
    Change& add(Operation operation, const Relation* relation, const Cell* before,
                const Cell* after) {
        Change change;
        change.operation = operation;
        change.relation = relation;
        change.before = before;
        change.after = after;
        change.lsn = Lsn{0x1634FA0};
        change.ordinal = ++ordinal_;
        ++batch_.transactions.back().count;
        return batch_.changes.emplace_back(change);
    }

    Batch batch_;
    std::deque<Value> values_;
    std::deque<Message> messages_;
    std::uint64_t ordinal_ = 0;
};

}  // namespace pgc::test
