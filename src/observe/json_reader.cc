#include "observe/json_reader.h"

#include <nlohmann/json.hpp>

namespace pgc {
namespace {

using Tree = nlohmann::json;

// Puts the tree together as the parser meets its parts, and ends the parsing at a limit. The
// parser itself keeps no stack that the document could exhaust.
class TreeBuilder final : public Tree::json_sax_t {
public:
    TreeBuilder(std::size_t bytes, const JsonLimits& limits) : bytes_(bytes), limits_(limits) {}

    Tree take() { return std::move(root_); }
    const std::string& problem() const noexcept { return problem_; }

    bool null() override { return add(nullptr) != nullptr; }
    bool boolean(bool value) override { return add(value) != nullptr; }
    bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
    bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
    bool number_float(number_float_t value, const string_t&) override {
        return add(value) != nullptr;
    }
    bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
    bool binary(binary_t&) override { return wrong("it is not valid JSON"); }
    bool start_object(std::size_t) override { return open(Tree::value_t::object); }
    bool start_array(std::size_t) override { return open(Tree::value_t::array); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        const auto [member, is_new] = open_.back()->emplace(std::move(name), nullptr);
        if (!is_new) return wrong("two members have one name");
        member_ = &*member;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const Tree::exception&) override {
        return wrong(position > bytes_
                         ? "it is cut short"
                         : "it is not valid JSON at byte " + std::to_string(position));
    }

private:
    bool wrong(std::string problem) {
        problem_ = std::move(problem);
        return false;
    }

    // Where the value stands now; null at a limit.
    Tree* add(Tree value) {
        if (++values_ > limits_.values) {
            wrong("it has too many values");
            return nullptr;
        }
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (open_.back()->is_array()) {
            open_.back()->push_back(std::move(value));
            return &open_.back()->back();
        }
        *member_ = std::move(value);
        return member_;
    }

    bool open(Tree::value_t kind) {
        if (open_.size() >= limits_.depth) return wrong("it is nested too deeply");
        Tree* const value = add(Tree(kind));
        if (value != nullptr) open_.push_back(value);
        return value != nullptr;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    const std::size_t bytes_;
    const JsonLimits& limits_;
    Tree root_;
    std::vector<Tree*> open_;  // the objects and lists around the next value, the innermost last
    Tree* member_ = nullptr;   // of the innermost object: waits for its value
    std::size_t values_ = 0;
    std::string problem_;
};

}  // namespace

bool Json::is_object() const noexcept {
    return node_ && node_->is_object();
}

bool Json::is_list() const noexcept {
    return node_ && node_->is_array();
}

std::optional<std::string> Json::text() const {
    const auto* text = node_ ? node_->get_ptr<const std::string*>() : nullptr;
    return text != nullptr ? std::optional{*text} : std::nullopt;
}

std::optional<bool> Json::boolean() const {
    const auto* value = node_ ? node_->get_ptr<const bool*>() : nullptr;
    return value != nullptr ? std::optional{*value} : std::nullopt;
}

std::optional<std::uint64_t> Json::count() const {
    const auto* value = node_ ? node_->get_ptr<const std::uint64_t*>() : nullptr;
    return value != nullptr ? std::optional{*value} : std::nullopt;
}

std::optional<double> Json::number() const {
    return node_ && node_->is_number() ? std::optional{node_->get<double>()} : std::nullopt;
}

Json Json::member(std::string_view name) const {
    if (!is_object()) return {};
    const auto found = node_->find(name);
    return found == node_->end() ? Json{} : part(*found);
}

std::vector<std::string> Json::names() const {
    std::vector<std::string> all;
    if (!is_object()) return all;
    for (const auto& [name, value] : node_->items()) all.push_back(name);
    return all;
}

std::vector<Json> Json::elements() const {
    std::vector<Json> all;
    if (!is_list()) return all;
    for (const Tree& element : *node_) all.push_back(part(element));
    return all;
}

std::expected<Json, std::string> read_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.bytes) return std::unexpected("it is too large");
    // The parser would take it for the end, whatever follows.
    if (text.contains('\0')) return std::unexpected("it holds a zero byte");
    TreeBuilder builder(text.size(), limits);
    if (!Tree::sax_parse(text.begin(), text.end(), &builder)) {
        return std::unexpected(builder.problem());
    }
    return Json(std::make_shared<const Tree>(builder.take()));
}

}  // namespace pgc
