#include "postgres/setup/binary_choice.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "pgclient/answer.h"
#include "postgres/catalog/table_facts.h"
#include "postgres/setup/statements.h"

namespace pgc {

std::optional<std::vector<Oid>> parse_oids(std::string_view text) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    std::vector<Oid> oids;
    while (!text.empty()) {
        std::uint32_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{}) return std::nullopt;
        oids.push_back({value});
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty()) break;
        if (text.front() != ',') return std::nullopt;
        text.remove_prefix(1);
    }
    return oids;
}

Result<void> BinaryChoice::begin(Link& link) {
    return link.send(published_types_query(version_, publications_));
}

Result<std::optional<bool>> BinaryChoice::step(Link& link) {
    while (true) {
        auto answer = link.result();
        if (!answer) return std::unexpected(std::move(answer.error()));
        if (!*answer) return std::nullopt;
        if (!listed_) {
            listed_ = true;
            const std::string text = Answer{**answer}.text("types");
            auto oids = text.empty() ? std::vector<Oid>{} : parse_oids(text);
            if (!oids) return std::unexpected(strange_answer("published types"));
            types_ = std::move(*oids);
        } else {
            auto facts = read_table_facts(**answer);
            if (!facts) return std::unexpected(std::move(facts.error()));
            for (CatalogType& type : facts->types) {
                std::erase(asked_, type.oid);
                map_.add(std::move(type));
            }
            for (const Oid gone : asked_) map_.add_unknown(gone);
        }
        auto decided = ask_or_decide(link);
        if (!decided || *decided) return decided;
    }
}

Result<std::optional<bool>> BinaryChoice::ask_or_decide(Link& link) {
    asked_.clear();
    for (const Oid type : types_) std::ranges::copy(map_.missing(type), std::back_inserter(asked_));
    std::ranges::sort(asked_);
    const auto [twice, end] = std::ranges::unique(asked_);
    asked_.erase(twice, end);
    if (!asked_.empty()) {
        if (auto sent = link.send(table_facts_query(version_, false),
                                  table_facts_parameters(Oid{}, asked_), false);
            !sent) {
            return std::unexpected(std::move(sent.error()));
        }
        return std::nullopt;
    }
    for (const Oid type : types_) {
        if (map_.binary_known(type)) continue;
        obstacle_ = map_.find(type)->name;
        return false;
    }
    return true;
}

}  // namespace pgc
