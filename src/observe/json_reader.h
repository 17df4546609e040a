// Reads a small JSON document (RFC 8259) that somebody else wrote: an answer of a peer, or
// what one asks for.
//
// Strict and bounded: a document that is not JSON, larger, deeper or of more parts than the
// limits allow is refused. Members come out flat, by their path:
//
//   {"state":"streaming","sink":{"kind":"kafka"},"list":[1],"none":[]}
//     ->  state: streaming   sink.kind: kafka   list.0: 1   none: empty
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pgc {

class JsonFields {
public:
    enum class Kind : std::uint8_t { null, boolean, number, text, empty };
    struct Field {
        Kind kind = Kind::null;
        std::string text;  // of a number: as it was written; of a boolean: "true" or "false"
        bool operator==(const Field&) const = default;
    };

    // Nothing where there is no such member, or one of another kind.
    std::optional<std::string> text(std::string_view path) const;
    std::optional<bool> boolean(std::string_view path) const;
    // A number that T can hold; a fraction is not an integer.
    template <typename T>
    std::optional<T> number(std::string_view path) const {
        const Field* field = find(path);
        if (field == nullptr || field->kind != Kind::number) return std::nullopt;
        T value{};
        const char* last = field->text.data() + field->text.size();
        const auto [end, error] = std::from_chars(field->text.data(), last, value);
        if (error != std::errc{} || end != last) return std::nullopt;
        return value;
    }
    bool has(std::string_view path) const { return find(path) != nullptr; }

    // Of two members of one name the first counts.
    void add(const std::string& path, Field field) { fields_.emplace(path, std::move(field)); }
    std::size_t size() const noexcept { return fields_.size(); }
    const std::map<std::string, Field, std::less<>>& all() const noexcept { return fields_; }

private:
    const Field* find(std::string_view path) const {
        const auto found = fields_.find(path);
        return found == fields_.end() ? nullptr : &found->second;
    }

    std::map<std::string, Field, std::less<>> fields_;
};

struct JsonLimits {
    std::size_t bytes = std::size_t{1} << 20;
    std::size_t fields = 4096;
    std::size_t depth = 16;
    std::size_t path_bytes = 256;  // each member's has its parents' in it
};

// The fields, or what is wrong, as one clause.
std::expected<JsonFields, std::string> read_json(std::string_view text,
                                                 const JsonLimits& limits = {});

}  // namespace pgc
