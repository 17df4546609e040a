// Reads a small JSON document (RFC 8259) that somebody else wrote: an answer of a peer, or
// the body of a request. On nlohmann-json, whose parser stays inside json_reader.cc.
//
// Strict and bounded: what is not JSON, or is larger, deeper or of more values than the limits
// allow, is refused; so is an object that has two members of one name. Nothing here throws.
//
//   const auto body = read_json(text);
//   body->member("sink").member("kind").text()      // nothing where there is no such text
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgc {

struct JsonLimits {
    std::size_t bytes = std::size_t{1} << 20;
    std::size_t values = 4096;  // of every kind, objects and lists among them
    std::size_t depth = 16;     // of objects and lists in one another
};

// One value of a document, or nothing: asked for what it isn't, a value answers with nothing, so
// that a way of many steps is asked about once. It keeps its document alive; a copy is cheap.
class Json {
public:
    Json() = default;

    bool exists() const noexcept { return node_ != nullptr; }
    bool is_object() const noexcept;
    bool is_list() const noexcept;

    std::optional<std::string> text() const;
    std::optional<bool> boolean() const;
    // A whole number from 0 to 2^64-1, written without a fraction.
    std::optional<std::uint64_t> count() const;
    std::optional<double> number() const;

    // Nothing where this is not an object, or has no such member.
    Json member(std::string_view name) const;
    // Of an object, sorted; of anything else none.
    std::vector<std::string> names() const;
    // Of a list; of anything else none.
    std::vector<Json> elements() const;

private:
    using Node = std::shared_ptr<const nlohmann::json>;
    friend std::expected<Json, std::string> read_json(std::string_view, const JsonLimits&);
    explicit Json(Node node) noexcept : node_(std::move(node)) {}
    Json part(const nlohmann::json& node) const { return Json(Node(node_, &node)); }

    Node node_;
};

// The document, or what is wrong with it as one clause that shows nothing of its text.
std::expected<Json, std::string> read_json(std::string_view text, const JsonLimits& limits);
inline std::expected<Json, std::string> read_json(std::string_view text) {
    return read_json(text, JsonLimits{});
}

}  // namespace pgc
