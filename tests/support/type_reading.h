// Verbs for tests of PostgreSQL's types: text("int4", "5") and binary("int4", bytes) give
// the value as shown by show(), or "refused".
#pragma once

#include <string>
#include <string_view>

#include "postgres/types/builtin.h"
#include "postgres/types/type_map.h"
#include "support/value_text.h"
#include "support/wire.h"

namespace pgc::testing {

// Built-in types by pg_type.typname.
inline Oid oid_of(std::string_view name) {
    const bool is_array = name.starts_with('_');
    for (std::uint32_t value = 1; value < 7000; ++value) {
        const Oid oid{value};
        const auto* scalar = types::find_scalar(oid);
        if (scalar != nullptr && scalar->name == (is_array ? name.substr(1) : name)) {
            return is_array ? Oid{scalar->array} : oid;
        }
        const auto built = types::find_built(oid);
        if (built && built->name == name) {
            return oid;
        }
    }
    return {};
}

class TypeReading {
public:
    TypeMap types;

    std::string text(Oid oid, std::string_view bytes) {
        const TypePtr type = types.find(oid);
        return read(*type, type->read_text, bytes);
    }
    std::string binary(Oid oid, std::string_view bytes) {
        const TypePtr type = types.find(oid);
        return read(*type, type->read_binary, bytes);
    }

private:
    std::string read(const Type& type, Reader reader, std::string_view bytes) {
        if (reader == nullptr) {
            return "no reader";
        }
        const ExactCopy copy{bytes};
        scratch_.clear();
        Value value;
        return reader(type, copy.view(), scratch_, value) ? show(type, value) : "refused";
    }

    Scratch scratch_;
};

inline std::string text(std::string_view type, std::string_view bytes) {
    return TypeReading{}.text(oid_of(type), bytes);
}
inline std::string binary(std::string_view type, std::string_view bytes) {
    return TypeReading{}.binary(oid_of(type), bytes);
}

}  // namespace pgc::testing
