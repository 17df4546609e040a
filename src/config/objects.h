// Reads lists of objects: every element by the fields that its type declares.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/declarations.h"
#include "config/evaluator.h"
#include "config/given.h"
#include "config/load_errors.h"
#include "config/option.h"
#include "config/settings.h"

namespace pgc {

class ObjectReader {
public:
    // All outlive it. `from` is the text that holds the list; `follow` as Evaluator::read() has it.
    ObjectReader(Evaluator& evaluator, LoadErrors& errors, const Provenance& from, bool follow)
        : evaluator_(evaluator), errors_(errors), from_(from), follow_(follow) {}

    // `key` names the list in errors. Nothing, with an error, if any element is wrong.
    std::optional<Settings::Value> list(const Option& option, const Node& node,
                                        const std::string& key);

private:
    using GivenFields = std::map<const Option*, Given>;

    std::optional<Settings> object(const ObjectType& type, const Node& node, std::string name);
    GivenFields fields_given(const ObjectType& type, const ObjectVariant* variant,
                             const Declarations& declared, const Node& node,
                             const std::string& name);
    std::vector<Settings::Entry> settle(const ObjectType& type, const Declarations& declared,
                                        const GivenFields& given, const std::string& name);
    // Adds what is missing to the errors, marking the entry as broken.
    void require(std::vector<Settings::Entry>& entries, Place place, const std::string& name);
    std::nullopt_t refuse(Place place, const std::string& key, std::string reason,
                          std::string near = {});

    Evaluator& evaluator_;
    LoadErrors& errors_;
    const Provenance& from_;
    const bool follow_;
};

}  // namespace pgc
