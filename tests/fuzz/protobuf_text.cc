// Any text as the schema of Protobuf that a registry has: it is read or refused; what was read is
// written as it was read; and whatever numbers it has, fields of ours get one each that is theirs
// alone, and keep it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "format/connect/protobuf_schema.h"
#include "support/connect_schemas.h"

namespace {

using namespace pgc;

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

bool is_reserved(const ProtobufMessage& message, std::uint32_t number) {
    return std::ranges::any_of(message.reserved, [&](const auto& range) {
        return range.first <= number && number <= range.second;
    });
}

// `ours` says which messages within are ours: others stay as the text had them.
void check_numbers(const ProtobufMessage& message, const ProtobufMessage& ours) {
    std::set<std::uint32_t> numbers;
    for (const ProtobufField& field : message.fields) {
        require(field.number > 0 && field.number <= kMaxFieldNumber);
        require(numbers.insert(field.number).second);
        require(!is_reserved(message, field.number));
    }
    for (const ProtobufMessage& inner : ours.messages) {
        check_numbers(*find_message(message.messages, inner.name), inner);
    }
}

// No registry holds a file with two messages of one name in one place.
bool is_sound(const std::vector<ProtobufMessage>& messages) {
    std::set<std::string_view> names;
    return std::ranges::all_of(messages, [&](const ProtobufMessage& message) {
        return names.insert(message.name).second && is_sound(message.messages);
    });
}

void keep(const ProtobufFile& earlier) {
    ProtobufFile fresh = *protobuf_schema(test::envelope_of_users());
    if (!earlier.messages.empty()) fresh.messages[0].name = earlier.messages[0].name;
    ProtobufFile kept = fresh;
    if (!keep_numbers(kept, earlier)) return;
    check_numbers(kept.messages[kept.root], fresh.messages[0]);
    const Result<ProtobufFile> again = read_protobuf(text_of(kept));
    require(again.has_value());
    // What is registered is what rows are written by, and kept as it is from then on.
    ProtobufFile taken = fresh;
    require(take_numbers(taken, *again).value_or(~std::size_t{0}) == kept.root);
    require(numbered_schema(test::envelope_of_users(), taken).has_value() ||
            find_message(earlier.messages, fresh.messages[0].name) != nullptr);
    if (!is_sound(earlier.messages)) return;
    ProtobufFile history = *again;
    add_history(history, earlier);
    require(keep_numbers(fresh, history).has_value());
    require(text_of(fresh) == text_of(kept));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string exact(reinterpret_cast<const char*>(data), size);
    const Result<ProtobufFile> file = read_protobuf(exact);
    if (!file) return 0;
    const std::string text = text_of(*file);
    const Result<ProtobufFile> again = read_protobuf(text);
    require(again && text_of(*again) == text);
    keep(*file);
    return 0;
}
