#include "config/evaluator.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "config/convert.h"
#include "config/document.h"
#include "config/loader.h"
#include "config/objects.h"

namespace pgc {
namespace {

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool has_plain_text(const std::vector<TextPart>& parts) {
    return std::ranges::any_of(
        parts, [](const TextPart& part) { return part.kind == TextPart::Kind::text; });
}

}  // namespace

void Evaluator::note_references(std::string_view text, ReferenceStyle style) {
    const auto parts = split_references(text, style);
    for (const TextPart& part : parts.value_or(std::vector<TextPart>{})) {
        if (part.kind == TextPart::Kind::variable) {
            referenced_.insert(part.text);
        }
    }
}

void Evaluator::read(const Given& given, const std::string& key, bool follow,
                     Settings::Entry& entry) {
    const Reading reading{given, key, follow, entry};
    const auto value = [&]() -> std::optional<Settings::Value> {
        if (entry.option->kind == OptionKind::objects) {
            return read_objects(reading);
        }
        switch (given.form) {
            case Given::Form::node: return read_node(reading);
            case Given::Form::text: return read_text(reading);
            case Given::Form::file: return follow ? read_file(reading) : std::nullopt;
        }
        return std::nullopt;
    };
    entry.origin = given.origin();
    if (auto result = value()) {
        entry.value = std::move(*result);
    } else {
        entry.broken = true;
    }
}

std::nullopt_t Evaluator::refuse(const Reading& reading, ValueProblem problem) {
    errors_.add_problem(reading.given.from, reading.key, std::move(problem));
    return std::nullopt;
}

void Evaluator::refuse_all(const Reading& reading, ValueProblems problems) {
    for (ValueProblem& problem : problems) {
        refuse(reading, std::move(problem));
    }
}

std::optional<std::string> Evaluator::content_of(const Reading& reading, const TextPart& part,
                                                 Place place) {
    if (part.kind == TextPart::Kind::text) {
        return part.text;
    }
    if (part.kind == TextPart::Kind::variable) {
        const auto found = environment_.find(part.text);
        if (found != environment_.end()) {
            return found->second;
        }
        return refuse(
            reading,
            {place,
             fmt::format("${{env:{0}}}: there is no variable {0} in the environment", part.text),
             {}});
    }
    auto content = read_value_file(part.text, files_);
    if (!content) {
        return refuse(
            reading, {place, fmt::format("${{file:{}}}: {}", part.text, content.error().what), {}});
    }
    return std::move(*content);
}

std::optional<std::string> Evaluator::follow_references(const Reading& reading,
                                                        const std::vector<TextPart>& parts,
                                                        Place place) {
    Settings::Entry& entry = reading.entry;
    const bool secret = entry.option->kind == OptionKind::secret;
    std::string whole;
    bool good = true;
    entry.secret_parts.clear();
    for (const TextPart& part : parts) {
        auto text = content_of(reading, part, place);
        if (!text) {
            good = false;
            continue;
        }
        whole += *text;
        if (secret && part.kind == TextPart::Kind::file) {
            entry.secret_parts.push_back({Secret{}, part.text});
        } else if (secret) {
            entry.secret_parts.push_back({Secret(std::move(*text)), {}});
        }
    }
    return good ? std::optional(std::move(whole)) : std::nullopt;
}

std::optional<Settings::Value> Evaluator::read_text(const Reading& reading) {
    const Given& given = reading.given;
    const auto parts = split_references(given.text, given.from.style);
    if (!parts) {
        return refuse(reading, {{}, parts.error(), {}});
    }
    const bool referenced = has_reference(*parts);
    if (referenced && !reading.follow) {
        return std::nullopt;
    }
    const auto text = follow_references(reading, *parts, {});
    if (!text) {
        return std::nullopt;
    }
    if (referenced) {
        reading.entry.written = given.text;
    }
    ValueProblems problems;
    auto value = value_from_text(*reading.entry.option, *text, given.text, {}, problems);
    refuse_all(reading, std::move(problems));
    return value;
}

std::optional<Settings::Value> Evaluator::read_file(const Reading& reading) {
    const std::string& path = reading.given.text;
    const auto content = read_value_file(path, files_);
    if (!content) {
        return refuse(reading, {{}, content.error().what, {}});
    }
    Settings::Entry& entry = reading.entry;
    entry.written = "${file:" + path + "}";
    entry.secret_parts = {{Secret{}, path}};
    ValueProblems problems;
    auto value = value_from_text(*entry.option, *content, entry.written, {}, problems);
    refuse_all(reading, std::move(problems));
    return value;
}

std::optional<Settings::Value> Evaluator::read_node(const Reading& reading) {
    const Provenance& from = reading.given.from;
    const bool public_secret =
        reading.entry.option->kind == OptionKind::secret && from.source == Origin::Source::flag;
    bool referenced = false;
    const Expander expand = [&](const std::string& text, Place place) -> std::optional<Expanded> {
        const auto parts = split_references(text, from.style);
        if (!parts) {
            return refuse(reading, {place, parts.error(), {}});
        }
        if (public_secret && has_plain_text(*parts)) {
            return refuse(
                reading,
                {place,
                 "a secret is not taken from the command line, where others see it",
                 {},
                 "write ${env:NAME} or ${file:PATH} there, for a variable's or a file's content"});
        }
        const bool here = has_reference(*parts);
        referenced = referenced || here;
        if (here && !reading.follow) {
            return std::nullopt;
        }
        auto whole = follow_references(reading, *parts, place);
        if (!whole) {
            return std::nullopt;
        }
        return Expanded{std::move(*whole), here};
    };
    const Node& node = *reading.given.node;
    ValueProblems problems;
    auto value = value_from_node(*reading.entry.option, node, expand, problems);
    refuse_all(reading, std::move(problems));
    if (referenced) {
        reading.entry.written = written_form(node);
    }
    return value;
}

std::optional<Settings::Value> Evaluator::read_objects(const Reading& reading) {
    const Given& given = reading.given;
    if (given.form == Given::Form::node) {
        return ObjectReader(*this, errors_, given.from, reading.follow)
            .list(*reading.entry.option, *given.node, reading.key);
    }
    if (given.form == Given::Form::text) {
        return parse_objects(reading, given.from, given.text);
    }
    if (!reading.follow) {
        return std::nullopt;
    }
    const auto content = read_value_file(given.text, files_);
    if (!content) {
        return refuse(reading, {{}, content.error().what, {}});
    }
    // A part of the configuration that has a file of its own, unlike the value of a text.
    Provenance from = given.from;
    from.file = given.text;
    from.style = ReferenceStyle::strict;
    return parse_objects(reading, from, *content);
}

std::optional<Settings::Value> Evaluator::parse_objects(const Reading& reading,
                                                        const Provenance& from,
                                                        std::string_view text) {
    if (text.size() > ConfigLimits::value_bytes) {
        return refuse(reading,
                      {{}, fmt::format("longer than {} bytes", ConfigLimits::value_bytes), {}});
    }
    if (is_blank(text)) {
        return Settings::Objects{};
    }
    const Parsed parsed = parse_value(text);
    if (!parsed) {
        const auto& [place, reason] = parsed.error();
        return refuse(reading, {{},
                                place.line == 0
                                    ? fmt::format("cannot be read as JSON: {}", reason)
                                    : fmt::format("cannot be read as JSON: line {}, column {}: {}",
                                                  place.line, place.column, reason),
                                {}});
    }
    each_text(*parsed, [&](const Node& node) { note_references(node.text, from.style); });
    return ObjectReader(*this, errors_, from, reading.follow)
        .list(*reading.entry.option, *parsed, reading.key);
}

}  // namespace pgc
