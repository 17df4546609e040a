// A schema that is registered, as what our rows are written by.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "format/connect/logical_types.h"
#include "format/connect/protobuf_schema.h"

namespace pgc {

namespace {

// What is written as the one can be read as the other.
bool holds(const ProtobufField& registered, const ProtobufField& ours) {
    if (registered.repeated != ours.repeated) return false;
    return registered.type == ours.type || (registered.type == "int64" && ours.type == "int32");
}

// An error of the message `name`.
std::unexpected<Error> lacking(std::string_view name, std::string_view what) {
    return std::unexpected(stop(Error::Category::data,
                                fmt::format("the message {} that is registered {}", name, what)));
}

Result<void> take(ProtobufMessage& ours, const ProtobufMessage& registered) {
    for (ProtobufField& field : ours.fields) {
        const auto theirs = std::ranges::find(registered.fields, field.name, &ProtobufField::name);
        if (theirs == registered.fields.end()) {
            return lacking(ours.name, fmt::format("has no field {}", field.name));
        }
        if (!holds(*theirs, field)) {
            return lacking(ours.name, fmt::format("has a field {} of the type {} and not {}",
                                                  field.name, theirs->type, field.type));
        }
        if (field.optional && !theirs->optional) {
            return lacking(ours.name,
                           fmt::format("has a field {} that is not optional, and null has no place",
                                       field.name));
        }
        field.number = theirs->number;
    }
    for (ProtobufMessage& inner : ours.messages) {
        const ProtobufMessage* const theirs = find_message(registered.messages, inner.name);
        if (theirs == nullptr) {
            return lacking(ours.name, fmt::format("has no message {} in it", inner.name));
        }
        if (auto taken = take(inner, *theirs); !taken) return taken;
    }
    return {};
}

// Walks a schema beside the messages that describe it. A part without a number of its own stays the
// same object.
class Numbered {
public:
    ConnectSchemaPtr structure(const ConnectSchemaPtr& schema, const ProtobufMessage& message);

    std::string fault;  // a message whose numbers are not ours

private:
    // `type`: of the field that holds it, which is of `scope`.
    ConnectSchemaPtr part(const ConnectSchemaPtr& schema, const std::string& type,
                          const ProtobufMessage& scope);
    ConnectSchemaPtr list(const ConnectSchemaPtr& schema, const ProtobufMessage& message);
    ConnectSchemaPtr map(const ConnectSchemaPtr& schema, const ProtobufMessage& message);
    void check_places(const ProtobufMessage& message);
};

ConnectSchemaPtr Numbered::structure(const ConnectSchemaPtr& schema,
                                     const ProtobufMessage& message) {
    auto numbered = std::make_shared<ConnectSchema>(*schema);
    bool moved = false;
    for (std::size_t i = 0; i < numbered->fields.size(); ++i) {
        ConnectField& field = numbered->fields[i];
        field.number = message.fields[i].number;
        field.schema = part(field.schema, message.fields[i].type, message);
        moved |= field.number != i + 1 || field.schema != schema->fields[i].schema;
    }
    return moved ? numbered : schema;
}

ConnectSchemaPtr Numbered::part(const ConnectSchemaPtr& schema, const std::string& type,
                                const ProtobufMessage& scope) {
    const ProtobufMessage* const message = find_message(scope.messages, type);
    if (message == nullptr) return schema;
    switch (schema->type) {
        case ConnectType::structure: return structure(schema, *message);
        case ConnectType::array: return list(schema, *message);
        case ConnectType::map: return map(schema, *message);
        default: check_places(*message); return schema;
    }
}

ConnectSchemaPtr Numbered::list(const ConnectSchemaPtr& schema, const ProtobufMessage& message) {
    const ProtobufMessage& item = message.messages.front();
    check_places(message);
    check_places(item);
    ConnectSchemaPtr element = part(schema->element, item.fields.front().type, item);
    if (element == schema->element) return schema;
    auto numbered = std::make_shared<ConnectSchema>(*schema);
    numbered->element = std::move(element);
    return numbered;
}

// Its parts are scalars.
ConnectSchemaPtr Numbered::map(const ConnectSchemaPtr& schema, const ProtobufMessage& message) {
    check_places(message);
    check_places(message.messages.front());
    return schema;
}

void Numbered::check_places(const ProtobufMessage& message) {
    for (std::size_t i = 0; i < message.fields.size(); ++i) {
        if (message.fields[i].number != i + 1) fault = message.name;
    }
}

}  // namespace

Result<std::size_t> take_numbers(ProtobufFile& file, const ProtobufFile& registered) {
    ProtobufMessage& root = file.messages[file.root];
    const auto theirs = std::ranges::find(registered.messages, root.name, &ProtobufMessage::name);
    if (theirs == registered.messages.end()) {
        return std::unexpected(stop(Error::Category::data,
                                    fmt::format("no message {} is registered there", root.name)));
    }
    if (auto taken = take(root, *theirs); !taken) return std::unexpected(std::move(taken.error()));
    return static_cast<std::size_t>(theirs - registered.messages.begin());
}

Result<ConnectSchemaPtr> numbered_schema(const ConnectSchema& schema, const ProtobufFile& file) {
    Numbered walk;
    const ConnectSchemaPtr whole{ConnectSchemaPtr{}, &schema};  // not owned
    const ConnectSchemaPtr numbered = walk.structure(whole, file.messages[file.root]);
    if (!walk.fault.empty()) {
        return std::unexpected(
            stop(Error::Category::data,
                 fmt::format("the message {} that is registered has other numbers than its fields "
                             "are written with",
                             walk.fault)));
    }
    return numbered == whole ? nullptr : numbered;
}

}  // namespace pgc
