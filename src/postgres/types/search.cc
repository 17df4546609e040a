#include "postgres/types/search.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_cursor.h"

namespace pgc::types {
namespace {

constexpr std::uint16_t kPositionMask = 0x3FFF;
constexpr unsigned kWeightShift = 14;
constexpr std::string_view kWeights{"DCBA"};  // by their number; D is not shown in a tsvector

void append_number(std::string& text, unsigned number) {
    char digits[12];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_lexeme(std::string& text, std::string_view lexeme) {
    text += '\'';
    for (const char c : lexeme) {
        if (c == '\'' || c == '\\') text += c;
        text += c;
    }
    text += '\'';
}

bool keep(const std::string& text, Scratch& scratch, Value& out) {
    char* const kept = scratch.allocate<char>(text.size());
    std::ranges::copy(text, kept);  // which may be nothing, to nowhere
    out.text = {kept, text.size()};
    return true;
}

// An expression as written, and how tightly what it is made by binds.
struct Written {
    std::string text;
    int priority = 0;
    bool is_phrase = false;
};

enum Operator : std::uint8_t { kNot = 1, kAnd = 2, kOr = 3, kPhrase = 4 };

int priority_of(std::uint8_t op) noexcept {
    switch (op) {
        case kNot: return 4;
        case kPhrase: return 3;
        case kAnd: return 2;
        default: return 1;
    }
}

// `is_right`: of a phrase operator, whose order counts.
void put_in_parentheses(Written& part, int outer, bool is_right) {
    if (part.priority < outer || (part.is_phrase && is_right)) {
        part.text.insert(0, "( ");
        part.text += " )";
    }
}

struct Item {
    std::string_view lexeme;   // of an operand
    std::uint8_t op = 0;       // 0: an operand
    std::uint8_t weights = 0;  // a bit each, from D
    bool is_prefix = false;
    std::uint16_t distance = 1;  // of a phrase operator
};

bool read_item(ByteCursor& in, Item& item) {
    constexpr std::uint8_t operand = 1;
    constexpr std::uint8_t operation = 2;
    const auto kind = in.read<std::uint8_t>();
    if (kind == operand) {
        item.weights = in.read<std::uint8_t>();
        item.is_prefix = in.read<std::uint8_t>() != 0;
        item.lexeme = in.take_string();
        return !in.overrun();
    }
    item.op = in.read<std::uint8_t>();
    if (item.op == kPhrase) item.distance = in.read<std::uint16_t>();
    return kind == operation && item.op >= kNot && item.op <= kPhrase && !in.overrun();
}

Written write_operand(const Item& item) {
    Written operand{.text = {}, .priority = std::numeric_limits<int>::max()};
    append_lexeme(operand.text, item.lexeme);
    if (item.weights == 0 && !item.is_prefix) return operand;
    operand.text += ':';
    if (item.is_prefix) operand.text += '*';
    for (std::size_t i = kWeights.size(); i-- > 0;) {
        if ((item.weights >> i & 1) != 0) operand.text += kWeights[i];
    }
    return operand;
}

// What stands in front is longer than what is appended, mostly: 'a' & 'b' & 'c' …
Written combine(const Item& item, Written left, Written right) {
    const int priority = priority_of(item.op);
    put_in_parentheses(left, priority, false);
    put_in_parentheses(right, priority, item.op == kPhrase);
    switch (item.op) {
        case kAnd: left.text += " & "; break;
        case kOr: left.text += " | "; break;
        default:
            if (item.distance == 1) {
                left.text += " <-> ";
            } else {
                left.text += " <";
                append_number(left.text, item.distance);
                left.text += "> ";
            }
    }
    left.text += right.text;
    left.priority = priority;
    left.is_phrase = item.op == kPhrase;
    return left;
}

}  // namespace

// Int32 n, then n times: lexeme  Int16 m  m × Int16 (weight in the two highest bits)
bool read_tsvector_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const auto count = in.read<std::uint32_t>();
    std::string text;
    for (std::uint32_t i = 0; i < count && !in.overrun(); ++i) {
        if (i > 0) text += ' ';
        append_lexeme(text, in.take_string());
        const auto positions = in.read<std::uint16_t>();
        for (std::uint16_t j = 0; j < positions && !in.overrun(); ++j) {
            const auto position = in.read<std::uint16_t>();
            text += j == 0 ? ':' : ',';
            append_number(text, position & kPositionMask);
            const auto weight = static_cast<std::size_t>(position >> kWeightShift);
            if (weight > 0) text += kWeights[weight];
        }
    }
    return !in.overrun() && in.remaining() == 0 && keep(text, scratch, out);
}

// Int32 n, then n items, an operator before its right operand and that before its left one. Read
// backwards, so that however deep it nests no stack is needed.
bool read_tsquery_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const auto count = in.read<std::uint32_t>();
    std::vector<Item> items;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (!read_item(in, items.emplace_back())) return false;
    }
    if (in.overrun() || in.remaining() != 0) return false;
    std::vector<Written> open;
    for (; !items.empty(); items.pop_back()) {
        const Item& item = items.back();
        if (item.op == 0) {
            open.push_back(write_operand(item));
            continue;
        }
        if (open.size() < (item.op == kNot ? 1U : 2U)) return false;
        Written right = std::move(open.back());
        open.pop_back();
        if (item.op == kNot) {
            put_in_parentheses(right, priority_of(kNot), false);
            open.push_back({.text = '!' + right.text, .priority = priority_of(kNot)});
            continue;
        }
        Written left = std::move(open.back());
        open.pop_back();
        open.push_back(combine(item, std::move(left), std::move(right)));
    }
    if (count == 0) return keep({}, scratch, out);
    return open.size() == 1 && keep(open.front().text, scratch, out);
}

}  // namespace pgc::types
