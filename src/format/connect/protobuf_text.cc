#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "format/connect/protobuf_file.h"

namespace pgc {

namespace {

class ProtobufText {
public:
    void message(const ProtobufMessage& message);
    std::string out;

private:
    void line(std::string_view text) {
        out.append(indent_, ' ');
        out += text;
        out += '\n';
    }
    void reserved(const ProtobufMessage& message);
    void fields(const ProtobufMessage& message);

    std::size_t indent_ = 0;
};

void ProtobufText::reserved(const ProtobufMessage& message) {
    std::string list;
    for (const auto& [first, last] : message.reserved) {
        if (!list.empty()) list += ", ";
        list += first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last);
    }
    if (!list.empty()) line(fmt::format("reserved {};", list));
    list.clear();
    for (const std::string& name : message.reserved_names) {
        list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", name);
    }
    if (!list.empty()) line(fmt::format("reserved {};", list));
}

void ProtobufText::fields(const ProtobufMessage& message) {
    for (const ProtobufField& field : message.fields) {
        const std::string_view label = field.repeated   ? "repeated "
                                       : field.optional ? "optional "
                                                        : "";
        line(fmt::format("{}{} {} = {};", label, field.type, field.name, field.number));
    }
}

void ProtobufText::message(const ProtobufMessage& message) {
    line(fmt::format("message {} {{", message.name));
    indent_ += 2;
    reserved(message);
    fields(message);
    for (const ProtobufMessage& inner : message.messages) this->message(inner);
    indent_ -= 2;
    line("}");
}

}  // namespace

const ProtobufMessage* find_message(const std::vector<ProtobufMessage>& messages,
                                    std::string_view name) noexcept {
    const auto found = std::ranges::find(messages, name, &ProtobufMessage::name);
    return found == messages.end() ? nullptr : &*found;
}

std::string text_of(const ProtobufFile& file) {
    ProtobufText text;
    text.out = "syntax = \"proto3\";\n";
    if (!file.package.empty()) text.out += fmt::format("package {};\n", file.package);
    for (const ProtobufMessage& message : file.messages) {
        text.out += '\n';
        text.message(message);
    }
    return text.out;
}

}  // namespace pgc
