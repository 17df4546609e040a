#include "simulation/field_numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "format/connect/protobuf_schema.h"

namespace pgc::sim {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kGone = "gone";

bool is_one(const std::string& type, const std::string& other) {
    const auto is_integer = [](std::string_view name) {
        return name == "int32" || name == "int64";
    };
    return type == other || (is_integer(type) && is_integer(other));
}

// The pieces of a message in the wire format. Nothing where it is not one.
class Pieces {
public:
    explicit Pieces(std::string_view bytes) : rest_(bytes) {}

    bool empty() const noexcept { return rest_.empty(); }
    std::string_view rest() const noexcept { return rest_; }
    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80) return value;
        }
        return std::nullopt;
    }
    std::optional<std::string_view> take(std::size_t count) {
        if (count > rest_.size()) return std::nullopt;
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

private:
    std::string_view rest_;
};

enum Wire : std::uint64_t { kVarint = 0, kEight = 1, kLength = 2, kFour = 5 };

std::uint64_t wire_of(std::string_view type) {
    constexpr std::array varints{"int32"sv, "int64"sv, "uint32"sv, "bool"sv};
    if (std::ranges::find(varints, type) != varints.end()) return kVarint;
    if (type == "double") return kEight;
    return type == "float" ? kFour : kLength;
}

bool is_written_by(const ProtobufMessage& schema, std::string_view bytes) {
    Pieces pieces{bytes};
    while (!pieces.empty()) {
        const auto tag = pieces.varint();
        if (!tag) return false;
        const auto field = std::ranges::find(schema.fields, static_cast<std::uint32_t>(*tag >> 3),
                                             &ProtobufField::number);
        if (field == schema.fields.end() || (*tag & 7) != wire_of(field->type)) return false;
        std::optional<std::string_view> value = "";
        switch (*tag & 7) {
            case kVarint:
                if (!pieces.varint()) return false;
                break;
            case kEight: value = pieces.take(8); break;
            case kFour: value = pieces.take(4); break;
            default: {
                const auto size = pieces.varint();
                value = size ? pieces.take(*size) : std::nullopt;
            }
        }
        if (!value) return false;
        const ProtobufMessage* const inner = find_message(schema.messages, field->type);
        if (inner != nullptr && !is_written_by(*inner, *value)) return false;
    }
    return true;
}

// From the last to the first, from 2.
void renumber(ProtobufMessage& message) {
    auto number = static_cast<std::uint32_t>(message.fields.size() + 1);
    const std::uint32_t gone = number + 1;
    for (ProtobufField& field : message.fields) field.number = number--;
    message.fields.push_back({.name = std::string{kGone},
                              .type = "string",
                              .repeated = false,
                              .optional = true,
                              .number = gone});
}

}  // namespace

std::optional<std::string> FieldNumbers::add(const std::string& subject, const ProtobufFile& file) {
    for (const ProtobufMessage& message : file.messages) {
        if (auto wrong = add(subject + " " + message.name, message)) return wrong;
    }
    return std::nullopt;
}

std::optional<std::string> FieldNumbers::add(const std::string& path,
                                             const ProtobufMessage& message) {
    for (const ProtobufField& field : message.fields) {
        const auto& [before, is_new] =
            fields_.try_emplace({path, field.number}, field.name, field.type);
        const auto& [name, type] = before->second;
        if (name == field.name && is_one(type, field.type)) continue;
        return fmt::format("the number {} of {} was of {} {} and is of {} {}", field.number, path,
                           type, name, field.type, field.name);
    }
    for (const ProtobufMessage& inner : message.messages) {
        if (auto wrong = add(path + "." + inner.name, inner)) return wrong;
    }
    return std::nullopt;
}

// The file's first message is a 0; of others the path has one step, in zigzag.
bool is_written_by(const ProtobufFile& file, std::string_view message) {
    Pieces pieces{message};
    const auto steps = pieces.varint();
    const auto place = steps && *steps != 0 ? pieces.varint() : std::optional<std::uint64_t>{0};
    if (!steps || *steps > 2 || !place || *place / 2 >= file.messages.size()) return false;
    return is_written_by(file.messages[*place / 2], pieces.rest());
}

std::optional<std::string> past_of(const ConnectSchema& schema) {
    auto file = protobuf_schema(schema);
    if (!file) return std::nullopt;
    ProtobufMessage& root = file->messages[file->root];
    const auto after = std::ranges::find(root.fields, "after", &ProtobufField::name);
    const auto row = after == root.fields.end()
                         ? root.messages.end()
                         : std::ranges::find(root.messages, after->type, &ProtobufMessage::name);
    renumber(row == root.messages.end() ? root : *row);
    return text_of(*file);
}

}  // namespace pgc::sim
