// The only file that knows yaml-cpp.
//
// We listen to its events instead of taking its tree: the tree swallows repeated keys,
// forgets whether a word was quoted, and lets a few aliases unfold into gigabytes.
// Here an alias is a copy, and every node is counted.
#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "config/document.h"
#include "config/loader.h"

namespace pgc {
namespace {

Place place_of(const YAML::Mark& mark) {
    if (mark.is_null()) {
        return {};
    }
    return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

// Thrown through yaml-cpp, whose events can't say stop; caught in parse_yaml.
struct Refused {
    SyntaxError error;
};

[[noreturn]] void give_up(Place place, std::string reason) {
    throw Refused{{place, std::move(reason)}};
}

std::size_t count(const Node& node) {
    std::size_t nodes = 1;
    for (const Node& item : node.items) {
        nodes += count(item);
    }
    for (const Node::Member& member : node.members) {
        nodes += count(member.value);
    }
    return nodes;
}

class TreeBuilder final : public YAML::EventHandler {
public:
    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        scalar(Node::Kind::nothing, place_of(mark), {}, anchor);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        scalar(kind_of(tag, place_of(mark)), place_of(mark), value, anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            give_up(place_of(mark), "an alias inside its own anchor");
        }
        Node copy = found->second;
        copy.place = place_of(mark);
        reserve(count(copy), copy.place);
        add(std::move(copy));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(Node::Kind::list, place_of(mark), tag, anchor);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(Node::Kind::map, place_of(mark), tag, anchor);
    }
    void OnMapEnd() override { close(); }

    Node take_root() && { return std::move(root_); }

private:
    struct Open {
        Node node;
        YAML::anchor_t anchor = YAML::NullAnchor;
        bool key_waits = false;  // of a map: the next node is the value of `key`
        std::string key;
        Place key_place;
    };

    static Node::Kind kind_of(const std::string& tag, Place place) {
        if (tag == "?" || tag.empty() || tag == "tag:yaml.org,2002:int" ||
            tag == "tag:yaml.org,2002:bool") {
            return Node::Kind::plain;
        }
        if (tag == "!" || tag == "tag:yaml.org,2002:str") {
            return Node::Kind::text;
        }
        give_up(place, "a tag other than !!str, !!int and !!bool");
    }

    void reserve(std::size_t nodes, Place place) {
        nodes_ += nodes;
        if (nodes_ > ConfigLimits::nodes) {
            give_up(place, fmt::format("more than {} values", ConfigLimits::nodes));
        }
    }

    void scalar(Node::Kind kind, Place place, const std::string& text, YAML::anchor_t anchor) {
        if (text.size() > ConfigLimits::value_bytes) {
            give_up(place, fmt::format("a value longer than {} bytes", ConfigLimits::value_bytes));
        }
        reserve(1, place);
        Node node;
        node.kind = kind;
        node.place = place;
        node.text = text;
        remember(anchor, node);
        add(std::move(node));
    }

    void open(Node::Kind kind, Place place, const std::string& tag, YAML::anchor_t anchor) {
        if (stack_.size() >= ConfigLimits::depth) {
            give_up(place, fmt::format("nested deeper than {} levels", ConfigLimits::depth));
        }
        if (tag != "?" && tag != "!" && !tag.empty() && tag != "tag:yaml.org,2002:map" &&
            tag != "tag:yaml.org,2002:seq") {
            give_up(place, "a tag other than !!map and !!seq");
        }
        reserve(1, place);
        Open opened;
        opened.node.kind = kind;
        opened.node.place = place;
        opened.anchor = anchor;
        stack_.push_back(std::move(opened));
    }

    void close() {
        Open closed = std::move(stack_.back());
        stack_.pop_back();
        remember(closed.anchor, closed.node);
        add(std::move(closed.node));
    }

    void remember(YAML::anchor_t anchor, const Node& node) {
        if (anchor != YAML::NullAnchor) {
            // Kept copies count too: nested anchors would be quadratic memory.
            reserve(count(node), node.place);
            anchors_[anchor] = node;
        }
    }

    void add(Node node) {
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = stack_.back();
        if (parent.node.kind == Node::Kind::list) {
            parent.node.items.push_back(std::move(node));
        } else if (parent.key_waits) {
            // What is missing has no place, and a block begins a line later.
            if (node.kind != Node::Kind::plain && node.kind != Node::Kind::text) {
                node.place = parent.key_place;
            }
            parent.node.members.push_back(
                {std::move(parent.key), parent.key_place, std::move(node)});
            parent.key_waits = false;
        } else {
            if (node.kind != Node::Kind::plain && node.kind != Node::Kind::text) {
                give_up(node.place, "a key that is not a text");
            }
            parent.key = std::move(node.text);
            parent.key_place = node.place;
            parent.key_waits = true;
        }
    }

    Node root_;
    std::vector<Open> stack_;
    std::map<YAML::anchor_t, Node> anchors_;
    std::size_t nodes_ = 0;
};

// "what: name" loses the name, which may be a password that begins with an asterisk.
std::string reason_of(const YAML::Exception& error) {
    return error.msg.substr(0, error.msg.find(':'));
}

Node parse_any(std::string_view text) {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    TreeBuilder first;
    if (!parser.HandleNextDocument(first)) {
        return {};
    }
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) {
        give_up({}, "more than one document; keep one");
    }
    return std::move(first).take_root();
}

Node parse_sections(std::string_view text) {
    Node root = parse_any(text);
    if (root.kind == Node::Kind::nothing) {
        root.kind = Node::Kind::map;
    }
    if (root.kind != Node::Kind::map) {
        give_up(root.place, "the file must hold keys with values");
    }
    return root;
}

// With its exceptions as errors.
Parsed caught(Node (*parse)(std::string_view), std::string_view text) {
    try {
        return parse(text);
    } catch (const Refused& refused) {
        return std::unexpected(refused.error);
    } catch (const YAML::Exception& error) {
        return std::unexpected(SyntaxError{place_of(error.mark), reason_of(error)});
    } catch (const std::exception&) {
        return std::unexpected(SyntaxError{{}, "cannot be read as YAML"});
    }
}

}  // namespace

Parsed parse_yaml(std::string_view text) {
    return caught(parse_sections, text);
}

Parsed parse_yaml_value(std::string_view text) {
    return caught(parse_any, text);
}

}  // namespace pgc
