// Reads messages in Avro and Protobuf by the schema that JsonConverter writes for them, into the
// JSON that JsonConverter writes of them: what encodings are held to. Throws where bytes don't fit.
#pragma once

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "format/json/string.h"
#include "format/json/writer.h"

namespace pgc::test {

using Json = nlohmann::json;

class BytesReader {
public:
    explicit BytesReader(std::string_view bytes) : rest_(bytes) {}

    bool at_end() const noexcept { return rest_.empty(); }
    std::string_view take(std::size_t size) {
        if (size > rest_.size()) throw std::runtime_error("more bytes wanted than there are");
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            const auto byte = static_cast<unsigned char>(take(1).front());
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        throw std::runtime_error("a varint of more than ten bytes");
    }
    std::int64_t zigzag() {
        const std::uint64_t value = varint();
        return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
    }
    template <typename Real>
    Real real() {
        Real value;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }

private:
    std::string_view rest_;
};

inline std::string base64_of(std::string_view bytes) {
    Arena arena;
    Writer out;
    out.begin(arena);
    append_base64(out, bytes);
    return std::string{out.finish()};
}

template <typename Real>
Json real_json(Real value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    char text[64];  // a float as its shortest digits, read as a double
    const char* const end = std::to_chars(text, text + sizeof text, value).ptr;
    double read = 0;
    std::from_chars(text, end, read);
    return read;
}

inline bool is_text_map(const Json& schema) {
    return schema["keys"]["type"] == "string" && schema["keys"]["optional"] == false;
}

inline void add_entry(const Json& schema, Json& map, Json key, Json value) {
    if (is_text_map(schema)) {
        map[key.get<std::string>()] = std::move(value);
    } else {
        map.push_back(Json::array({std::move(key), std::move(value)}));
    }
}

inline Json empty_of(const Json& schema) {
    if (schema["type"] == "struct") return Json::object();
    return schema["type"] == "map" && is_text_map(schema) ? Json::object() : Json::array();
}

class AvroDecoder {
public:
    static Json decode(std::string_view bytes, const Json& schema) {
        BytesReader in{bytes};
        Json value = of(in, schema);
        if (!in.at_end()) throw std::runtime_error("bytes are left over");
        return value;
    }

private:
    static Json of(BytesReader& in, const Json& schema) {
        const std::string type = schema["type"];
        if (schema["optional"] == true) {
            const bool null_is_last = schema.contains("default") && type != "struct";
            const std::int64_t branch = in.zigzag();
            if (branch != 0 && branch != 1) throw std::runtime_error("no such branch");
            if ((branch == 1) == null_is_last) return nullptr;
        }
        if (type.starts_with("int")) return in.zigzag();
        if (type == "float") return real_json(in.real<float>());
        if (type == "double") return real_json(in.real<double>());
        if (type == "boolean") return in.take(1).front() != 0;
        if (type == "string") return std::string{in.take(static_cast<std::size_t>(in.zigzag()))};
        if (type == "bytes") return base64_of(in.take(static_cast<std::size_t>(in.zigzag())));
        return parts(in, schema);
    }
    static Json parts(BytesReader& in, const Json& schema) {
        Json value = empty_of(schema);
        if (schema["type"] == "struct") {
            for (const Json& field : schema["fields"]) {
                value[field["field"].get<std::string>()] = of(in, field);
            }
            return value;
        }
        for (std::int64_t count = in.zigzag(); count != 0; count = in.zigzag()) {
            for (; count > 0; --count) {
                if (schema["type"] == "array") {
                    value.push_back(of(in, schema["items"]));
                } else {
                    Json key = of(in, schema["keys"]);
                    add_entry(schema, value, std::move(key), of(in, schema["values"]));
                }
            }
        }
        return value;
    }
};

class ProtobufDecoder {
public:
    static Json decode(std::string_view bytes, const Json& schema) {
        const Fields fields = read(bytes);
        Json value = Json::object();
        std::uint32_t number = 0;
        for (const Json& field : schema["fields"]) {
            value[field["field"].get<std::string>()] = of(fields, ++number, field);
        }
        return value;
    }

private:
    struct Raw {
        unsigned wire_type = 0;
        std::uint64_t number = 0;
        std::string_view bytes;
    };
    using Fields = std::multimap<std::uint32_t, Raw>;

    static Fields read(std::string_view bytes) {
        Fields fields;
        for (BytesReader in{bytes}; !in.at_end();) {
            const std::uint64_t tag = in.varint();
            Raw raw{.wire_type = static_cast<unsigned>(tag & 7)};
            switch (raw.wire_type) {
                case 0: raw.number = in.varint(); break;
                case 1: raw.bytes = in.take(8); break;
                case 2: raw.bytes = in.take(in.varint()); break;
                case 5: raw.bytes = in.take(4); break;
                default: throw std::runtime_error("no such kind of value");
            }
            fields.emplace(static_cast<std::uint32_t>(tag >> 3), raw);
        }
        return fields;
    }

    static Json of(const Fields& fields, std::uint32_t number, const Json& schema) {
        if (fields.count(number) > 1) throw std::runtime_error("a field stands twice");
        const auto found = fields.find(number);
        return found == fields.end() ? Json(nullptr) : value(found->second, schema);
    }

    static const Raw& expect(const Raw& raw, unsigned wire_type) {
        if (raw.wire_type != wire_type) throw std::runtime_error("another kind of value");
        return raw;
    }

    static Json value(const Raw& raw, const Json& schema) {
        const std::string type = schema["type"];
        if (type.starts_with("int")) return static_cast<std::int64_t>(expect(raw, 0).number);
        if (type == "boolean") return expect(raw, 0).number != 0;
        if (type == "float") return real_json(BytesReader{expect(raw, 5).bytes}.real<float>());
        if (type == "double") return real_json(BytesReader{expect(raw, 1).bytes}.real<double>());
        if (type == "string") return std::string{expect(raw, 2).bytes};
        if (type == "struct") return decode(expect(raw, 2).bytes, schema);
        if (type != "bytes") return list(expect(raw, 2).bytes, schema);
        const bool is_decimal = schema.value("name", "") == "org.apache.kafka.connect.data.Decimal";
        return is_decimal ? decimal(expect(raw, 2).bytes, schema)
                          : Json(base64_of(expect(raw, 2).bytes));
    }

    static Json decimal(std::string_view bytes, const Json& schema) {
        const Fields fields = read(bytes);
        const auto scale = static_cast<std::int64_t>(fields.find(3)->second.number);
        if (schema["parameters"]["scale"].get<std::string>() != std::to_string(scale)) {
            throw std::runtime_error("another scale than the schema's");
        }
        return base64_of(fields.find(1)->second.bytes);
    }

    static Json list(std::string_view bytes, const Json& schema) {
        Json value = empty_of(schema);
        for (const auto& [number, item] : read(bytes)) {
            if (number != 1) throw std::runtime_error("a list of something else");
            const Fields fields = read(item.bytes);
            if (schema["type"] == "array") {
                value.push_back(of(fields, 1, schema["items"]));
            } else {
                add_entry(schema, value, of(fields, 1, schema["keys"]),
                          of(fields, 2, schema["values"]));
            }
        }
        return value;
    }
};

}  // namespace pgc::test
